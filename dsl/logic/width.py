"""How costly exact inference under an ontology's rules is, before anything is compiled.

Rules tie choices together. Summing over all worlds eliminates one variable after another; each time a table over the
variables that it is tied to is made. Formulas of many parts become chains of small tables: of `at most 3 of` forty
things, only the number reached so far is passed on.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ..formula import CONNECTIVES, COUNTS, Formula, Op
from ..ontology import Group, Kind, Ontology
from .abstraction import Abstraction, atom

BUDGET = 1_000_000
"""Numbers in all tables, for one image: a batch of 64 then takes 256 MB as 32-bit floats."""

_GIVEN_UP = 40.0
"""A table of 2 to this many numbers is as bad as any larger one: what comes after it is not looked at."""
_WHOLE = (6.0, 20.0)
"""A formula about variables that have up to 2 to this many values together is one table, and no chain. Which is better
depends on what else ties these variables, so both are tried.
"""
_SUSPECTS = 5
"""So many of the rules that tie most are left out in turn, to see which one to blame."""

Term: TypeAlias = tuple[int, ...]
"""What a formula is a function of: one variable, or none for a constant."""


@dataclass(frozen=True)
class Cost:
    """What inference costs.

    Attributes:
        width: the most variables that a table spans, less one (the treewidth of this order of elimination).
        estimate: the numbers in all tables together.
        rules: those that tie variables of the largest table, the rule that ties most of them first.
    """

    width: int
    estimate: float
    rules: tuple[int, ...]


def inference_cost(ontology: Ontology, without: frozenset[int] = frozenset()) -> Cost:
    """What exact inference under rules, `when` and second parents costs; trees beside them cost next to nothing.

    Args:
        ontology: an ontology.
        without: rules to leave out, by index.
    """
    return min((_cost(_Graph(ontology, without, whole)) for whole in _WHOLE), key=lambda cost: cost.estimate)


def _cost(graph: _Graph) -> Cost:
    tables = _Elimination(graph.sizes, graph.scopes()).run()
    largest = max(tables, key=lambda table: sum(graph.sizes[v] for v in table), default=())
    spans = {rule: {v for scope in scopes for v in scope} & set(largest) for rule, scopes in graph.factors.items()}
    rules = sorted((r for r, span in spans.items() if r >= 0 and len(span) > 1), key=lambda r: (-len(spans[r]), r))
    estimate = math.fsum(2.0 ** sum(graph.sizes[v] for v in table) for table in tables)
    return Cost(max(map(len, tables), default=1) - 1, estimate, tuple(rules))


def rule_to_blame(ontology: Ontology, cost: Cost) -> tuple[int, Cost] | None:
    """The rule without which inference would cost least, and what it would; None if no rule by itself matters."""
    without = [(inference_cost(ontology, frozenset([rule])), rule) for rule in cost.rules[:_SUSPECTS]]
    best = min(without, key=lambda pair: pair[0].estimate, default=None)
    return (best[1], best[0]) if best is not None and best[0].estimate < cost.estimate else None


@dataclass
class _Graph:
    """Variables, by the logarithm (base 2) of how many values they have, and the sets of them that a table spans.

    `factors` has these by rule, -1 for the structure.
    """

    ontology: Ontology
    without: frozenset[int]
    whole: float
    sizes: list[float] = field(default_factory=list)
    factors: dict[int, list[Term]] = field(default_factory=dict)
    groups: dict[int, int] = field(default_factory=dict)
    labels: dict[int, int] = field(default_factory=dict)
    whens: dict[int, Term] = field(default_factory=dict)
    rule: int = -1

    def __post_init__(self) -> None:
        rules = [(r, rule) for r, rule in enumerate(self.ontology.rules) if r not in self.without]
        conditions = [Formula(Op.APPLIES, group=g.index) for g in self.ontology.groups if g.when is not None]
        joined = [Formula(Op.HOLDS, labels=(i.index,)) for i in self.ontology.labels if len(i.parents) > 1]
        spoken = [f for _, rule in rules for f in rule.formulas]
        self.abstraction = Abstraction(self.ontology, [*spoken, *conditions, *joined])
        for group in sorted(self.abstraction.needed):
            self.structure(group)
        for index, rule in rules:
            self.rule = index
            for formula in rule.formulas:
                self.law(formula, hard=rule.weight is None)

    def scopes(self) -> list[Term]:
        """All tables."""
        return [scope for scopes in self.factors.values() for scope in scopes]

    def variable(self, values: int) -> int:
        self.sizes.append(math.log2(values))
        return len(self.sizes) - 1

    def table(self, *terms: Term) -> None:
        """A table over all variables of some terms."""
        self.factors.setdefault(self.rule, []).append(tuple(dict.fromkeys(v for term in terms for v in term)))

    def structure(self, group: int) -> None:
        """The variables of a group, tied to what it depends on."""
        g = self.ontology.groups[group]
        around = self.around(g)
        if g.when is not None:
            condition = self.joined(self.parts(g.when), _values(g.when))
            around = self.whens[group] = self.joined(sorted({around, condition} - {()}), 2)
        if g.kind in (Kind.BINARY, Kind.MULTILABEL):
            for label in self.abstraction.decided.get(group, ()):
                self.labels[label] = self.variable(3 if g.conditional else 2)
                above: list[Term] = [(self.labels[p],) for p in self.ontology.labels[label].parents] or [around]
                for term in above:
                    self.table((self.labels[label],), term)
        elif group in self.abstraction.choices:
            self.groups[group] = self.variable(self.abstraction.choices[group].n_states + g.conditional)
            self.table((self.groups[group],), around)

    def around(self, group: Group) -> Term:
        """What the class around a group is a function of."""
        return () if group.condition is None else self.holds(group.condition)

    def holds(self, label: int) -> Term:
        group = self.ontology.labels[label].group
        return (self.groups[group] if group in self.groups else self.labels[label],)

    def law(self, formula: Formula, hard: bool) -> None:
        """The tables of a formula that is asserted or weighed."""
        if hard and formula.op is Op.AND:
            for arg in formula.args:
                self.law(arg, hard)
            return
        while formula.op is Op.NOT:
            formula = formula.args[0]
        scope = self.scope(formula)
        if sum(self.sizes[v] for v in scope) <= self.whole:
            self.table(scope)
            return
        *before, last = self.parts(formula) or [()]
        values = _values(formula)
        self.table(self.joined(before, values, min(values, len(before) + 1)), last)

    def scope(self, formula: Formula) -> Term:
        """The choices of which a formula speaks, and the conditions of groups."""
        asked = (node for node in formula.walk() if not node.args)
        return tuple(sorted({v for node in asked for term in self.parts(node) for v in term}))

    def parts(self, formula: Formula) -> list[Term]:
        """The variables of which a formula is a function, made for those of its parts that are functions of several."""
        if formula.op is Op.APPLIES:
            g = self.ontology.groups[formula.group]
            terms: list[Term] = [self.whens[g.index] if g.when is not None else self.around(g)]
        elif formula.op in CONNECTIVES or formula.op in COUNTS:
            terms = [self.joined(self.parts(arg), _values(arg)) for arg in formula.args]
        else:
            terms = [self.holds(label) for label in atom(self.ontology, formula)]
        return sorted({term for term in terms if term})  # in one order, so that chains run side by side

    def joined(self, terms: Sequence[Term], values: int, last: int = 2) -> Term:
        """The variable that a chain over some terms ends in: it has `last` values, those on the way up to `values`."""
        if not terms:
            return ()
        result = terms[0]
        for n, term in enumerate(terms[1:], 2):
            passed = self.variable(last if n == len(terms) else min(values, n + 1))
            self.table(result, term, (passed,))
            result = (passed,)
        return result


def _values(formula: Formula) -> int:
    """How many values a formula's chain passes on: so far true or false, or how many of its parts were true."""
    return formula.count + 2 if formula.op in COUNTS else 2


class _Elimination:
    """Eliminates variables one after another, each time one whose table ties the fewest new pairs (min-fill)."""

    def __init__(self, sizes: Sequence[float], scopes: Iterable[Term]):
        self.sizes = sizes
        self.beside: list[set[int]] = [set() for _ in sizes]
        for scope in scopes:
            for v in scope:
                self.beside[v].update(scope)
        for v, others in enumerate(self.beside):
            others.discard(v)

    def run(self) -> list[Term]:
        """The tables, each of a variable and of all that it is tied to at its turn."""
        tables: list[Term] = []
        keys = [self.key(v) for v in range(len(self.sizes))]
        queue = keys.copy()
        heapq.heapify(queue)
        while queue:
            key = heapq.heappop(queue)
            *_, size, v = key
            if key != keys[v]:
                continue  # it is gone, or stands in the queue again
            tables.append((v, *sorted(self.beside[v])))
            if size > _GIVEN_UP:
                break
            keys[v] = (-1, 0.0, v)
            for u in self.take(v):
                if keys[u][0] >= 0:
                    keys[u] = self.key(u)
                    heapq.heappush(queue, keys[u])
        return tables

    def key(self, v: int) -> tuple[float, float, int]:
        """How many pairs a variable's table would tie anew, and the table's size. The largest ones aren't counted."""
        size = self.sizes[v] + sum(self.sizes[u] for u in self.beside[v])
        return (math.inf if size > _GIVEN_UP else len(self.untied(v))), size, v

    def untied(self, v: int) -> list[tuple[int, int]]:
        """The pairs of variables that a table would tie anew."""
        others = list(self.beside[v])
        return [(a, b) for k, a in enumerate(others) for b in others[:k] if b not in self.beside[a]]

    def take(self, v: int) -> set[int]:
        """Eliminate a variable; whose keys that may change."""
        new = self.untied(v)
        changed = set(self.beside[v])
        for u in self.beside[v]:
            self.beside[u] |= self.beside[v]
            self.beside[u] -= {u, v}
        for a, b in new:
            changed |= self.beside[a] & self.beside[b]
        return changed
