"""What an ontology's rules entail, exactly: is a formula possible, does it follow, and what is odd about the rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from ..formula import Formula, Op
from ..ontology import Group, Ontology
from .abstraction import atom
from .clauses import TRUE, Value
from .solver import Solver
from .twins import representatives

At: TypeAlias = tuple[int, int]
"""A formula by its rule's index and its own in the rule."""


class Logic:
    """The legal worlds of an ontology, asked by formulas; without `rules`, the worlds that the structure allows.

    Raises, whenever it is asked:
        LinnaeusError: E148, where rules are so entangled that the answer would take too long.
    """

    def __init__(self, ontology: Ontology, rules: bool = True):
        self.ontology = ontology
        self._laws = list(hard_formulas(ontology).values()) if rules else []
        self._met: list[Formula] = []
        self._solver: Solver | None = None

    def satisfiable(self, *formulas: Formula) -> bool:
        """Whether some legal world makes all the formulas true."""
        if self._solver is None or not self._solver.abstraction.covers(formulas):
            self._met += formulas
            self._solver = Solver(self.ontology, [*self._laws, *self._met])
        return self._solver.solve(map(self._solver.clauses.literal, [*self._laws, *formulas]))

    def entails(self, formula: Formula) -> bool:
        """Whether a formula is true in every legal world."""
        return not self.satisfiable(Formula(Op.NOT, (formula,)))

    def world(self, *formulas: Formula) -> frozenset[int] | None:
        """The labels that hold in a legal world that makes all the formulas true; None if there is none."""
        if not self.satisfiable(*formulas) or self._solver is None:
            return None
        return self._solver.world()


@dataclass(frozen=True)
class Analysis:
    """All that is odd about an ontology's rules and conditions.

    Where there is no legal world, only `conflict`, `contradictions`, `tautologies` and `forcing` are filled.

    Attributes:
        conflict: hard formulas that no world makes true together, while it can for any that leave one out; empty
            where there is a legal world.
        contradictions, tautologies: formulas that are false, or true, in every world that the structure allows.
        dead: labels that hold in no legal world.
        forced: labels that hold in every legal world in which their group applies, though the structure allows others.
        never: groups that apply in no legal world.
        always: groups whose `when` is true in every legal world in which the class around them holds.
        entailed: hard formulas that others entail, with as few others as do. All of them may be deleted together: an
            imported rule entails rather than is entailed, and so does a rule that stands before another.
        decided: soft formulas that the hard ones make true, or false, in every legal world.
        forcing: formulas that are false in some world for no other reason than that a group does not apply there.
    """

    reasoner: Reasoner
    conflict: tuple[At, ...] = ()
    contradictions: frozenset[At] = frozenset()
    tautologies: frozenset[At] = frozenset()
    dead: frozenset[int] = frozenset()
    forced: frozenset[int] = frozenset()
    never: frozenset[int] = frozenset()
    always: frozenset[int] = frozenset()
    entailed: dict[At, tuple[At, ...]] = field(default_factory=dict)
    decided: dict[At, bool] = field(default_factory=dict)
    forcing: tuple[tuple[At, int], ...] = ()

    def why_dead(self, label: int) -> tuple[At, ...]:
        """As few hard formulas as ban a dead label."""
        return self.reasoner.why(self.reasoner.can_hold(label))

    def why_forced(self, label: int) -> tuple[At, ...]:
        """As few hard formulas as force a forced label."""
        return self.reasoner.why(self.reasoner.can_fail(label))

    def why_never(self, group: int) -> tuple[At, ...]:
        """As few hard formulas as keep a group from ever applying; none where its own conditions do."""
        return self.reasoner.why(self.reasoner.can_apply(group))

    def why_always(self, group: int) -> tuple[At, ...]:
        """As few hard formulas as make the `when` of a group say nothing."""
        return self.reasoner.why(self.reasoner.can_lapse(group))

    def why_decided(self, at: At) -> tuple[At, ...]:
        """As few hard formulas as decide a soft one."""
        literal = self.reasoner.literals[at]
        return self.reasoner.why(-literal if self.decided[at] else literal)


def analyse(ontology: Ontology) -> Analysis:
    """The analysis of an ontology.

    Raises:
        LinnaeusError: E148, where rules are so entangled that it would take too long.
    """
    return Reasoner(ontology).run()


def rule_formulas(ontology: Ontology) -> dict[At, Formula]:
    """The formulas of all rules, hard and soft, by their places."""
    return {(r, k): f for r, rule in enumerate(ontology.rules) for k, f in enumerate(rule.formulas)}


def hard_formulas(ontology: Ontology) -> dict[At, Formula]:
    """The formulas that are true in every legal world, by their places."""
    return {at: f for at, f in rule_formulas(ontology).items() if ontology.rules[at[0]].weight is None}


def all_formulas(ontology: Ontology) -> list[Formula]:
    """The formulas of all rules and of every `when`."""
    return [*rule_formulas(ontology).values(), *(g.when for g in ontology.groups if g.when is not None)]


class Reasoner:
    """One solver asked all the questions of an analysis.

    `literals` has every formula of every rule; assuming `self.law` enforces all hard ones.
    """

    def __init__(self, ontology: Ontology):
        self.ontology = ontology
        self.formulas = rule_formulas(ontology)
        self.solver = Solver(ontology, self.formulas.values())
        self.clauses = self.solver.clauses
        self.literals = {at: self.clauses.literal(f) for at, f in self.formulas.items()}
        self.hard = list(hard_formulas(ontology))
        self.law = self.clauses.variable()
        self.clauses.clauses += [[-self.law, self.literals[at]] for at in self.hard]

    def run(self) -> Analysis:
        """Ask them all."""
        either = self.solver.possible([x for literal in self.literals.values() for x in (literal, -literal)])
        contradictions = frozenset(at for at, literal in self.literals.items() if literal not in either)
        tautologies = frozenset(at for at, literal in self.literals.items() if -literal not in either)
        forcing = self.forcing(contradictions | tautologies)
        if not self.solver.solve([self.law]):
            conflict = self.why(TRUE)
            return Analysis(self, conflict, contradictions, tautologies, forcing=forcing)
        never = self.never()
        return Analysis(
            self,
            (),
            contradictions,
            tautologies,
            self.dead(never),
            self.forced(never),
            never,
            self.always(never),
            self.entailed(tautologies),
            self.decided(contradictions | tautologies),
            forcing,
        )

    def why(self, literal: int) -> tuple[At, ...]:
        """As few hard formulas as rule out a literal, which all together do."""
        first: dict[int, At] = {}
        for at in self.hard:
            first.setdefault(self.literals[at], at)
        return tuple(first[x] for x in self.solver.minimal(first, [literal]))

    # --- groups and labels -------------------------------------------------------------------------

    def can_apply(self, group: int) -> int:
        """A literal that some legal world makes true exactly if the group applies in some."""
        if group in self.clauses.abstraction.needed:
            return self.clauses.applies(group)
        condition = self.ontology.groups[group].condition
        return TRUE if condition is None else self.can_hold(condition)

    def can_lapse(self, group: int) -> int:
        """A literal that is true where the class around a group holds and its `when` is false."""
        g = self.ontology.groups[group]
        assert g.when is not None
        around = [] if g.condition is None else [self.clauses.literal(Formula(Op.HOLDS, labels=(g.condition,)))]
        return self.clauses.all_of([*around, -self.clauses.literal(g.when)])

    def can_hold(self, label: int) -> int:
        """A literal that some legal world makes true exactly if the label holds in some."""
        group = self.ontology.labels[label].group
        value = self.clauses.values.get(group)
        if value is None:
            return self.can_apply(group)
        if value.labels is None:
            return self.clauses.any_of(value.states[s] for s in sorted(self._under[label]))
        known = [value.labels[i] for i in self.ontology.ancestors(label) if i in value.labels]
        return self.clauses.all_of([self.can_apply(group), *known])

    def can_fail(self, label: int) -> int:
        """For a label of a group that formulas ask about: a literal that some legal world makes true exactly if in some
        the group applies and the label doesn't hold. It is false by itself where the structure forces the label.
        """
        group = self.ontology.labels[label].group
        value = self.clauses.values[group]
        if value.labels is None:
            under = set(self._leaves_under(label))
            state = self.clauses.abstraction.choices[group].state
            return self.clauses.any_of(value.states[s] for s in sorted({s for i, s in state.items() if i not in under}))
        return self.clauses.all_of([self.can_apply(group), *([-value.labels[label]] if label in value.labels else [])])

    @cached_property
    def _under(self) -> dict[int, frozenset[int]]:
        """For each label of a choice that matters, the states of the leaves under it."""
        under: dict[int, frozenset[int]] = {}
        for group, choice in self.clauses.abstraction.choices.items():
            for i in reversed(self.ontology.groups[group].labels):  # children come after their parents
                below = {under[c] for c in self.ontology.children[i]}
                under[i] = frozenset([choice.state[i]]) if not below else frozenset().union(*below)
        return under

    def _leaves_under(self, label: int) -> list[int]:
        stack, leaves = [label], []
        while stack:
            children = self.ontology.children[stack.pop()] or ()
            stack += children
            leaves += [c for c in children if not self.ontology.children[c]]
        return leaves or [label]

    def never(self) -> frozenset[int]:
        """The groups that never apply."""
        asked = {g.index: self.can_apply(g.index) for g in self.ontology.groups if g.conditional}
        possible = self.solver.possible(asked.values(), [self.law])
        return frozenset(group for group, literal in asked.items() if literal not in possible)

    def dead(self, never: frozenset[int]) -> frozenset[int]:
        """The labels that never hold."""
        twins = representatives(self.ontology, all_formulas(self.ontology))
        asked = {
            label.index: self.can_hold(twins.get(label.index, label.index))
            for label in self.ontology.labels
            if label.group in self.clauses.values and label.group not in never
        }
        possible = self.solver.possible(asked.values(), [self.law])
        idle = {i for group in never for i in self.ontology.groups[group].labels}
        return frozenset(idle | {label for label, literal in asked.items() if literal not in possible})

    def forced(self, never: frozenset[int]) -> frozenset[int]:
        """The labels that hold wherever their groups apply, among those that hold in one world where they do."""
        asked: dict[int, int] = {}
        for group in sorted(set(self.clauses.values) - never):
            self.solver.solve([self.law, self.clauses.applies(group)])
            for label in sorted(self.clauses.holding(self.solver.model(), self.ontology.groups[group])):
                asked[label] = self.can_fail(label)
        possible = self.solver.possible(asked.values(), [self.law])
        return frozenset(i for i, literal in asked.items() if literal not in possible and literal != -TRUE)

    def always(self, never: frozenset[int]) -> frozenset[int]:
        """The groups whose `when` says nothing."""
        groups = [g.index for g in self.ontology.groups if g.when is not None and g.index not in never]
        asked = {group: self.can_lapse(group) for group in groups}
        possible = self.solver.possible(asked.values(), [self.law])
        return frozenset(group for group, literal in asked.items() if literal not in possible)

    # --- formulas ----------------------------------------------------------------------------------

    def entailed(self, tautologies: frozenset[At]) -> dict[At, tuple[At, ...]]:
        """From the last hard formula to the first, imported ones at the end: those that what is left entails."""
        ordered = [at for at in self.hard if at not in tautologies]
        ordered.sort(key=lambda at: self.ontology.rules[at[0]].source is None)
        prefixes = [TRUE]  # prefixes[k] enforces the first k
        for at in ordered:
            prefixes.append(self.clauses.variable())
            self.clauses.clauses += [[-prefixes[-1], prefixes[-2]], [-prefixes[-1], self.literals[at]]]
        kept = self.clauses.variable()
        stay: list[At] = []
        found: dict[At, tuple[At, ...]] = {}
        for k in reversed(range(len(ordered))):
            if self.solver.tired():
                break
            literal = self.literals[ordered[k]]
            if self.solver.solve([prefixes[k], kept, -literal]):
                self.clauses.clauses.append([-kept, literal])
                stay.append(ordered[k])
                continue
            first: dict[int, At] = {}
            for at in ordered[:k] + stay[::-1]:
                first.setdefault(self.literals[at], at)
            found[ordered[k]] = tuple(first[x] for x in self.solver.minimal(first, [-literal]))
        return found

    def decided(self, trivial: frozenset[At]) -> dict[At, bool]:
        """The soft formulas that the hard ones decide, other than those that the structure decides."""
        soft = {at: x for at, x in self.literals.items() if self.ontology.rules[at[0]].weight is not None}
        soft = {at: x for at, x in soft.items() if at not in trivial}
        possible = self.solver.possible([x for literal in soft.values() for x in (literal, -literal)], [self.law])
        return {at: x in possible for at, x in soft.items() if x not in possible or -x not in possible}

    def forcing(self, trivial: frozenset[At]) -> tuple[tuple[At, int], ...]:
        """The formulas that are false only because a group does not apply: with some value of it they would be true."""
        values: dict[int, Value] = {}
        found: list[tuple[At, int]] = []
        for at, formula in self.formulas.items():
            if at in trivial or self.solver.tired():
                continue
            atoms = (atom(self.ontology, node) for node in formula.walk())
            spoken = sorted({self.ontology.labels[labels[0]].group for labels in atoms if labels})
            for group in (self.ontology.groups[g] for g in spoken):
                if not group.conditional:
                    continue
                inner = [g for g in spoken if self._inside(g, group)]
                for g in inner:
                    values.setdefault(g, self.clauses.value(g, TRUE))
                free = self.clauses.literal(formula, {g: values[g] for g in inner})
                if self.solver.solve([-self.clauses.applies(group.index), -self.literals[at], free]):
                    found.append((at, group.index))
        return tuple(found)

    def _inside(self, index: int, around: Group) -> bool:
        """Whether a group is another or nested in it: where that does not apply, neither does this."""
        while index != around.index:
            condition = self.ontology.groups[index].condition
            if condition is None:
                return False
            index = self.ontology.labels[condition].group
        return True
