"""Terms in a tree or a graph: what categories of data sets and concepts of vocabularies have in common."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ...errors import fail
from ..draft import DraftClass, DraftGroup, numbered
from ..names import segment, slug
from ..ontology import OTHER, Kind
from ..quoting import quote_id, quote_path
from ..source import clean
from ..tokens import MAX_DEPTH
from .formats import Loss, Read

_VERBATIM = re.compile(r"\w[\w-]*")


@dataclass(frozen=True, slots=True)
class Term:
    """A category or concept as its source has it.

    `key` tells it from all others, `name` is what people call it, `where` its place; `id` is an id that the source
    itself gives. `parents` are keys; the term stands in the braces of the first.
    """

    key: str
    name: str
    where: str
    id: str | None = None
    aka: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()


def tidy(text: str) -> str:
    """A text as a title: in Unicode NFC, each run of white space and of characters that can't be written one space."""
    return " ".join(clean(unicodedata.normalize("NFC", text).replace("\n", " "), "")[0].split())


def natural_id(name: str) -> str:
    """The id for a name: the name itself where it is one lower-case word (letters, digits, `_`, `-`), else its slug."""
    name = tidy(name)
    return name if _VERBATIM.fullmatch(name) and name == name.lower() else slug(name)


def kind_of(terms: Sequence[Term]) -> Kind:
    """Several above one term: a multilabel. A tree: a hierarchy. Else a multiclass, where there is a choice."""
    if any(len(term.parents) > 1 for term in terms):
        return Kind.MULTILABEL
    return Kind.HIERARCHY if len(terms) == 1 or any(term.parents for term in terms) else Kind.MULTICLASS


def add_groups(read: Read, groups: Iterable[tuple[DraftGroup, Sequence[Term]]]) -> None:
    """Add groups to a draft, with terms as their classes: ids unique among siblings, further parents after `is`.

    Titles and aliases that would also name a sibling are left out, as losses.

    Raises:
        LinnaeusError: E165 for terms above themselves, E168 for a tree deeper than braces may be.
    """
    grown = [(group, terms, _grow(read, group, terms)) for group, terms in groups]
    named = Counter(class_.id for _, _, (classes, _) in grown for class_ in classes.values())
    for _, terms, (classes, paths) in grown:
        for term in terms:
            classes[term.key].parents = tuple(
                quote_id(classes[p].id) if named[classes[p].id] == 1 else quote_path(paths[p])
                for p in dict.fromkeys(term.parents[1:])
                if p != term.parents[0]
            )
    read.draft.groups += [group for group, _, _ in grown]


def _grow(read: Read, group: DraftGroup, terms: Sequence[Term]) -> tuple[dict[str, DraftClass], dict[str, str]]:
    """The classes of a group and their paths, by the keys of their terms."""
    _refuse_cycles(terms)
    under: dict[str | None, list[Term]] = {}
    for term in terms:
        under.setdefault(term.parents[0] if term.parents else None, []).append(term)
    classes: dict[str, DraftClass] = {}
    paths: dict[str, str] = {}
    queue: list[tuple[str | None, list[DraftClass], str, int]] = [(None, group.classes, segment(group.id), 1)]
    for key, row, path, depth in queue:  # grows as it is walked
        siblings = under.get(key, [])
        if depth > MAX_DEPTH - 4 and siblings:
            step = "an ontology nests braces; no taxonomy in use has half as many levels"
            raise fail("E168", f"a term has {depth} others above it", where=siblings[0].where, help=step)
        row += name_siblings(siblings, read.losses)
        for term, class_ in zip(siblings, row, strict=True):
            classes[term.key], paths[term.key] = class_, f"{path}.{segment(class_.id)}"
            read.places[paths[term.key]] = term.where
            queue.append((term.key, class_.classes, paths[term.key], depth + 1))
    return classes, paths


def name_siblings(terms: Sequence[Term], losses: list[Loss], taken: Collection[str] = ()) -> list[DraftClass]:
    """Classes for terms that stand side by side, none of whose spellings names two of them.

    Args:
        losses: takes up the titles and aliases that were left out.
        taken: ids that are not free.
    """
    ids = _unique_ids(terms, {OTHER, *taken})
    owners = {id_: key for key, id_ in ids.items()} | dict.fromkeys(taken)
    classes: list[DraftClass] = []
    for term in terms:
        id_, said = ids[term.key], []
        for text in dict.fromkeys(map(tidy, (term.name, *term.aka))):
            if not text or owners.setdefault(text, term.key) != term.key:
                losses.append(Loss(term.where, "a name that is empty or also names a sibling"))
            elif text != id_:
                said.append(text)
        title = said.pop(0) if said and said[0] == tidy(term.name) else None
        classes.append(DraftClass(id_, title, tuple(said)))
    return classes


def _unique_ids(terms: Sequence[Term], taken: set[str]) -> dict[str, str]:
    """An id for each key. Names that are ids as they stand come first: no slug takes theirs."""
    wanted = {term.key: writable_id(term.id) or natural_id(term.name) for term in terms}
    own = {term.key for term in terms if wanted[term.key] in (term.id, tidy(term.name))}
    keys = [term.key for term in sorted(terms, key=lambda t: t.key not in own)]
    ids = dict(zip(keys, numbered([wanted[key] for key in keys], taken), strict=True))
    return {term.key: ids[term.key] for term in terms}


def writable_id(text: str | None) -> str | None:
    """An id that a source gives, where the language can write it."""
    if text is None:
        return None
    text = tidy(text)
    try:
        quote_id(text)
    except ValueError:
        return None
    return text


def _refuse_cycles(terms: Sequence[Term]) -> None:
    """E165 for a term that stands above itself, with the way from it to itself."""
    by_key = {term.key: term for term in terms}
    done: set[str] = set()
    for start in by_key:
        way: dict[str, None] = {}
        stack = [(start, iter(by_key[start].parents))] if start not in done else []
        if stack:
            way[start] = None
        while stack:
            key, parents = stack[-1]
            above = next((p for p in parents if p not in done), None)
            if above is None:
                stack.pop()
                way.popitem()
                done.add(key)
            elif above in way:
                ring = [*list(way)[list(way).index(above) :], above]
                names = " < ".join(tidy(by_key[k].name) for k in ring)
                step = "a class can't be above itself: delete one of these relations"
                raise fail("E165", f"a cycle: {names}", where=by_key[above].where, help=step)
            else:
                way[above] = None
                stack.append((above, iter(by_key[above].parents)))
