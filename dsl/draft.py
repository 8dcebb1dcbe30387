"""An ontology in the making, by converters and inference: named things without numbers, to be written as text."""

from __future__ import annotations

from dataclasses import dataclass, field

from .ontology import Kind


@dataclass
class DraftClass:
    """A class or level. `parents` are references written after `is`."""

    id: str
    title: str | None = None
    aka: tuple[str, ...] = ()
    open: bool = False
    classes: list[DraftClass] = field(default_factory=list)
    attributes: list[DraftGroup] = field(default_factory=list)
    parents: tuple[str, ...] = ()


@dataclass
class DraftGroup:
    """A group. `when` is a formula as text, with its names quoted where they need it."""

    kind: Kind
    id: str
    title: str | None = None
    aka: tuple[str, ...] = ()
    open: bool = False
    classes: list[DraftClass] = field(default_factory=list)
    when: str | None = None
    levels: tuple[str, ...] = ()


@dataclass
class DraftRule:
    """A rule; its formulas as text."""

    name: str
    formulas: list[str]
    weight: float | None = None
    title: str | None = None


@dataclass
class Draft:
    """A whole file. `comments` are lines that stand above its header."""

    name: str
    title: str | None = None
    version: str | None = None
    groups: list[DraftGroup] = field(default_factory=list)
    rules: list[DraftRule] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
