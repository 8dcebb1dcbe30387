"""Syntax tree → outline (who stands under whom, with paths) → normalised ontology."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import Span
from .names import segment
from .ontology import OTHER, Group, Kind, Label, Ontology
from .syntax import Aka, Bad, Body, Chain, ClassNode, Document, GroupNode, Header, Modifier, Open


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
    """A group in its place. `misplaced` are groups in its own braces; `partial`: some of it was not read."""

    node: GroupNode
    path: str
    aka: tuple[str, ...]
    open: bool
    classes: tuple[ClassOutline, ...]
    misplaced: tuple[GroupOutline, ...]
    partial: bool

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


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A file's groups in their places."""

    document: Document
    header: Header | None
    top: tuple[GroupOutline, ...]
    groups: tuple[GroupOutline, ...]

    @property
    def start(self) -> Span:
        """The beginning of the file, for findings about what is not there."""
        return Span(self.document.file, 1, 1, 1, 1)


def resolve(document: Document) -> Outline:
    """The outline of a document, whether or not it is right."""
    headers = [d for d in document.declarations if isinstance(d, Header)]
    top = tuple(_group(d, "") for d in document.declarations if isinstance(d, GroupNode))
    return Outline(document, headers[0] if headers else None, top, tuple(g for t in top for g in t.walk()))


def _group(node: GroupNode, prefix: str) -> GroupOutline:
    path = prefix + segment(node.name.text)
    partial = has_bad(node.body)
    return GroupOutline(
        node,
        path,
        _aka(node.modifiers),
        _open(node.modifiers),
        _classes(node.body, path),
        _groups(node.body, path),
        partial,
    )


def _class(node: ClassNode, prefix: str) -> ClassOutline:
    path = prefix + segment(node.name.text)
    return ClassOutline(
        node, path, _aka(node.modifiers), _open(node.modifiers), _classes(node.body, path), _groups(node.body, path)
    )


def _classes(body: Body | None, path: str) -> tuple[ClassOutline, ...]:
    found: list[ClassOutline] = []
    for item in body.items if body else ():
        if isinstance(item, ClassNode):
            found.append(_class(item, f"{path}."))
        elif isinstance(item, Chain):
            found.extend(_class(level, f"{path}.") for level in item.levels)
    return tuple(found)


def _groups(body: Body | None, path: str) -> tuple[GroupOutline, ...]:
    return tuple(_group(item, f"{path}.") for item in (body.items if body else ()) if isinstance(item, GroupNode))


def has_bad(body: Body | None) -> bool:
    """Whether some item of a body could not be read."""
    return body is not None and any(isinstance(item, Bad) for item in body.items)


def _aka(modifiers: tuple[Modifier, ...]) -> tuple[str, ...]:
    return tuple(text.value for m in modifiers if isinstance(m, Aka) for text in m.names)


def _open(modifiers: tuple[Modifier, ...]) -> bool:
    return any(isinstance(m, Open) for m in modifiers)


def normalise(outline: Outline) -> Ontology:
    """The ontology of an outline that the checks found right."""
    header = outline.header
    assert header is not None
    builder = _Builder()
    for group in outline.top:
        builder.group(group, None)
    return Ontology(
        header.name.text,
        tuple(builder.groups),
        tuple(builder.labels),
        header.title.value if header.title else None,
        header.version.value if header.version else None,
    )


class _Builder:
    """Numbers groups and labels: a group's labels in one run, parents first, then the groups in its classes' braces."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.labels: list[Label] = []

    def group(self, outline: GroupOutline, condition: int | None) -> None:
        index, first = len(self.groups), len(self.labels)
        attributes: list[tuple[GroupOutline, int]] = []
        if outline.kind is Kind.BINARY:
            self._label(index, outline.id, outline.path, (), outline.title, outline.aka)
        self._siblings(outline.classes, outline.open, index, outline.path, (), attributes)
        labels = tuple(range(first, len(self.labels)))
        about = (outline.id, outline.path, labels, condition, outline.title, outline.aka, outline.open)
        self.groups.append(Group(index, outline.kind, *about))
        for attribute, label in attributes:
            self.group(attribute, label)

    def _siblings(
        self,
        classes: tuple[ClassOutline, ...],
        has_other: bool,
        group: int,
        path: str,
        parents: tuple[int, ...],
        attributes: list[tuple[GroupOutline, int]],
    ) -> None:
        for class_ in classes:
            index = self._label(group, class_.id, class_.path, parents, class_.title, class_.aka, open_=class_.open)
            attributes.extend((attribute, index) for attribute in class_.attributes)
            self._siblings(class_.classes, class_.open, group, class_.path, (index,), attributes)
        if has_other:
            self._label(group, OTHER, f"{path}.{OTHER}", parents, None, (), other=True)

    def _label(
        self,
        group: int,
        id_: str,
        path: str,
        parents: tuple[int, ...],
        title: str | None,
        aka: tuple[str, ...],
        *,
        open_: bool = False,
        other: bool = False,
    ) -> int:
        index = len(self.labels)
        self.labels.append(Label(index, group, id_, path, parents, title, aka, open_, other))
        return index
