"""Clauses have as many models as there are worlds that formulas can tell apart."""

import numpy as np
import pytest
from pysat.solvers import Minisat22

from linnaeus.dsl.formula import Formula, Op, holds
from linnaeus.dsl.logic.abstraction import Abstraction, atom
from linnaeus.dsl.logic.clauses import TRUE, Clauses
from linnaeus.dsl.ontology import Group, Kind, Label, Ontology
from linnaeus.dsl.testing import applies_in, enumerate_worlds, random_formula, random_ontology, true_in


def models(clauses, literals, assumptions=()):
    """The models of clauses, as the values of some literals, by blocking each that was found."""
    found = []
    with Minisat22(bootstrap_with=clauses.clauses) as solver:
        while solver.solve(assumptions=list(assumptions)):
            model = solver.get_model()
            values = tuple(x if (model[abs(x) - 1] > 0) == (x > 0) else -x for x in literals)
            found.append(tuple(value == x for value, x in zip(values, literals, strict=True)))
            solver.add_clause([-value for value in values] or [-TRUE])
    return found


def told_apart(ontology, formulas, worlds):
    """Worlds by what formulas can see of them: what their atoms ask, and which of the groups they need apply."""
    abstraction = Abstraction(ontology, formulas)
    asked = [(group, labels) for group, sets in sorted(abstraction.asked.items()) for labels in sorted(sets)]
    single = [labels for group, labels in asked if ontology.groups[group].single_choice]
    alone = [i for labels in abstraction.decided.values() for i in labels]
    return {
        (
            tuple(any(i in world for i in labels) for labels in single),
            tuple(i in world for i in alone),
            tuple(applies_in(ontology, ontology.groups[g], world) for g in sorted(abstraction.needed)),
        )
        for world in worlds
    }


def test_models_are_the_worlds_that_formulas_tell_apart():
    rng = np.random.default_rng(2)
    for _ in range(60):
        ontology = random_ontology(rng, rules=3, max_labels=16, max_worlds=120, consistent=False)
        formulas = [random_formula(rng, ontology) for _ in range(2)]
        clauses = Clauses(Abstraction(ontology, formulas))
        structure = [frozenset(np.flatnonzero(row).tolist()) for row in enumerate_worlds(ontology, rules=False)]
        values = clauses.values.values()
        literals = [x for v in values for x in (v.states if v.labels is None else v.labels.values())]
        literals += [clauses.applies(g) for g in clauses.abstraction.needed]
        asserted = [clauses.literal(f) for f in formulas]
        for assumptions, worlds in (
            ([], structure),
            (asserted, [w for w in structure if all(true_in(ontology, f, w) for f in formulas)]),
            ([-asserted[0]], [w for w in structure if not true_in(ontology, formulas[0], w)]),
        ):
            found = models(clauses, literals, assumptions)
            assert len(found) == len(set(found)) == len(told_apart(ontology, formulas, worlds))


@pytest.mark.parametrize("n", range(6))
def test_counters_count(n):
    clauses = Clauses(Abstraction(Ontology("empty", (), ()), ()))
    inputs = [clauses.variable() for _ in range(n)]
    clauses.clauses += [[x, -x] for x in inputs]
    counters = [clauses.at_least(k, inputs) for k in range(n + 2)]
    seen = models(clauses, [*inputs, *counters])
    assert len(seen) == 2**n
    for values in seen:
        assert list(values[n:]) == [sum(values[:n]) >= k for k in range(n + 2)]


def taxonomy(leaves):
    """A hierarchy of so many leaves under a root's two classes, and a binary."""
    top = [Label(0, 0, "a", "h.a"), Label(1, 0, "b", "h.b")]
    rest = [Label(2 + k, 0, f"c{k}", f"h.{'ab'[k % 2]}.c{k}", (k % 2,)) for k in range(leaves)]
    flag = Label(2 + leaves, 1, "wet", "wet")
    groups = (
        Group(0, Kind.HIERARCHY, "h", "h", tuple(range(2 + leaves))),
        Group(1, Kind.BINARY, "wet", "wet", (flag.index,)),
    )
    return Ontology("t", groups, (*top, *rest, flag))


def test_leaves_that_nothing_tells_apart_are_one_state():
    ontology = taxonomy(1000)
    wet = holds(1002)
    sizes = {
        (): None,
        (holds(0),): 2,
        (holds(0), holds(10)): 3,  # a without c8, c8, b
        (Formula(Op.ANY, group=0),): 1,  # always so
        (Formula(Op.IN, labels=tuple(range(2, 500)), group=0), wet): 2,
        (Formula(Op.ANY, group=0, labels=(1,)), holds(1)): 2,
    }
    for formulas, states in sizes.items():
        abstraction = Abstraction(ontology, formulas)
        assert (abstraction.choices[0].n_states if 0 in abstraction.choices else None) == states
    assert not Clauses(Abstraction(ontology, [wet])).values[1].states
    assert 0 not in Clauses(Abstraction(ontology, [wet])).values  # what no formula touches costs no variable


def test_an_abstraction_knows_what_it_covers():
    ontology = taxonomy(10)
    abstraction = Abstraction(ontology, [Formula(Op.IMPLIES, (holds(3), holds(12)))])
    assert abstraction.covers([holds(3)])
    assert abstraction.covers([Formula(Op.NOT, (Formula(Op.EQ, labels=(3,), group=0),))])
    assert not abstraction.covers([holds(4)])
    assert not Abstraction(ontology, []).covers([Formula(Op.APPLIES, group=0)])


def test_an_atom_is_the_labels_of_which_one_holds():
    ontology = taxonomy(4)
    assert atom(ontology, Formula(Op.IN, labels=(5, 3), group=0)) == (3, 5)
    assert atom(ontology, Formula(Op.ANY, group=0)) == (0, 1)
    assert atom(ontology, Formula(Op.ANY, group=0, labels=(0,))) == (2, 4)
    assert atom(ontology, Formula(Op.NE, group=0, labels=(2,))) == (2,)
    assert atom(ontology, Formula(Op.NOT, (holds(1),))) == ()
