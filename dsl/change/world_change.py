"""Whether an ontology's legal worlds became fewer or more, judged by the labels that two versions share.

A world of one *agrees* with a world of the other where what they share holds in both or in neither. The new version is
tightened if some old world agrees with no new one, loosened if some new world agrees with no old one. Both are of the
form "some world, such that no world": a candidate is drawn from the one side and tried on the other; where it agrees
with a world, all that agree with worlds made in the same way are excluded from the next draw (counterexample-guided
abstraction refinement: Clarke et al. 2000; for two quantifiers, Janota and Marques-Silva 2011).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ...errors import LinnaeusError
from ..formula import Formula, Op, holds, lower
from ..logic.analysis import Logic, hard_formulas
from ..logic.solver import Solver
from ..ontology import Group, Kind, Ontology
from .reading import Readings

DRAWS = 200
"""So many candidates are tried before the question is left open."""

TRUE, FALSE = Formula(Op.AND), Formula(Op.OR)


Part: TypeAlias = tuple[Formula, frozenset[int], bool]
"""Of what a world of the target must agree on: a formula, the base's labels that it is about, and whether they hold."""
Example: TypeAlias = tuple[tuple[int, bool], ...]
"""Labels, and whether each holds."""


@dataclass(frozen=True, slots=True)
class Shared:
    """Something that both versions can say: one of the `old` labels holds where one of the `new` ones does."""

    old: frozenset[int]
    new: frozenset[int]

    def swapped(self) -> Shared:
        """The same, seen from the other side."""
        return Shared(self.new, self.old)


@dataclass(frozen=True, slots=True)
class WorldChange:
    """Whether worlds were lost (tightened) and gained (loosened), None where that stayed open, with an example of each:
    which old labels hold, and which don't, in a world that is illegal now; which new ones in a world that was illegal.
    """

    tightened: bool | None
    loosened: bool | None
    lost: Example = ()
    gained: Example = ()


def compare_worlds(old: Ontology, new: Ontology, readings: Readings) -> WorldChange:
    """How the sets of legal worlds compare on what both versions can say."""
    shared = shared_labels(readings)
    tightened, lost = _answer(old, new, shared)
    loosened, gained = _answer(new, old, [s.swapped() for s in shared])
    return WorldChange(tightened, loosened, lost, gained)


def shared_labels(readings: Readings) -> list[Shared]:
    """What both versions can say: old and new labels that are connected by being read as one another."""
    group: dict[int, int] = {}
    olds: dict[int, set[int]] = {}
    news: dict[int, set[int]] = {}
    for i, reading in enumerate(readings.labels):
        if not reading.labels:
            continue
        olds[i], news[i] = {i}, set(reading.labels)
        for root in {group[j] for j in reading.labels if j in group}:
            olds[i] |= olds.pop(root)
            news[i] |= news.pop(root)
        for j in news[i]:
            group[j] = i
    return [Shared(frozenset(olds[root]), frozenset(news[root])) for root in olds]


def _answer(base: Ontology, target: Ontology, shared: list[Shared]) -> tuple[bool | None, Example]:
    escape = _Escape(base, target, shared)
    try:
        world = escape.find()
        return world is not None, () if world is None else escape.example(world)
    except _OpenError:
        return None, ()
    except LinnaeusError as error:
        if any(d.code != "E148" for d in error.diagnostics):
            raise
        return None, ()


class _OpenError(Exception):
    """Too many candidates were tried."""


class _Escape:
    """Looks for a world of `base` that agrees with no world of `target`."""

    def __init__(self, base: Ontology, target: Ontology, shared: list[Shared]):
        self.base, self.target, self.shared = base, target, shared
        self.of_target = {j: s for s in shared for j in s.new}
        self.of_base = {i: s for s in shared for i in s.old}
        self.same = {i: next(iter(s.new)) for i, s in self.of_base.items() if len(s.old) == len(s.new) == 1}
        self.kept = self.kept_groups()
        self.rules = self.new_rules()
        self.groups = [g for g in target.groups if g.index not in self.kept and self.is_shared(g)]
        self.asked = self.near()
        self.there = Logic(target)

    def find(self) -> frozenset[int] | None:
        """Such a world; None if there is none."""
        if not self.rules and not self.groups:
            return None
        here = Logic(self.base)
        excluded: list[Formula] = []
        for _ in range(DRAWS):
            world = here.world(*excluded)
            if world is None:
                return None
            answer = self.there.world(*(f for f, _, _ in self.pattern(world)))
            if answer is None:
                return world
            excluded.append(_not(_Image(self, answer).laws(self.groups, self.rules)))
        raise _OpenError

    def example(self, world: frozenset[int]) -> Example:
        """As little as is needed of a world that `find` gave: no world of the target agrees with so much of it."""
        return min((self.said(world, first) for first in (False, True)), key=len)

    def said(self, world: frozenset[int], first: bool) -> Example:
        """An example that, as far as it can be, leaves out what holds (or, for False, what doesn't)."""
        parts = sorted(self.pattern(world), key=lambda part: part[2] is first)
        solver = Solver(self.target, [*hard_formulas(self.target).values(), *(f for f, _, _ in parts)])
        literals = {solver.clauses.literal(f): (olds, true) for f, olds, true in parts}
        needed = solver.minimal(literals, [solver.clauses.literal(f) for f in hard_formulas(self.target).values()])
        said = {i: literals[x][1] for x in needed for i in literals[x][0]}
        for g in self.base.groups:  # a class that only the base has says more than that no other holds
            own = [i for i in g.labels if i in world and i not in self.of_base and not self.base.children[i]]
            if g.single_choice and own and any(i in said for i in g.labels):
                said = {i: true for i, true in said.items() if self.base.labels[i].group != g.index} | {own[0]: True}
        implied = {a for i, true in said.items() if true for a in self.implied(i)}
        return tuple(sorted((i, true) for i, true in said.items() if i not in implied))

    def implied(self, label: int) -> Iterator[int]:
        """What a label of the base implies: the classes around it, and those around its group."""
        base = self.base
        yield from (a for a in base.ancestors(label) if a != label)
        condition = base.groups[base.labels[label].group].condition
        if condition is not None:
            yield condition
            yield from self.implied(condition)

    # --- what differs -------------------------------------------------------------------------------

    def is_shared(self, group: Group) -> bool:
        return any(j in self.of_target for j in group.labels)

    def kept_groups(self) -> dict[int, int]:
        """Target group → base group, for those that are the same label by label, and apply in the same worlds."""
        kept: dict[int, int] = {}
        for g in self.base.groups:
            labels = [self.same.get(i) for i in g.labels]
            first = labels[0] if labels else None
            if first is None or None in labels:
                continue
            there = self.target.groups[self.target.labels[first].group]
            if there.kind is g.kind and set(labels) == set(there.labels) and self.alike(g, there, kept):
                kept[there.index] = g.index
        return kept

    def alike(self, g: Group, there: Group, kept: dict[int, int]) -> bool:
        for i in g.labels:
            parents = {self.same[p] for p in self.base.labels[i].parents}
            if parents != set(self.target.labels[self.same[i]].parents):
                return False
        if (g.condition is None) != (there.condition is None):
            return False
        if g.condition is not None and self.same.get(g.condition) != there.condition:
            return False
        mine = TRUE if g.when is None else self.across(lower(self.base, g.when), kept)
        return mine == (TRUE if there.when is None else lower(self.target, there.when))

    def across(self, formula: Formula, kept: dict[int, int]) -> Formula | None:
        """A lowered formula of the base in the target's labels; None if they can't say it one to one."""
        there = {g: t for t, g in kept.items()}
        if any(i not in self.same for f in formula.walk() for i in f.labels):
            return None
        if any(f.group >= 0 and f.group not in there for f in formula.walk()):
            return None

        def put(f: Formula) -> Formula:
            group = there[f.group] if f.group >= 0 else -1
            return Formula(f.op, tuple(map(put, f.args)), tuple(self.same[i] for i in f.labels), group, f.count)

        return put(formula)

    def new_rules(self) -> list[Formula]:
        """The hard formulas of the target, lowered, that the base doesn't have."""
        known = {self.across(lower(self.base, f), self.kept) for f in hard_formulas(self.base).values()}
        return [f for f in (lower(self.target, f) for f in hard_formulas(self.target).values()) if f not in known]

    def near(self) -> list[Shared]:
        """What a world of the target must agree on: all that hangs together with what differs."""
        target = self.target
        ties = [f.mentioned_groups(target) for f in hard_formulas(target).values()]
        for g in target.groups:
            tied = frozenset() if g.condition is None else frozenset([target.labels[g.condition].group])
            ties.append(tied | (g.when.mentioned_groups(target) if g.when else frozenset()) | {g.index})
        ties += [frozenset(target.labels[j].group for j in s.new) for s in self.shared]
        near = {g.index for g in self.groups}.union(*(f.mentioned_groups(target) for f in self.rules))
        size = -1
        while size != len(near):
            size = len(near)
            near = near.union(*(tie for tie in ties if tie & near))
        return [s for s in self.shared if any(target.labels[j].group in near for j in s.new)]

    def pattern(self, world: frozenset[int]) -> list[Part]:
        """That a world of the target agrees with one of the base. Where a leaf of a single choice holds, the others
        need no word; else they are one part.
        """
        target = self.target
        true = [s for s in self.asked if s.old & world]
        held = [j for s in true if len(s.new) == 1 for j in s.new if not target.children[j]]
        held = [j for j in held if target.groups[target.labels[j].group].single_choice]
        settled = {target.labels[j].group for j in held}
        above = {a for j in held for a in target.ancestors(j)}
        denied: dict[tuple[int, int], list[int]] = {}
        for s in self.asked:
            for j in () if s.old & world else sorted(s.new):
                group = target.labels[j].group
                if group not in settled or j in above:
                    denied.setdefault((group, -1 if target.groups[group].single_choice else j), []).append(j)
        found = [(any_of(target, s.new), s.old & world, True) for s in true]
        for labels in denied.values():
            olds = frozenset(i for j in labels for i in self.of_target[j].old)
            found.append((_not(any_of(target, labels)), olds, False))
        return found


class _Image:
    """How a world of the base is made a world of the target, by the example of one that agrees with it: for each label
    of the target a formula of the base's labels.
    """

    def __init__(self, escape: _Escape, example: frozenset[int]):
        self.escape, self.target, self.example = escape, escape.target, example
        self.label: dict[int, Formula] = {}
        self.applies: dict[int, Formula] = {}
        for group in self.target.groups:  # each after those that its applicability depends on
            here = [] if group.condition is None else [self.label[group.condition]]
            here += [] if group.when is None else [self.put(lower(self.target, group.when))]
            self.applies[group.index] = _and(here)
            for j in group.labels:
                if j in escape.of_target:
                    self.label[j] = self.known(j, escape.of_target[j])
            (self.choose if group.single_choice else self.copy)(group)

    def known(self, label: int, shared: Shared) -> Formula:
        """A label that both can say; of several, the one that the example has."""
        chosen = sorted(shared.new & self.example) or sorted(shared.new)[:1]
        return any_of(self.escape.base, shared.old) if label in chosen else FALSE

    def choose(self, group: Group) -> None:
        """The labels that only the target has, in a single choice: around known ones where there are, else where the
        known ones leave off, and of several the one that the example has.
        """
        children = self.target.children
        for j in reversed(group.labels):
            known = [self.label[c] for c in children[j] if c in self.label]
            if j not in self.label and known:
                self.label[j] = _or(known)
        top = [j for j in group.labels if not self.target.labels[j].parents]
        for node, below in [(None, top), *((j, list(children[j])) for j in group.labels)]:
            free = [j for j in below if j not in self.label]
            if not free:
                continue
            chosen = next((j for j in free if j in self.example), free[0])
            around = self.applies[group.index] if node is None else self.label[node]
            others = [self.label[j] for j in below if j in self.label]
            for j in free:
                self.label[j] = _and([around, _not(_or(others))]) if j == chosen else FALSE

    def copy(self, group: Group) -> None:
        """The labels that only the target has, in a multilabel or binary: as in the example, and around others."""
        free = [j for j in group.labels if j not in self.label]
        for j in free:
            above = [self.label[p] for p in self.target.labels[j].parents if p not in free or p in self.label]
            held = j in self.example
            self.label[j] = _and([self.applies[group.index], *above]) if held else FALSE
        for j in reversed(free):
            self.label[j] = _or([self.label[j], *(self.label[c] for c in self.target.children[j])])

    def put(self, formula: Formula) -> Formula:
        """A lowered formula of the target in the base's labels."""
        if formula.op is Op.HOLDS:
            return self.label[formula.labels[0]]
        if formula.op is Op.APPLIES:
            return self.applies[formula.group]
        return Formula(formula.op, tuple(map(self.put, formula.args)), count=formula.count)

    def laws(self, groups: list[Group], rules: list[Formula]) -> Formula:
        """That what is made is legal, as far as the base doesn't see to it."""
        return _and([law for g in groups for law in self.structure(g)] + [self.put(f) for f in rules])

    def structure(self, group: Group) -> list[Formula]:
        here, label = self.applies[group.index], self.label
        children = self.target.children
        if group.single_choice:
            leaves = self.exclusive([label[j] for j in group.labels if not children[j]])
            one = leaves[0] if len(leaves) == 1 else Formula(Op.EXACTLY, tuple(leaves), count=1)
            laws = [Formula(Op.IMPLIES, (here, one)), _or([here, _not(_or(leaves))])]
            inner = [j for j in group.labels if children[j] and not self.is_kept(j)]
            return laws + [Formula(Op.IFF, (label[j], _or([label[c] for c in children[j]]))) for j in inner]
        laws = []
        for j in group.labels:
            above = [label[p] for p in self.target.labels[j].parents] or [here]
            laws.append(Formula(Op.IMPLIES, (label[j], _and(above))))
        return laws if group.kind is Kind.MULTILABEL else [Formula(Op.IMPLIES, (label[group.labels[0]], here))]

    def exclusive(self, formulas: list[Formula]) -> list[Formula]:
        """Formulas of which one is to be true, with the leaves of a choice of the base as one: at most one holds."""
        base = self.escape.base
        leaves: dict[int, list[int]] = {}
        rest = []
        for f in formulas:
            label = f.labels[0] if f.op is Op.HOLDS else None
            if label is not None and not base.children[label] and base.groups[base.labels[label].group].single_choice:
                leaves.setdefault(base.labels[label].group, []).append(label)
            elif f != FALSE:
                rest.append(f)
        return [any_of(base, labels) for labels in leaves.values()] + rest

    def is_kept(self, label: int) -> bool:
        """Whether the base has the same class in a choice, over the same classes."""
        shared = self.escape.of_target.get(label)
        same, base = self.escape.same, self.escape.base
        old = next(iter(shared.old)) if shared is not None and len(shared.old) == 1 else None
        if old is None or same.get(old) != label or not base.groups[base.labels[old].group].single_choice:
            return False
        return {same.get(i) for i in base.children[old]} == set(self.target.children[label])


def any_of(ontology: Ontology, labels: Iterable[int]) -> Formula:
    """That one of some labels holds; those of a group in one formula, which the reasoner takes as one."""
    groups: dict[int, list[int]] = {}
    for label in sorted(labels):
        groups.setdefault(ontology.labels[label].group, []).append(label)
    found = [Formula(Op.IN, (), tuple(m), g) if len(m) > 1 else holds(m[0]) for g, m in groups.items()]
    return _or(found)


def _and(args: list[Formula]) -> Formula:
    found = [a for a in dict.fromkeys(args) if a != TRUE]
    return FALSE if FALSE in found else found[0] if len(found) == 1 else Formula(Op.AND, tuple(found))


def _or(args: list[Formula]) -> Formula:
    found = [a for a in dict.fromkeys(args) if a != FALSE]
    return TRUE if TRUE in found else found[0] if len(found) == 1 else Formula(Op.OR, tuple(found))


def _not(arg: Formula) -> Formula:
    if arg in (TRUE, FALSE):
        return FALSE if arg == TRUE else TRUE
    return Formula(Op.NOT, (arg,))
