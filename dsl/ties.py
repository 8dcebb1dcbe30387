"""What laws make of evidence: which states still occur in a legal world once rules, second parents and `when` count.

Laws tie some variables together; the rest hang on those and follow by propagation. Tied variables are taken knot by
knot: the variables of one knot share no law with any other. Within a knot, states that no law tells apart are one
*block* (`abstraction`), and a SAT solver is asked which blocks a legal world can have, given those that evidence
allows: once for each distinct pattern of blocks, under assumptions, so that what it has learned is kept.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .logic.abstraction import Abstraction
from .logic.clauses import Clauses
from .tables import Bools, Law, Tables, Variable
from .worlds import applies, evaluate

CHUNK = 1024
"""How many rows are written out label by label at once."""


def narrow(tables: Tables, possible: Bools) -> Bools:
    """[N, S] the states of tied variables that occur in a legal world, of states that propagation left, [N, S].

    Rows with no such world are all False. What hangs on tied variables is left to another propagation.
    """
    found = possible & _can_hold(tables)
    for knot in _knots(tables):
        rows = np.flatnonzero(found.any(1))
        found[rows] = knot.narrow(found[rows])
    return found


@lru_cache(maxsize=8)
def _can_hold(tables: Tables) -> bool:
    """Whether the laws that tie no variable hold, such as that a group applies which always does."""
    nothing = np.zeros((1, tables.n_labels), bool)
    alone = [law for law in tables.constraints if not _tied(tables, [law])]
    return all(evaluate(tables.ontology, law.formula, nothing)[0] for law in alone)


@lru_cache(maxsize=8)
def _knots(tables: Tables) -> tuple[Knot, ...]:
    """Laws that share a variable, or a group that may not apply, together."""
    together: list[tuple[set[int], list[Law]]] = []
    for law in tables.constraints:
        tied, laws = _tied(tables, [law]), [law]
        for other in [entry for entry in together if entry[0] & tied]:
            together.remove(other)
            tied, laws = tied | other[0], other[1] + laws
        together.append((tied, laws))
    return tuple(Knot(tables, laws) for tied, laws in together if tied)


def _tied(tables: Tables, laws: list[Law]) -> set[int]:
    return {v.index for v, _ in _variables(tables, Abstraction(tables.ontology, [law.formula for law in laws]))}


def _variables(tables: Tables, abstraction: Abstraction) -> Iterator[tuple[Variable, bool]]:
    """The variables that laws tie together, each with whether its value matters or only whether it applies."""
    for index in sorted(abstraction.needed):
        group = tables.ontology.groups[index]
        decided = abstraction.decided.get(index, ())
        for v in tables.group_variables(group):
            asked = v.label in decided if v.label >= 0 else index in abstraction.asked
            top = v.label < 0 or not tables.ontology.labels[v.label].parents
            if asked or (top and group.conditional):
                yield v, asked


atexit.register(_knots.cache_clear)  # solvers must go before the library that made them is taken down


class Knot:
    """Variables that laws tie together, and the solver that knows those laws.

    `states` lists the states of its variables block by block: block b has `sizes[b]` of them from `starts[b]` on, and a
    world is in one of them where `literals[b]` is true. `first` [variables] is the first block of each variable.
    """

    def __init__(self, tables: Tables, laws: list[Law]):
        from pysat.solvers import Minisat22  # only ontologies with laws need it

        self.tables, self.laws = tables, laws
        abstraction = Abstraction(tables.ontology, [law.formula for law in laws])
        clauses = Clauses(abstraction)
        states: list[list[int]] = []
        literals: list[int] = []
        ends: list[int] = []
        self.variables = tuple(_variables(tables, abstraction))
        for v, asked in self.variables:
            for block, literal in _blocks(tables, clauses, v, asked):
                states.append(block)
                literals.append(literal)
            ends.append(len(states))
        self.states = np.array([s for block in states for s in block], np.int32)
        self.sizes = np.array([len(block) for block in states])
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.first = np.array([0, *ends[:-1]])
        self.literals = literals
        roots = [clauses.literal(law.formula) for law in laws]
        self.solver = Minisat22(bootstrap_with=clauses.clauses + [[root] for root in roots])

    def narrow(self, possible: Bools) -> Bools:
        """As the module's `narrow`, for rows [N, S] that propagation left something of."""
        blocks = np.logical_or.reduceat(possible[:, self.states], self.starts, axis=1)
        patterns, first, back = np.unique(blocks, axis=0, return_index=True, return_inverse=True)
        decided: Bools = np.all(np.add.reduceat(patterns, self.first, axis=1, dtype=np.int32) == 1, axis=1)
        found = patterns.copy()
        found[decided] &= self._legal(possible, first[decided])[:, None]
        for row in np.flatnonzero(~decided).tolist():
            found[row] = self._occurring(patterns[row])
        kept = possible.copy()
        kept[:, self.states] &= np.repeat(found[back.reshape(-1)], self.sizes, axis=1)
        kept &= np.any(found, axis=1)[back.reshape(-1), None]
        return kept

    def _legal(self, possible: Bools, rows: NDArray[np.intp]) -> Bools:
        """Of rows that decide all of the knot, those whose labels obey its laws."""
        legal = np.ones(len(rows), bool)
        ontology = self.tables.ontology
        for start in range(0, len(rows), CHUNK):
            here = slice(start, start + CHUNK)
            labels = self.tables.labels_of(possible[rows[here]])
            for law in self.laws:
                if law.group < 0:
                    legal[here] &= evaluate(ontology, law.formula, labels)
            for v, _ in self.variables:
                if v.na >= 0:
                    legal[here] &= applies(ontology, v.group, labels) != possible[rows[here], v.na]
        return legal

    def _occurring(self, allowed: Bools) -> Bools:
        """Which blocks occur in legal worlds of allowed blocks only."""
        excluded = [-self.literals[b] for b in np.flatnonzero(~allowed).tolist()]
        occurs = np.zeros(len(allowed), bool)
        if not self.solver.solve(assumptions=excluded):
            return occurs
        occurs |= self._true()
        for b in np.flatnonzero(allowed & ~occurs).tolist():
            if not occurs[b] and self.solver.solve(assumptions=[*excluded, self.literals[b]]):
                occurs |= self._true()
        return occurs

    def _true(self) -> Bools:
        model = self.solver.get_model()
        return np.array([(model[abs(x) - 1] > 0) == (x > 0) for x in self.literals], bool)


def _blocks(tables: Tables, clauses: Clauses, v: Variable, asked: bool) -> Iterator[tuple[list[int], int]]:
    """The blocks of a variable's states, each with the literal that the variable is in one of them."""
    group = tables.ontology.groups[v.group]
    here = clauses.applies(v.group)
    if not asked:
        yield list(v.live), here
    elif group.single_choice:
        value, choice = clauses.values[v.group], clauses.abstraction.choices[v.group]
        blocks: list[list[int]] = [[] for _ in value.states]
        for s in v.live:
            blocks[choice.state[int(tables.leaf[s])]].append(s)
        yield from zip(blocks, value.states, strict=True)
    else:
        labels = clauses.values[v.group].labels or {}
        holds = labels[int(tables.leaf[v.start])]
        yield [v.start], holds
        yield [v.no], clauses.all_of([here, -holds])
    if v.na >= 0:
        yield [v.na], -here
