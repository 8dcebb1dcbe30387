"""Which group or class a reference in a file names: its full path, or any end of it that is unique in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import TypeAlias

from ..errors import did_you_mean
from .imports import Module
from .names import segment
from .ontology import OTHER, Kind
from .outline import ClassOutline, GroupOutline, Named, Other, Target, declared, owners
from .syntax import Reference

Find: TypeAlias = Callable[[Reference], Target]


MAX_COMPARED = 30_000
"""How many names are compared for the nearest ones in one file: some half a second."""


class UnresolvedError(Exception):
    """A reference that names nothing, too much, or the wrong kind of thing."""

    def __init__(self, code: str, message: str, step: str):
        super().__init__(message)
        self.code, self.message, self.step = code, message, step


class Scope:
    """The names of a file. Nothing is indexed before the first reference is asked for."""

    def __init__(self, groups: Sequence[GroupOutline], modules: Sequence[Module]):
        self.groups = groups
        self.modules = {module.alias: module for module in modules}
        self.compared = 0
        self.also_above: set[ClassOutline] = set()
        """Classes that others name after `is`."""

    def label(self, reference: Reference) -> Target:
        """A class, a level or a binary.

        Raises:
            UnresolvedError: E131, E132, or E133 for a group that is neither.
        """
        found = self._matching(reference)
        labels = [t for t in found if not isinstance(t, GroupOutline) or t.kind is Kind.BINARY]
        if found and not labels:
            name = self.key(reference)
            step = f"write any {name}, applies {name}, or name one of its classes"
            raise UnresolvedError("E133", f"`{name}` is a group: by itself it is neither true nor false", step)
        return self._one(reference, labels)

    def group(self, reference: Reference) -> Target:
        """A group.

        Raises:
            UnresolvedError: E131, E132, or E133 for a class.
        """
        found = self._matching(reference)
        groups = [t for t in found if isinstance(t, GroupOutline)]
        if found and not groups:
            message = f"`{self.key(reference)}` is a class, where a group is asked for"
            raise UnresolvedError("E133", message, f"name its group: {self._owner(found[0]).path}")
        return self._one(reference, groups)

    def collection(self, reference: Reference) -> Target:
        """A group, or a class that has classes.

        Raises:
            UnresolvedError: E131, E132, or E133 for what has no classes.
        """
        found = self._matching(reference)
        fit = [t for t in found if not isinstance(t, Other) and (t.classes or t in self.also_above)]
        groups = [t for t in fit if isinstance(t, GroupOutline)]
        if found and not fit:
            name = self.key(reference)
            raise UnresolvedError("E133", f"`{name}` has no classes for `any` to choose from", f"write {name} alone")
        return self._one(reference, groups or fit)

    def anything(self, reference: Reference) -> Target:
        """A class, else a group.

        Raises:
            UnresolvedError: E131, E132.
        """
        found = self._matching(reference)
        return self._one(reference, [t for t in found if not isinstance(t, GroupOutline)] or found)

    def within(self, group: GroupOutline, reference: Reference) -> Target:
        """A class or level of one group.

        Raises:
            UnresolvedError: E131, E132, or E134 for a class of another group.
        """
        key, prefix = self.key(reference), f"{group.path}."
        named = [t for t in self._by_id.get(reference.steps[-1].text, ()) if _ends(t, key)]
        mine = [t for t in named if not isinstance(t, GroupOutline) and self._owner(t) is group]
        if not mine:
            step = self._nearest(key, [t.path.removeprefix(prefix) for t in self._labels(group)], "classes in it")
            if named:
                raise UnresolvedError("E134", f"`{named[0].path}` is no class of {group.path}", step)
            raise UnresolvedError("E131", f"{group.path} has no class `{key}`", step)
        return self._one(reference, [t for t in mine if t.path in (key, prefix + key)] or mine)

    def group_of(self, target: Target) -> GroupOutline:
        """The group that a class belongs to."""
        return self._owner(target)

    @staticmethod
    def key(reference: Reference) -> str:
        """A reference as paths are written."""
        return ".".join(segment(step.text) for step in reference.steps)

    # --- the index ----------------------------------------------------------------------------------

    def _matching(self, reference: Reference) -> list[Target]:
        """All that the reference may name: by its full path, else by the end of its path."""
        key = self.key(reference)
        found = [t for t in self._by_id.get(reference.steps[-1].text, ()) if _ends(t, key)]
        whole = [t for t in found if t.path == key]
        if found:
            return whole or found
        raise self._unknown(reference, key)

    def _one(self, reference: Reference, found: Sequence[Target]) -> Target:
        if len(found) == 1:
            return found[0]
        paths = [t.path for t in found]
        listed = ", ".join(paths[:8]) + (f" and {len(paths) - 8} more" if len(paths) > 8 else "")
        raise UnresolvedError("E132", f"`{self.key(reference)}` may mean any of {listed}", "write more of its path")

    def _unknown(self, reference: Reference, key: str) -> UnresolvedError:
        first = reference.steps[0].text
        if first in self.modules and len(reference.steps) > 1:
            rest = ".".join(segment(step.text) for step in reference.steps[1:])
            used = [g for g in self.groups if g.used is not None and g.used.module is self.modules[first]]
            step = f"a formula names a used group as it is called here: {', '.join(g.path for g in used)}"
            if not used:
                step = f"use {first}.GROUP first, and then write {rest}"
            return UnresolvedError("E131", f"`{key}` is a name in an import, not in this file", step)
        last = reference.steps[-1].text
        known = [name for name in self._by_id if name != OTHER]
        above = ".".join(segment(step.text) for step in reference.steps[:-1])
        owners = self._by_id.get(reference.steps[-2].text, ()) if above else ()
        for owner in owners:
            if _ends(owner, above) and not isinstance(owner, Other):
                inside = [c.id for c in owner.classes]
                closed = f"`{owner.path}` is not open" if last == OTHER else f"`{owner.path}` has no class `{last}`"
                return UnresolvedError("E131", closed, self._nearest(last, inside, "classes in it"))
        return UnresolvedError("E131", f"nothing in this file is called `{key}`", self._nearest(last, known, "names"))

    def _nearest(self, name: str, known: list[str], plural: str) -> str:
        """A next step; once many names have been compared, one that costs nothing."""
        self.compared += len(known)
        if self.compared > MAX_COMPARED:
            return "linnaeus show lists all names"
        return did_you_mean(name, known, plural=plural)

    @cached_property
    def _by_id(self) -> dict[str, list[Target]]:
        index: dict[str, list[Target]] = {}
        for group in self.groups:
            index.setdefault(group.id, []).append(group)
            for target in self._labels(group):
                index.setdefault(OTHER if isinstance(target, Other) else target.id, []).append(target)
        return index

    @staticmethod
    def _labels(group: GroupOutline) -> Iterator[ClassOutline | Other]:
        for class_ in group.all_classes():
            yield class_
            if class_.open:
                yield Other(class_)
        if group.open:
            yield Other(group)

    @cached_property
    def _owners(self) -> dict[Named, GroupOutline]:
        return owners(self.groups)

    def _owner(self, target: Target) -> GroupOutline:
        return self._owners[declared(target)]


def _ends(target: Target, key: str) -> bool:
    return target.path == key or target.path.endswith(f".{key}")
