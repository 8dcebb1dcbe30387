"""What the names in a file refer to: conditions, parents, rules, migrations, its own and those of used groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..errors import Diagnostic, Span
from .formula import COMPARISONS, COUNTS, Formula, Op
from .imports import Module
from .ontology import Kind
from .outline import (
    ChangeOutline,
    ClassOutline,
    GroupOutline,
    Links,
    Meaning,
    MigrationOutline,
    Other,
    Resolved,
    RuleOutline,
    Target,
)
from .scope import Find, Scope, UnresolvedError
from .syntax import Document, Expression, Is, MigrationNode, Reference, RuleNode, When


def link(document: Document, groups: Sequence[GroupOutline], modules: Sequence[Module]) -> Links:
    """The references of a document, resolved among its groups."""
    linker = _Linker(groups, modules)
    for group in groups:
        if group.used is None:
            linker.parents_in(group)
    for module in modules:
        _Imported(module, groups, linker.links).run()
    linker.scope.also_above = {parent for parents in linker.links.parents.values() for parent in parents}
    for group in groups:
        if group.used is None:
            linker.condition(group)
    for declaration in document.declarations:
        if isinstance(declaration, RuleNode):
            linker.rule(declaration)
        elif isinstance(declaration, MigrationNode):
            linker.migration(declaration)
    return linker.links


class _Linker:
    """Resolves what this file writes. What can't be resolved is a problem, and what stands around it is left out."""

    def __init__(self, groups: Sequence[GroupOutline], modules: Sequence[Module]):
        self.links = Links()
        self.scope = Scope(groups, modules)

    # --- declarations -------------------------------------------------------------------------------

    def condition(self, group: GroupOutline) -> None:
        whens = [m for m in group.node.modifiers if isinstance(m, When)]
        if whens:
            meaning = self.formula(whens[0].condition)
            if meaning is not None:
                self.links.whens[group] = meaning

    def parents_in(self, group: GroupOutline) -> None:
        for class_ in group.all_classes():
            for modifier in class_.node.modifiers:
                if isinstance(modifier, Is):
                    self.parents(class_, group, modifier)
                    break

    def parents(self, class_: ClassOutline, group: GroupOutline, modifier: Is) -> None:
        if group.kind is not Kind.MULTILABEL:
            step = f"a class of a {group.kind} stands in one place; write a multilabel, or a rule: {class_.id} => …"
            self.wrong("E118", modifier.span, f"`is` in a {group.kind}", step)
            return
        found: list[ClassOutline] = []
        for reference in modifier.parents:
            target = self.resolved(reference, lambda r: self.scope.within(group, r))
            if isinstance(target, ClassOutline):
                found.append(target)
        self.links.parents[class_] = tuple(found)

    def rule(self, node: RuleNode) -> None:
        meanings = [(self.formula(f), f.span) for f in node.formulas]
        formulas = tuple((meaning, span) for meaning, span in meanings if meaning is not None)
        title = node.title.value if node.title else None
        self.links.rules.append(RuleOutline(node.name.text, node.name.span, formulas, node.weight, title))

    def migration(self, node: MigrationNode) -> None:
        changes: list[ChangeOutline] = []
        for change in node.changes:
            new = [self.resolved(reference, self.scope.anything, code="E138") for reference in change.new]
            if None not in new:
                targets = tuple(target for target in new if target is not None)
                groups = tuple(map(self.scope.group_of, targets))
                changes.append(ChangeOutline(change, self.scope.key(change.old), targets, groups))
        self.links.migrations.append(MigrationOutline(node, tuple(changes)))

    # --- formulas -----------------------------------------------------------------------------------

    def formula(self, node: Expression) -> Meaning | None:
        """The meaning of an expression, or None where a part of it has none."""
        if node.op in COMPARISONS or node.op is Op.IN:
            return self.comparison(node)
        if node.op is Op.HOLDS:
            label = self.resolved(node.names[0], self.scope.label)
            return None if label is None else Meaning(Op.HOLDS, targets=(label,))
        if node.op is Op.APPLIES:
            group = self.resolved(node.names[0], self.scope.group)
            return Meaning(Op.APPLIES, group=group) if isinstance(group, GroupOutline) else None
        if node.op is Op.ANY:
            return self.any_of(node.names[0])
        args = [self.formula(arg) for arg in node.args]
        if node.op in COUNTS and node.count < 0:
            self.wrong("E135", node.span, "a count that is no whole number", f"such as: {node.op} 2 of {{ … }}")
            return None
        known = tuple(arg for arg in args if arg is not None)
        return Meaning(node.op, known, count=node.count) if len(known) == len(args) else None

    def any_of(self, reference: Reference) -> Meaning | None:
        target = self.resolved(reference, self.scope.collection)
        if isinstance(target, GroupOutline):
            return Meaning(Op.ANY, group=target)
        if isinstance(target, ClassOutline):
            return Meaning(Op.ANY, targets=(target,), group=self.scope.group_of(target))
        return None

    def comparison(self, node: Expression) -> Meaning | None:
        """`GROUP OP CLASS` or `GROUP in {CLASS, …}`."""
        left, *right = node.names
        group = self.resolved(left, self.scope.group)
        if not isinstance(group, GroupOutline):
            return None
        if group.kind in (Kind.BINARY, Kind.MULTILABEL):
            name = self.scope.key(left)
            step = f"write {name} or not {name}" if group.kind is Kind.BINARY else "name its classes: each holds or not"
            self.wrong("E134", node.span, f"`{name}` is a {group.kind}: it has no single value to compare", step)
            return None
        if node.op not in (Op.EQ, Op.NE, Op.IN) and group.kind is not Kind.ORDINAL:
            step = f"write {self.scope.key(left)} in {{ … }}, or make it an ordinal"
            self.wrong("E134", node.span, f"`{node.op}` asks for an order, and a {group.kind} has none", step)
            return None
        targets = [self.resolved(reference, lambda r: self.scope.within(group, r)) for reference in right]
        known = tuple(target for target in targets if target is not None)
        return Meaning(node.op, targets=known, group=group) if len(known) == len(targets) else None

    def resolved(self, reference: Reference, find: Find, code: str | None = None) -> Target | None:
        try:
            target = find(reference)
        except UnresolvedError as error:
            self.wrong(code or error.code, reference.span, error.message, error.step)
            return None
        self.links.references.append(Resolved(reference, target))
        return target

    def wrong(self, code: str, span: Span, message: str, step: str) -> None:
        self.links.problems.append(Diagnostic(code, message, span=span, help=step))


class _Imported:
    """Brings along what an import says about the groups that are used: conditions, parents, rules."""

    def __init__(self, module: Module, groups: Sequence[GroupOutline], links: Links):
        self.module = module
        self.links = links
        self.groups: dict[str, GroupOutline] = {}
        self.targets: dict[str, Target] = {}
        for group in groups:
            if group.used is not None and group.used.module is module:
                self.groups[group.used.original(group.path)] = group
                self.bring(group)

    def bring(self, group: GroupOutline) -> None:
        """Know a used group's classes by their paths in the import."""
        assert group.used is not None
        named: list[Target] = [group, Other(group)]
        for class_ in group.all_classes():
            named += [class_, Other(class_)]
        for target in named:
            self.targets[group.used.original(target.path)] = target

    def run(self) -> None:
        ontology = self.module.ontology
        for g in ontology.groups:
            group = self.groups.get(g.path)
            if group is None:
                continue
            conditions = [g.when] if g.when is not None else []
            if g.condition is not None and not g.path.startswith(ontology.labels[g.condition].path + "."):
                conditions.append(Formula(Op.HOLDS, labels=(g.condition,)))
            self.condition(group, conditions)
            if g.kind is Kind.MULTILABEL:
                self.parents(g.labels)
        self.rules()

    def condition(self, group: GroupOutline, conditions: Iterable[Formula]) -> None:
        for formula in conditions:
            missing = self.missing(formula)
            if missing:
                assert group.used is not None
                message = f"`{group.path}` applies only where {' and '.join(missing)} of {self.module.alias} says so"
                step = f"use {self.module.alias}.{missing[0]} too"
                self.links.problems.append(Diagnostic("E128", message, span=group.node.name.span, help=step))
            else:
                self.links.whens[group] = self.meaning(formula)

    def parents(self, indices: Iterable[int]) -> None:
        labels = self.module.ontology.labels
        for index in indices:
            label = labels[index]
            class_ = self.targets[label.path]
            parents = [self.targets[labels[p].path] for p in label.parents]
            further = tuple(
                p for p in parents if isinstance(p, ClassOutline) and class_.path.rpartition(".")[0] != p.path
            )
            if isinstance(class_, ClassOutline) and further:
                self.links.parents[class_] = further

    def rules(self) -> None:
        ontology, node = self.module.ontology, self.module.node
        behind: list[str] = []
        for rule in ontology.rules:
            if any(self.missing(f) for f in rule.formulas):
                behind.append(rule.name)
                continue
            name = f"{self.module.alias}.{rule.name}"
            formulas = tuple((self.meaning(f), node.span) for f in rule.formulas)
            self.links.rules.append(RuleOutline(name, node.span, formulas, rule.weight, rule.title, self.module))
        if behind and self.groups:
            one = len(behind) == 1
            message = f"the rule{'' if one else 's'} {', '.join(behind)} of {self.module.alias} "
            message += f"{'speaks' if one else 'speak'} of groups that are not used here: left behind"
            step = "use all the groups that a rule names, and it comes along"
            self.links.problems.append(Diagnostic("I120", message, "info", span=node.span, help=step))

    def missing(self, formula: Formula) -> list[str]:
        """The paths of groups that a formula speaks of and that are not used."""
        ontology = self.module.ontology
        paths = [ontology.groups[g].path for g in sorted(formula.mentioned_groups(ontology))]
        return [path for path in paths if path not in self.groups]

    def meaning(self, formula: Formula) -> Meaning:
        """An import's formula, over the groups here."""
        ontology = self.module.ontology
        targets = tuple(self.targets[ontology.labels[i].path] for i in formula.labels)
        group = self.groups[ontology.groups[formula.group].path] if formula.group >= 0 else None
        return Meaning(formula.op, tuple(map(self.meaning, formula.args)), targets, group, formula.count)
