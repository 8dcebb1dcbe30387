"""Syntax tree → outline: who stands under whom, with paths; taxonomies read, used groups in their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..errors import Diagnostic, Span, did_you_mean
from .files import Files, absolute
from .imports import Module
from .link import link
from .names import segment
from .ontology import Kind
from .outline import ClassOutline, GroupOutline, Outline, Used
from .syntax import (
    Aka,
    Bad,
    Body,
    Chain,
    ClassNode,
    Document,
    From,
    GroupNode,
    Header,
    Levels,
    Modifier,
    Name,
    Open,
    UseNode,
)
from .taxonomy import read_taxonomy
from .tokens import MAX_DEPTH


def resolve(document: Document, modules: tuple[Module, ...], files: Files) -> Outline:
    """The outline of a document, whether or not it is right.

    Args:
        modules: what it imports.
        files: where its taxonomies are read from.
    """
    headers = [d for d in document.declarations if isinstance(d, Header)]
    resolver = _Resolver(modules, files)
    top: list[GroupOutline] = []
    for declaration in document.declarations:
        if isinstance(declaration, GroupNode):
            top.append(resolver.group(declaration, ""))
        elif isinstance(declaration, UseNode):
            top.extend(resolver.use(declaration, ""))
    groups = tuple(g for t in top for g in t.walk())
    links = link(document, groups, modules)
    header = headers[0] if headers else None
    return Outline(document, header, tuple(top), groups, modules, links, tuple(resolver.problems))


class _Resolver:
    def __init__(self, modules: tuple[Module, ...], files: Files):
        self.modules = {module.alias: module for module in reversed(modules)}
        self.files = files
        self.used: dict[tuple[Path, str], Span] = {}
        self.problems: list[Diagnostic] = []

    # --- groups and classes of this file ------------------------------------------------------------

    def group(self, node: GroupNode, prefix: str) -> GroupOutline:
        path = prefix + segment(node.name.text)
        body, failed = self.body(node)
        return GroupOutline(
            node,
            path,
            _aka(node.modifiers),
            _open(node.modifiers),
            self.classes(body, path),
            self.groups(body, path),
            failed or has_bad(body),
            tuple(name.text for m in node.modifiers if isinstance(m, Levels) for name in m.names),
        )

    def body(self, node: GroupNode) -> tuple[Body | None, bool]:
        """What stands in a group's braces or in its CSV file, and whether that failed."""
        sources = [m for m in node.modifiers if isinstance(m, From)]
        levels = [m for m in node.modifiers if isinstance(m, Levels)]
        if not sources:
            return node.body, False
        problem = None
        if node.kind is not Kind.HIERARCHY:
            problem = f"`from` on a {node.kind}", f"a taxonomy is a hierarchy: hierarchy {node.name.text} from …"
        elif node.body is not None:
            problem = "a hierarchy from a file and in braces", "delete one of the two"
        elif not levels:
            problem = (
                "`from` without `levels`",
                'name the columns, coarsest first: from "taxa.csv" levels family, genus',
            )
        if problem is not None:
            self.problems.append(Diagnostic("E129", problem[0], span=sources[0].span, help=problem[1]))
            return node.body, True
        body, found = read_taxonomy(sources[0], levels[0], self.files)
        self.problems += found
        return body, body is None

    def class_(self, node: ClassNode, prefix: str) -> ClassOutline:
        path = prefix + segment(node.name.text)
        classes, groups = self.classes(node.body, path), self.groups(node.body, path)
        return ClassOutline(node, path, _aka(node.modifiers), _open(node.modifiers), classes, groups)

    def classes(self, body: Body | None, path: str) -> tuple[ClassOutline, ...]:
        found: list[ClassOutline] = []
        for item in body.items if body else ():
            if isinstance(item, ClassNode):
                found.append(self.class_(item, f"{path}."))
            elif isinstance(item, Chain):
                found.extend(self.class_(level, f"{path}.") for level in item.levels)
        return tuple(found)

    def groups(self, body: Body | None, path: str) -> tuple[GroupOutline, ...]:
        found: list[GroupOutline] = []
        for item in body.items if body else ():
            if isinstance(item, GroupNode):
                found.append(self.group(item, f"{path}."))
            elif isinstance(item, UseNode):
                found.extend(self.use(item, f"{path}."))
        return tuple(found)

    # --- groups of other files ----------------------------------------------------------------------

    def use(self, node: UseNode, prefix: str) -> Iterator[GroupOutline]:
        """The groups that a `use` names, under their new paths; what is wrong goes to the problems."""
        module = self.modules.get(node.target.steps[0].text)
        if module is None:
            step = did_you_mean(node.target.steps[0].text, list(self.modules), plural="imports")
            self.wrong("E125", node.target.steps[0].span, f"nothing is imported as `{node.target.steps[0].text}`", step)
            return
        for group in self.named(node, module):
            variables = [_variable(module, g) for g in group.walk()]
            first = next((self.used[v] for v in variables if v in self.used), None)
            self.used.update(dict.fromkeys(variables, node.span))
            if first is not None:
                message = f"`{group.path}` of {module.alias} is used already, in line {first.line}"
                self.wrong(
                    "E126", node.span, message, "a used group is one variable: use it once, and name it in formulas"
                )
                continue
            if prefix.count(".") + max(g.path.count(".") for g in group.walk()) > MAX_DEPTH:
                message = f"with `{group.path}` of {module.alias} in them, brackets nest deeper than {MAX_DEPTH}"
                self.wrong("E010", node.span, message, "use it further out")
                continue
            name = node.alias or Name(group.id, node.target.span)
            path = prefix + segment(name.text)
            yield _relocate(_named(group, name), group.path, path, module)

    def named(self, node: UseNode, module: Module) -> tuple[GroupOutline, ...]:
        steps = node.target.steps[1:]
        if not steps:
            if node.alias is not None:
                step = f"name the group: use {module.alias}.GROUP as {node.alias.text}"
                self.wrong("E127", node.alias.span, "`as` renames one group, not all of an import", step)
                return ()
            return module.outline.top
        key = ".".join(segment(s.text) for s in steps)
        groups = module.outline.groups
        found = [g for g in groups if g.path == key] or [g for g in groups if g.path.endswith(f".{key}")]
        if len(found) == 1:
            return (found[0],)
        place = node.target.span
        if found:
            paths = ", ".join(f"{module.alias}.{g.path}" for g in found)
            self.wrong("E132", place, f"`{key}` may mean any of {paths}", "write more of its path")
        else:
            step = did_you_mean(key, [g.path for g in groups], plural="groups")
            self.wrong("E125", place, f"{module.alias} has no group `{key}`", step)
        return ()

    def wrong(self, code: str, span: Span, message: str, step: str) -> None:
        self.problems.append(Diagnostic(code, message, span=span, help=step))


def _variable(module: Module, group: GroupOutline) -> tuple[Path, str]:
    """What makes a group itself, however many files it came through: the file that declares it, and its path there."""
    while group.used is not None:
        module, path = group.used.module, group.used.original(group.path)
        group = next(g for g in module.outline.groups if g.path == path)
    return absolute(module.path), group.path


def _named(group: GroupOutline, name: Name) -> GroupOutline:
    """A group under another name."""
    return replace(group, node=replace(group.node, name=name))


def _relocate(group: GroupOutline, origin: str, path: str, module: Module) -> GroupOutline:
    """A group of another file and all in its braces, moved from the path `origin` there to `path` here."""

    def moved(class_: ClassOutline) -> ClassOutline:
        return replace(
            class_,
            path=path + class_.path.removeprefix(origin),
            classes=tuple(map(moved, class_.classes)),
            attributes=tuple(inner(g) for g in class_.attributes),
        )

    def inner(g: GroupOutline) -> GroupOutline:
        here = path + g.path.removeprefix(origin)
        return replace(g, path=here, classes=tuple(map(moved, g.classes)), used=Used(module, origin, path))

    return inner(group)


def has_bad(body: Body | None) -> bool:
    """Whether some item of a body could not be read."""
    return body is not None and any(isinstance(item, Bad) for item in body.items)


def _aka(modifiers: tuple[Modifier, ...]) -> tuple[str, ...]:
    return tuple(text.value for m in modifiers if isinstance(m, Aka) for text in m.names)


def _open(modifiers: tuple[Modifier, ...]) -> bool:
    return any(isinstance(m, Open) for m in modifiers)
