"""The normalised ontology: what every later step reads. Immutable, free of spans, hashed by content.

Every class, level and binary is one `Label`; labels are numbered through the whole ontology, so
"a column per label" means the same in heads, metrics, predictions and reports.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property

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

    `condition` is the label that must hold for the group to apply (None: it always applies).
    A group stands after the group of its condition in `Ontology.groups`.
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

    @property
    def name(self) -> str:
        """The title where there is one, else the id: what people read."""
        return self.title or self.id

    @property
    def single_choice(self) -> bool:
        """Whether exactly one leaf holds where the group applies (all kinds but binary and multilabel)."""
        return self.kind in (Kind.MULTICLASS, Kind.HIERARCHY, Kind.ORDINAL)


@dataclass(frozen=True)
class Ontology:
    """A checked, normalised ontology: the set of legal worlds that a coherent head scores."""

    name: str
    groups: tuple[Group, ...]
    labels: tuple[Label, ...]
    title: str | None = None
    version: str | None = None

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of the content: everything but comments, layout and file names."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def __hash__(self) -> int:
        """By content, once: ontologies are keys of caches."""
        return hash(self.hash)

    def to_dict(self) -> dict[str, object]:
        """Plain data, for JSON and for the hash."""
        return {
            "name": self.name,
            "title": self.title,
            "version": self.version,
            "groups": [asdict(g) for g in self.groups],
            "labels": [asdict(label) for label in self.labels],
        }

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

    def top_groups(self) -> tuple[Group, ...]:
        """The groups that always apply."""
        return tuple(g for g in self.groups if g.condition is None)
