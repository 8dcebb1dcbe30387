"""The cards of a picture that hold formulas: rules and conditions, each with its mark."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..formula_text import formula_text
from ..ontology import Ontology
from .cards import PAD, Card, Line
from .marks import Mark, Marks, mark_width
from .typeset import cut, width, wrap

LINE, TEXT, INDENT = 18.0, 11.5, 24.0
"""The height of a line, the size of its text, how far a formula is indented."""
_ROOM, _MOST = 380.0, 6
_TOP = 40.0

Block = tuple[Line, ...]


def legend_cards(ontology: Ontology, marks: Marks, room: float) -> Iterator[Card]:
    """The cards of all rules, then of all conditions, none higher than `room` unless one formula is."""
    rules = [_rule(ontology, i, mark) for i, mark in enumerate(marks.rules)]
    conditions = [_condition(ontology, g, mark) for g, mark in marks.conditions.items()]
    for title, blocks in (("Rules", rules), ("Conditions", conditions)):
        yield from _cards(title, blocks, room)


def _rule(ontology: Ontology, index: int, mark: Mark) -> Block:
    rule = ontology.rules[index]
    note = [rule.title] if rule.title else []
    note += [f"soft {rule.weight:g}"] if rule.weight is not None else []
    texts = [formula_text(ontology, f) for f in rule.formulas]
    return _block(mark, rule.name, ", ".join(note), texts)


def _condition(ontology: Ontology, group: int, mark: Mark) -> Block:
    g = ontology.groups[group]
    assert g.when is not None
    return _block(mark, g.path, "applies when", [formula_text(ontology, g.when)])


def _block(mark: Mark, name: str, note: str, formulas: Sequence[str]) -> Block:
    name = cut(name, _ROOM - 60, TEXT, bold=True)
    left = INDENT + mark_width(mark) + width(name, TEXT, bold=True)
    head = Line(name, mark, cut(note, max(_ROOM - left, 40), TEXT), note)
    body = []
    for text in formulas:
        lines = wrap(text, _ROOM - INDENT, TEXT, mono=True)
        if len(lines) > _MOST:
            lines = [*lines[: _MOST - 1], cut(lines[_MOST - 1] + " …", _ROOM - INDENT, TEXT, mono=True)]
        body += [Line(line if i == 0 else f"  {line}", tooltip=text) for i, line in enumerate(lines)]
    return (head, *body)


def _cards(title: str, blocks: Sequence[Block], room: float) -> Iterator[Card]:
    parts: list[list[Line]] = [[]] if blocks else []
    for block in blocks:
        if parts[-1] and (len(parts[-1]) + len(block)) * LINE + _TOP + PAD > room:
            parts.append([])
        parts[-1] += block
    for number, lines in enumerate(parts, 1):
        wide = max(_wide(line) for line in lines)
        high = _TOP + len(lines) * LINE + PAD - 4
        yield Card(title, None, max(wide + 2 * PAD, 160.0), high, part=(number, len(parts)), lines=tuple(lines))


def _wide(line: Line) -> float:
    if line.mark is None:
        return INDENT + width(line.text, TEXT, mono=True)
    return mark_width(line.mark) + 7 + width(line.text, TEXT, bold=True) + 8 + width(line.note, TEXT)
