"""What differs between two versions of an ontology, one finding for each thing that was done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..formula import Formula
from ..formula_text import formula_text
from ..ontology import Group, Kind, Label, Ontology, Rule
from .reading import Readings


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `what` says of what sort it is, in two words: "class added", "rule changed".

    `path` is the name in the new ontology, or in the old one for what is no longer there; `old` and `new` are what it
    was and is, as text.
    """

    what: str
    path: str
    old: str | None = None
    new: str | None = None


def differences(old: Ontology, new: Ontology, readings: Readings) -> tuple[Difference, ...]:
    """All differences, of the ontology itself, its imports, groups, classes and rules, in this order."""
    found = _Differences(old, new, readings)
    return (*found.about(), *found.imports(), *found.groups(), *found.labels(), *found.rules())


class _Differences:
    def __init__(self, old: Ontology, new: Ontology, readings: Readings):
        self.old, self.new, self.readings = old, new, readings
        self.to = {i: readings.same_label(i) for i in range(len(old.labels))}
        self.group_to = {g: r.group for g, r in enumerate(readings.groups) if r.group >= 0}
        self.known = {j for reading in readings.labels for j in reading.labels}

    def about(self) -> Iterator[Difference]:
        """The header."""
        for what in ("name", "title", "version"):
            yield from _changed(f"ontology {what}", self.new.name, getattr(self.old, what), getattr(self.new, what))

    def imports(self) -> Iterator[Difference]:
        """What is imported, by alias."""
        old, new = ({i.alias: i for i in o.imports} for o in (self.old, self.new))
        for alias, item in old.items():
            if alias not in new:
                yield Difference("import removed", alias, _version(item.name, item.version))
            elif new[alias] != item:
                was, now = _version(item.name, item.version), _version(new[alias].name, new[alias].version)
                same = was == now
                yield Difference(
                    "import changed",
                    alias,
                    was + (f" hash {item.hash[:12]}" if same else ""),
                    now + (f" hash {new[alias].hash[:12]}" if same else ""),
                )
        for alias, item in new.items():
            if alias not in old:
                yield Difference("import added", alias, None, _version(item.name, item.version))

    # --- groups -------------------------------------------------------------------------------------

    def groups(self) -> Iterator[Difference]:
        """Groups, old ones first."""
        for group, reading in zip(self.old.groups, self.readings.groups, strict=True):
            if reading.group < 0:
                yield Difference("group dropped" if reading.how == "dropped" else "group removed", group.path)
            else:
                yield from self.group(group, self.new.groups[reading.group], reading.how)
        kept = set(self.group_to.values())
        for group in self.new.groups:
            if group.index not in kept:
                yield Difference("group added", group.path, None, str(group.kind))

    def group(self, old: Group, new: Group, how: str) -> Iterator[Difference]:
        if how != "same":
            yield Difference(f"group {how}", new.path, old.path, new.path)
        yield from _changed("group kind", new.path, old.kind, new.kind)
        if old.open != new.open:
            yield Difference("group opened" if new.open else "group closed", new.path)
        yield from _names(old, new, "group")
        if self.applicability(old) != (new.condition, new.when):
            texts = _condition(self.old, old), _condition(self.new, new)
            yield Difference("group condition", new.path, *texts)
        yield from _changed("group levels", new.path, ", ".join(old.levels), ", ".join(new.levels))
        sources = (o.imports[g.source].alias if g.source is not None else None for o, g in self.sides(old, new))
        yield from _changed("group source", new.path, *sources)
        yield from self.order(old, new)

    def sides(self, old: Group, new: Group) -> tuple[tuple[Ontology, Group], tuple[Ontology, Group]]:
        return (self.old, old), (self.new, new)

    def applicability(self, group: Group) -> tuple[int | None, Formula | None]:
        """An old group's condition and `when` in the new labels."""
        condition = None if group.condition is None else self.label(group.condition)
        when = None if group.when is None else self.translated(group.when)
        return condition, when

    def label(self, old: int) -> int:
        now = self.to[old]
        return -1 if now is None else now

    def translated(self, formula: Formula) -> Formula:
        """An old formula in the new labels and groups; -1 for what is not one label or group there."""
        group = self.group_to.get(formula.group, -1) if formula.group >= 0 else -1
        args = tuple(map(self.translated, formula.args))
        return Formula(formula.op, args, tuple(map(self.label, formula.labels)), group, formula.count)

    def order(self, old: Group, new: Group) -> Iterator[Difference]:
        """The order of what both have: of levels it is meaning, of classes it is the order of a model's outputs."""
        now = [self.to[i] for i in old.labels if self.readings.labels[i].how != "moved"]
        shared = [j for j in now if j is not None and self.new.labels[j].group == new.index]
        if shared == sorted(shared):
            return
        word = "levels reordered" if new.kind is Kind.ORDINAL else "classes reordered"
        link = " < " if new.kind is Kind.ORDINAL else ", "
        texts = (link.join(o.labels[i].id for i in g.labels) for o, g in self.sides(old, new))
        yield Difference(word, new.path, *texts)

    # --- classes ------------------------------------------------------------------------------------

    def labels(self) -> Iterator[Difference]:
        """Classes of groups that both have; those of binaries are the groups themselves."""
        for label, reading in zip(self.old.labels, self.readings.labels, strict=True):
            group = self.old.groups[label.group]
            if group.index not in self.group_to or group.kind is Kind.BINARY or (label.other and reading.how == "lost"):
                continue
            if not reading.labels:
                yield Difference("class dropped" if reading.how == "dropped" else "class removed", label.path)
            elif reading.how == "split":
                texts = " | ".join(self.new.labels[j].path for j in reading.labels)
                yield Difference("class split", label.path, label.path, texts)
            else:
                yield from self.class_(label, self.new.labels[reading.labels[0]], reading.how)
        kept = set(self.group_to.values())
        for label in self.new.labels:
            fresh = label.index not in self.known and label.group in kept and not label.other
            if fresh and self.new.groups[label.group].kind is not Kind.BINARY:
                yield Difference(*self.added(label))

    def class_(self, old: Label, new: Label, how: str) -> Iterator[Difference]:
        if how in ("renamed", "moved"):
            yield Difference(f"class {how}", new.path, old.path, new.path)
        if how != "moved" and {self.to[p] for p in old.parents} != set(new.parents):
            texts = (" and ".join(o.labels[p].path for p in x.parents) for o, x in ((self.old, old), (self.new, new)))
            yield Difference("class parents", new.path, *(t or None for t in texts))
        if old.open != new.open:
            yield Difference("class opened" if new.open else "class closed", new.path)
        yield from _names(old, new, "class")

    def added(self, label: Label) -> tuple[str, str, None, str | None]:
        """A new class; of a level, where in the order it stands."""
        group = self.new.groups[label.group]
        if group.kind is not Kind.ORDINAL:
            return "class added", label.path, None, None
        at = group.labels.index(label.index)
        ids = [self.new.labels[i].id for i in group.labels]
        return "level added", label.path, None, " < ".join(ids[max(at - 1, 0) : at + 2])

    # --- rules --------------------------------------------------------------------------------------

    def rules(self) -> Iterator[Difference]:
        """Rules by name; one that says the same under another name is renamed."""
        old, new = ({r.name: r for r in o.rules} for o in (self.old, self.new))
        gone = [r for name, r in old.items() if name not in new]
        fresh = [r for name, r in new.items() if name not in old]
        for rule in gone:
            same = [r for r in fresh if r.weight == rule.weight and self.says(rule) == set(r.formulas)]
            if same:
                fresh.remove(same[0])
                yield Difference("rule renamed", same[0].name, rule.name, same[0].name)
            else:
                yield Difference("rule removed", rule.name, _rule(self.old, rule))
        for name, rule in old.items():
            if name in new:
                yield from self.rule(rule, new[name])
        for rule in fresh:
            yield Difference("rule added", rule.name, None, _rule(self.new, rule))

    def says(self, rule: Rule) -> set[Formula]:
        return {self.translated(f) for f in rule.formulas}

    def rule(self, old: Rule, new: Rule) -> Iterator[Difference]:
        if self.says(old) != set(new.formulas):
            was, now = _rule(self.old, old), _rule(self.new, new)
            same = was == now  # the words stayed, what they name did not
            yield Difference("rule changed", new.name, None if same else was, None if same else now)
        if (old.weight is None) != (new.weight is None):
            yield Difference("rule hardened" if new.weight is None else "rule softened", new.name)
        elif old.weight != new.weight:
            yield Difference("rule weight", new.name, f"{old.weight:g}", f"{new.weight:g}")
        yield from _changed("rule title", new.name, old.title, new.title)


def _changed(what: str, path: str, old: str | None, new: str | None) -> Iterator[Difference]:
    if (old or None) != (new or None):
        yield Difference(what, path, old or None, new or None)


def _names(old: Group | Label, new: Group | Label, word: str) -> Iterator[Difference]:
    yield from _changed(f"{word} title", new.path, old.title, new.title)
    yield from _changed(f"{word} aliases", new.path, ", ".join(old.aka), ", ".join(new.aka))


def _version(name: str, version: str | None) -> str:
    return f"{name} {version}" if version else name


def _condition(ontology: Ontology, group: Group) -> str:
    parts = [] if group.condition is None else [ontology.labels[group.condition].path]
    parts += [] if group.when is None else [formula_text(ontology, group.when)]
    return " and ".join(parts) or "always"


def _rule(ontology: Ontology, rule: Rule) -> str:
    return "; ".join(formula_text(ontology, f) for f in rule.formulas)
