"""A study's `bind:`: columns of a data set → evidence in the ontology, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..dsl.annotations import AnnotationError, Cell, EvidenceBuilder, GroupReader, Masks, cell_text, is_missing
from ..dsl.evidence import Evidence
from ..dsl.names import Match, find_former, find_former_group, find_group, find_label, fold
from ..dsl.ontology import Group, Kind, Label, Ontology
from ..dsl.tables import Tables
from ..errors import Diagnostic, LinnaeusError, did_you_mean, fail
from ..plugins.contracts import Annotated
from .study import Binding, DataSpec

NAME_COLUMN = "name"
"""What `from:` may say, where no column has that name, for the record's own name (a relative path)."""
SHOWN = 5


@dataclass(frozen=True)
class Unread:
    """A raw value that means nothing in its group: how often it occurs, why, and the nearest classes."""

    group: str
    value: Cell
    rows: tuple[int, ...]
    message: str
    near: tuple[str, ...]
    where: str


@dataclass
class Bound:
    """What binding made: evidence of all records, how each group is bound (path → words), what to say about it, and by
    the same paths the raw cells (None: missing) and the columns they stand in.
    """

    evidence: Evidence
    bound: dict[str, str]
    unread: list[Unread]
    notices: list[str] = field(default_factory=list)
    cells: dict[str, Sequence[Hashable]] = field(default_factory=dict)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)


def column(records: Annotated, name: str, where: str) -> Sequence[Cell]:
    """One column's raw values, or the records' own names for "name".

    Raises:
        LinnaeusError: E222, with the nearest columns.
    """
    if name in records.columns:
        return records.columns[name]
    if name == NAME_COLUMN:
        return records.names
    known = list(records.columns)
    raise fail(
        "E222", f"the data has no column {name!r}", where=where, help=did_you_mean(name, known, plural="columns")
    )


def bind(tables: Tables, records: Annotated, spec: DataSpec) -> Bound:
    """Evidence of all records, in order.

    Raises:
        LinnaeusError: E220 a binding names no group, E221 one twice, E222 no such column, E225 a multilabel list
            without `unlisted`, E226 no group is bound, E227 a form that does not suit the group.
    """
    ontology = tables.ontology
    bindings = list(spec.bind)
    notices = []
    bindings += _by_name(ontology, records, bindings)
    if not bindings:
        step = f"add bind: {{{ontology.groups[0].id}: COLUMN}}; columns: {', '.join(list(records.columns)[:12])}"
        raise fail("E226", "no group is bound to a column", where="data.bind", help=step)
    builder = EvidenceBuilder(tables, len(records.names))
    bound: dict[str, str] = {}
    unread: list[Unread] = []
    raw: dict[str, Sequence[Hashable]] = {}
    columns: dict[str, tuple[str, ...]] = {}
    for b in bindings:
        group, label = _target(ontology, b)
        path = group.path if label is None else label.path
        if path in bound or group.path in bound or (label is None and any(_under(ontology, p, group) for p in bound)):
            raise fail("E221", f"{path} is bound twice", where=b.where, help="keep one of the bindings")
        bound[path] = _words(b)
        columns[path] = b.path or (b.column or NAME_COLUMN,)
        reader = GroupReader(tables, group, spec.unlisted or "unknown")
        cells, read = _reading(b, records, reader, label, spec)
        failed = builder.add(cells, read)
        raw[path] = cells
        for cell, (rows, e) in failed.items():
            unread.append(Unread(path, _raw(cell), tuple(rows), str(e), e.near, b.where))
        notices += [*_renamed(ontology, b, path), *reader.names.notices()]
    notices += _unbound(ontology, bound)
    return Bound(builder.done(), bound, unread, notices, raw, columns)


def check_values(bound: Bound, names: Sequence[str]) -> None:
    """Refuse values that could not be read.

    Raises:
        LinnaeusError: E223, a diagnostic per group, with counts and the nearest classes.
    """
    found = []
    for group in dict.fromkeys(u.group for u in bound.unread):
        unread = sorted((u for u in bound.unread if u.group == group), key=lambda u: -len(u.rows))
        lines = [_line(u, names) for u in unread[:SHOWN]]
        more = [f"and {len(unread) - SHOWN} more values"] if len(unread) > SHOWN else []
        n = sum(len(u.rows) for u in unread)
        images = "1 image has a value" if n == 1 else f"{n} images have values"
        message = f"{images} that {group} can't read: " + "; ".join(lines + more)
        step = (
            "map them with values: {RAW: CLASS}, add an alias (aka) to the class, list them under data.missing, or set"
        )
        found.append(Diagnostic("E223", message, where=unread[0].where, help=f"{step} bad: {{unknown_value: drop}}"))
    if found:
        raise LinnaeusError(found)


def _line(u: Unread, names: Sequence[str]) -> str:
    near = f" (nearest: {', '.join(u.near)})" if u.near and "may mean" not in u.message else ""
    raw = "" if repr(cell_text(u.value)) in u.message else f"{cell_text(u.value)!r}: "
    return f"{raw}{u.message}{near}, {len(u.rows)} × (first: {names[u.rows[0]]})"


# --- which group -------------------------------------------------------------------------------------


def _target(ontology: Ontology, b: Binding) -> tuple[Group, Label | None]:
    """The group a binding names, or one class of a multilabel group."""
    match = find_group(ontology, b.group)
    if match.item is not None:
        return match.item, None
    if match.ambiguous:
        message = f"{b.group!r} may mean any of {', '.join(match.candidates)}"
        raise fail("E220", message, where=b.where, help="write the whole path")
    for group in ontology.groups:
        found = find_label(ontology, group, b.group).item
        if found is None:
            former = find_former(ontology, group, b.group).item
            found = ontology.labels[former[0]] if former is not None and len(former) == 1 else None
        if found is not None and group.kind is Kind.MULTILABEL:
            return group, found
        if found is not None:
            message = f"{b.group!r} is a class of the {group.kind} {group.path}, not a group"
            raise fail("E220", message, where=b.where, help=f"bind the group: {group.id}: COLUMN")
    known = [g.path for g in ontology.groups]
    step = did_you_mean(b.group, known, plural="groups")
    raise fail("E220", f"the ontology has no group {b.group!r}", where=b.where, help=step)


def _renamed(ontology: Ontology, b: Binding, path: str) -> list[str]:
    """What to say of a binding that names its group, or its class, as an earlier version did."""
    match = find_group(ontology, b.group)
    known = match.item is not None and not match.former
    known |= any(find_label(ontology, g, b.group).item is not None for g in ontology.groups)
    return [] if known else [f"{path}: the old name {b.group!r}, read as `migrate` says"]


def _under(ontology: Ontology, path: str, group: Group) -> bool:
    return any(ontology.labels[i].path == path for i in group.labels) and group.kind is Kind.MULTILABEL


def _by_name(ontology: Ontology, records: Annotated, bindings: list[Binding]) -> list[Binding]:
    """Groups that no binding names and a column does, exactly, by id, path, title or alias, or by an old name."""
    taken = {g.path for b in bindings for g in [find_group(ontology, b.group).item] if g is not None}
    found = []
    for group in ontology.groups:
        former = [c for c in records.columns if find_former_group(ontology, c) == Match(group, former=True)]
        spellings = (group.path, group.id, group.title, *group.aka, *former)
        name = next((s for s in spellings if s in records.columns), None)
        unique = find_group(ontology, name).item if name else None
        if group.path not in taken and name and unique is not None and unique.index == group.index:
            found.append(Binding(group.path, name, where=f"data.bind (the column {name!r} is named as the group)"))
    return found


def _unbound(ontology: Ontology, bound: Mapping[str, str]) -> list[str]:
    classes = {label.path: ontology.groups[label.group].path for label in ontology.labels}
    touched = {classes.get(p, p) for p in bound} | set(bound)
    left = [g.path for g in ontology.groups if g.path not in touched]
    partly = [
        f"{g.path}: no column for {', '.join(ontology.labels[i].id for i in open_)}: unknown everywhere"
        for g in ontology.groups
        if g.kind is Kind.MULTILABEL and g.path not in bound and g.path in touched
        for open_ in [[i for i in g.labels if ontology.labels[i].path not in bound]]
        if open_
    ]
    return ([f"not bound, so unknown everywhere: {', '.join(left)}"] if left else []) + partly


# --- which cells -------------------------------------------------------------------------------------

Read = Callable[[Hashable], Masks]


def _reading(
    b: Binding, records: Annotated, reader: GroupReader, label: Label | None, spec: DataSpec
) -> tuple[Sequence[Hashable], Read]:
    """The cells of a binding (None: missing) and how to read one."""
    missing = frozenset(spec.missing)
    if reader.group.kind is Kind.MULTILABEL and label is None and spec.unlisted is None:
        message = f"{reader.group.path} is multilabel: the study must say what a class left out of the list means"
        raise fail("E225", message, where="data.unlisted", help="write unlisted: no, or unlisted: unknown")
    if b.path:
        if reader.group.kind is not Kind.HIERARCHY:
            message = f"{reader.group.path} is a {reader.group.kind}, and path binds a hierarchy"
            raise fail("E227", message, where=b.where, help="name one column")
        levels = [_present(column(records, c, b.where), missing) for c in b.path]
        rows = [None if all(c is None for c in row) else row for row in zip(*levels, strict=True)]
        return rows, reader.read_path  # type: ignore[return-value]  # its cells are the tuples made above
    if b.pattern is not None:
        return _captured(column(records, b.column or NAME_COLUMN, b.where), b, missing), _reads(reader, label, b)
    if b.column is None:
        raise fail("E227", "names no column", where=b.where, help="write {from: COLUMN}")
    cells = _present(_mapped(column(records, b.column, b.where), b.values), missing)
    return cells, _reads(reader, label, b)


def _reads(reader: GroupReader, label: Label | None, b: Binding) -> Read:
    def read(cell: Hashable) -> Masks:
        if isinstance(cell, _Unmatched):
            raise AnnotationError(f"does not match the pattern {b.pattern!r}")
        value: Cell = cell  # type: ignore[assignment]  # cells are hashable raw values
        return reader.read(value) if label is None else reader.read_class(label, value)

    return read


def _present(cells: Sequence[Cell], missing: frozenset[str]) -> list[Cell]:
    return [None if is_missing(c, missing) else c for c in cells]


class _Unmatched(str):
    """A raw value that a pattern does not match."""

    __slots__ = ()


def _captured(cells: Sequence[Cell], b: Binding, missing: frozenset[str]) -> list[Cell]:
    """The captured part of each cell, as `values` maps it."""
    pattern = re.compile(b.pattern or "")

    def capture(cell: Cell) -> Cell:
        if is_missing(cell, missing):
            return None
        match = pattern.fullmatch(cell_text(cell))
        return match.group(b.capture or 1) if match else _Unmatched(cell_text(cell))

    found = {c: capture(c) for c in dict.fromkeys(cells)}
    values = _mapped([found[c] for c in cells], b.values)
    return _present(values, missing)


def _mapped(cells: Sequence[Cell], values: Mapping[str, Any] | None) -> Sequence[Cell]:
    """Cells with raw values replaced as `values` says; a value it does not list stays as it is."""
    if not values:
        return cells
    exact = {str(k).strip(): tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    folded = {fold(k): v for k, v in exact.items() if k.casefold() in ("true", "false")}

    def mapped(cell: Cell) -> Cell:
        text = "" if cell is None else cell_text(cell)
        if text in exact:
            return exact[text]
        return folded.get(fold(text), cell) if isinstance(cell, bool) else cell

    found = {(c, c.__class__): mapped(c) for c in dict.fromkeys(cells)}
    return [found[c, c.__class__] if (c, c.__class__) in found else mapped(c) for c in cells]


def _raw(cell: Hashable) -> Cell:
    if isinstance(cell, tuple):
        return tuple("" if c is None else str(c) for c in cell)
    return cell  # type: ignore[return-value]  # cells are hashable raw values


def _words(b: Binding) -> str:
    """A binding as the study's author would say it."""
    if b.path:
        return " > ".join(b.path)
    mapped = f" (values mapped: {len(b.values)})" if b.values else ""
    if b.pattern is not None:
        return f"{b.capture} of {b.column or NAME_COLUMN}{mapped}"
    return f"{b.column}{mapped}"
