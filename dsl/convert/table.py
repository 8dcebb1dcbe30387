"""A CSV taxonomy, as the language's own `from "taxa.csv"` reads it: a row is a path, a column a level."""

from __future__ import annotations

import csv
import io
import unicodedata
from itertools import chain, count
from pathlib import Path

from ...errors import LinnaeusError, Span, fail
from ..draft import Draft, DraftClass, DraftGroup
from ..files import Files
from ..names import segment, slug
from ..ontology import OTHER, Kind, Label, Ontology
from ..source import read_source
from ..syntax import Body, ClassNode, From, Levels, Name, Text
from ..taxonomy import read_taxonomy
from ..tokens import MAX_DEPTH
from .formats import Loss, Read, Written
from .unsaid import chosen_group, unsaid


def recognises(path: Path) -> bool:
    """False: a CSV file may be anything, a manifest of images for one."""
    return False


def read(path: Path) -> Read:
    """A hierarchy written out in braces, its levels called as the columns. Columns level1, level2 … leave them unnamed.

    Raises:
        LinnaeusError: E130 for rows that `from` refuses, E160 for what is not CSV, E162 for a header without names,
            E168 for too many columns.
    """
    span = Span(str(path), 1, 1, 1, 1)
    header = _header(path)
    body, found = read_taxonomy(
        From(Text(path.name, span), span), Levels(tuple(Name(name, span) for name in header), span), Files()
    )
    if body is None:
        raise LinnaeusError(found)
    group = DraftGroup(Kind.HIERARCHY, slug(path.stem))
    result = Read(Draft(slug(path.stem), groups=[group]))
    group.classes = _classes(body, segment(group.id), result.places)
    if _depth(group.classes) < len(header):
        result.losses.append(Loss("line 1", "the names of the columns: no row has a class in each of them"))
    elif header != _unnamed(len(header)):
        group.levels = tuple(header)
    return result


def _header(path: Path) -> list[str]:
    """The names of the columns."""
    rows = csv.reader(io.StringIO(read_source(path).removeprefix("\ufeff"), newline=""), strict=True)
    try:
        names = [unicodedata.normalize("NFC", cell.strip()) for cell in next(rows, [])]
    except csv.Error as e:
        raise fail("E160", f"not CSV: {e}", where=f"{path}, line {rows.line_num}") from None
    step = "the first row calls each column as the level of the tree that it is, coarsest first; other columns go"
    if not names:
        raise fail("E162", "an empty file", where=str(path), help=step)
    if len(names) > MAX_DEPTH - 4:
        raise fail("E168", f"{len(names)} columns, each of which would be a level", where=f"{path}, line 1", help=step)
    for number, name in enumerate(names, 1):
        if not name or "`" in name or "\n" in name or name in names[: number - 1]:
            what = "that has no name" if not name else f"that can't be called {name!r}: twice, or not a name"
            raise fail("E162", f"a column {what}", where=f"{path}, line 1, column {number}", help=step)
    return names


def _depth(classes: list[DraftClass]) -> int:
    """How many levels there are; recursion is as deep as there are columns."""
    return 1 + max(_depth(class_.classes) for class_ in classes) if classes else 0


def _unnamed(count: int) -> list[str]:
    return [f"level{number}" for number in range(1, count + 1)]


def _classes(body: Body, path: str, places: dict[str, str]) -> list[DraftClass]:
    """The classes of the braces that a taxonomy stands for; recursion is as deep as there are columns."""
    found = []
    for node in body.items:
        assert isinstance(node, ClassNode)  # a taxonomy has nothing else
        here = f"{path}.{segment(node.name.text)}"
        places[here] = f"line {node.span.line}"
        below = _classes(node.body, here, places) if node.body else []
        found.append(DraftClass(node.name.text, node.title.value if node.title else None, classes=below))
    return found


def write(ontology: Ontology) -> Written:
    """The first hierarchy, else multiclass group: a row for each leaf, the titles on the path to it.

    Raises:
        LinnaeusError: E167 where there is no such group.
    """
    group = chosen_group(ontology, (Kind.HIERARCHY, Kind.MULTICLASS), "a CSV taxonomy")
    losses = unsaid(ontology, [group], {"levels", "one"})
    labels = [ontology.labels[i] for i in group.labels if not ontology.labels[i].other]
    cells = _cells(labels, losses)
    leaves = [i for i in labels if all(ontology.labels[child].other for child in ontology.children[i.index])]
    rows = [[cells[i] for i in reversed(list(ontology.ancestors(leaf.index)))] for leaf in leaves]
    depth = max(len(row) for row in rows)
    header = [*group.levels, *_unnamed(depth)[len(group.levels) :]]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *(row + [""] * (len(header) - len(row)) for row in rows)])
    return Written(text.getvalue(), losses)


def _cells(labels: list[Label], losses: list[Loss]) -> dict[int, str]:
    """What each class is called in its rows: no two siblings with one slug, nothing that reads as `other`."""
    cells: dict[int, str] = {}
    taken: dict[int | None, set[str]] = {}
    for label in labels:
        parent = label.parents[0] if label.parents else None
        slugs = taken.setdefault(parent, {OTHER})
        numbered = (f"{label.id}_{number}" for number in count(2))
        cell = next(name for name in chain([label.name.strip(), label.id], numbered) if slug(name) not in slugs)
        slugs.add(slug(cell))
        cells[label.index] = cell
        if cell != label.name:
            losses.append(Loss(label.path, "the title of the class: a sibling has the same slug, or it is reserved"))
        if slug(cell) != label.id:
            losses.append(Loss(label.path, "the id of the class: its slug is another"))
        if parent is not None and cell == cells[parent]:
            losses.append(Loss(label.path, "the class: it is called as its parent"))
    return cells
