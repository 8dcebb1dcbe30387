"""Groups of an ontology in the making: the columns that each is bound to, and what each image says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from ..dsl.annotations import YES_WORDS
from ..dsl.names import fold
from ..dsl.ontology import OTHER, Kind
from .columns import Column, Role, ordered
from .infer_trees import PATHS, Classes, Steps, chains, draft_classes, refines, same, separator, steps

FEW = 12
"""Values of which an order is suggested, at most."""


@dataclass
class Found:
    """A group as the data show it.

    `paths` [N] says of each image which classes hold (each as the names from the top of the group), or None where
    nothing is said; a binary has one class, of no steps. `binding` is the study's for the group, `flags` for its single
    classes where each has a column of its own.
    """

    kind: Kind
    name: str
    columns: tuple[str, ...]
    paths: Sequence[tuple[Steps, ...] | None]
    classes: Classes
    binding: Any
    flags: Mapping[Steps, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    host: tuple[Found, Steps] | None = None

    @cached_property
    def rows(self) -> dict[Steps, set[int]]:
        """The images of each class, those of the classes below it among them; of a binary, of its yes."""
        found: dict[Steps, set[int]] = {}
        for row, said in enumerate(self.paths):
            for path in said or ():
                for depth in range(min(1, len(path)), len(path) + 1):
                    found.setdefault(path[:depth], set()).add(row)
        return found

    @cached_property
    def said(self) -> set[int]:
        """The images of which something is said."""
        return {row for row, paths in enumerate(self.paths) if paths is not None}


def find_groups(columns: Sequence[Column], left: dict[str, str]) -> list[Found]:
    """The groups that columns make; why a column makes none goes to `left`.

    Args:
        columns: those that may hold classes, in the order of the data set.
    """
    columns = _told_once(columns, left)
    choices = [c for c in columns if c.role is Role.CHOICE]
    signs = {c.name: separator(c.values) for c in choices}
    trees = [c for c in choices if signs[c.name]]
    plain = [c for c in choices if not signs[c.name]]
    for tree in trees:
        for c in plain[:]:
            if _step_of(c, tree, signs[tree.name] or ""):
                left[c.name] = f"{tree.name} says it too"
                plain.remove(c)
    found = [_of_paths(c, signs[c.name] or "") for c in trees]
    found += [_of_chain(chain) if len(chain) > 1 else _of_values(chain[0]) for chain in chains(plain)]
    found += [_of_list(c) for c in columns if c.role is Role.LIST]
    found += _of_flags([c for c in columns if c.role is Role.BINARY])
    order = {c.name: i for i, c in enumerate(columns)}
    found.sort(key=lambda f: order[f.columns[0]])
    _nest(found)
    return found


def _told_once(columns: Sequence[Column], left: dict[str, str]) -> list[Column]:
    """Without those that say what another says: names stay rather than numbers, what says more rather than less."""

    def rank(c: Column) -> tuple[bool, int, int]:
        classes = sum(n for v, n in c.counts.items() if fold(str(v)) != OTHER)
        return (c.values[0].lstrip("-").isdigit(), -classes, len(c.counts))

    kept: list[Column] = []
    for c in sorted(columns, key=rank):
        twin = next((k for k in kept if k.role is not Role.LIST and same(c, k)), None)
        if twin is None:
            kept.append(c)
            continue
        beside = {cell for cell, other in zip(c.cells, twin.cells, strict=True) if other is None and cell is not None}
        more = [v for v in dict.fromkeys((*sorted(map(str, beside)), *c.unsaid)) if v not in twin.counts]
        left[c.name] = f"says the same as {twin.name}" + (
            f", and {', '.join(more)} where that is empty" if more else ""
        )
    return [c for c in columns if c in kept]


def _step_of(column: Column, tree: Column, sign: str) -> bool:
    """Whether a column says a step of a tree's paths, or their beginning."""
    pairs = {(a, b) for a, b in zip(column.cells, tree.cells, strict=True) if a is not None and b is not None}
    split = [(a, steps(b, sign)) for a, b in pairs if isinstance(a, str) and isinstance(b, str)]
    depth = max((len(s) for _, s in split), default=0)
    return bool(split) and any(
        all(a in (s[min(k, len(s) - 1)], sign.join(s[: k + 1])) for a, s in split) for k in range(depth)
    )


# --- one kind of column each -------------------------------------------------------------------------


def _of_values(c: Column) -> Found:
    paths = [None if v is None else ((str(v),),) for v in c.cells]
    classes = draft_classes({p for row in paths for p in row or ()}, {}, None, opens=True)
    found = Found(Kind.MULTICLASS, c.name, (c.name,), paths, classes, c.name)
    scale = ordered(c.values)
    if scale and len(scale) <= FEW and not classes.open:
        ids = [classes.ids[v,][0] for v in scale]
        found.remarks.append(
            f"in this order? then: ordinal {{ {' < '.join(f'`{i}`' if i.isdigit() else i for i in ids)} }}"
        )
    return found


def _of_paths(c: Column, sign: str) -> Found:
    paths = [None if v is None else (steps(str(v), sign),) for v in c.cells]
    written = {} if sign in PATHS else {steps(v, sign): v for v in c.values}
    classes = draft_classes({p for row in paths for p in row or ()}, written, sign, opens=True)
    found = Found(Kind.HIERARCHY, c.name, (c.name,), paths, classes, c.name)
    found.remarks += _coarse(found)
    tails = [steps(v, sign)[1:] for v in c.values]
    if sign not in PATHS and len(set(tails)) < len(tails):
        found.remarks.append(
            f"what stands after {sign!r} repeats: it may be a group of its own, read by {{from: {c.name}, pattern: …}}"
        )
    return found


def _of_chain(chain: Sequence[Column]) -> Found:
    above: list[Mapping[str, str]] = [refines(fine, coarse) or {} for coarse, fine in pairwise(chain)]
    raw = [_filled(row, above) for row in zip(*(c.cells for c in chain), strict=True)]
    below: dict[Steps, set[str]] = {}
    for path in {p for p in raw if p}:
        for k in range(1, len(path)):
            below.setdefault(path[:k], set()).add(path[k])
    folded = {p: _collapsed(p, below) for p in set(raw) if p}
    paths = [(folded[p],) if p else None for p in raw]
    classes = draft_classes(set(folded.values()), {}, None, opens=True)
    names = tuple(c.name for c in chain)
    found = Found(Kind.HIERARCHY, chain[-1].name, names, paths, classes, {"path": list(names)})
    found.remarks += [f"each value of {fine.name} has one of {coarse.name}" for coarse, fine in pairwise(chain)]
    found.remarks += _coarse(found)
    return found


def _filled(row: Sequence[Any], above: Sequence[Mapping[str, str]]) -> Steps:
    """A row's names from coarse to fine: a coarse one left out is the one that its finer one always has."""
    cells = list(row)
    for k in range(len(cells) - 2, -1, -1):
        if cells[k] is None and cells[k + 1] is not None:
            cells[k] = above[k].get(cells[k + 1])
    return tuple(c for c in cells if c is not None)


def _collapsed(path: Steps, below: Mapping[Steps, set[str]]) -> Steps:
    """Without a step that repeats the one above it as its only child."""
    return tuple(s for k, s in enumerate(path) if not (k and s == path[k - 1] and below[path[:k]] == {s}))


def _of_list(c: Column) -> Found:
    sign = separator(c.values)
    sign = sign if sign in PATHS else None
    every = [None if v is None else tuple(steps(p, sign) if sign else (p,) for p in v) for v in c.cells]
    classes = draft_classes({p for row in every for p in row or () if p}, {}, sign, opens=False)
    found = Found(Kind.MULTILABEL, c.name, (c.name,), every, classes, c.name)
    several = sum(len(set(row or ())) > 1 for row in every)
    found.remarks.append(f"{several:,} images have several classes; what a list leaves out is read as `unlisted` says")
    return found


def _of_flags(columns: Sequence[Column]) -> Iterator[Found]:
    """Yes-or-no columns: binaries, and one multilabel of three or more under one name (attributes/Smiling)."""
    families: dict[str, list[Column]] = {}
    for c in columns:
        families.setdefault(c.name.rpartition("/")[0], []).append(c)
    for family, members in families.items():
        if family and len(members) >= 3:
            yield _of_family(family, members)
        else:
            yield from map(_of_flag, members)


def _of_flag(c: Column) -> Found:
    paths = [None if v is None else ((),) if str(v).casefold() in YES_WORDS else () for v in c.cells]
    return Found(Kind.BINARY, c.name, (c.name,), paths, Classes(ids={(): ()}), c.name)


def _of_family(family: str, members: Sequence[Column]) -> Found:
    last = [c.name.rpartition("/")[2] for c in members]
    paths: list[tuple[Steps, ...] | None] = []
    for row in zip(*(c.cells for c in members), strict=True):
        held = tuple(
            (name,) for name, v in zip(last, row, strict=True) if v is not None and str(v).casefold() in YES_WORDS
        )
        paths.append(None if all(v is None for v in row) else held)
    classes = draft_classes([(name,) for name in last], {}, None, opens=False)
    columns = tuple(c.name for c in members)
    flags: dict[Steps, str] = {(name,): column for name, column in zip(last, columns, strict=True)}
    return Found(Kind.MULTILABEL, family, columns, paths, classes, None, flags)


def _coarse(found: Found) -> list[str]:
    """What to say of images that stop at an inner class."""
    inner = {p for p, c in found.classes.drafted.items() if c.classes}
    stops = sum(1 for row in found.paths if row and row[0] in inner)
    return [f"{stops:,} images stop at an inner class: a coarse label, or mark the class `open`"] if stops else []


# --- nesting -----------------------------------------------------------------------------------------


def _nest(found: Sequence[Found]) -> None:
    """Put each group that is only ever given for the images of one class there: the smallest such class."""
    for f in sorted(found, key=lambda f: -len(f.said)):  # what is nested in another is given for fewer images
        best: tuple[int, Found, Steps] | None = None
        for host in found:
            for path, images in host.rows.items() if host is not f else ():
                named = path in host.classes.drafted or (host.kind is Kind.BINARY and not path)
                if named and (best is None or len(images) < best[0]) and _only_given_for(f, host, path, images):
                    best = (len(images), host, path)
        if best is not None and not _under(best[1], f) and not _beside(f, best[1], best[2], found):
            f.host = best[1:]


def _only_given_for(f: Found, host: Found, path: Steps, images: set[int]) -> bool:
    """Whether a group is given for nearly all images of a class, and for no image that is of another.

    Images of which only a class above is known, or nothing, may be of the class: they do not count against it.
    """
    given = f.said
    inside = given & images
    if len(inside) < 3 or 10 * len(inside) < 8 * len(images) or len(images) == len(f.paths):
        return False
    return 10 * len(inside) >= 9 * len(given) and all(_may_be(host, path, row) for row in given - images)


def _may_be(group: Found, path: Steps, row: int) -> bool:
    """Whether an image may be of a class, by what is said of the class's group and of what that is nested in."""
    said = group.paths[row]
    deep = group.kind is Kind.HIERARCHY and said is not None and len(said) == 1 and path[: len(said[0])] == said[0]
    holds = said is not None and any(p[: len(path)] == path for p in said)
    return (said is None or deep or holds) and (group.host is None or _may_be(*group.host, row))


def _beside(f: Found, host: Found, path: Steps, found: Sequence[Found]) -> bool:
    """Whether some image has both a group and another that is nested in a class that excludes its own."""
    if host.kind is Kind.MULTILABEL:
        return False
    nested = [(other, other.host[1]) for other in found if other.host is not None and other.host[0] is host]
    apart = [other for other, there in nested if there[: len(path)] != path and path[: len(there)] != there]
    return any(f.said & other.said for other in apart)


def _under(group: Found | None, other: Found) -> bool:
    """Whether a group is another, or nested in it."""
    while group is not None:
        if group is other:
            return True
        group = group.host[0] if group.host else None
    return False
