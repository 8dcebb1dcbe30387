"""What inference costs: known widths, chains that stay narrow, and the rule to blame."""

import itertools

import numpy as np
import pytest

from linnaeus.dsl.load import check_text
from linnaeus.dsl.logic.width import BUDGET, inference_cost, rule_to_blame


def read(*lines):
    checked = check_text("ontology x\n" + "\n".join(lines), "x.onto")
    assert checked.ontology is not None or {d.code for d in checked.diagnostics if d.severity == "error"} == {"E143"}
    return checked


def cost(*lines):
    return inference_cost(read(*lines).ontology)


def binaries(n):
    return ", ".join(f"b{i}" for i in range(n))


def rule(name, laws, head=""):
    return f"rule {name} {head} {{\n" + "\n".join(laws) + "\n}"


@pytest.mark.parametrize("n", [2, 5, 9])
def test_all_pairs_tied_are_one_table_of_all(n):
    pairs = [f"b{i} or b{k}" for i, k in itertools.combinations(range(n), 2)]
    found = cost(f"binary {binaries(n)}", rule("r", pairs))
    assert found.width == n - 1
    assert found.estimate == 2 ** (n + 1) - 2  # n variables, then n - 1, … then one


def test_a_chain_has_width_one_and_a_grid_its_side():
    chain = [f"b{i} => b{i + 1}" for i in range(99)]
    found = cost(f"binary {binaries(100)}", rule("r", chain))
    assert (found.width, found.estimate) == (1, 99 * 4 + 2)
    grid = [f"b{5 * y + x} or b{5 * y + x + 1}" for y in range(5) for x in range(4)]
    grid += [f"b{5 * y + x} or b{5 * y + x + 5}" for y in range(4) for x in range(5)]
    assert cost(f"binary {binaries(25)}", rule("r", grid)).width == 5


def test_soft_rules_count_as_hard_ones_do():
    laws = [f"b{i} or b{k}" for i, k in itertools.combinations(range(6), 2)]
    assert cost(f"binary {binaries(6)}", rule("r", laws, "soft 1")).width == 5


def test_counts_and_long_formulas_are_chains():
    things = ", ".join(f"c{i}" for i in range(40))
    group = f"multilabel m {{ {things} }}"
    one = cost(group, rule("r", [f"at most 3 of {{ {things} }}"]))
    assert one.width == 2
    assert one.estimate < 40 * 5 * 5 * 2 * 2
    back = ", ".join(f"c{i}" for i in reversed(range(40)))
    several = [f"at most 3 of {{ {things} }}", f"at least 2 of {{ {back} }}", things.replace(", ", " or ")]
    assert cost(group, rule("r", several)).estimate < BUDGET / 10


def test_states_that_nothing_tells_apart_cost_nothing():
    few = "hierarchy h { a { x, y }, b }"
    many = "hierarchy h { a { " + ", ".join(f"x{i}" for i in range(500)) + " }, b }"
    laws = ["a => wet", "wet or b"]
    assert cost(few, "binary wet", rule("r", laws)) == cost(many, "binary wet", rule("r", laws))


def test_what_applies_where_is_part_of_the_cost():
    nested = "multiclass g { a, b { multiclass h { c, d } } }"
    assert cost(nested).estimate == 0
    assert cost(nested, "binary wet", rule("r", ["c => wet"])).width == 1
    assert cost(nested, "multiclass w when c { e, f }").estimate == 0  # an attribute that stands elsewhere
    assert cost(nested, "binary wet", "multiclass w when c or wet { e, f }").width == 2


def test_second_parents_are_part_of_the_cost():
    assert cost("multilabel m { a, b, c is a }").estimate == 0  # a tree
    assert cost("multilabel m { a, b, c is a and b }").width == 1


def test_the_rule_to_blame_is_the_one_that_ties_the_knot():
    rng = np.random.default_rng(0)
    knot = ["{} and {} => {}".format(*(f"b{i}" for i in rng.choice(40, 3, replace=False))) for _ in range(120)]
    chain = [f"b{i} => b{i + 1}" for i in range(39)]
    lines = [f"binary {binaries(40)}", rule("before", ["b0 or b3"]), rule("knot", knot, "soft 1"), rule("chain", chain)]
    found = read(*lines)
    assert found.ontology is None
    [error] = [d for d in found.diagnostics if d.code == "E143"]
    assert "rule knot has the largest part in it" in error.message
    assert error.help.startswith("without it: about")
    assert "which is few enough" in error.help
    assert found.sources["x.onto"].splitlines()[error.span.line - 1].startswith("rule knot")


def test_nothing_is_to_blame_where_nothing_is_tied():
    ontology = read("binary a, b").ontology
    assert rule_to_blame(ontology, inference_cost(ontology)) is None
