"""A SAT solver that holds an ontology's structure, and is asked under assumptions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...errors import fail
from ..formula import Formula, Op
from ..ontology import Ontology
from .abstraction import Abstraction
from .clauses import Clauses

EFFORT = 20_000
"""Conflicts that one solver may meet in all. Rules that people write take a few; this many take about a second."""

WORK = 10_000_000
"""Variables that one solver may decide before it stops looking for oddities: some seconds. Thousands of formulas about
the classes of one large choice take more; that not all was looked for is said."""

_SCANS = 200
"""So many models are searched for all that they show possible; after these a model rarely shows anything new."""


class Solver:
    """Incremental solving over the structure that some formulas need. Formulas are enforced by assuming their literals.

    Raises, whenever it is asked:
        LinnaeusError: E148, where the answer would take more than `EFFORT`.
    """

    def __init__(self, ontology: Ontology, formulas: Iterable[Formula]):
        from pysat.solvers import Minisat22  # needed for rules alone, and slow to load

        conditions = [Formula(Op.APPLIES, group=g.index) for g in ontology.groups if g.when is not None]
        self.abstraction = Abstraction(ontology, [*formulas, *conditions])
        self.clauses = Clauses(self.abstraction)
        self._solver: Any = Minisat22()
        self._known = 0
        self._work = 0
        self.gave_up = False
        """Whether something was not looked for, see `tired`."""

    def tired(self) -> bool:
        """Whether more than `WORK` has been done. Who asks and is told so leaves something out."""
        self.gave_up = self.gave_up or self._work > WORK
        return self._work > WORK

    def solve(self, literals: Iterable[int]) -> bool:
        """Whether all these literals can be true together."""
        assumptions = list(literals)  # which may make new clauses
        for clause in self.clauses.clauses[self._known :]:
            self._solver.add_clause(clause)
        self._known = len(self.clauses.clauses)
        self._work += self._solver.nof_vars()
        self._solver.conf_budget(max(1, EFFORT - int(self._solver.accum_stats()["conflicts"])))
        answer = self._solver.solve_limited(assumptions=assumptions)
        if answer is None:
            raise fail(
                "E148",
                f"the rules are too entangled to say which worlds are legal: undecided after {EFFORT} steps",
                help="write the longest formulas as several rules about fewer groups, or make some rules soft",
            )
        return bool(answer)

    def model(self) -> list[int]:
        """After `solve` was true, each variable or its negation."""
        model: list[int] = self._solver.get_model()
        return model

    def world(self) -> frozenset[int]:
        """After `solve` was true, the labels that hold in a world that shows it."""
        return self.clauses.world(self.model())

    def possible(self, literals: Iterable[int], given: Sequence[int] = ()) -> set[int]:
        """Those of some literals that can be true, each by itself, where the `given` ones are; a tired solver takes
        those that it has not looked at for possible.
        """
        left = dict.fromkeys(literals)
        found: set[int] = set()
        scans = 0
        while left:
            if self.tired():
                return found | set(left)
            literal = next(iter(left))
            del left[literal]
            if not self.solve([*given, literal]):
                continue
            found.add(literal)
            if left and scans < _SCANS:
                scans += 1
                model = self.model()
                shown = [x for x in left if (model[abs(x) - 1] > 0) == (x > 0)]
                found.update(shown)
                for x in shown:
                    del left[x]
        return found

    def minimal(self, literals: Iterable[int], given: Sequence[int] = ()) -> list[int]:
        """Of literals that can't all be true where the `given` ones are, as few as can't either, in their order.

        By deletion: taking any one out of the result lets the others be true together.
        """
        core = self._core(list(dict.fromkeys(literals)), given)
        for literal in core[::-1]:
            rest = [x for x in core if x != literal]
            if literal in core and not self.solve([*given, *rest]):
                core = [x for x in rest if x in set(self._solver.get_core() or ())]
        return core

    def _core(self, literals: list[int], given: Sequence[int]) -> list[int]:
        assert not self.solve([*given, *literals])
        core = set(self._solver.get_core() or ())
        return [x for x in literals if x in core]
