"""An ontology's structure and formulas as clauses over Boolean variables: the input of a SAT solver.

Clauses are lists of non-zero integers, variables or their negations, as in DIMACS. Connectives become gates that are
equivalent to what they stand for (Tseitin), so each literal may be assumed true or false.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..formula import Formula, Op
from ..ontology import Group, Kind
from .abstraction import Abstraction, atom

TRUE = 1
"""The literal of the variable that is always true."""

_PAIRWISE = 5
"""Up to this many states are parted two by two; more by a ladder, which needs a variable and three clauses each."""


@dataclass(frozen=True)
class Value:
    """A group's value in literals: one for each state of a choice, or one for each label that matters."""

    states: tuple[int, ...] = ()
    labels: Mapping[int, int] | None = None


NO_VALUES: Mapping[int, Value] = {}


class Clauses:
    """The clauses of all structure that an abstraction needs, and of formulas as they are asked for.

    Attributes:
        clauses: grows as `literal` meets new formulas; nothing in it is ever taken back.
        values: the value of each group that formulas ask about.
    """

    def __init__(self, abstraction: Abstraction):
        self.abstraction = abstraction
        self.ontology = abstraction.ontology
        self.clauses: list[list[int]] = [[TRUE]]
        self.values: dict[int, Value] = {}
        self._variables = TRUE
        self._gates: dict[tuple[int, ...], int] = {}
        self._applies: dict[int, int] = {}
        self._formulas: dict[Formula, int] = {}
        for group in sorted(abstraction.needed):  # each stands after those that its applicability depends on
            self._applies[group] = self._applicability(group)
            if group in abstraction.asked:
                self.values[group] = self.value(group, self._applies[group])

    def _applicability(self, group: int) -> int:
        g = self.ontology.groups[group]
        parts = []
        if g.condition is not None:
            parts.append(self._asks((g.condition,), self.ontology.labels[g.condition].group, self.values))
        if g.when is not None:
            parts.append(self.literal(g.when))
        return self.all_of(parts)

    # --- variables and gates ---------------------------------------------------------------------

    def variable(self) -> int:
        """A new variable."""
        self._variables += 1
        return self._variables

    def all_of(self, literals: Iterable[int]) -> int:
        """A literal that is true exactly where all of these are."""
        parts = tuple(sorted({x for x in literals if x != TRUE}))
        if not parts:
            return TRUE
        if -TRUE in parts or any(-x in parts for x in parts if x < 0):
            return -TRUE
        if len(parts) == 1:
            return parts[0]
        if parts not in self._gates:
            gate = self._gates[parts] = self.variable()
            self.clauses += [[-gate, x] for x in parts]
            self.clauses.append([gate, *(-x for x in parts)])
        return self._gates[parts]

    def any_of(self, literals: Iterable[int]) -> int:
        """A literal that is true exactly where one of these is."""
        return -self.all_of(-x for x in literals)

    def same(self, a: int, b: int) -> int:
        """A literal that is true exactly where both are true or both false."""
        return self.all_of([self.any_of([-a, b]), self.any_of([a, -b])])

    def at_least(self, count: int, literals: Sequence[int]) -> int:
        """A literal that is true exactly where at least so many are: a sequential counter (Sinz, CP 2005)."""
        if count > len(literals):
            return -TRUE
        reached = [TRUE, *[-TRUE] * count]  # reached[k]: at least k of the literals so far
        for x in literals:
            for k in range(count, 0, -1):
                reached[k] = self.any_of([reached[k], self.all_of([x, reached[k - 1]])])
        return reached[count]

    # --- groups ----------------------------------------------------------------------------------

    def applies(self, group: int) -> int:
        """The literal that a group, one that the abstraction needs, applies."""
        return self._applies[group]

    def value(self, group: int, applies: int) -> Value:
        """New literals for a legal value of a group where the literal `applies` is true, and for none elsewhere."""
        g = self.ontology.groups[group]
        if g.single_choice:
            return Value(states=self._exactly_one(self.abstraction.choices[group].n_states, applies))
        labels: dict[int, int] = {}
        for i in self.abstraction.decided[group]:
            above = [labels[p] for p in self.ontology.labels[i].parents] or [applies]
            labels[i] = self.variable()
            self.clauses += [[-labels[i], p] for p in above]
        return Value(labels=labels)

    def _exactly_one(self, n: int, applies: int) -> tuple[int, ...]:
        if n == 1:
            return (applies,)
        states = tuple(self.variable() for _ in range(n))
        self.clauses.append([-applies, *states])
        self.clauses += [[-s, applies] for s in states]
        if n <= _PAIRWISE:
            self.clauses += [[-a, -b] for k, a in enumerate(states) for b in states[:k]]
            return states
        before = states[0]  # whether one of the states so far is true
        for s in states[1:]:
            self.clauses.append([-before, -s])
            now = self.variable()
            self.clauses += [[-before, now], [-s, now]]
            before = now
        return states

    # --- formulas --------------------------------------------------------------------------------

    def literal(self, formula: Formula, free: Mapping[int, Value] = NO_VALUES) -> int:
        """The literal that a formula, one that the abstraction covers, is true.

        Args:
            formula: the formula.
            free: values to read in place of a group's own, whether or not it applies.
        """
        if free:
            return self._literal(formula, free)
        if formula not in self._formulas:
            self._formulas[formula] = self._literal(formula, free)
        return self._formulas[formula]

    def _literal(self, formula: Formula, free: Mapping[int, Value]) -> int:
        labels = atom(self.ontology, formula)
        if formula.op is Op.APPLIES:
            return self._applies[formula.group]
        if formula.op is Op.NE:
            here = TRUE if formula.group in free else self._applies[formula.group]
            return self.all_of([here, -self._asks(labels, formula.group, free)])
        if not formula.args and formula.op not in (Op.AND, Op.OR):
            return self._asks(labels, self.ontology.labels[labels[0]].group, free) if labels else -TRUE
        return self._connect(formula, [self._literal(arg, free) for arg in formula.args])

    def _connect(self, formula: Formula, args: list[int]) -> int:
        match formula.op:
            case Op.NOT:
                return -args[0]
            case Op.AND:
                return self.all_of(args)
            case Op.OR:
                return self.any_of(args)
            case Op.IMPLIES:
                return self.any_of([-args[0], args[1]])
            case Op.IFF:
                return self.same(*args)
            case Op.AT_LEAST:
                return self.at_least(formula.count, args)
            case Op.AT_MOST:
                return -self.at_least(formula.count + 1, args)
            case _:
                return self.all_of([self.at_least(formula.count, args), -self.at_least(formula.count + 1, args)])

    def _asks(self, labels: tuple[int, ...], group: int, free: Mapping[int, Value]) -> int:
        """The literal that one of some labels of a group holds."""
        value = free.get(group) or self.values[group]
        if value.labels is not None:
            return self.any_of(value.labels[i] for i in labels)
        return self.any_of(value.states[s] for s in self.abstraction.choices[group].states_of[labels])

    # --- worlds ----------------------------------------------------------------------------------

    def world(self, model: Sequence[int]) -> frozenset[int]:
        """A legal world with what a model says, `model[v - 1]` being v or -v; what it leaves open is the first choice.

        The abstraction must need every group that has a `when`.
        """
        world: set[int] = set()
        for group in self.ontology.groups:
            if group.index in self._applies:
                here = _true(model, self._applies[group.index])
            else:
                here = group.condition is None or group.condition in world
            if here:
                world |= self.holding(model, group)
        return frozenset(world)

    def holding(self, model: Sequence[int], group: Group) -> set[int]:
        """The labels of a group that applies, in the world of a model."""
        value = self.values.get(group.index)
        if value is not None and value.labels is not None:
            return {i for i, literal in value.labels.items() if _true(model, literal)}
        if group.single_choice:
            leaves = self.ontology.leaves(group)
            if value is not None:
                state = self.abstraction.choices[group.index].state
                leaves = tuple(i for i in leaves if _true(model, value.states[state[i]]))
            return set(self.ontology.ancestors(leaves[0]))
        assert group.kind in (Kind.BINARY, Kind.MULTILABEL)  # nothing of it need hold
        return set()


def _true(model: Sequence[int], literal: int) -> bool:
    return (model[abs(literal) - 1] > 0) == (literal > 0)
