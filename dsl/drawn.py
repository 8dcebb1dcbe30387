"""An ontology as something to draw: groups hold classes, classes hold classes and attributes.

A class with several parents stands once in full, under the first of them, and once as a reference under each other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .ontology import Group, Kind, Label, Ontology


@dataclass(frozen=True, slots=True)
class Node:
    """A group or a class in its place; `again` marks a class that is drawn in full under another parent."""

    item: Group | Label
    again: bool = False


def roots(ontology: Ontology) -> list[Node]:
    """The groups that are no class's attribute."""
    return [Node(group) for group in ontology.top_groups()]


def under(ontology: Ontology, node: Node) -> list[Node]:
    """What stands directly under a node. Levels and binaries have nothing under them but what a binary's yes holds."""
    item = node.item
    if node.again:
        return []
    if isinstance(item, Label):
        children = (ontology.labels[i] for i in ontology.children[item.index])
        nodes = [Node(child, again=child.parents[0] != item.index) for child in children]
        return nodes + [Node(ontology.groups[g]) for g in ontology.attributes[item.index]]
    if item.kind is Kind.ORDINAL:
        return [Node(ontology.groups[g]) for i in item.labels for g in ontology.attributes[i]]
    if item.kind is Kind.BINARY:
        return [Node(ontology.groups[g]) for g in ontology.attributes[item.labels[0]]]
    return [Node(ontology.labels[i]) for i in item.labels if not ontology.labels[i].parents]


def walk(ontology: Ontology, node: Node, depth: int = 0) -> Iterator[tuple[Node, int]]:
    """A node and all under it, in document order, each with its depth. Not recursive: a tree may be deep."""
    stack = [(node, depth)]
    while stack:
        here, level = stack.pop()
        yield here, level
        stack += [(child, level + 1) for child in reversed(under(ontology, here))]


def size(ontology: Ontology, node: Node) -> tuple[int, int]:
    """How many classes and how many groups stand under a node; references and the levels of ordinals don't count."""
    found = [n.item for n, _ in walk(ontology, node) if n is not node and not n.again]
    return sum(isinstance(item, Label) for item in found), sum(isinstance(item, Group) for item in found)
