"""An ontology as a tree of text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .ontology import Group, Kind, Label, Ontology


@dataclass(frozen=True, slots=True)
class _Node:
    text: str
    label: Label | None = None
    group: Group | None = None


def render_tree(ontology: Ontology) -> str:
    """The groups, classes and attributes of an ontology, drawn with box characters; ordinals stand on one line."""
    title = f' "{ontology.title}"' if ontology.title else ""
    version = f" version {ontology.version}" if ontology.version else ""
    lines = [f"{ontology.name}{title}{version}"]
    lines += _draw(ontology, [_group_node(ontology, group) for group in ontology.top_groups()], "")
    return "\n".join(lines)


def _draw(ontology: Ontology, nodes: list[_Node], margin: str) -> Iterator[str]:
    for node in nodes:
        last = node is nodes[-1]
        yield f"{margin}{'└── ' if last else '├── '}{node.text}"
        yield from _draw(ontology, _under(ontology, node), margin + ("    " if last else "│   "))


def _under(ontology: Ontology, node: _Node) -> list[_Node]:
    if node.group is not None:
        if node.group.kind in (Kind.ORDINAL, Kind.BINARY):
            return []
        labels = [ontology.labels[i] for i in node.group.labels if not ontology.labels[i].parents]
        return [_label_node(label) for label in labels]
    assert node.label is not None
    children = [_label_node(ontology.labels[i]) for i in ontology.children[node.label.index]]
    return children + [_group_node(ontology, ontology.groups[g]) for g in ontology.attributes[node.label.index]]


def _group_node(ontology: Ontology, group: Group) -> _Node:
    levels = ""
    if group.kind is Kind.ORDINAL:
        levels = ": " + " < ".join(_named(ontology.labels[i]) for i in group.labels)
    return _Node(f"{group.kind} {_named(group)}{' open' if group.open else ''}{levels}", group=group)


def _label_node(label: Label) -> _Node:
    text = "other (any class not listed)" if label.other else _named(label) + (" open" if label.open else "")
    return _Node(text, label=label)


def _named(item: Group | Label) -> str:
    title = f' "{item.title}"' if item.title else ""
    aka = f" (also {', '.join(item.aka)})" if item.aka else ""
    return f"{item.id}{title}{aka}"
