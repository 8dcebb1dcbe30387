"""Two versions of an ontology compared by what they mean: what changed, and whether old annotations and models fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from ...errors import Diagnostic
from ..names import find_label
from ..ontology import Kind, Migration, Ontology
from ..versions import is_later, numbers
from .differences import Difference, differences
from .reading import Readings, read_old
from .world_change import WorldChange, compare_worlds

_LISTED = 12
_GIVE_VERSION = 'give it a version: ontology NAME version "1.0"'


@dataclass(frozen=True)
class Diff:
    """What became of an ontology.

    Attributes:
        old, new: the two versions.
        readings: how each old group and label reads now.
        differences: what was done, in the order of the file's parts.
        worlds: whether legal worlds were lost or gained, on what both can say.
        unread: old labels that the new version can't read.
        misfits: why a model of the old version can't be used as it is; empty where it can.
        later: whether the version was raised; None where that can't be said.
        diagnostics: a breaking change under an old version, and what is wrong with the migrations.
    """

    old: Ontology
    new: Ontology
    readings: Readings
    differences: tuple[Difference, ...]
    worlds: WorldChange
    unread: tuple[str, ...]
    misfits: tuple[str, ...]
    later: bool | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def breaking(self) -> bool:
        """Whether old annotations or old models no longer fit."""
        return bool(self.unread or self.misfits)

    @property
    def equal(self) -> bool:
        """Whether nothing differs, but perhaps migrations."""
        return not self.differences

    def world_text(self, of_new: bool) -> str | None:
        """What holds in an old world that is illegal now, or in a new one that was illegal, as far as that matters."""
        ontology, example = (self.new, self.worlds.gained) if of_new else (self.old, self.worlds.lost)
        said = [f"{'' if true else 'not '}{ontology.labels[i].path}" for i, true in example]
        more = f" and {len(said) - _LISTED} more" if len(said) > _LISTED else ""
        return " and ".join(said[:_LISTED]) + more if said else None

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for JSON."""
        sides = {
            side: {"name": o.name, "version": o.version, "hash": o.hash}
            for side, o in (("old", self.old), ("new", self.new))
        }
        reads = zip(self.old.labels, self.readings.labels, strict=True)
        return {
            **sides,
            "equal": self.equal,
            "differences": [asdict(d) for d in self.differences],
            "readings": [
                {"old": label.path, "how": r.how, "new": [self.new.labels[j].path for j in r.labels]}
                for label, r in reads
            ],
            "worlds": {
                "tightened": self.worlds.tightened,
                "loosened": self.worlds.loosened,
                "lost": self.world_text(of_new=False),
                "gained": self.world_text(of_new=True),
            },
            "annotations": {"fit": not self.unread, "unread": list(self.unread)},
            "models": {"fit": not self.misfits, "why": list(self.misfits)},
            "breaking": self.breaking,
            "later_version": self.later,
            "diagnostics": [asdict(d) for d in self.diagnostics],
        }


def compare(old: Ontology, new: Ontology) -> Diff:
    """The difference of two versions of an ontology."""
    readings = read_old(old, new)
    worlds = compare_worlds(old, new, readings)
    found = differences(old, new, readings)
    lost = [label.path for label, r in zip(old.labels, readings.labels, strict=True) if r.how == "lost"]
    misfits = tuple(_misfits(old, new, readings, worlds))
    diff = Diff(old, new, readings, found, worlds, tuple(lost), misfits, is_later(new.version, old.version))
    return replace(diff, diagnostics=tuple(_diagnose(diff)))


def _misfits(old: Ontology, new: Ontology, readings: Readings, worlds: WorldChange) -> Iterator[str]:
    """Why a model of the old version can't be used: it scores other labels, or other worlds."""
    known = {j for r in readings.labels for j in r.labels}
    fresh = len(new.labels) - len(known)
    gone = sum(not r.labels for r in readings.labels)
    if fresh:
        yield f"{_many(fresh, 'class is', 'classes are')} new to it"
    if gone:
        yield f"{_many(gone, 'class that it scores is', 'classes that it scores are')} gone"
    now = [readings.same_label(i) for i in range(len(old.labels))]
    blurred = sum(r.labels != () and now[i] is None for i, r in enumerate(readings.labels))
    if blurred:
        yield f"{_many(blurred, 'class is', 'classes are')} split or merged"
    kept = [i for i in now if i is not None]
    if kept != sorted(kept):
        yield "its classes stand in another order"
    if worlds.tightened:
        yield "worlds that it may predict are illegal now"
    if worlds.loosened:
        yield "there are worlds that it can't predict"
    if worlds.tightened is None or worlds.loosened is None:
        yield "whether the legal worlds are the same stayed open"


def _diagnose(diff: Diff) -> Iterator[Diagnostic]:
    old, new = diff.old, diff.new
    where = f"{new.name} {new.version or 'without a version'}"
    if old.name != new.name:
        step = "compare two versions of one ontology; a new name is for another ontology"
        yield Diagnostic("W156", f"the name changed from {old.name} to {new.name}", "warning", where=where, help=step)
    yield from _version_findings(diff, where)
    if diff.unread:
        listed = ", ".join(diff.unread[:_LISTED])
        more = f" and {len(diff.unread) - _LISTED} more" if len(diff.unread) > _LISTED else ""
        step = f'say what became of each: migrate from "{old.version}" {{ rename …; split …; drop … }}'
        if old.version is None:
            step = "give the old file a version, and say in the new one what became of each: migrate from …"
        message = f"{_many(len(diff.unread), 'old class', 'old classes')} can't be read any more: {listed}{more}"
        yield Diagnostic("W152", message, "warning", where=where, help=step)
    for migration, change in diff.readings.unfound:
        message = f"`{change.old}` is not one class or group of {old.name} {old.version}"
        step = "write the old name as it was, with as much of its path as makes it one"
        yield Diagnostic("W153", message, "warning", where=_place(migration), help=step)
    for path, spellings in _unread_spellings(diff):
        listed = ", ".join(f'"{s}"' for s in spellings)
        message = f"{path} can't be written {listed} any more"
        yield Diagnostic("W154", message, "warning", where=where, help="keep old spellings in `aka`, if data use them")
    if diff.worlds.tightened is None or diff.worlds.loosened is None:
        step = "write the longest formulas as several rules about fewer groups"
        message = "whether legal worlds were lost or gained stayed open: the rules are too entangled"
        yield Diagnostic("W157", message, "warning", where=where, help=step)


def _place(migration: Migration) -> str:
    return f'migrate from "{migration.version}"'


def _version_findings(diff: Diff, where: str) -> Iterator[Diagnostic]:
    old, new = diff.old.version, diff.new.version
    if diff.later is None:
        wrong = new if numbers(new) is None else old
        message = (
            f'"{wrong}" is not a version of dotted numbers, so which of "{old}" and "{new}" is later can\'t be said'
        )
        yield Diagnostic("W155", message, "warning", where=where, help='versions are numbers and dots: "1.10"')
    elif diff.breaking and not diff.later:
        message = _breaking(old, new)
        unread = f"{_many(len(diff.unread), 'old class', 'old classes')} can't be read"
        why = "; ".join([*([unread] if diff.unread else []), *diff.misfits])
        step = "raise the version" if new else _GIVE_VERSION
        yield Diagnostic("E150", f"{message}: {why}", where=where, help=step)
    elif not diff.later and new != old:
        message, step = f'the version went down, from "{old}" to "{new}"', "compare the older file with the newer one"
        if new is None:
            message, step = f'the version "{old}" is gone', _GIVE_VERSION
        yield Diagnostic("W151", message, "warning", where=where, help=step)


def _breaking(old: str | None, new: str | None) -> str:
    if new is None:
        return "a breaking change without a version" + (f', where there was "{old}"' if old else "")
    return "a breaking change " + (f'within version "{new}"' if new == old else f'from version "{old}" to "{new}"')


def _unread_spellings(diff: Diff) -> Iterator[tuple[str, list[str]]]:
    """Titles and aliases by which old data may name a class, and which don't name it now."""
    for label, reading in zip(diff.old.labels, diff.readings.labels, strict=True):
        spellings = [*([label.title] if label.title else []), *label.aka]
        if len(reading.labels) != 1 or not spellings:
            continue
        now = diff.new.labels[reading.labels[0]]
        if now.title == label.title and set(label.aka) <= set(now.aka):
            continue
        group = diff.new.groups[now.group]
        unread = [s for s in spellings if _names_it(diff.old, label.group, s, label.index)]
        unread = [s for s in unread if not _names_it(diff.new, group.index, s, now.index)]
        if unread and group.kind is not Kind.BINARY:
            yield now.path, unread


def _names_it(ontology: Ontology, group: int, text: str, label: int) -> bool:
    found = find_label(ontology, ontology.groups[group], text).item
    return found is not None and found.index == label


def _many(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
