"""Renaming a class, group, rule, import or ontology wherever it is named, or saying why not."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from ..dsl.ontology import OTHER
from ..dsl.quoting import quote_id
from ..errors import LinnaeusError, Span, fail
from .documents import Documents
from .index import Index, Key, Occurrence


@dataclass(frozen=True, slots=True)
class Edit:
    """Text in place of what stands at a span, lines and columns of which count from 1."""

    span: Span
    text: str


def renamed_at(documents: Documents, path: Path, line: int, column: int) -> Occurrence:
    """The name at a place.

    Raises:
        LinnaeusError: E172, there is none, or it isn't written there.
    """
    index = documents.index(path)
    found = index.at(line, column) if index else None
    if index is None or found is None or not found.literal:
        raise _refused("no name stands here that could be changed", "put the cursor on a group, class, rule or alias")
    if not found.key[0].endswith(".onto"):
        raise _refused(f"this name comes from {Path(found.key[0]).name}", "change it in that file")
    return found


def rename(documents: Documents, path: Path, line: int, column: int, name: str) -> dict[Path, list[Edit]]:
    """The edits, by file, that give what is named at a place another name.

    They are tried out first: where a file would have an error that it had not, or a name would mean something else, the
    rename is refused.

    Args:
        name: the new name, with or without backticks.

    Raises:
        LinnaeusError: E172, with the reason.
    """
    key = renamed_at(documents, path, line, column).key
    text = _written(name)
    indices = list(documents.indices(path, Path(key[0])))
    edits = {
        Path(index.file).resolve(): [Edit(o.span, text) for o in index.places(key) if o.literal] for index in indices
    }
    edits = {file: changes for file, changes in edits.items() if changes}
    if Path(key[0]) not in edits:
        raise _refused(f"{Path(key[0]).name}, where it is declared, could not be read", "open that file")
    _try(documents, indices, edits)
    return edits


def _written(name: str) -> str:
    name = name.strip()
    if len(name) > 1 and name[0] == name[-1] == "`":
        name = name[1:-1]
    if name == OTHER:
        raise _refused(f"`{OTHER}` is the class that `open` adds", "choose another name")
    try:
        return quote_id(name)
    except ValueError as error:
        raise _refused(str(error), "a name is one line without backticks") from None


def _try(documents: Documents, indices: list[Index], edits: dict[Path, list[Edit]]) -> None:
    """Refuse edits that break a file or change what its names mean."""
    texts = dict(documents.open)
    for file, changes in edits.items():
        texts[file] = apply(documents.text(file) or "", changes)
    after = Documents(texts)
    for index in indices:
        file = Path(index.file).resolve()
        before = documents.read(file)
        if before is None or not before.rests_on(edits):
            continue
        now = after.read(file)
        if now is None or now.index is None:
            raise _refused("the file could not be read any more", "choose another name")
        known = Counter(d.code for d in before.checked.diagnostics)
        for d in now.checked.diagnostics:
            known[d.code] -= 1
            if d.severity == "error" and known[d.code] < 0:
                place = f" (line {d.span.line})" if d.span else ""
                raise _refused(f"{Path(index.file).name} would be wrong: {d.message}{place}", "choose another name")
        if _meanings(index) != _meanings(now.index):
            raise _refused(f"a name in {Path(index.file).name} would mean something else", "choose another name")


def _meanings(index: Index) -> list[int]:
    """What each name of a file means, by the order in which things are declared: the same before and after."""
    order: dict[Key, int] = {key: at for at, key in enumerate(index.symbols)}
    return [order[o.key] for o in index.occurrences]


def apply(text: str, edits: list[Edit]) -> str:
    """A text after edits, with the line ends that it had."""
    rows = re.split(r"(\r\n|\r|\n)", text)
    mark = int(text.startswith("\ufeff"))
    for edit in sorted(edits, key=lambda e: (e.span.line, e.span.column), reverse=True):
        at, shift = 2 * edit.span.line - 2, mark if edit.span.line == 1 else 0
        first, last = edit.span.column - 1 + shift, edit.span.end_column - 1 + shift
        rows[at] = rows[at][:first] + edit.text + rows[at][last:]
    return "".join(rows)


def _refused(message: str, step: str) -> LinnaeusError:
    return fail("E172", message, help=step)
