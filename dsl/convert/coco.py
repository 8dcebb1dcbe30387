"""COCO categories: a list of classes, each under a supercategory. An image shows any set of them."""

from __future__ import annotations

import json
import mmap
import re
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

from ...errors import LinnaeusError, fail
from ..draft import Draft, DraftGroup
from ..names import slug
from ..ontology import Kind, Label, Ontology
from .documents import Value, read_json
from .formats import Loss, Read, Written
from .terms import Term, add_groups, tidy
from .unsaid import chosen_group, distinct_names, lost_names, unsaid

GROUP = "categories"
WHOLE = 8 << 20  # bytes: of larger files only `info` and `categories` are read, a fraction of the memory

_TOKEN = re.compile(  # numbers under keys and lists of numbers at once: nearly all of a large file
    rb'(?:"[^"\\]*"\s*:\s*[-+.\deE]+\s*,?\s*)+|\[[^]["{}]*\]|"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]', re.DOTALL
)
_COLON = re.compile(rb"\s*:\s*")
_NUMBER = re.compile(r"\d+")


def recognises(path: Path) -> bool:
    """Whether the file has a list `categories` of objects with an id and a name, or is one with supercategories."""
    try:
        document = _document(path)
        listed = document.data.get("categories") if isinstance(document.data, dict) else document.data
    except LinnaeusError:
        return False
    first = listed[0] if isinstance(listed, list) and listed else None
    return (
        isinstance(first, dict)
        and {"id", "name"} <= first.keys()
        and (listed is not document.data or "supercategory" in first)
    )


def read(path: Path) -> Read:
    """The categories as a multilabel group, supercategories above them, numeric ids as aliases.

    A category without a supercategory, or with one that is "none" or called as itself, stands at the top. A
    supercategory that is also called as one category is that category.

    Raises:
        LinnaeusError: E160 for a file that is not JSON, E162 where categories have another shape or an id or a name
            stands twice, E165 for categories above themselves.
    """
    document = _document(path)
    info = document.get("info") if isinstance(document.data, dict) else None
    title, version = (_text(info, key) for key in ("description", "version"))
    result = Read(Draft(slug(path.stem), title, version))
    listed = list((document.need("categories") if isinstance(document.data, dict) else document).items())
    if not listed:
        raise document.wrong("there are no categories")
    add_groups(result, [(DraftGroup(Kind.MULTILABEL, GROUP), _terms(listed, result.losses))])
    return result


def _text(item: Value | None, key: str) -> str | None:
    """The text of a key that may be missing or empty."""
    value = None if item is None else item.get(key)
    return None if value is None or value.data == "" else tidy(value.text())


def _terms(listed: list[Value], losses: list[Loss]) -> list[Term]:
    """The categories and supercategories as terms."""
    names = [tidy(item.need("name").text()) for item in listed]
    numbers = _numbers(listed, names, losses)
    often = Counter(names)
    keys = {name: item.where for item, name in zip(listed, names, strict=True) if often[name] == 1}
    terms: dict[str, Term] = {}
    seen: set[tuple[str, str]] = set()
    for item, name, aka in zip(listed, names, numbers, strict=True):
        above = _supercategory(item, name)
        if (name, above) in seen:
            raise item.wrong(f"a second category {name!r} in the same supercategory")
        seen.add((name, above))
        if above and above not in keys:
            keys[above] = f"supercategory {above}"
            terms[keys[above]] = Term(keys[above], above, item.where)
        parents = (keys[above],) if above else ()
        terms[item.where] = Term(item.where, name, item.where, aka=aka, parents=parents)
        extra = set(item.keys()) - {"id", "name", "supercategory"}
        losses += [Loss(item.pointer(key), f"`{key}` of a category") for key in sorted(extra)]
    return list(terms.values())


def _supercategory(item: Value, name: str) -> str:
    above = _text(item, "supercategory")
    return "" if above is None or above in (name, "none") else above


def _numbers(listed: list[Value], names: list[str], losses: list[Loss]) -> list[tuple[str, ...]]:
    """The numeric id of each category as an alias; none where categories are called by numbers."""
    ids = [item.get("id") for item in listed]
    for id_ in ids:
        if id_ is not None and (isinstance(id_.data, bool) or not isinstance(id_.data, int) or id_.data < 0):
            raise id_.wrong("the id of a category is a whole number")
    seen: dict[int, str] = {}
    for id_ in ids:
        if id_ is not None and seen.setdefault(id_.data, id_.where) != id_.where:
            raise id_.wrong(f"the id {id_.data} stands twice, first at {seen[id_.data]}")
    if any(_NUMBER.fullmatch(name) for name in names):
        losses += [
            Loss(id_.where, "`id` of a category: categories are called by numbers themselves") for id_ in ids if id_
        ]
        return [()] * len(ids)
    return [() if id_ is None else (str(id_.data),) for id_ in ids]


# --- files ----------------------------------------------------------------------------------------------


def _document(path: Path) -> Value:
    """The file, or the parts of a large one that matter here.

    Raises:
        LinnaeusError: E001, E002, E160.
    """
    try:
        large = path.stat().st_size > WHOLE
    except OSError:
        large = False
    if not large:
        return read_json(path)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return Value(_carved(data, {"info", "categories"}), str(path))
        except ValueError as e:  # also what is not UTF-8
            raise fail("E160", f"not JSON: {e}", where=str(path)) from None


def _carved(data: mmap.mmap, wanted: set[str]) -> dict[str, Any]:
    """The values of some keys of a JSON object; of all other values only the brackets are looked at."""
    found: dict[str, Any] = {}
    depth, key, start = 0, None, 0
    for token in _TOKEN.finditer(data):
        text = token[0]
        if text in b"[{":
            if depth == 1 and key is not None:
                start = token.start()
            depth += 1
        elif text in b"]}":
            depth -= 1
            if depth == 1 and key is not None:
                found[key] = json.loads(data[start : token.end()])
                key = None
        elif text[:1] == b"[":
            if depth == 1 and key is not None:
                found[key], key = json.loads(text), None
        elif depth == 1 and _COLON.match(data, token.end()):
            name = json.loads(text)
            key = name if name in wanted else None
    if depth:
        raise ValueError("a bracket is never closed")
    return found


# --- writing --------------------------------------------------------------------------------------------


def write(ontology: Ontology) -> Written:
    """The first multilabel, else hierarchy, else multiclass group as a file with `info` and `categories`.

    A numeric alias that no other class has becomes the id. A class that has classes is only a supercategory, except
    where it has such a number or stands below another.

    Raises:
        LinnaeusError: E167 where there is no such group.
    """
    group = chosen_group(ontology, (Kind.MULTILABEL, Kind.HIERARCHY, Kind.MULTICLASS), "COCO")
    losses = unsaid(ontology, [group], {"title", "version", "several", "aka"})
    if group.id != GROUP:
        losses.append(Loss(group.path, f"the id of the group: it is read back as `{GROUP}`"))
    labels = [ontology.labels[i] for i in group.labels if not ontology.labels[i].other]
    numbers, names = _assigned(labels), _names(ontology, labels)
    taken = set(numbers.values())
    free = (n for n in count(1) if n not in taken)
    categories = []
    for label in labels:
        if label.index in numbers or label.parents or not ontology.children[label.index]:
            numbers.setdefault(label.index, next(free))
            above = names[label.parents[0]] if label.parents else names[label.index]
            named = {"id": numbers[label.index], "name": names[label.index], "supercategory": above}
            categories.append(named)
        if any(alias != str(numbers.get(label.index)) for alias in label.aka):
            losses.append(Loss(label.path, "the aliases of the class"))
        losses += lost_names(label, names[label.index])
    info = {"description": ontology.title, "version": ontology.version}
    document = {"info": {key: value for key, value in info.items() if value}, "categories": categories}
    return Written(json.dumps(document, ensure_ascii=False, indent=2) + "\n", losses)


def _names(ontology: Ontology, labels: list[Label]) -> dict[int, str]:
    """What categories are called: a supercategory as no other class, since it is told by its name."""
    inner = [label for label in labels if ontology.children[label.index]]
    leaves = [label for label in labels if not ontology.children[label.index]]
    names = distinct_names(inner, {"none", *(label.name for label in leaves)})
    taken = set(names.values())
    return names | {leaf.index: leaf.path if leaf.name in taken else leaf.name for leaf in leaves}


def _assigned(labels: list[Label]) -> dict[int, int]:
    """The numeric ids that classes bring along, by label."""
    aliases = {label.index: [a for a in label.aka if _NUMBER.fullmatch(a)] for label in labels}
    often = Counter(int(a) for numbers in aliases.values() for a in numbers)
    return {i: int(n[0]) for i, n in aliases.items() if len(n) == 1 and often[int(n[0])] == 1}
