"""How each name of an old ontology reads in a new one: by path, and through the new one's migrations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from ..names import path_steps, segment
from ..ontology import Change, Group, Kind, Label, Migration, Ontology
from ..versions import is_later

How = Literal["same", "renamed", "split", "dropped", "moved", "lost"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of an old label: the labels that it may be now. None where it was dropped or lost."""

    how: How
    labels: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupReading:
    """What became of an old group: its index now, -1 where it was dropped or lost."""

    how: How
    group: int = -1


@dataclass
class Readings:
    """How an old ontology's groups and labels read, by their indices.

    `unfound` are migrations' old names that mean nothing there, or several things.
    """

    groups: list[GroupReading] = field(default_factory=list)
    labels: list[Reading] = field(default_factory=list)
    unfound: list[tuple[Migration, Change]] = field(default_factory=list)

    def same_label(self, old: int) -> int | None:
        """What an old label is now, if it is one label and no other old label is it."""
        labels = self.labels[old].labels
        return labels[0] if len(labels) == 1 and self.sources[labels[0]] == 1 else None

    @cached_property
    def sources(self) -> dict[int, int]:
        """For each new label that is read as one, how many old labels are read so."""
        return Counter(i for reading in self.labels for i in reading.labels)


def relevant(old: Ontology, new: Ontology) -> list[Migration]:
    """The migrations that old names go through: that from the old version first, then those from later ones."""
    if old.version is None:
        return []
    mine = [m for m in new.migrations if m.version == old.version]
    later = [m for m in new.migrations if is_later(m.version, old.version)]
    return mine + later


def read_old(old: Ontology, new: Ontology) -> Readings:
    """How every group and label of `old` reads in `new`."""
    return _Reader(old, new).run()


class _Reader:
    def __init__(self, old: Ontology, new: Ontology):
        self.old, self.new = old, new
        self.readings = Readings()
        self.group_at = {g.path: g for g in new.groups}
        self.label_at = {label.path: label for label in new.labels}
        self.moves: dict[str, str] = {}
        self.group_changes: dict[int, Change] = {}
        self.label_changes: dict[int, Change] = {}

    def run(self) -> Readings:
        """Groups and then their labels, each after what it stands in."""
        self.find_changes()
        found: dict[int, Reading] = {}
        for group in self.old.groups:
            self.readings.groups.append(self.group(group))
            for i in group.labels:
                found[i] = self.label(self.old.labels[i], self.readings.groups[-1])
        self.readings.labels = [found[i] for i in range(len(self.old.labels))]
        return self.readings

    # --- migrations ---------------------------------------------------------------------------------

    def find_changes(self) -> None:
        """Which old group or label each line of the migrations speaks of. The first that speaks of one counts."""
        ends = _ends(self.old)
        for migration in relevant(self.old, self.new):
            exact = migration.version == self.old.version
            for change in migration.changes:
                found = ends.get(change.old, [])
                found = [item for item in found if item.path == change.old] or found
                of_group = not change.labels and change.group >= 0
                items = [item for item in found if isinstance(item, Group) == of_group]
                if change.group < 0:  # a drop of a class, or else of a group
                    items = [item for item in found if isinstance(item, Label)] or found
                if len(items) == 1:
                    self.note(items[0], change)
                elif exact:
                    self.readings.unfound.append((migration, change))

    def note(self, item: Group | Label, change: Change) -> None:
        if item.path in self.label_at or item.path in self.group_at:  # a name of today wins over an old one
            return
        if isinstance(item, Group):
            target = "" if change.group < 0 else self.new.groups[change.group].path
            self.group_changes.setdefault(item.index, change)
        else:
            target = self.new.labels[change.labels[0]].path if len(change.labels) == 1 else ""
            self.label_changes.setdefault(item.index, change)
        if target:
            self.moves.setdefault(item.path, target)

    # --- paths --------------------------------------------------------------------------------------

    def now(self, path: str) -> str:
        """An old path with what is known to have moved in its place."""
        steps = path_steps(path)
        for end in range(len(steps), 0, -1):
            here = ".".join(steps[:end])
            if here in self.moves:
                return ".".join([self.moves[here], *steps[end:]])
        return path

    def group(self, group: Group) -> GroupReading:
        change = self.group_changes.get(group.index)
        if change is None and group.kind is Kind.BINARY:
            change = self.label_changes.get(group.labels[0])
        if change is not None:
            return GroupReading("renamed" if change.group >= 0 else "dropped", change.group)
        at = self.group_at.get(self.now(group.path))
        if at is not None:
            return GroupReading("same", at.index)
        taken = {self.now(g.path) for g in self.old.groups}
        alike = [g for g in self.new.groups if g.id == group.id and g.kind is group.kind and g.path not in taken]
        if len(alike) == 1 and sum(g.id == group.id for g in self.old.groups) == 1:
            self.moves[group.path] = alike[0].path
            return GroupReading("moved", alike[0].index)
        return GroupReading("lost")

    def label(self, label: Label, group: GroupReading) -> Reading:
        change = self.label_changes.get(label.index)
        if change is not None:
            how: How = "dropped" if not change.labels else "renamed" if len(change.labels) == 1 else "split"
            return Reading(how, change.labels)
        if group.group < 0:
            return Reading(group.how)
        target = self.new.groups[group.group]
        if self.old.groups[label.group].kind is Kind.BINARY and target.kind is Kind.BINARY:
            return Reading(group.how, target.labels)
        at = self.label_at.get(self.now(label.path))
        if at is not None and at.group == target.index:
            return Reading("same", (at.index,))
        alike = self.elsewhere(label, target)
        if alike is not None:
            self.moves[label.path] = self.new.labels[alike].path
            return Reading("moved", (alike,))
        above = any(self.dropped(a) for a in self.old.ancestors(label.index) if a != label.index)
        return Reading("dropped" if above else "lost")

    def dropped(self, label: int) -> bool:
        change = self.label_changes.get(label)
        return change is not None and not change.labels

    def elsewhere(self, label: Label, target: Group) -> int | None:
        """The one label of a group with the id of an old one that is gone from its place."""
        if label.other:
            return None
        mine = [self.old.labels[i] for i in self.old.groups[label.group].labels]
        taken = {self.now(other.path) for other in mine}
        taken |= {self.new.labels[i].path for c in self.label_changes.values() for i in c.labels}
        alike = [i for i in target.labels if self.new.labels[i].id == label.id]
        alike = [i for i in alike if self.new.labels[i].path not in taken]
        return alike[0] if len(alike) == 1 and sum(other.id == label.id for other in mine) == 1 else None


def _ends(ontology: Ontology) -> dict[str, list[Group | Label]]:
    """What every end of a path names."""
    found: dict[str, list[Group | Label]] = {}
    items: Iterable[Group | Label] = (*ontology.groups, *ontology.labels)
    for item in items:
        for end in _suffixes(item.path, item.id):
            found.setdefault(end, []).append(item)
    return found


def _suffixes(path: str, id_: str) -> Iterator[str]:
    steps = path_steps(path)
    yield from dict.fromkeys([segment(id_), *(".".join(steps[k:]) for k in range(len(steps)))])
