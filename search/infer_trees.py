"""Trees in columns: values that are paths, names with a separator, columns of which one refines the other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..dsl.draft import DraftClass, unique_ids
from ..dsl.names import fold
from ..dsl.ontology import OTHER
from ..dsl.quoting import is_plain
from .columns import Column, number

Steps = tuple[str, ...]
"""A class as the names from the top of its group down to it."""

PATHS = ("/", ">")
"""What parts the steps of a path; bindings read these by themselves."""
JOINS = ("___", "__", "::", ": ", " - ", "--")
"""What may join the names of a class and of what it belongs to."""
WEAK = (" ", "_", "-", ".", ":")
"""As `JOINS`, but so common in names that both halves must recur."""


def separator(values: Sequence[str]) -> str | None:
    """What parts the steps of values that are paths, or names with a pattern; None for plain names.

    A path sign stands in half of the values or more, and the others mostly are beginnings of paths; any other
    separator stands in all of them. Whatever it is, several values must share a beginning.
    """
    for sign in PATHS:
        split = [steps(v, sign) for v in values]
        deep = [s for s in split if len(s) > 1]
        bare = [s for s in split if len(s) == 1]
        heads = {s[0] for s in deep}
        known = sum(s[0] in heads for s in bare)
        if 2 * len(deep) >= len(values) and len(heads) < len(deep) and 2 * known >= len(bare):
            return sign
    for sign in (*JOINS, *WEAK):
        split = [steps(v, sign) for v in values]
        if any(len(s) < 2 or (sign in WEAK and len(s) > 2) for s in split):
            continue
        heads, tails = {s[0] for s in split}, {s[-1] for s in split}
        recurring = len(heads) + len(tails) if sign in WEAK else len(heads)
        if len(heads) > 1 and recurring < len(values):
            return sign
    return None


def steps(value: str, sign: str) -> Steps:
    """A value's steps."""
    return tuple(part.strip() for part in value.split(sign) if part.strip())


def refines(fine: Column, coarse: Column) -> dict[str, str] | None:
    """Of each value of `fine` the one value of `coarse` that stands beside it. None where some value has two, where
    nothing is finer, and where so few images have each value that this says nothing.
    """
    above: dict[str, str] = {}
    both = 0
    for a, b in zip(fine.cells, coarse.cells, strict=True):
        if isinstance(a, str) and isinstance(b, str):
            both += 1
            if above.setdefault(a, b) != b:
                return None
    return above if both >= 3 * len(above) and 1 < len(set(above.values())) < len(above) else None


def same(a: Column, b: Column) -> bool:
    """Whether two columns say the same of the images of which both say something."""
    pairs = {(x, y) for x, y in zip(a.cells, b.cells, strict=True) if x is not None and y is not None}
    firsts, seconds = {x for x, _ in pairs}, {y for _, y in pairs}
    return len(pairs) > 1 and len(firsts) == len(pairs) == len(seconds)


def chains(columns: Sequence[Column]) -> list[list[Column]]:
    """Columns in chains, coarse to fine, each refined by the next; a column that refines none is a chain of its own."""
    coarser = {f.name: {c.name for c in columns if c is not f and refines(f, c) is not None} for f in columns}
    left = sorted(columns, key=lambda c: -len(coarser[c.name]))
    found = []
    while left:
        chain = [left.pop(0)]
        for column in list(left):
            if column.name in coarser[chain[-1].name]:
                chain.append(column)
                left.remove(column)
        found.append(chain[::-1])
    return found


# --- a tree as classes -----------------------------------------------------------------------------


@dataclass
class Classes:
    """The classes of a group; by the names from its top down, the ids that name each within it, and its draft.

    `open` says whether the group itself has other values than those listed.
    """

    classes: list[DraftClass] = field(default_factory=list)
    ids: dict[Steps, Steps] = field(default_factory=dict)
    drafted: dict[Steps, DraftClass] = field(default_factory=dict)
    open: bool = False


@dataclass
class _Node:
    below: dict[str, _Node] = field(default_factory=dict)


def draft_classes(paths: Iterable[Steps], written: Mapping[Steps, str], sign: str | None, *, opens: bool) -> Classes:
    """The classes that paths name, children under parents.

    Args:
        written: how the data write a path, where binding could not find the class by its steps alone.
        sign: what parts the steps where data write whole paths that bindings read, else None.
        opens: whether a value such as "Other" stands for what `open` adds.
    """
    data = set(paths)
    top = _Node()
    for path in sorted(data, key=lambda p: [_order(s) for s in p]):
        node = top
        for step in path:
            node = node.below.setdefault(step, _Node())
    alone = frozenset(fold(p[0]) for p in data if len(p) == 1) if sign in PATHS else frozenset()
    hidden = any(fold(step) in alone for path in data for step in path[1:])  # `other` could have no alias
    drafting = _Drafting(Classes(), written, sign or "", alone, opens and not hidden)
    drafting.made.classes, drafting.made.open = drafting.children(top, ())
    return drafting.made


@dataclass(frozen=True)
class _Drafting:
    """One tree in the making. `alone` are names that data write for a class at the top: below, no class may be read by
    such a name.
    """

    made: Classes
    written: Mapping[Steps, str]
    sign: str
    alone: frozenset[str]
    opens: bool

    def children(self, node: _Node, above: Steps) -> tuple[list[DraftClass], bool]:
        """The classes under a node, and whether it is open."""
        other = [n for n, below in node.below.items() if self.opens and fold(n) == OTHER and not below.below]
        names = [n for n in node.below if n not in other]
        if not names:  # "other" alone is a class like any
            names, other = other, []
        prefix = self.made.ids.get(above, ())
        for name in other:
            self.made.ids[*above, name] = (*prefix, OTHER)
        classes = []
        for name, own in zip(names, self._ids(names, above), strict=True):
            path = (*above, name)
            self.made.ids[path] = (*prefix, own)
            drafted = self._class(path, own)
            self.made.drafted[path] = drafted
            drafted.classes, drafted.open = self.children(node.below[name], path)
            classes.append(drafted)
        return classes, bool(other)

    def _class(self, path: Steps, own: str) -> DraftClass:
        """One class with the spellings by which the data's cells find it."""
        hidden = any(fold(step) in self.alone for step in path[1:])
        title = None if path[-1] == own or (len(path) > 1 and fold(path[-1]) in self.alone) else path[-1]
        spoken = [self.written[path]] if path in self.written else []
        spoken += [self.sign.join(path)] if hidden else []
        return DraftClass(own, title, tuple(s for s in spoken if s not in (title, own)))

    def _ids(self, names: Sequence[str], above: Steps) -> list[str]:
        """Ids of siblings: the names themselves where they can be, else plain words made of them."""
        wanted = [f"{above[-1]} {n}" if above and fold(n) in self.alone else n for n in names]
        plain = [w if fold(w) != OTHER and (is_plain(w) or re.fullmatch(r"[0-9]+", w)) else "" for w in wanted]
        taken = [OTHER, *(p for p in plain if p)]
        made = unique_ids([*taken, *(w for w, p in zip(wanted, plain, strict=True) if not p)])
        rest = iter(made[len(taken) :])
        return [p or next(rest) for p in plain]


def _order(name: str) -> tuple[bool, float, str]:
    value = number(name)
    return (value is None, value or 0.0, name)
