"""Formulas as text mean what they meant, and call things by their shortest names."""

import numpy as np
import pytest

from linnaeus.dsl.formula import Formula, Op, holds
from linnaeus.dsl.formula_text import formula_text, group_text, label_text
from linnaeus.dsl.load import check_text
from linnaeus.dsl.testing import random_formula

NAMES = """
ontology names
hierarchy product open {
    fruit open { banana { banana }, apple { ordinal size { small < large } } }
    milk, `T-shirt/top`
}
multiclass size { small, large, `at` }
multiclass milk { whole, skimmed { binary fruit } }
multilabel m { a, b is m.size, size { milk } }
binary apple, `any`
"""


@pytest.fixture(scope="module")
def ontology():
    """Names that repeat in every way: down a path, as a group and a class, as a binary and a class, as a keyword."""
    checked = check_text(NAMES, "names.onto")
    assert checked.ontology is not None, checked.diagnostics
    return checked.ontology


def test_the_text_of_any_formula_parses_to_it(ontology):
    rng = np.random.default_rng(3)
    for _ in range(20):
        formulas = [random_formula(rng, ontology, depth=3) for _ in range(10)]
        rules = [f"rule r{k} soft 2 {{ {formula_text(ontology, f)} }}" for k, f in enumerate(formulas)]
        read = check_text("\n".join([NAMES, *rules]), "names.onto")
        assert read.ontology is not None, [d for d in read.diagnostics if d.severity == "error"]
        assert [rule.formulas for rule in read.ontology.rules] == [(f,) for f in formulas]


def test_names_are_as_short_as_can_be(ontology):
    labels = {label.path: label_text(ontology, label.index) for label in ontology.labels}
    assert labels["product.fruit.banana"] == "fruit.banana"
    assert labels["product.fruit.banana.banana"] == "banana.banana"
    assert labels["product.T-shirt/top"] == "`T-shirt/top`"
    assert labels["size.at"] == "`at`"
    assert labels["m.a"] == "a"
    assert labels["any"] == "`any`"
    assert labels["product.fruit.other"] == "fruit.other"
    assert [group_text(ontology, g.index) for g in ontology.groups if g.id == "size"] == ["apple.size", "size"]


def test_brackets_stand_where_they_are_needed_and_nowhere_else(ontology):
    a, b = (holds(label.index) for label in ontology.labels if label.id in ("a", "b"))
    conj, disj, either = Formula(Op.AND, (a, b)), Formula(Op.OR, (a, b)), Formula(Op.IFF, (a, b))

    def law(op, *args):
        return formula_text(ontology, Formula(op, args))

    assert law(Op.OR, conj, a) == "a and b or a"
    assert law(Op.AND, disj, a) == "(a or b) and a"
    assert law(Op.AND, conj, a) == "(a and b) and a"
    assert law(Op.NOT, conj) == "not (a and b)"
    assert law(Op.NOT, Formula(Op.NOT, (a,))) == "not not a"
    assert law(Op.IMPLIES, a, Formula(Op.IMPLIES, (b, a))) == "a => b => a"
    assert law(Op.IMPLIES, Formula(Op.IMPLIES, (b, a)), a) == "(b => a) => a"
    assert law(Op.IFF, either, a) == "(a <=> b) <=> a"
    assert formula_text(ontology, Formula(Op.AT_MOST, (disj, a), count=1)) == "at most 1 of {a or b, a}"
