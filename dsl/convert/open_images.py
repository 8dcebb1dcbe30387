"""The class hierarchy of Open Images: nested JSON objects, and beside them a CSV file of what classes are called."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import LinnaeusError, fail
from ..draft import Draft, DraftGroup
from ..names import slug
from ..ontology import Group, Kind, Label, Ontology
from ..source import read_source
from .documents import Value, read_json
from .formats import Loss, Read, Written
from .terms import Term, add_groups, name_siblings, natural_id, tidy
from .unsaid import chosen_group, unsaid

HIERARCHY, DESCRIPTIONS = "hierarchy.json", "class-descriptions.csv"
GROUP = "objects"
LARGEST = 100_000  # nodes: a class stands under each of its parents, with all that is under it

_MACHINE_ID = re.compile(r"/[a-z]+/[^/\s]+")  # of Freebase and the Knowledge Graph: /m/0bl9f


def recognises(path: Path) -> bool:
    """Whether the file is a JSON object with a `LabelName`."""
    try:
        document = read_json(path)
    except LinnaeusError:
        return False
    return isinstance(document.data, dict) and "LabelName" in document.data


def read(path: Path) -> Read:
    """The hierarchy as a multilabel group: a class stands under every class that lists it under `Subcategory`.

    The root is the group. Machine ids (/m/0bl9f) become aliases of the classes that a CSV file `*class-descriptions*`
    in the same folder gives a name; a class that is only a part of others stands at the top.

    Raises:
        LinnaeusError: E160 for a file that is not JSON or CSV, E162 for one of another shape, E165 for a cycle.
    """
    document = read_json(path)
    names = _descriptions(path.parent)
    result = Read(Draft(slug(path.stem)))
    root = document.need("LabelName").text()
    head = _term(root, "", (), names if root in names or not _MACHINE_ID.fullmatch(root) else {root: GROUP})
    named = name_siblings([head], result.losses)[0]
    group = DraftGroup(Kind.MULTILABEL, named.id, named.title, named.aka)
    terms = _terms(document, names, result.losses)
    if not terms:
        raise document.wrong("there is no class under the root")
    add_groups(result, [(group, terms)])
    return result


def _terms(document: Value, names: dict[str, str], losses: list[Loss]) -> list[Term]:
    """Every class but the root, in the order in which they first stand in the file."""
    root = document.need("LabelName").text()
    first: dict[str, str] = {}
    parents: dict[str, dict[str, None]] = {}
    stack: list[tuple[Value, str | None]] = [(document, None)]
    while stack:
        node, above = stack.pop()
        key = node.need("LabelName").text()
        first.setdefault(key, node.where)
        above_key = parents.setdefault(key, {})
        if above is not None and above != root:
            above_key[above] = None
        below = [(child, key) for child in node.entries("Subcategory")]
        parts: list[tuple[Value, str | None]] = [(part, None) for part in node.entries("Part")]
        losses += [Loss(part.where, "`Part`: that a class is a part of another") for part, _ in parts]
        stack += [*reversed(parts), *reversed(below)]
        extra = set(node.keys()) - {"LabelName", "Subcategory", "Part"}
        losses += [Loss(node.pointer(k), f"`{k}` of a class") for k in sorted(extra)]
    if parents.pop(root):
        raise document.wrong("the root stands under another class too")
    return [_term(key, first[key], tuple(above), names) for key, above in parents.items()]


def _term(key: str, where: str, parents: tuple[str, ...], names: dict[str, str]) -> Term:
    if _MACHINE_ID.fullmatch(key):
        return Term(key, names.get(key, key), where, aka=(key,), parents=parents)
    return Term(key, names.get(key, key), where, key, parents=parents)


def _descriptions(folder: Path) -> dict[str, str]:
    """What classes are called, by `LabelName`, as the CSV files beside a hierarchy say."""
    names: dict[str, str] = {}
    for path in sorted(folder.glob("*class-descriptions*.csv")):
        rows = csv.reader(io.StringIO(read_source(path).removeprefix("\ufeff"), newline=""), strict=True)
        try:
            for row in rows:
                if len(row) != 2 or not row[1].strip():
                    step = "a row is a LabelName and what it is called"
                    raise fail("E162", f"a row of {len(row)} cells", where=f"{path}, line {rows.line_num}", help=step)
                if row != ["LabelName", "DisplayName"]:
                    names.setdefault(row[0].strip(), tidy(row[1]))
        except csv.Error as e:
            raise fail("E160", f"not CSV: {e}", where=f"{path}, line {rows.line_num}") from None
    return names


# --- writing --------------------------------------------------------------------------------------------


def write(ontology: Ontology) -> Written:
    """The first multilabel, else hierarchy, else multiclass group: a folder with the hierarchy and the descriptions.

    An alias that is a machine id becomes the `LabelName`, else the id does.

    Raises:
        LinnaeusError: E167 where there is no such group, E168 where classes under several parents make the file huge.
    """
    group = chosen_group(ontology, (Kind.MULTILABEL, Kind.HIERARCHY, Kind.MULTICLASS), "Open Images")
    losses = unsaid(ontology, [group], {"names", "aka of group", "several", "aka", "parents"})
    labels = [ontology.labels[i] for i in group.labels if not ontology.labels[i].other]
    _refuse_huge(ontology, group, labels)
    keys = _keys(group, labels)
    for label in labels:
        if any(alias != keys[label.index] for alias in label.aka):
            losses.append(Loss(label.path, "the aliases of the class"))
        given = keys[label.index] if not _MACHINE_ID.fullmatch(keys[label.index]) else natural_id(label.name)
        if given != label.id:
            losses.append(Loss(label.path, "the id of the class: its name or another class's id gives another"))
    if _MACHINE_ID.fullmatch(keys[-1]) and natural_id(group.name) != group.id:
        losses.append(Loss(group.path, "the id of the group: its name gives another"))
    if any(alias != keys[-1] for alias in group.aka):
        losses.append(Loss(group.path, "the aliases of the group"))
    tops = [i.index for i in labels if not i.parents]
    root = {"LabelName": keys[-1], "Subcategory": [_node(ontology, i, keys) for i in tops]}
    rows = [(keys[-1], group.name), *((keys[label.index], label.name) for label in labels)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(row for row in rows if row[0] != row[1])
    hierarchy = json.dumps(root, ensure_ascii=False, indent=2) + "\n"
    return Written({HIERARCHY: hierarchy, DESCRIPTIONS: text.getvalue()}, losses)


def _keys(group: Group, labels: list[Label]) -> dict[int, str]:
    """The `LabelName` of each label, and of the group under -1."""
    count = Counter(alias for label in labels for alias in label.aka)
    keys = {-1: _machine_id(group.aka) or group.id}
    taken = {keys[-1], *count}
    for label in labels:
        own = _machine_id(tuple(alias for alias in label.aka if count[alias] == 1 and alias != keys[-1]))
        keys[label.index] = own or next(_numbered(label.id, taken))
        taken.add(keys[label.index])
    return keys


def _machine_id(aliases: tuple[str, ...]) -> str | None:
    return next((alias for alias in aliases if _MACHINE_ID.fullmatch(alias)), None)


def _numbered(id_: str, taken: set[str]) -> Iterator[str]:
    """`id_` with the first number after it that makes it a free one; without, if it is free."""
    if id_ not in taken:
        yield id_
    number = 2
    while f"{id_}_{number}" in taken:
        number += 1
    yield f"{id_}_{number}"


def _node(ontology: Ontology, label: int, keys: dict[int, str]) -> dict[str, Any]:
    node: dict[str, Any] = {"LabelName": keys[label]}
    below = [_node(ontology, i, keys) for i in ontology.children[label] if i in keys]
    return node | ({"Subcategory": below} if below else {})


def _refuse_huge(ontology: Ontology, group: Group, labels: list[Label]) -> None:
    """E168 where the hierarchy would have too many nodes."""
    size: dict[int, int] = {}
    for label in reversed(labels):  # children come after their parents
        size[label.index] = 1 + sum(size.get(i, 0) for i in ontology.children[label.index])
    nodes = sum(size[label.index] for label in labels if not label.parents)
    if nodes > LARGEST:
        message = f"written out, the hierarchy of {group.path} has {nodes:,} nodes"
        step = f"a class stands there under each of its parents, with all that is under it; {LARGEST:,} are the limit"
        raise fail("E168", message, help=step)
