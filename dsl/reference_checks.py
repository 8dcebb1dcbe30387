"""Passes over what names refer to: imports, conditions, parents, rules, level names, migrations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias

from ..errors import Diagnostic
from .normalise import circles, group_order, ordered
from .ontology import Kind
from .outline import ClassOutline, GroupOutline, MigrationOutline, Outline, finding
from .syntax import From, Is, Levels, MigrationNode, When

Findings: TypeAlias = Iterator[Diagnostic]


def check_imports(outline: Outline) -> Findings:
    """W120 an import that nothing uses."""
    used = {group.used.module for group in outline.groups if group.used is not None}
    for module in outline.modules:
        if module not in used:
            step = f"write `use {module.alias}` or `use {module.alias}.GROUP`, or delete the import"
            yield finding("W120", module.node.span, f"nothing of {module.alias} is used", step)


def check_conditions(outline: Outline) -> Findings:
    """E136 a group whose condition depends on the group itself."""
    stuck = group_order(outline)[1]
    named = {group for group in stuck if group in outline.links.whens}
    for group in stuck:
        if group not in named or group.used is not None:
            continue
        span = next(m.span for m in group.node.modifiers if isinstance(m, When))
        others = sorted(g.path for g in named if g is not group)
        circle = f", by way of {', '.join(others)}" if others else ""
        step = "a condition speaks of groups that are decided before this one"
        yield finding("E136", span, f"whether `{group.path}` applies depends on itself{circle}", step)


def check_parents(outline: Outline) -> Findings:
    """E119 a class above itself; W121 a parent that another parent implies."""
    for group in outline.own:
        parents: dict[ClassOutline, list[ClassOutline]] = {}
        further = outline.links.parents
        if group.kind is not Kind.MULTILABEL or not any(class_ in further for class_ in group.all_classes()):
            continue
        for class_ in group.all_classes():
            parents.setdefault(class_, []).extend(further.get(class_, ()))
            for child in class_.classes:
                parents.setdefault(child, []).insert(0, class_)
        for class_ in (c for c in circles(list(parents), parents.__getitem__) if c in further):
            span = next(m.span for m in class_.node.modifiers if isinstance(m, Is))
            yield finding("E119", span, f"`{class_.path}` would stand above itself", "delete one `is` of the circle")
        for class_ in ordered(list(parents), parents.__getitem__)[0]:
            yield from _redundant(class_, parents)


def _redundant(class_: ClassOutline, all_parents: Mapping[ClassOutline, Sequence[ClassOutline]]) -> Findings:
    modifier = next((m for m in class_.node.modifiers if isinstance(m, Is)), None)
    parents = all_parents[class_]
    if modifier is None or len(parents) < 2:
        return
    above = {parent: _above(parent, all_parents) for parent in parents}
    for number, parent in enumerate(parents):
        implying = [p for p in parents if parent in above[p]]
        if implying or parent in parents[:number]:
            reason = f"`{implying[0].path}` implies it" if implying else "it is named twice"
            yield finding("W121", modifier.span, f"the parent `{parent.path}` is redundant: {reason}", "leave it out")


def _above(class_: ClassOutline, parents: Mapping[ClassOutline, Sequence[ClassOutline]]) -> set[ClassOutline]:
    """All that a class implies. Kept for no class: in a long chain that would be much."""
    found: set[ClassOutline] = set()
    stack = [class_]
    while stack:
        new = [p for p in parents[stack.pop()] if p not in found]
        found.update(new)
        stack += new
    return found


def check_rules(outline: Outline) -> Findings:
    """E135 a weight that is no number; E137 two rules of one name; W122 a rule that says nothing."""
    first: dict[str, int] = {}
    imported = {rule.name for rule in outline.links.rules if rule.used is not None}
    for rule in outline.rules:
        name, span = rule.name.text, rule.name.span
        if name in imported:
            yield finding("E137", span, f"duplicate rule `{name}`", "an imported rule is called so: rename this one")
        elif name in first:
            yield finding("E137", span, f"duplicate rule `{name}`", f"the first is in line {first[name]}: rename one")
        first.setdefault(name, span.line)
        if not rule.formulas and not rule.partial:
            yield finding(
                "W122", rule.span, f"the rule `{name}` is empty", "write a formula in its braces, or delete it"
            )
        elif rule.weight is not None and not math.isfinite(rule.weight):
            yield finding(
                "E135", span, f"the soft rule `{name}` weighs more than a number can say", "such as: soft 1.0"
            )
        elif rule.weight == 0:
            yield finding("W122", span, f"the soft rule `{name}` weighs nothing", "give it a weight: soft 1.0")


def check_levels(outline: Outline) -> Findings:
    """E129 `levels` names every level of a hierarchy, each once."""
    for group in outline.own:
        for modifier in group.node.modifiers:
            if isinstance(modifier, Levels):
                yield from _levels(group, modifier)


def _levels(group: GroupOutline, modifier: Levels) -> Findings:
    names = [name.text for name in modifier.names]
    if group.kind is not Kind.HIERARCHY:
        yield finding("E129", modifier.span, f"`levels` on a {group.kind}", "only a hierarchy has levels: delete it")
        return
    for number, name in enumerate(modifier.names):
        if name.text in names[:number]:
            yield finding("E129", name.span, f"two levels called `{name.text}`", "rename one")
    depth, source = _depth(group.classes), any(isinstance(m, From) for m in group.node.modifiers)
    if not group.partial and (depth > len(names) or (depth < len(names) and not source)):
        message = f"{len(names)} level name{'s' if len(names) > 1 else ''} for {depth} level{'s' if depth > 1 else ''}"
        yield finding("E129", modifier.span, message, "name each level once, coarsest first")


def _depth(classes: Sequence[ClassOutline]) -> int:
    return max((1 + _depth(class_.classes) for class_ in classes), default=0)


def check_migrations(outline: Outline) -> Findings:
    """E138 a change that can't be; W123 one that is doubtful."""
    header = outline.header
    versions: dict[str, int] = {}
    here = _names(outline) if outline.links.migrations else set()
    for migration in outline.links.migrations:
        version = migration.node.version
        if version.value in versions:
            step = f"write its lines into the one in line {versions[version.value]}"
            yield finding("E138", version.span, f"a second migration from {version.value!r}", step)
        versions.setdefault(version.value, version.span.line)
        if header is not None and header.version is None:
            step = f'give this file a version: ontology {header.name.text} version "…"'
            yield finding("W123", version.span, "a migration, and no version to migrate to", step)
        elif header is not None and header.version is not None and header.version.value == version.value:
            step = "a migration says what became of an earlier version: raise the header's version"
            yield finding("E138", version.span, f"a migration from this file's own version {version.value!r}", step)
        yield from _changes(migration.node)
        yield from _targets(migration, here)


def _names(outline: Outline) -> set[str]:
    """Every path of the file and every end of one."""
    paths = [path for group in outline.groups for path in (group.path, *(c.path for c in group.all_classes()))]
    ends = set(paths)
    for path in paths:
        while "." in path:
            path = path.partition(".")[2]
            ends.add(path)
    return ends


def _changes(node: MigrationNode) -> Findings:
    seen: dict[str, int] = {}
    for change in node.changes:
        old = ".".join(step.text for step in change.old.steps)
        if old in seen:
            message = f"`{old}` has a line already, line {seen[old]}"
            yield finding("E138", change.old.span, message, "several new names for one old one: split old -> a | b")
        seen.setdefault(old, change.span.line)
        if change.word == "split" and len(change.new) == 1:
            yield finding("E138", change.span, f"`{old}` is split into one", "write rename, or list several: a | b")
    for change in node.changes:
        for new in change.new:
            name = ".".join(step.text for step in new.steps)
            if name in seen and seen[name] != change.span.line:
                message = f"`{name}` is itself an old name, in line {seen[name]}: changes are not chained"
                yield finding("W123", new.span, message, "name what it is called now")


def _targets(migration: MigrationOutline, here: set[str]) -> Findings:
    for change in migration.changes:
        node = change.node
        groups = [isinstance(target, GroupOutline) and target.kind is not Kind.BINARY for target in change.new]
        if any(groups) and len(change.new) > 1:
            yield finding("E138", node.span, "a group can't be one of several new names", "rename it to one group")
        owners = {group.path for group in change.groups}
        if len(owners) > 1 and not any(groups):
            message = f"`{change.old}` is split over the groups {' and '.join(sorted(owners))}"
            yield finding("E138", node.span, message, "an old label becomes classes of one group")
        if change.old in here:
            message = f"`{change.old}` is still a name of this file: data that says it is read as what it is now"
            yield finding("W123", node.old.span, message, "if it means something else now, choose a new id for it")


REFERENCE_CHECKS: tuple[Callable[[Outline], Findings], ...] = (
    check_imports,
    check_conditions,
    check_parents,
    check_rules,
    check_levels,
    check_migrations,
)
