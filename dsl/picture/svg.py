"""An ontology as a picture: one SVG file with no script, no address and no font of its own, readable in light and dark.

Each group is a card with its tree from left to right. Ordinals are scales; a class with several parents stands dashed
under each parent but the first; rules and conditions stand in cards of their own, their marks on what they name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape

from ..drawn import roots
from ..formula_text import formula_text
from ..ontology import Group, Kind, Label, Ontology
from .cards import BOX, FONT, GAP, PAD, Card, Page, Placed, Tree, cards_of, flow, is_plain, tree_of
from .legend import INDENT, LINE, TEXT, legend_cards
from .marks import BEFORE, MARK, Mark, Marks, mark_width, marks_of, marks_width
from .style import STYLE
from .typeset import cut, width

_MARGIN, _HEADER, _FOOTER = 24.0, 62.0, 34.0
_NAME, _SMALL = 14.0, 11.0
_SHAPE = 1.5
"""The width of a picture for each pixel of its height, as near as its cards allow."""


def render_svg(ontology: Ontology) -> str:
    """The picture of an ontology, as the text of an SVG file."""
    marks = marks_of(ontology)
    trees = [tree_of(ontology, groups, marks) for groups in _shared(ontology)]
    return _Picture(ontology, marks).draw(_best_page(ontology, trees, marks))


def _shared(ontology: Ontology) -> list[list[Group]]:
    """The top groups, each by itself, but plain binaries together, where the first of them stands."""
    cards: list[list[Group]] = []
    binaries: list[Group] = []
    for node in roots(ontology):
        assert isinstance(node.item, Group)
        group = node.item
        if not is_plain(ontology, group):
            cards.append([group])
            continue
        binaries.append(group)
        if len(binaries) == 1:
            cards.append(binaries)
    return cards


def _best_page(ontology: Ontology, trees: list[Tree], marks: Marks) -> Page:
    """The cards in columns of the height that makes the picture's shape the most like `_SHAPE`."""

    def cards(room: float) -> list[Card]:
        groups = [c for tree in trees for c in cards_of(tree, room - 60, lambda t, p: _head_size(t, p, marks))]
        return [*groups, *legend_cards(ontology, marks, room)]

    def badness(page: Page) -> float:
        filled = sum(c.width * c.height for _, _, c in page.cards) / max(page.width * page.height, 1.0)
        shape = (page.width + 2 * _MARGIN) / (page.height + _HEADER + _FOOTER + _MARGIN)
        return abs(math.log(shape / _SHAPE)) + 1.2 * (1 - filled) + 0.01 * len(page.cards)

    area = sum(c.width * c.height for c in cards(math.inf))
    ideal = math.sqrt(area / _SHAPE)
    rooms = [max(240.0, ideal * 1.12**step) for step in range(-4, 9)]
    return min((flow(cards(room), room) for room in dict.fromkeys(rooms)), key=badness)


# --- headers of cards ------------------------------------------------------------------------------


def _notes(tree: Tree | None, group: Group | None, part: tuple[int, int], ontology: Ontology | None = None) -> str:
    """What stands under a card's name."""
    words = []
    if group is not None:
        words += [group.path] if group.name != group.id or "." in group.path else []
        words += ["open"] if group.open else []
        if ontology is not None and group.source is not None:
            words.append(f"from {ontology.imports[group.source].alias}")
    words += [f"part {part[0]} of {part[1]}"] if part[1] > 1 else []
    return " · ".join(words)


def _head_size(tree: Tree, part: tuple[int, int], marks: Marks) -> tuple[float, float]:
    group = tree.group
    kind = group.kind if group is not None else Kind.BINARY
    wide = 2 * PAD + _tag_width(kind)
    if group is not None:
        when = marks.conditions.get(group.index)
        borne = [*marks.of(group), *([when] if when else [])]
        wide += 8 + width(cut(group.name, 260, _NAME, bold=True), _NAME, bold=True) + marks_width(borne)
        wide += width("when ", _SMALL) + 4 if when else 0
    notes = _notes(tree, group, part) + (
        " · from " + "x" * 12 if group is not None and group.source is not None else ""
    )
    return max(wide, 2 * PAD + width(cut(notes, 300, _SMALL), _SMALL)), 58.0 if notes else 42.0


def _tag_width(kind: Kind) -> float:
    return width(kind, _SMALL, bold=True) + 12


# --- drawing ---------------------------------------------------------------------------------------


class _Picture:
    """Draws cards at their places."""

    def __init__(self, ontology: Ontology, marks: Marks):
        self.ontology = ontology
        self.marks = marks
        self.out: list[str] = []

    def draw(self, page: Page) -> str:
        about = self.ontology
        wide = max(page.width, 420.0) + 2 * _MARGIN
        high = page.height + _HEADER + _FOOTER + _MARGIN
        self.out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="linnaeus" role="img" viewBox="0 0 {_n(wide)} {_n(high)}" '
            f'width="{_n(wide)}" height="{_n(high)}">',
            f"<title>{escape(about.title or about.name)}</title><style>{STYLE}</style>",
            f'<rect class="page" width="{_n(wide)}" height="{_n(high)}"/>',
        ]
        self.header(wide)
        for x, y, card in page.cards:
            self.out.append(f'<g transform="translate({_n(x + _MARGIN)} {_n(y + _HEADER)})">')
            self.card(card)
            self.out.append("</g>")
        self.key(high - _FOOTER / 2 - 2)
        return "\n".join([*self.out, "</svg>\n"])

    def header(self, wide: float) -> None:
        o = self.ontology
        room = wide - 2 * _MARGIN
        name = cut(o.title or o.name, room, 19, bold=True)
        self.text(_MARGIN, 31, name, "name", o.title or o.name)
        words = [o.name] if o.title else []
        words += [f"version {o.version}"] if o.version else []
        words += [_many(len(o.groups), "group", "groups"), _many(len(o.labels), "class", "classes")]
        words += [_many(len(o.rules), "rule", "rules")] if o.rules else []
        words += [f"imports {i.name}{' ' + i.version if i.version else ''}" for i in o.imports]
        self.text(_MARGIN, 49, cut(" · ".join(words), room, _SMALL), "note", " · ".join(words))

    def key(self, y: float) -> None:
        """What the lines mean, where there are several kinds."""
        o = self.ontology
        kinds = [("edge", "class of")]
        kinds += [("edge attribute", "attribute of")] if any(g.condition is not None for g in o.groups) else []
        kinds += [("edge again", "also a class of")] if any(len(label.parents) > 1 for label in o.labels) else []
        x = _MARGIN
        for style, words in kinds if len(kinds) > 1 else []:
            self.out.append(f'<path class="{style}" d="M{_n(x)} {_n(y)}h26"/>')
            self.text(x + 32, y + 4, words, "note")
            x += 32 + width(words, _SMALL) + 22

    def card(self, card: Card) -> None:
        kind = card.group.kind if card.group else Kind.BINARY if card.placed else "legend"
        self.out.append(f'<rect class="card" width="{_n(card.width)}" height="{_n(card.height)}" rx="8"/>')
        if kind == "legend":
            part = f"  {card.part[0]} of {card.part[1]}" if card.part[1] > 1 else ""
            self.text(PAD, 27, card.title + part, "head")
            self.lines(card)
            return
        self.head(card, Kind(kind))
        for x, name in card.captions:
            self.text(x, min(p.y for p in card.placed) - BOX, name, "caption")
        self.edges(card.placed)
        for p in card.placed:
            self.entry(p, card.group is None)

    def head(self, card: Card, kind: Kind) -> None:
        tag = _tag_width(kind)
        self.out.append(f'<rect class="tag {kind}" x="{PAD}" y="13" width="{_n(tag)}" height="18" rx="4"/>')
        self.text(PAD + 6, 26, kind, "kind")
        group, x = card.group, PAD + tag + 8
        if group is not None:
            name = cut(group.name, 260, _NAME, bold=True)
            self.text(x, 27, name, "head", _tooltip(group))
            x += width(name, _NAME, bold=True) + 4
            x = self.badges(x, 22, self.marks.of(group))
            if group.index in self.marks.conditions:
                self.text(x + 2, 26, "when", "note")
                self.badges(x + 4 + width("when ", _SMALL), 22, [self.marks.conditions[group.index]])
        notes = _notes(None, group, card.part, self.ontology)
        self.text(PAD, 46, cut(notes, card.width - 2 * PAD, _SMALL), "note", notes)

    def edges(self, placed: Iterable[Placed]) -> None:
        """A line from each entry to what stands under it, or from the card's left edge."""
        at = {p.index: p for p in placed}
        below: dict[int, list[Placed]] = {}
        for p in at.values():
            below.setdefault(p.entry.up, []).append(p)
        for up, children in below.items():
            if up < 0 and children[0].entry.levels:  # a scale by itself hangs on nothing
                continue
            left = min(c.x for c in children)
            trunk = left - GAP / 2 if up >= 0 else PAD + 1
            if up >= 0:
                above = at[up]
                ends = [*(c.y for c in children), above.y]
                self.out.append(f'<path class="edge" d="M{_n(above.x + above.width)} {_n(above.y)}H{_n(trunk)}"/>')
            else:
                ends = [c.y for c in children]
            if max(ends) > min(ends):
                self.out.append(f'<path class="edge" d="M{_n(trunk)} {_n(min(ends))}V{_n(max(ends))}"/>')
            for c in children:
                self.out.append(f'<path class="{_edge(c)}" d="M{_n(trunk)} {_n(c.y)}H{_n(c.x)}"/>')

    def entry(self, p: Placed, bare: bool) -> None:
        if p.entry.levels:
            self.scale(p)
            return
        item = p.entry.node.item
        kind = item.kind if isinstance(item, Group) else self.ontology.groups[item.group].kind
        style = "attribute" if isinstance(item, Group) and not bare else "inner" if p.entry.inner else "leaf"
        style = "again" if p.entry.node.again else style
        style += " continued" if p.continued else ""
        self.out.append(f"<g><title>{escape(_tooltip(item))}</title>")
        self.out.append(_box(p.x, p.y - p.height / 2, p.width, p.height, f"box {kind} {style}"))
        marks = [] if p.entry.node.again else self.marks.of(item)
        x, end = p.x + 7, p.x + p.width - 7 - marks_width(marks)
        if isinstance(item, Group) and not bare:
            self.text(x, p.y + 4, item.kind, f"word {kind}")
            x += width(f"{item.kind} ", FONT - 1) + 3
        opened = width(" open", FONT - 1) if item.open else 0.0
        text = cut(p.entry.text, end - x - opened, FONT, bold=isinstance(item, Group))
        style = "label other" if isinstance(item, Label) and item.other else "label"
        self.text(x, p.y + 4, text, style + (" group" if isinstance(item, Group) else ""))
        if opened:
            self.text(end - opened + 4, p.y + 4, "open", "note")
        self.badges(end, p.y, marks)
        self.out.append("</g>")

    def scale(self, p: Placed) -> None:
        """Levels as a scale that deepens from low to high, with `<` between."""
        lines = p.entry.levels
        total = sum(len(line) for line in lines)
        height = p.height / len(lines) - (0 if len(lines) == 1 else 3)
        at = 0
        for row, line in enumerate(lines):
            x, y = p.x, p.y - p.height / 2 + row * (p.height / len(lines))
            for label, text, wide in line:
                shade = 1 + round(4 * at / max(total - 1, 1))
                self.out.append(f"<g><title>{escape(_tooltip(label))}</title>")
                self.out.append(_box(x, y, wide, height, f"box ordinal shade{shade}"))
                self.text(x + 7, y + height / 2 + 4, text, "label")
                marks = self.marks.of(label)
                self.badges(x + wide - 7 - marks_width(marks), y + height / 2, marks)
                self.out.append("</g>")
                at += 1
                if at < total:
                    self.text(x + wide + 4, y + height / 2 + 4, "<", "note")
                x += wide + 16

    def lines(self, card: Card) -> None:
        y = 54.0
        for line in card.lines:
            tooltip = f"<title>{escape(line.tooltip)}</title>" if line.tooltip else ""
            self.out.append(f"<g>{tooltip}")
            if line.mark is None:
                self.text(PAD + INDENT, y, line.text.replace("  ", "\u00a0\u00a0"), "formula")
            else:
                x = self.badges(PAD - BEFORE, y - 4, [line.mark]) + 4
                self.text(x, y, line.text, "rule")
                self.text(x + width(line.text, TEXT, bold=True) + 8, y, line.note, "note")
            self.out.append("</g>")
            y += LINE

    def badges(self, x: float, y: float, marks: list[Mark]) -> float:
        """Marks from `x` on, around the middle line `y`; gives where they end."""
        x += BEFORE if marks else 0
        for mark in marks:
            wide = mark_width(mark)
            words = self.meaning(mark)
            self.out.append(f"<g><title>{escape(words)}</title>" if words else "<g>")
            self.out.append(_box(x, y - MARK / 2, wide, MARK, f"mark {mark.kind}"))
            self.text(x + wide / 2, y + 4, mark.text, f"sign {mark.kind}")
            self.out.append("</g>")
            x += wide + 3
        return x

    def meaning(self, mark: Mark) -> str:
        """The formulas that a mark stands for."""
        o = self.ontology
        if mark.kind == "more":
            return ""
        if mark.kind == "when":
            group = next(g for g, m in self.marks.conditions.items() if m == mark)
            when = o.groups[group].when
            return f"{o.groups[group].path} when {formula_text(o, when)}" if when else ""
        rule = o.rules[int(mark.text) - 1]
        return f"{rule.name}: {'; '.join(formula_text(o, f) for f in rule.formulas)}"

    def text(self, x: float, y: float, text: str, style: str, tooltip: str = "") -> None:
        title = f"<title>{escape(tooltip)}</title>" if tooltip and tooltip != text else ""
        if text:
            self.out.append(f'<text class="{style}" x="{_n(x)}" y="{_n(y)}">{title}{escape(text)}</text>')


def _edge(p: Placed) -> str:
    if p.entry.node.again:
        return "edge again"
    attribute = isinstance(p.entry.node.item, Group) and not p.entry.levels and p.entry.up >= 0
    return "edge attribute" if attribute else "edge"


def _box(x: float, y: float, wide: float, high: float, style: str) -> str:
    return f'<rect class="{style}" x="{_n(x)}" y="{_n(y)}" width="{_n(wide)}" height="{_n(high)}" rx="4"/>'


def _tooltip(item: Group | Label) -> str:
    also = f" (also {', '.join(item.aka)})" if item.aka else ""
    return f"{item.path}: {item.title}{also}" if item.title else f"{item.path}{also}"


def _many(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _n(value: float) -> str:
    """A coordinate, to a tenth of a pixel."""
    return f"{value:.1f}".removesuffix(".0")
