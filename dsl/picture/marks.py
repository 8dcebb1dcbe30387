"""Marks that tie a formula in a picture's legend to the classes and groups it names: 1, 2, … for rules, a, b, … for
conditions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..formula import Formula
from ..ontology import Group, Kind, Label, Ontology
from .typeset import width

MARK = 15.0
"""The height of a mark; its width is at least this."""
_SHOWN = 3
BEFORE = 5.0
"""Between a text and its first mark."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark's text, and whether it stands for a hard rule, a soft rule or a condition."""

    text: str
    kind: str


@dataclass
class Marks:
    """Which marks each class and group bears."""

    labels: dict[int, list[Mark]] = field(default_factory=dict)
    groups: dict[int, list[Mark]] = field(default_factory=dict)
    rules: list[Mark] = field(default_factory=list)
    conditions: dict[int, Mark] = field(default_factory=dict)

    def of(self, item: Group | Label) -> list[Mark]:
        """The marks of a class or group; of more than three, two and how many more."""
        if isinstance(item, Label):
            found = self.labels.get(item.index, [])
        else:
            found = self.groups.get(item.index, [])
            if item.kind is Kind.BINARY:
                found = list(dict.fromkeys([*found, *self.labels.get(item.labels[0], [])]))
        if len(found) <= _SHOWN:
            return found
        return [*found[: _SHOWN - 1], Mark(f"+{len(found) - _SHOWN + 1}", "more")]


def marks_of(ontology: Ontology) -> Marks:
    """The marks of all rules and conditions of an ontology."""
    marks = Marks()
    for number, rule in enumerate(ontology.rules, 1):
        mark = Mark(str(number), "hard" if rule.weight is None else "soft")
        marks.rules.append(mark)
        for formula in rule.formulas:
            _bear(marks, mark, formula)
    for group in ontology.groups:
        if group.when is not None:
            mark = Mark(_letters(len(marks.conditions)), "when")
            marks.conditions[group.index] = mark
            _bear(marks, mark, group.when)
    return marks


def _bear(marks: Marks, mark: Mark, formula: Formula) -> None:
    for part in formula.walk():
        bearers = [marks.labels.setdefault(i, []) for i in part.labels]
        if part.group >= 0 and not part.labels:
            bearers.append(marks.groups.setdefault(part.group, []))
        for found in bearers:
            if mark not in found:
                found.append(mark)


def _letters(number: int) -> str:
    """a, b, …, z, aa, ab, …"""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def mark_width(mark: Mark) -> float:
    """The width of one mark."""
    return max(MARK, width(mark.text, 11) + 7)


def marks_width(marks: list[Mark]) -> float:
    """The width that marks add to a box."""
    return sum(mark_width(m) + 3 for m in marks) + (BEFORE if marks else 0)
