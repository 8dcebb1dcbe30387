"""A hierarchy from a CSV file: a row is a path, a column a level, coarsest first."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import Diagnostic, LinnaeusError, Span, did_you_mean
from .files import Files
from .names import slug
from .ontology import OTHER
from .source import clean
from .syntax import Body, ClassNode, From, Levels, Name, Text
from .tokens import MAX_DEPTH


@dataclass
class _Node:
    """A class in the making, by the row and column where it first stands."""

    cell: str
    span: Span
    children: dict[str, _Node] = field(default_factory=dict)


def read_taxonomy(source: From, levels: Levels, files: Files) -> tuple[Body | None, list[Diagnostic]]:
    """The classes that a CSV file lists, as if they had been written in braces, and what is wrong with it (E130).

    Titles are the cells, ids their slugs (a title that equals its id is left out). An empty tail ends the path; a cell
    equal to its parent adds nothing. Rows that say the same are one.

    Args:
        source: the modifier `from`, its path relative to its own file.
        levels: the names of the columns.
    """
    path = files.beside(source.span.file, source.path.value)
    try:
        text = files.read(path)
    except LinnaeusError as error:
        step = f"the path is relative to {source.span.file}"
        return None, [Diagnostic("E130", error.diagnostics[0].message, span=source.path.span, help=step)]
    text, found = clean(text, str(path))
    rows = csv.reader(text.splitlines(keepends=True), strict=True)
    found = [d for d in found if d.severity == "error"]
    root = _Node("", source.span)
    try:
        columns = _columns(next(rows, []), levels, str(path))
        for row in rows:
            found += _add(root, row, columns, rows.line_num, str(path))
    except csv.Error as error:
        found.append(_wrong(str(path), rows.line_num, 1, f"not CSV: {error}", "quote cells that hold quotes or commas"))
    except LinnaeusError as error:
        return None, [*found, *error.diagnostics]
    if not root.children and not found:
        found.append(_wrong(str(path), 1, 1, "the taxonomy has no rows", "list a path in each row under the header"))
    if found:
        return None, found[:20]
    return Body(tuple(_classes(root)), source.span), []


def _columns(header: Sequence[str], levels: Levels, file: str) -> list[int]:
    """Which column each level is.

    Raises:
        LinnaeusError: E130, levels that are no column or several, or are too many.
    """
    names = [unicodedata.normalize("NFC", cell.strip()) for cell in header]
    if len(levels.names) > MAX_DEPTH:
        message = f"{len(levels.names)} levels, where hierarchies nest at most {MAX_DEPTH} deep"
        raise LinnaeusError(Diagnostic("E130", message, span=levels.span, help="name fewer columns"))
    for level in levels.names:
        if names.count(level.text) > 1:
            message = f"{file} has several columns {level.text!r}"
            raise LinnaeusError(Diagnostic("E130", message, span=level.span, help="rename all but one in the file"))
        if level.text not in names:
            step = did_you_mean(level.text, names, plural="columns")
            raise LinnaeusError(Diagnostic("E130", f"{file} has no column {level.text!r}", span=level.span, help=step))
    return [names.index(level.text) for level in levels.names]


def _add(root: _Node, row: Sequence[str], columns: list[int], line: int, file: str) -> Iterator[Diagnostic]:
    cells = [unicodedata.normalize("NFC", row[c].strip()) if c < len(row) else "" for c in columns]
    while cells and not cells[-1]:
        cells.pop()
    node = root
    for depth, cell in enumerate(cells):
        if not cell:
            step = "only the end of a path may be empty"
            yield _wrong(file, line, columns[depth] + 1, "an empty cell inside a path", step)
            return
        if cell == node.cell:
            continue
        id_ = slug(cell)
        if id_ == OTHER:
            step = "mark the hierarchy `open`, which adds the class `other`, and delete the row"
            yield _wrong(file, line, columns[depth] + 1, f"{cell!r} would be the reserved id `{OTHER}`", step)
            return
        child = node.children.setdefault(id_, _Node(cell, Span(file, line, 1, line, 2)))
        if child.cell != cell:
            message = f"{cell!r} and {child.cell!r} (line {child.span.line}) have one id: {id_}"
            yield _wrong(file, line, columns[depth] + 1, message, "spell them alike, or more differently")
            return
        node = child


def _classes(node: _Node) -> Iterator[ClassNode]:
    for id_, child in node.children.items():
        title = None if child.cell == id_ else Text(child.cell, child.span)
        body = Body(tuple(_classes(child)), child.span) if child.children else None
        yield ClassNode(Name(id_, child.span), title, (), body, child.span)


def _wrong(file: str, line: int, column: int, message: str, step: str) -> Diagnostic:
    line = max(line, 1)
    return Diagnostic("E130", message, span=Span(file, line, 1, line, 2), where=f"column {column}", help=step)
