"""Finding groups and labels by what people and data call them: id, path, title or alias."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Generic, TypeVar

from .ontology import Change, Group, Kind, Label, Migration, Ontology

T = TypeVar("T")

_EFFORT = 50_000  # some two seconds: a column of 10,000 unknown values must not take minutes
_SEPARATORS = re.compile(r"[\s_-]+")


@dataclass(frozen=True, slots=True)
class Match(Generic[T]):
    """What a name meant.

    `item` is the one thing meant, or None; `folded` says that it was found only after folding case, spaces, hyphens and
    underscores; `former` that it is a name of an earlier version, which `migrate` translates. Without an item,
    `candidates` lists the paths it could mean where `ambiguous`, else the nearest names.
    """

    item: T | None
    folded: bool = False
    ambiguous: bool = False
    candidates: tuple[str, ...] = ()
    former: bool = False


def fold(text: str) -> str:
    """A name without case, and with every run of spaces, hyphens and underscores as one space."""
    return _SEPARATORS.sub(" ", text.casefold()).strip()


def segment(name: str) -> str:
    """An id as one step of a path: in backticks where it holds a dot itself."""
    return f"`{name}`" if "." in name else name


def slug(text: str) -> str:
    """A plain id for a text: its letters and digits in lower case, each run of anything else one `_`."""
    words = re.sub(r"[^\w]+", "_", unicodedata.normalize("NFC", text).lower()).strip("_")
    plain = "".join(c for c in words if ("_" + c).isidentifier())
    return plain if plain[:1].isidentifier() else f"_{plain}"


def find_group(ontology: Ontology, text: str) -> Match[Group]:
    """The group that `text` names by its id, title, alias, path or a unique end of its path, else by an old name."""
    match = _group_names(ontology).find(text)
    if match.item is None and not match.ambiguous and ontology.migrations:
        former = find_former_group(ontology, text)
        if former.item is not None or former.ambiguous:
            return former
    return match


def find_former_group(ontology: Ontology, text: str) -> Match[Group]:
    """The group that earlier versions called `text`."""
    return _find_former(_former_groups(ontology), text)


def find_label(ontology: Ontology, group: Group, text: str) -> Match[Label]:
    """The label of `group` that `text` names by its id, title, alias, path or a unique end of its path.

    Args:
        group: a group of `ontology`.
        text: a class, a level, or for a binary its own name (values such as yes and no are the data binding's matter).
    """
    return _label_names(ontology, group.index).find(text)


def find_former(ontology: Ontology, group: Group, text: str) -> Match[tuple[int, ...]]:
    """What the classes that earlier versions called `text` may be now, as labels of `group`: several after a split,
    none where the class was dropped. Any end of an old path names it; versions that disagree make it ambiguous.
    """
    return _find_former(_former_labels(ontology, group.index), text)


def find_child(ontology: Ontology, group: Group, parent: Label | None, text: str) -> Match[Label]:
    """The label directly under `parent`, or at the top of `group` for None, with that id, title or alias.

    A column for each level of a tree is read with it: ids may repeat down a path (Banana > Banana).
    """
    return _child_names(ontology, group.index, None if parent is None else parent.index).find(text)


@dataclass
class _Names(Generic[T]):
    """Spellings of some things; each thing has a path that is its own."""

    exact: dict[str, list[tuple[str, T]]] = field(default_factory=dict)
    folded: dict[str, list[tuple[str, T]]] = field(default_factory=dict)
    paths: dict[str, T] = field(default_factory=dict)
    simple: list[str] = field(default_factory=list)
    effort: int = 0

    def add(self, item: T, path: str, spellings: Iterable[str]) -> None:
        """Register `item` under its path and its spellings."""
        self.paths[path] = item
        for text in dict.fromkeys(spellings):
            self.exact.setdefault(text, []).append((path, item))
        for text in dict.fromkeys(map(fold, spellings)):
            self.folded.setdefault(text, []).append((path, item))

    def find(self, text: str) -> Match[T]:
        text = unicodedata.normalize("NFC", text)
        if text in self.paths:  # a whole path names one thing, whatever else ends in it
            return Match(self.paths[text])
        for table, key, folded in ((self.exact, text, False), (self.folded, fold(text), True)):
            found = table.get(key, [])
            if len(found) == 1:
                return Match(found[0][1], folded=folded)
            if found:
                return Match(None, folded=folded, ambiguous=True, candidates=tuple(p for p, _ in found))
        return Match(None, candidates=self._nearest(text))

    def _nearest(self, text: str) -> tuple[str, ...]:
        """The paths of the most similar names; none once `_EFFORT` comparisons have been spent on unknown names."""
        if len(text) > 200 or self.effort > _EFFORT:
            return ()
        self.effort += len(self.simple)
        near = get_close_matches(fold(text), self.simple, n=3, cutoff=0.6)
        return tuple(dict.fromkeys(self.folded[name][0][0] for name in near))


def _spellings(item: Group | Label, ends: Iterable[str]) -> list[str]:
    return [item.id, *([item.title] if item.title else []), *item.aka, *ends]


def _ends(steps: list[str]) -> list[str]:
    """Every end of a path, the shortest first."""
    return [".".join(steps[i:]) for i in range(len(steps) - 1, -1, -1)]


@lru_cache(maxsize=16)
def _group_names(ontology: Ontology) -> _Names[Group]:
    names: _Names[Group] = _Names()
    for group in ontology.groups:
        names.add(group, group.path, _spellings(group, _ends(path_steps(group.path))))
    names.simple = list(names.folded)
    return names


@lru_cache(maxsize=256)
def _label_names(ontology: Ontology, group: int) -> _Names[Label]:
    names: _Names[Label] = _Names()
    within: dict[int, list[str]] = {}
    prefix = ontology.groups[group].path
    for index in ontology.groups[group].labels:
        label = ontology.labels[index]
        above = within[label.parents[0]] if label.parents else []
        within[index] = [*above, segment(label.id)]
        ends = _ends(within[index])
        names.add(label, label.path, _spellings(label, [*ends, f"{prefix}.{ends[-1]}"]))
    names.simple = list(names.folded)
    return names


@lru_cache(maxsize=16384)
def _child_names(ontology: Ontology, group: int, parent: int | None) -> _Names[Label]:
    names: _Names[Label] = _Names()
    if parent is None:
        siblings = tuple(i for i in ontology.groups[group].labels if not ontology.labels[i].parents)
    else:
        siblings = ontology.children[parent]
    for index in siblings:
        names.add(ontology.labels[index], ontology.labels[index].path, _spellings(ontology.labels[index], ()))
    names.simple = list(names.folded)
    return names


def _find_former(names: _Names[T], text: str) -> Match[T]:
    """What an old name means now. Versions that had the same name for the same thing agree."""
    match = names.find(text)
    if match.ambiguous:
        meant = {names.paths[path] for path in match.candidates}
        if len(meant) == 1:
            return Match(meant.pop(), folded=match.folded, former=True)
    return replace(match, former=True)


@lru_cache(maxsize=16)
def _former_groups(ontology: Ontology) -> _Names[Group]:
    names: _Names[Group] = _Names()
    for migration in ontology.migrations:
        for change in migration.changes:
            group = ontology.groups[change.group]
            if change.group >= 0 and (not change.labels or (group.kind is Kind.BINARY and len(change.labels) == 1)):
                names.add(group, _old(change, migration), _ends(path_steps(change.old)))
    return names


@lru_cache(maxsize=256)
def _former_labels(ontology: Ontology, group: int) -> _Names[tuple[int, ...]]:
    """By old name, what it may be now. A dropped name is one of any group, unless its path says of which."""
    names: _Names[tuple[int, ...]] = _Names()
    for migration in ontology.migrations:
        for change in migration.changes:
            steps = path_steps(change.old)
            owners = {ontology.labels[i].group for i in change.labels}
            if change.group < 0:
                above = (find_group(ontology, ".".join(steps[:k])).item for k in range(1, len(steps)))
                owners = {g.index for g in above if g is not None} or {group}
            if group in owners:
                names.add(change.labels, _old(change, migration), _ends(steps))
    return names


def _old(change: Change, migration: Migration) -> str:
    return f"{change.old} (version {migration.version})"


def path_steps(path: str) -> list[str]:
    """A path's steps; a dot inside backticks does not part them."""
    return re.findall(r"`[^`]*`|[^.]+", path)
