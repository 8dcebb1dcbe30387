"""Converting: what is read is checked before it is an ontology file, what is written comes from a checked one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...errors import Diagnostic, LinnaeusError, Span
from ..load import Checked, check_text, load_ontology
from ..outline import ClassOutline, GroupOutline
from .formats import Format, Loss, Read, Written


def read_as_text(source: Path, format: Format, name: str) -> tuple[str, list[Loss]]:
    """The text of an ontology file that says what a file of another format says, and what it can't say.

    Args:
        source: the file.
        format: what it is.
        name: of the ontology file, for places.

    Raises:
        LinnaeusError: E160 or E162 for a file that can't be read; E163 for one that makes no legal ontology.
    """
    read = format.converter().read(source)
    text = _text(read, source)
    checked = check_text(text, name)
    errors = [d for d in checked.diagnostics if d.severity == "error"]
    if errors:
        raise LinnaeusError(_theirs(d, read, checked, source) for d in errors)
    return text, read.losses


def write_as(source: Path, format: Format) -> Written:
    """An ontology file in another format.

    Raises:
        LinnaeusError: with every error of the ontology file.
    """
    return format.converter().write(load_ontology(source))


def _text(read: Read, source: Path) -> str:
    """The text of a draft; E163 for one that can't be written, such as one that nests too deep."""
    try:
        return read.draft.to_text()
    except LinnaeusError as error:
        raise LinnaeusError(_refused(d, str(source)) for d in error.diagnostics) from None


def _refused(found: Diagnostic, where: str) -> Diagnostic:
    return Diagnostic("E163", f"no ontology can say this: {found.message} [{found.code}]", where=where, help=found.help)


def _theirs(found: Diagnostic, read: Read, checked: Checked, source: Path) -> Diagnostic:
    """A mistake in the draft as one in its source."""
    path = None if found.span is None else _path_at(found.span, checked)
    while path and path not in read.places:
        path = path.rpartition(".")[0]
    where = f"{source}, at {read.places[path]}" if path else str(source)
    return _refused(found, where)


def _path_at(span: Span, checked: Checked) -> str | None:
    """The path of the innermost group or class in whose declaration a place lies."""
    if checked.outline is None:
        return None
    within = [item.path for item in _items(checked.outline.groups) if _holds(item.node.span, span)]
    return max(within, key=len, default=None)


def _items(groups: tuple[GroupOutline, ...]) -> Iterator[GroupOutline | ClassOutline]:
    for group in groups:
        yield group
        yield from group.all_classes()


def _holds(outer: Span, inner: Span) -> bool:
    begin, end = (outer.line, outer.column), (outer.end_line, outer.end_column)
    return begin <= (inner.line, inner.column) <= end
