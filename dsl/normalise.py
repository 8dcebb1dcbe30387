"""Outline → normalised ontology: groups and labels numbered, names replaced by numbers, spans put aside."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from ..errors import Span
from .formula import Formula, Op, holds
from .imports import Module
from .ontology import OTHER, Change, Group, Import, Kind, Label, Migration, Ontology, Rule
from .outline import ClassOutline, GroupOutline, Meaning, Other, Outline, Target, declared, owners
from .places import Places
from .syntax import When

T = TypeVar("T")


def normalise(outline: Outline) -> tuple[Ontology, Places]:
    """The ontology of an outline that the checks found right, and where its parts stand."""
    return _Builder(outline).run()


def group_order(outline: Outline) -> tuple[list[GroupOutline], list[GroupOutline]]:
    """The groups, each after those that its applicability depends on, else in document order; and those that can't be
    placed, since they depend on themselves.
    """
    owner = owners(outline.groups)
    depends = {
        group: {owner[declared(t)] for t in outline.links.whens[group].mentioned()}
        if group in outline.links.whens
        else set()
        for group in outline.groups
    }
    for group in outline.groups:
        for class_ in group.all_classes():
            for attribute in class_.attributes:
                depends[attribute].add(group)
    return ordered(outline.groups, depends.__getitem__)[0], circles(outline.groups, depends.__getitem__)


def ordered(items: Sequence[T], before: Callable[[T], Iterable[T]]) -> tuple[list[T], list[T]]:
    """Items so that each stands after those `before` it, else in their own order; and those in or behind a cycle."""
    position = {item: i for i, item in enumerate(items)}
    after: dict[T, list[T]] = {}
    waiting: dict[T, int] = {}
    for item in items:
        first = set(before(item))
        waiting[item] = len(first)
        for other in first:
            after.setdefault(other, []).append(item)
    ready = [i for i, item in enumerate(items) if not waiting[item]]
    done: list[T] = []
    while ready:
        item = items[heapq.heappop(ready)]
        done.append(item)
        for later in after.get(item, ()):
            waiting[later] -= 1
            if not waiting[later]:
                heapq.heappush(ready, position[later])
    return done, [item for item in items if waiting[item]]


def circles(items: Sequence[T], before: Callable[[T], Iterable[T]]) -> list[T]:
    """Of items that can't be ordered those in a circle or between two, not those behind one."""
    stuck = ordered(items, before)[1]
    behind: dict[T, list[T]] = {item: [] for item in stuck}
    for item in stuck:
        for first in before(item):
            if first in behind:
                behind[first].append(item)
    return ordered(stuck, behind.__getitem__)[1]


class _Builder:
    """Numbers groups, and labels: a group's labels in one run, parents first, `other` last among its siblings."""

    def __init__(self, outline: Outline):
        assert outline.header is not None
        self.outline = outline
        self.header = outline.header
        self.links = outline.links
        self.groups: list[Group] = []
        self.labels: list[Label] = []
        self.places = Places(outline.document.file, outline.header.span)
        self.group_index: dict[GroupOutline, int] = {}
        self.label_index: dict[GroupOutline | ClassOutline, int] = {}
        self.other_index: dict[GroupOutline | ClassOutline, int] = {}
        self.imports: list[Import] = []
        self.import_index: dict[Module, int] = {}

    def run(self) -> tuple[Ontology, Places]:
        conditions = {a: class_ for g in self.outline.groups for class_ in g.all_classes() for a in class_.attributes}
        for module in self.outline.modules:
            if any(g.used is not None and g.used.module is module for g in self.outline.groups):
                self.import_index[module] = len(self.imports)
                o = module.ontology
                self.imports.append(Import(module.alias, o.name, o.version, o.hash))
        for group in group_order(self.outline)[0]:
            self.group(group, conditions.get(group))
        header = self.header
        ontology = Ontology(
            header.name.text,
            tuple(self.groups),
            tuple(self.labels),
            header.title.value if header.title else None,
            header.version.value if header.version else None,
            self.rules(),
            tuple(self.imports),
            self.migrations(),
        )
        return ontology, self.places

    # --- groups and labels --------------------------------------------------------------------------

    def group(self, outline: GroupOutline, around: ClassOutline | None) -> None:
        index, first = len(self.groups), len(self.labels)
        self.group_index[outline] = index
        if outline.kind is Kind.BINARY:
            span = outline.node.name.span
            self.label_index[outline] = self.label(index, outline.id, outline.path, (), span, outline)
        elif outline.kind is Kind.MULTILABEL:
            self.multilabel(index, outline)
        else:
            self.siblings(index, outline, ())
        condition = None if around is None else self.label_index[around]
        when = self.formula(self.links.whens[outline]) if outline in self.links.whens else None
        if when is not None and when.op is Op.HOLDS and condition is None:
            condition, when = when.labels[0], None
        self.places.groups.append(outline.node.name.span)
        if when is not None:
            modifiers = [m.span for m in outline.node.modifiers if isinstance(m, When)]
            self.places.whens[index] = modifiers[0] if modifiers else outline.node.name.span
        self.groups.append(
            Group(
                index,
                outline.kind,
                outline.id,
                outline.path,
                tuple(range(first, len(self.labels))),
                condition,
                outline.title,
                outline.aka,
                outline.open,
                when,
                outline.levels,
                None if outline.used is None else self.import_index[outline.used.module],
            )
        )

    def siblings(self, group: int, outline: GroupOutline | ClassOutline, parents: tuple[int, ...]) -> None:
        for class_ in outline.classes:
            index = self.label(group, class_.id, class_.path, parents, class_.node.name.span, class_, class_.open)
            self.label_index[class_] = index
            self.siblings(group, class_, (index,))
        if outline.open:
            span = outline.node.name.span
            self.other_index[outline] = self.label(group, OTHER, f"{outline.path}.{OTHER}", parents, span, None)

    def multilabel(self, group: int, outline: GroupOutline) -> None:
        """Classes in document order, but each after all its parents."""
        parents: dict[ClassOutline, list[ClassOutline]] = {class_: [] for class_ in outline.all_classes()}
        for class_ in parents:
            for child in class_.classes:
                parents[child].append(class_)
        for class_, above in parents.items():
            above.extend(p for p in self.links.parents.get(class_, ()) if p not in above)
        for class_ in ordered(list(parents), parents.__getitem__)[0]:
            numbers = tuple(self.label_index[p] for p in parents[class_])
            span = class_.node.name.span
            self.label_index[class_] = self.label(group, class_.id, class_.path, numbers, span, class_)

    def label(
        self,
        group: int,
        id_: str,
        path: str,
        parents: tuple[int, ...],
        span: Span,
        outline: GroupOutline | ClassOutline | None,
        open_: bool = False,
    ) -> int:
        """Add a label; without an outline it is the class `other`."""
        index = len(self.labels)
        title = outline.title if outline else None
        aka = outline.aka if outline else ()
        self.labels.append(Label(index, group, id_, path, parents, title, aka, open_, outline is None))
        self.places.labels.append(span)
        return index

    # --- formulas -----------------------------------------------------------------------------------

    def index(self, target: Target) -> int:
        return self.other_index[target.owner] if isinstance(target, Other) else self.label_index[target]

    def formula(self, meaning: Meaning) -> Formula:
        labels = tuple(self.index(t) for t in meaning.targets)
        if meaning.op is Op.HOLDS:
            return holds(labels[0])
        group = -1 if meaning.group is None else self.group_index[meaning.group]
        return Formula(meaning.op, tuple(map(self.formula, meaning.args)), labels, group, meaning.count)

    def rules(self) -> tuple[Rule, ...]:
        rules = []
        for rule in self.links.rules:
            formulas = tuple(self.formula(meaning) for meaning, _ in rule.formulas)
            source = None if rule.used is None else self.import_index[rule.used]
            rules.append(Rule(rule.name, formulas, rule.weight, rule.title, source))
            self.places.rules.append(rule.span)
            self.places.formulas.append([span for _, span in rule.formulas])
        return tuple(rules)

    def migrations(self) -> tuple[Migration, ...]:
        made = []
        for migration in self.links.migrations:
            changes = [self.change(change.old, change.new) for change in migration.changes]
            made.append(Migration(migration.node.version.value, tuple(changes)))
        return tuple(made)

    def change(self, old: str, new: tuple[Target, ...]) -> Change:
        if not new:
            return Change(old)
        first = new[0]
        if isinstance(first, GroupOutline) and first.kind is not Kind.BINARY:
            return Change(old, (), self.group_index[first])
        labels = tuple(self.index(target) for target in new)
        return Change(old, labels, self.labels[labels[0]].group)
