"""The normalised ontology: what every later step reads. Immutable, free of spans, hashed by content.

Every class, level and binary is one `Label`; labels are numbered through the whole ontology, so
"a column per label" means the same in heads, metrics, predictions and reports.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from .formula import Formula

OTHER = "other"
"""The reserved id of the class that `open` adds."""


class Kind(StrEnum):
    """The five kinds of group, in the field's words."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    HIERARCHY = "hierarchy"
    MULTILABEL = "multilabel"
    ORDINAL = "ordinal"


@dataclass(frozen=True, slots=True)
class Label:
    """One class of a group, one level of an ordinal, or the `yes` of a binary.

    `parents` are label indices of the same group: none at the top, one in a tree, several under `is`.
    `other` marks the implicit class of an open group or node; `open` a node that has one.
    """

    index: int
    group: int
    id: str
    path: str
    parents: tuple[int, ...] = ()
    title: str | None = None
    aka: tuple[str, ...] = ()
    open: bool = False
    other: bool = False

    @property
    def name(self) -> str:
        """The title where there is one, else the id: what people read."""
        return self.title or self.id


@dataclass(frozen=True, slots=True)
class Group:
    """One declared group. `labels` are global indices, parents before children, in document order.

    A group applies where the label `condition` holds (None: no class has it as an attribute) and `when` is true. A
    `when` that asks for one label and nothing else is a `condition`. A group stands in `Ontology.groups` after every
    group that its applicability depends on. `levels` names the levels of a hierarchy, coarsest first; `source` is the
    index in `Ontology.imports` of the ontology it comes from, None for this one.
    """

    index: int
    kind: Kind
    id: str
    path: str
    labels: tuple[int, ...]
    condition: int | None = None
    title: str | None = None
    aka: tuple[str, ...] = ()
    open: bool = False
    when: Formula | None = None
    levels: tuple[str, ...] = ()
    source: int | None = None

    @property
    def name(self) -> str:
        """The title where there is one, else the id: what people read."""
        return self.title or self.id

    @property
    def conditional(self) -> bool:
        """Whether there may be worlds in which the group does not apply."""
        return self.condition is not None or self.when is not None

    @property
    def single_choice(self) -> bool:
        """Whether exactly one leaf holds where the group applies (all kinds but binary and multilabel)."""
        return self.kind in (Kind.MULTICLASS, Kind.HIERARCHY, Kind.ORDINAL)


@dataclass(frozen=True, slots=True)
class Rule:
    """Laws under one name. A hard rule's formulas are true in every legal world; a soft one adds `weight` to a world's
    score for each formula that is true in it. `source` as for groups; an import's rule has its alias before its name.
    """

    name: str
    formulas: tuple[Formula, ...]
    weight: float | None = None
    title: str | None = None
    source: int | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """An ontology that this one uses groups of, as it was: the alias here, its own name, version and content hash."""

    alias: str
    name: str
    version: str | None
    hash: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an old name: `labels` are the classes that it may be now, several after a split, none if dropped.

    `old` is the name or path as written. `group` is the group of the labels; for an old group's name, `labels` is empty
    and `group` is what it is called now; -1 if dropped.
    """

    old: str
    labels: tuple[int, ...] = ()
    group: int = -1


@dataclass(frozen=True, slots=True)
class Migration:
    """How annotations made with an earlier version are read."""

    version: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Ontology:
    """A checked, normalised ontology: the set of legal worlds that a coherent head scores."""

    name: str
    groups: tuple[Group, ...]
    labels: tuple[Label, ...]
    title: str | None = None
    version: str | None = None
    rules: tuple[Rule, ...] = ()
    imports: tuple[Import, ...] = ()
    migrations: tuple[Migration, ...] = ()

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of the content: everything but comments, layout and file names."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def __hash__(self) -> int:
        """By content, once: ontologies are keys of caches."""
        return hash(self.hash)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON and for the hash."""
        return {
            "name": self.name,
            "title": self.title,
            "version": self.version,
            "groups": [_plain(g) | {"when": g.when and g.when.to_list()} for g in self.groups],
            "labels": [_plain(label) for label in self.labels],
            "rules": [_plain(r) | {"formulas": [f.to_list() for f in r.formulas]} for r in self.rules],
            "imports": [_plain(i) for i in self.imports],
            "migrations": [_plain(m) | {"changes": [_plain(c) for c in m.changes]} for m in self.migrations],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Ontology:
        """The inverse of `to_dict`."""
        return cls(
            data["name"],
            tuple(Group(**_tuples(g) | _formula(g["when"]) | {"kind": Kind(g["kind"])}) for g in data["groups"]),
            tuple(Label(**_tuples(label)) for label in data["labels"]),
            data["title"],
            data["version"],
            tuple(Rule(**r | {"formulas": tuple(map(Formula.from_list, r["formulas"]))}) for r in data["rules"]),
            tuple(Import(**i) for i in data["imports"]),
            tuple(map(_migration, data["migrations"])),
        )

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """For each label, the labels of its group directly under it, in document order."""
        under: list[list[int]] = [[] for _ in self.labels]
        for label in self.labels:
            for parent in label.parents:
                under[parent].append(label.index)
        return tuple(map(tuple, under))

    @cached_property
    def attributes(self) -> tuple[tuple[int, ...], ...]:
        """For each label, the groups that apply where it holds."""
        under: list[list[int]] = [[] for _ in self.labels]
        for group in self.groups:
            if group.condition is not None:
                under[group.condition].append(group.index)
        return tuple(map(tuple, under))

    @cached_property
    def depth(self) -> tuple[int, ...]:
        """For each label, how many labels of its group stand above it on its longest path."""
        depth = [0] * len(self.labels)
        for label in self.labels:  # parents come first
            depth[label.index] = max((depth[p] + 1 for p in label.parents), default=0)
        return tuple(depth)

    def deepest(self, labels: Iterable[int]) -> int | None:
        """Of some labels the one with the longest path above it, the first of equals; None of none."""
        return max(labels, key=self.depth.__getitem__, default=None)

    def leaves(self, group: Group) -> tuple[int, ...]:
        """The labels of `group` with no children, in document order."""
        return tuple(i for i in group.labels if not self.children[i])

    def ancestors(self, label: int) -> Iterator[int]:
        """`label` and every label of its group above it, each once, nearest first."""
        seen, queue = {label}, [label]
        while queue:
            here = queue.pop(0)
            yield here
            for parent in self.labels[here].parents:
                if parent not in seen:
                    seen.add(parent)
                    queue.append(parent)

    def _repr_html_(self) -> str:
        """The picture of it, in a notebook."""
        from .picture.svg import render_svg

        return render_svg(self)

    def top_groups(self) -> tuple[Group, ...]:
        """The groups that are no class's attribute."""
        return tuple(g for g in self.groups if g.condition is None)


def _plain(item: Group | Label | Rule | Import | Change | Migration) -> dict[str, Any]:
    """A record's fields by name. `dataclasses.asdict` copies every value, which takes seconds for a large taxonomy."""
    return {name: getattr(item, name) for name in item.__dataclass_fields__}


def _migration(data: dict[str, Any]) -> Migration:
    return Migration(data["version"], tuple(Change(**_tuples(change)) for change in data["changes"]))


def _formula(when: list[Any] | None) -> dict[str, Formula | None]:
    return {"when": None if when is None else Formula.from_list(when)}


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
