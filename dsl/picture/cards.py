"""Where everything in a picture of an ontology stands: groups as cards, cards in columns.

A card holds one group as a tree from left to right: one row a leaf, one column a depth. A tall card is cut into several
between rows, where the fewest classes are cut through; those that are stand in each part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..drawn import Node, under
from ..ontology import Group, Kind, Label, Ontology
from .marks import Mark, Marks, marks_width
from .typeset import cut, width

ROW, BOX, GAP, PAD, FONT = 24.0, 19.0, 30.0, 14.0, 12.0
"""Heights of a row and of a box in it, the space between two columns, inside a card's edge, the size of text."""
INNER, LEAF, SCALE = 190.0, 270.0, 380.0
"""How wide the box of an inner class, of a leaf, and a line of levels may be."""
BESIDE = 16.0
"""Between two cards."""


@dataclass(slots=True)
class Entry:
    """A box of a tree: a class, an attribute, or the levels of an ordinal (`levels`, in lines).

    `up` is the entry to its left, -1 at the left edge; `start` and `stop` are the rows it spans.
    """

    node: Node
    depth: int
    up: int
    text: str
    width: float
    levels: list[list[tuple[Label, str, float]]] = field(default_factory=list)
    start: int = 0
    stop: int = 0
    inner: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry with its place: left, middle line, width and height, in pixels from the corner of its card."""

    entry: Entry
    index: int
    x: float
    y: float
    width: float
    height: float
    continued: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a card of formulas: a mark and a name, or a piece of a formula."""

    text: str
    mark: Mark | None = None
    note: str = ""
    tooltip: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """A part of one group, or the rules: what stands in it, and its size. `part` is (which, of how many).

    `captions` names the levels of a hierarchy, each with its left edge. `lines` are those of a card of formulas.
    """

    title: str
    group: Group | None
    width: float
    height: float
    placed: tuple[Placed, ...] = ()
    part: tuple[int, int] = (1, 1)
    captions: tuple[tuple[float, str], ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass
class Tree:
    """All entries of one group (or of several binaries), parents first, with the rows they take."""

    group: Group | None
    title: str
    entries: list[Entry] = field(default_factory=list)
    rows: list[float] = field(default_factory=list)


def tree_of(ontology: Ontology, groups: Sequence[Group], marks: Marks) -> Tree:
    """The tree of a group, or of plain binaries that share a card, each a row."""
    single = None if is_plain(ontology, groups[0]) else groups[0]
    tree = Tree(single, single.name if single else "")
    first = under(ontology, Node(single)) if single else [Node(g) for g in groups]
    if single is not None and single.kind is Kind.ORDINAL:
        tree.entries.append(_scale(ontology, Node(single), -1, 0, marks))
    stack = [(node, -1, 0) for node in reversed(first)]
    while stack:
        node, up, depth = stack.pop()
        index = len(tree.entries)
        tree.entries.append(_entry(node, up, depth, marks, kind=single is not None))
        if isinstance(node.item, Group) and node.item.kind is Kind.ORDINAL:
            tree.entries.append(_scale(ontology, node, index, depth + 1, marks))
        stack += [(child, index, depth + 1) for child in reversed(under(ontology, node))]
    _number_rows(tree)
    return tree


def is_plain(ontology: Ontology, group: Group) -> bool:
    """Whether a group is a binary with nothing else to say."""
    return group.kind is Kind.BINARY and not group.conditional and not ontology.attributes[group.labels[0]]


def _entry(node: Node, up: int, depth: int, marks: Marks, *, kind: bool) -> Entry:
    item = node.item
    text = "other" if isinstance(item, Label) and item.other else item.name
    wide = width(text, FONT, bold=isinstance(item, Group))
    if isinstance(item, Group):
        wide += width(f"{item.kind} ", FONT - 1) + 3 if kind else 0
    if item.open:
        wide += width(" open", FONT - 1)
    return Entry(node, depth, up, text, wide + 14 + (0 if node.again else marks_width(marks.of(item))))


def _scale(ontology: Ontology, node: Node, up: int, depth: int, marks: Marks) -> Entry:
    """The levels of an ordinal, from low to high, in lines of at most `SCALE` pixels."""
    lines: list[list[tuple[Label, str, float]]] = [[]]
    room = SCALE
    assert isinstance(node.item, Group)
    for i in node.item.labels:
        label = ontology.labels[i]
        extra = 14 + marks_width(marks.of(label))
        text = cut(label.name, SCALE - extra - 16, FONT)
        wide = width(text, FONT) + extra
        if wide + 16 > room and lines[-1]:
            lines.append([])
            room = SCALE
        lines[-1].append((label, text, wide))
        room -= wide + 16
    return Entry(node, depth, up, "", max(sum(w + 16 for _, _, w in line) for line in lines), lines)


def _number_rows(tree: Tree) -> None:
    for entry in tree.entries:
        if entry.up >= 0:
            tree.entries[entry.up].inner = True
    for entry in tree.entries:
        if not entry.inner:
            entry.start = len(tree.rows)
            tree.rows.append(ROW * max(1, len(entry.levels)))
            entry.stop = len(tree.rows)
        else:
            entry.start, entry.stop = len(tree.rows), 0
    for entry in reversed(tree.entries):
        if entry.up >= 0:
            above = tree.entries[entry.up]
            above.stop = max(above.stop, entry.stop)


# --- cards -----------------------------------------------------------------------------------------


def cut_rows(tree: Tree, room: float) -> list[tuple[int, int]]:
    """The rows of each part of a tree of which no part is higher than `room` (one row always fits)."""
    total = sum(tree.rows)
    if total <= room:
        return [(0, len(tree.rows))]
    even = total / math.ceil(total / room)
    cost = [0] * (len(tree.rows) + 1)
    for entry in tree.entries:  # how many entries a cut before each row goes through
        for row in range(entry.start + 1, entry.stop):
            cost[row] += 1
    parts, first = [], 0
    while first < len(tree.rows):
        high, best = 0.0, (math.inf, math.inf, first + 1)
        for row in range(first, len(tree.rows)):
            high += tree.rows[row]
            if high > room and row > first:
                break
            if high >= 0.6 * even or row + 1 == len(tree.rows):
                best = min(best, (cost[row + 1], abs(high - even), row + 1))
        parts.append((first, best[2]))
        first = best[2]
    return parts


def cards_of(tree: Tree, room: float, head: Callable[[Tree, tuple[int, int]], tuple[float, float]]) -> Iterator[Card]:
    """The cards of a tree, none with rows higher than `room`.

    Args:
        head: the width and height of a card's header, given the tree and which part of how many it is.
    """
    parts = cut_rows(tree, room)
    for number, (first, last) in enumerate(parts, 1):
        part = (number, len(parts))
        yield _card(tree, first, last, part, *head(tree, part))


def _card(tree: Tree, first: int, last: int, part: tuple[int, int], wide: float, high: float) -> Card:
    here = [(i, e) for i, e in enumerate(tree.entries) if e.start < last and e.stop > first]
    levels = tree.group.levels if tree.group is not None else ()
    left = _columns(here, levels)
    top = high + (18 if levels else 0)
    offsets = [top]
    for row in range(first, last):
        offsets.append(offsets[-1] + tree.rows[row])
    placed = []
    for i, e in here:
        start, stop = max(e.start, first), min(e.stop, last)
        low, up = offsets[start - first], offsets[stop - first]
        size = min(e.width, INNER if e.inner else LEAF) if not e.levels else e.width
        height = BOX if not e.levels else up - low - (ROW - BOX)
        continued = e.start < first
        placed.append(Placed(e, i, left[e.depth], (low + up) / 2, size, height, continued))
    captions = tuple((left[d], name) for d, name in enumerate(levels) if d in left)
    edge = max([wide - PAD, *(p.x + p.width for p in placed), *(x + width(name, 11) for x, name in captions)])
    return Card(tree.title, tree.group, edge + PAD, offsets[-1] + PAD - 4, tuple(placed), part, captions)


def _columns(here: list[tuple[int, Entry]], levels: tuple[str, ...]) -> dict[int, float]:
    """The left edge of each depth: right of the inner classes of the depth before, and of its caption."""
    inner: dict[int, float] = {}
    for _, e in here:
        inner[e.depth] = max(inner.get(e.depth, 0.0), min(e.width, INNER) if e.inner else 0.0)
    left, x = {}, PAD + 14
    for depth in sorted(inner):
        left[depth] = x
        caption = width(levels[depth], 11) - GAP + 8 if depth < len(levels) else 0.0
        x += max(inner[depth], caption) + GAP
    return left


# --- columns of cards ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """Cards with their places, and the size of the whole."""

    cards: tuple[tuple[float, float, Card], ...]
    width: float
    height: float


def flow(cards: Sequence[Card], room: float) -> Page:
    """Cards in columns, down and then right, none higher than `room` unless one card is; in a column all are as wide
    as the widest.
    """
    columns: list[list[Card]] = [[]]
    high = 0.0
    for card in cards:
        if columns[-1] and high + card.height > room:
            columns.append([])
            high = 0.0
        columns[-1].append(card)
        high += card.height + BESIDE
    placed, x, bottom = [], 0.0, 0.0
    for column in columns:
        wide, y = max((c.width for c in column), default=0.0), 0.0
        for card in column:
            placed.append((x, y, replace(card, width=wide)))
            y += card.height + BESIDE
        bottom = max(bottom, y - BESIDE)
        x += wide + BESIDE
    return Page(tuple(placed), x - BESIDE, bottom)
