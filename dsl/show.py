"""An ontology as a tree of text, and as data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import fail
from .drawn import Node, roots, size, under
from .formula_text import formula_text
from .names import Match, find_group, find_label
from .ontology import Change, Group, Import, Kind, Label, Migration, Ontology, Rule

Text = tuple[str, list[str]]
"""A line and the lines under it."""


def render_tree(ontology: Ontology, *, depth: int | None = None, path: str | None = None) -> str:
    """The groups, classes, rules, imports and migrations of an ontology, drawn with box characters.

    Args:
        depth: how many levels of the tree to draw; what is folded away is counted. None draws all.
        path: the name or path of a group or class, to draw it alone, with the rules that speak of its groups.

    Raises:
        LinnaeusError: E175 `path` names nothing, or several things.
    """
    if path is not None:
        return _part(ontology, path, depth)
    title = f' "{ontology.title}"' if ontology.title else ""
    version = f" version {ontology.version}" if ontology.version else ""
    texts: list[Node | Text] = [
        *_imports(ontology),
        *roots(ontology),
        *_rules(ontology, ontology.rules),
        *_migrations(ontology),
    ]
    return "\n".join([f"{ontology.name}{title}{version}", *_draw(ontology, texts, depth)])


def normalised(ontology: Ontology) -> dict[str, Any]:
    """The ontology as plain data, which `Ontology.from_dict` reads back, with its hash and its formulas as text.

    "texts" has "when": group path → formula, and "rules": rule name → formulas.
    """
    texts = {
        "when": {g.path: formula_text(ontology, g.when) for g in ontology.groups if g.when is not None},
        "rules": {r.name: [formula_text(ontology, f) for f in r.formulas] for r in ontology.rules},
    }
    return ontology.to_dict() | {"hash": ontology.hash, "texts": texts}


def _part(ontology: Ontology, path: str, depth: int | None) -> str:
    node = Node(find_item(ontology, path))
    groups = {node.item.index if isinstance(node.item, Group) else node.item.group}
    rules = [r for r in ontology.rules if any(f.mentioned_groups(ontology) & groups for f in r.formulas)]
    head = _folded(ontology, node) if depth == 1 else _text(ontology, node)
    nodes = [] if depth == 1 else under(ontology, node)
    lines = _draw(ontology, [*nodes, *_rules(ontology, rules)], None if depth is None else depth - 1)
    return "\n".join([head, *lines])


def find_item(ontology: Ontology, path: str) -> Group | Label:
    """The group or class that a name, a path or an end of a path means; a group before a class.

    Raises:
        LinnaeusError: E175 it means nothing, or several things.
    """
    group = find_group(ontology, path)
    if group.item is not None:
        return group.item
    matches = [find_label(ontology, g, path) for g in ontology.groups]
    found = {m.item.path: m.item for m in matches if m.item is not None}
    if path in found:
        return found[path]
    if len(found) == 1:
        return next(iter(found.values()))
    tried: list[Match[Group] | Match[Label]] = [group, *matches]
    several = list(dict.fromkeys([*found, *(c for m in tried if m.ambiguous for c in m.candidates)]))
    if several:
        raise fail("E175", f"{path!r} may mean any of {', '.join(several[:6])}", help="write more of the path")
    near = list(dict.fromkeys(c for m in tried for c in m.candidates))[:3]
    step = f"did you mean {' or '.join(near)}?" if near else "linnaeus show without it draws every name"
    raise fail("E175", f"{ontology.name} has no group or class {path!r}", help=step)


def _draw(ontology: Ontology, items: list[Node | Text], depth: int | None) -> Iterator[str]:
    """Lines of box characters, with a stack of its own: a tree may be deep."""
    stack = [(item, "", item is items[-1], 1) for item in reversed(items)]
    while stack:
        item, margin, last, level = stack.pop()
        folded = depth is not None and level >= depth
        below: list[Node | Text]
        if isinstance(item, Node):
            text = _folded(ontology, item) if folded else _text(ontology, item)
            below = [] if folded else [*under(ontology, item)]
        else:
            text, lines = item
            text += f" … {_count(len(lines), 'entry', 'entries')}" if folded and lines else ""
            below = [] if folded else [(line, []) for line in lines]
        yield f"{margin}{'└── ' if last else '├── '}{text}"
        inner = margin + ("    " if last else "│   ")
        stack += [(child, inner, child is below[-1], level + 1) for child in reversed(below)]


def _folded(ontology: Ontology, node: Node) -> str:
    """A node's line with the count of what is not drawn under it."""
    classes, groups = size(ontology, node)
    parts = [_count(classes, "class", "classes")] if classes else []
    parts += [_count(groups, "group", "groups")] if groups else []
    return _text(ontology, node) + (f" … {', '.join(parts)}" if parts else "")


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


# --- one line --------------------------------------------------------------------------------------


def _text(ontology: Ontology, node: Node) -> str:
    item = node.item
    if isinstance(item, Group):
        return _group(ontology, item)
    if item.other:
        return "other (any class not listed)"
    if node.again:
        return f"{item.id} (in full under {ontology.labels[item.parents[0]].path})"
    others = [ontology.labels[p].path for p in item.parents[1:]]
    also = f" (also is {', '.join(others)})" if others else ""
    return f"{_named(item)}{' open' if item.open else ''}{also}"


def _group(ontology: Ontology, group: Group) -> str:
    words = [f"{group.kind} {_named(group)}"]
    words += ["open"] if group.open else []
    words += [f"levels {', '.join(group.levels)}"] if group.levels else []
    words += [f"when {formula_text(ontology, group.when)}"] if group.when is not None else []
    words += [f"(from {ontology.imports[group.source].alias})"] if group.source is not None else []
    scale = " < ".join(_named(ontology.labels[i]) for i in group.labels) if group.kind is Kind.ORDINAL else ""
    return " ".join(words) + (f": {scale}" if scale else "")


def _named(item: Group | Label) -> str:
    title = f' "{item.title}"' if item.title else ""
    aka = f" (also {', '.join(item.aka)})" if item.aka else ""
    return f"{item.id}{title}{aka}"


# --- what is no group ------------------------------------------------------------------------------


def _imports(ontology: Ontology) -> list[Text]:
    def line(item: Import) -> str:
        version = f" version {item.version}" if item.version else ""
        alias = f" as {item.alias}" if item.alias != item.name else ""
        return f"{item.name}{version}{alias}, hash {item.hash[:12]}"

    return [("imports", [line(i) for i in ontology.imports])] if ontology.imports else []


def _rules(ontology: Ontology, rules: tuple[Rule, ...] | list[Rule]) -> list[Text]:
    def lines(rule: Rule) -> list[str]:
        soft = f", soft {rule.weight:g}" if rule.weight is not None else ""
        title = f' "{rule.title}"' if rule.title else ""
        texts = [formula_text(ontology, f) for f in rule.formulas]
        return [f"{rule.name}{title}{soft}: {text}" for text in texts]

    return [("rules", [line for rule in rules for line in lines(rule)])] if rules else []


def _migrations(ontology: Ontology) -> list[Text]:
    def line(change: Change) -> str:
        targets = " | ".join(ontology.labels[i].path for i in change.labels)
        if not targets and change.group >= 0:
            targets = ontology.groups[change.group].path
        if not targets:
            return f"drop {change.old}"
        return f"{'split' if len(change.labels) > 1 else 'rename'} {change.old} -> {targets}"

    def lines(migration: Migration) -> list[str]:
        return [line(change) for change in migration.changes]

    return [(f"migrate from {m.version}", lines(m)) for m in ontology.migrations]
