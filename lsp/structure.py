"""The parts of a file in their order: an editor's outline, and what it can fold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..dsl.syntax import (
    Body,
    Chain,
    ClassNode,
    Document,
    GroupNode,
    Header,
    ImportNode,
    MigrationNode,
    RuleNode,
    UseNode,
)
from ..errors import Span


@dataclass(frozen=True, slots=True)
class Part:
    """A declaration or a class; `inner` are those in its braces, `name` is where its name stands."""

    text: str
    detail: str
    role: Literal["ontology", "import", "use", "group", "class", "rule", "migration"]
    span: Span
    name: Span
    inner: tuple[Part, ...] = ()


def parts(document: Document) -> tuple[Part, ...]:
    """The outline of a file."""
    return tuple(_parts(document))


def _parts(document: Document) -> Iterator[Part]:
    for node in document.declarations:
        match node:
            case Header():
                version = node.version.value if node.version else ""
                yield Part(node.name.text, version, "ontology", node.span, node.name.span)
            case ImportNode():
                name = node.alias.text if node.alias else node.path.value
                yield Part(name, node.path.value, "import", node.span, (node.alias or node.path).span)
            case RuleNode():
                weight = "" if node.weight is None else f"soft {node.weight:g}"
                yield Part(node.name.text, weight, "rule", node.span, node.name.span)
            case MigrationNode():
                yield Part(f"from {node.version.value}", "", "migration", node.span, node.version.span)
            case GroupNode() | UseNode():
                yield _item(node)


def _item(node: GroupNode | ClassNode | UseNode) -> Part:
    if isinstance(node, UseNode):
        path = ".".join(step.text for step in node.target.steps)
        return Part(node.alias.text if node.alias else path, path, "use", node.span, (node.alias or node.target).span)
    title = node.title.value if node.title else ""
    inner = tuple(_inner(node.body))
    if isinstance(node, GroupNode):
        return Part(node.name.text, f"{node.kind} {title}".strip(), "group", node.span, node.name.span, inner)
    return Part(node.name.text, title, "class", node.span, node.name.span, inner)


def _inner(body: Body | None) -> Iterator[Part]:
    for item in body.items if body else ():
        if isinstance(item, Chain):
            yield from map(_item, item.levels)
        elif isinstance(item, ClassNode | GroupNode | UseNode):
            yield _item(item)


def folds(document: Document) -> list[tuple[int, int]]:
    """First and last lines, from 1, of what stands in braces over several lines; the closing brace stays in sight."""
    found: list[tuple[int, int]] = []

    def inside(body: Body | None) -> None:
        if body is None:
            return
        found.append((body.span.line, body.span.end_line - 1))
        for item in body.items:
            for node in item.levels if isinstance(item, Chain) else (item,):
                if isinstance(node, ClassNode | GroupNode):
                    inside(node.body)

    for node in document.declarations:
        if isinstance(node, GroupNode):
            inside(node.body)
        elif isinstance(node, RuleNode | MigrationNode):
            found.append((node.span.line, node.span.end_line - 1))
    return [(first, last) for first, last in found if last > first]
