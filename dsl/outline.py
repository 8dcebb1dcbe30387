"""A file's groups and classes in their places: who stands under whom, with paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ..errors import Diagnostic, Severity, Span
from .formula import Op
from .ontology import OTHER, Kind
from .syntax import ChangeNode, ClassNode, Document, GroupNode, Header, MigrationNode, Reference, RuleNode

if TYPE_CHECKING:
    from .imports import Module


@dataclass(frozen=True, slots=True, eq=False)
class Used:
    """Where a used group comes from: `path` here is `origin` in the imported ontology."""

    module: Module
    origin: str
    path: str

    def original(self, path: str) -> str:
        """What a path of the group, or of something in it, is in the imported ontology."""
        return self.origin + path.removeprefix(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class ClassOutline:
    """A class or level in its place. `classes` are its children, `attributes` the groups in its braces."""

    node: ClassNode
    path: str
    aka: tuple[str, ...]
    open: bool
    classes: tuple[ClassOutline, ...]
    attributes: tuple[GroupOutline, ...]

    @property
    def id(self) -> str:
        """Its id among its siblings."""
        return self.node.name.text

    @property
    def title(self) -> str | None:
        """Its title."""
        return self.node.title.value if self.node.title else None

    def walk(self) -> Iterator[ClassOutline]:
        """The class and all under it, parents first, in document order."""
        yield self
        for child in self.classes:
            yield from child.walk()


@dataclass(frozen=True, slots=True, eq=False)
class GroupOutline:
    """A group in its place. `misplaced` are groups in its own braces; `partial`: some of it was not read.

    For a group that came by `use`, `used` says from where, and the name's span is that of the `use`.
    """

    node: GroupNode
    path: str
    aka: tuple[str, ...]
    open: bool
    classes: tuple[ClassOutline, ...]
    misplaced: tuple[GroupOutline, ...] = ()
    partial: bool = False
    levels: tuple[str, ...] = ()
    used: Used | None = None

    @property
    def id(self) -> str:
        """Its id among its siblings."""
        return self.node.name.text

    @property
    def title(self) -> str | None:
        """Its title."""
        return self.node.title.value if self.node.title else None

    @property
    def kind(self) -> Kind:
        """Its kind."""
        return self.node.kind

    def all_classes(self) -> Iterator[ClassOutline]:
        """Every class of the group, parents first, in document order."""
        for child in self.classes:
            yield from child.walk()

    def walk(self) -> Iterator[GroupOutline]:
        """The group and every group in its braces, outer ones first."""
        yield self
        for inner in self.misplaced:
            yield from inner.walk()
        for class_ in self.all_classes():
            for inner in class_.attributes:
                yield from inner.walk()


@dataclass(frozen=True, slots=True)
class Other:
    """The class `other` of an open group or class."""

    owner: GroupOutline | ClassOutline

    @property
    def path(self) -> str:
        """Its full name."""
        return f"{self.owner.path}.{OTHER}"


Named: TypeAlias = ClassOutline | GroupOutline
Target: TypeAlias = ClassOutline | GroupOutline | Other
"""What a reference names. As a class, a binary's group stands for its yes."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A reference in the text and what it names."""

    reference: Reference
    target: Target


@dataclass(frozen=True, slots=True)
class Meaning:
    """A formula whose names are resolved; the fields are those of `Formula`, with targets in place of indices."""

    op: Op
    args: tuple[Meaning, ...] = ()
    targets: tuple[Target, ...] = ()
    group: GroupOutline | None = None
    count: int = 0

    def mentioned(self) -> Iterator[Target]:
        """Everything that the formula names."""
        yield from self.targets
        if self.group is not None:
            yield self.group
        for arg in self.args:
            yield from arg.mentioned()


@dataclass(frozen=True, slots=True)
class RuleOutline:
    """A rule, each formula with its place. `used` is the import it came with, and then `name` begins with its alias."""

    name: str
    span: Span
    formulas: tuple[tuple[Meaning, Span], ...]
    weight: float | None
    title: str | None
    used: Module | None = None


@dataclass(frozen=True, slots=True)
class ChangeOutline:
    """One line of a migration: the old name, what it is now (nothing: dropped), and the groups of that."""

    node: ChangeNode
    old: str
    new: tuple[Target, ...]
    groups: tuple[GroupOutline, ...]


@dataclass(frozen=True, slots=True)
class MigrationOutline:
    """A migration with its names resolved."""

    node: MigrationNode
    changes: tuple[ChangeOutline, ...]


@dataclass(eq=False)
class Links:
    """What the names of a file refer to.

    Attributes:
        whens: the condition of each group that has a `when`.
        parents: for each class with `is`, the further parents; for a used one, all but the one around it.
        references: every reference that was resolved, in the order of the text.
        problems: what could not be resolved.
    """

    whens: dict[GroupOutline, Meaning] = field(default_factory=dict)
    parents: dict[ClassOutline, tuple[ClassOutline, ...]] = field(default_factory=dict)
    rules: list[RuleOutline] = field(default_factory=list)
    migrations: list[MigrationOutline] = field(default_factory=list)
    references: list[Resolved] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A file's groups in their places, used ones among them, and what its names refer to."""

    document: Document
    header: Header | None
    top: tuple[GroupOutline, ...]
    groups: tuple[GroupOutline, ...]
    modules: tuple[Module, ...]
    links: Links
    problems: tuple[Diagnostic, ...]

    @property
    def start(self) -> Span:
        """The beginning of the file, for findings about what is not there."""
        return Span(self.document.file, 1, 1, 1, 1)

    @property
    def own(self) -> Iterator[GroupOutline]:
        """The groups that are declared in this file."""
        return (group for group in self.groups if group.used is None)

    @property
    def references(self) -> tuple[Resolved, ...]:
        """Every reference that was resolved."""
        return tuple(self.links.references)

    @property
    def rules(self) -> tuple[RuleNode, ...]:
        """The rules that are declared in this file."""
        return tuple(d for d in self.document.declarations if isinstance(d, RuleNode))


def declared(target: Target) -> Named:
    """What a target is declared as: for the class `other`, what it is added to."""
    return target.owner if isinstance(target, Other) else target


def owners(groups: Iterable[GroupOutline]) -> dict[Named, GroupOutline]:
    """The group that each group and class belongs to."""
    found: dict[Named, GroupOutline] = {}
    for group in groups:
        found[group] = group
        found.update(dict.fromkeys(group.all_classes(), group))
    return found


def finding(code: str, span: Span, message: str, step: str | None = None) -> Diagnostic:
    """What a pass found; the code's letter says how bad it is."""
    severities: dict[str, Severity] = {"E": "error", "W": "warning", "I": "info"}
    return Diagnostic(code, message, severities[code[0]], span, help=step)
