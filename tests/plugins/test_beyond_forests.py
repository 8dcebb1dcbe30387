"""Heads, decoders and metrics on ontologies with rules, several parents and `when`."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from linnaeus.dsl.evidence import possible_states
from linnaeus.dsl.formula import Formula, Op, conjunction, holds
from linnaeus.dsl.load import check_text
from linnaeus.dsl.tables import compile_tables
from linnaeus.dsl.testing import enumerate_worlds, random_evidence, random_formula, random_ontology
from linnaeus.dsl.worlds import applies, evaluate
from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import Predictions
from linnaeus.plugins.decoders.best_world import BestWorld
from linnaeus.plugins.decoders.risk import Risk
from linnaeus.plugins.heads.conditional import Conditional
from linnaeus.plugins.heads.degree import degree
from linnaeus.plugins.heads.flat import Flat
from linnaeus.plugins.heads.independent import Independent
from linnaeus.plugins.metrics.answers import answers
from linnaeus.plugins.metrics.worlds import Consistency, ExactMatch

PLANT = """
ontology plant
multiclass crop { apple, tomato }
hierarchy health { healthy, diseased { ordinal severity { mild < severe } } }
multiclass season when crop.apple and health.diseased { spring, autumn }
multilabel objects { vehicle { car, boat }, toy { doll }, model_boat is boat and toy }
rule hosts { severe => apple }
rule usual soft 2.0 { apple => healthy }
"""
PARTS = {
    "rule hosts": "multiclass a { x, y }\nbinary b\nrule hosts { x => b }",
    "soft rule usual": "multiclass a { x, y }\nbinary b\nrule usual soft 2.0 { x => b }",
    "the `when` of c": "multiclass a { x, y }\nbinary b\nbinary c when a.x and b",
    "m.z is m.x and m.y": "multilabel m { x, y, z is x and y }",
}


def ontology(text):
    return check_text(text if text.startswith("\n") else f"ontology o\n{text}", "o.onto").require()


@pytest.mark.parametrize("source", PARTS)
@pytest.mark.parametrize("plugin", [Flat, Conditional, Risk])
def test_what_only_a_forest_suits_refuses_the_rest_and_names_it(plugin, source):
    o = ontology(PARTS[source])
    with pytest.raises(LinnaeusError) as e:
        plugin.check(o)
    (found,) = e.value.diagnostics
    assert found.code == ("E419" if plugin is Risk else "E418")
    assert f"{plugin.name!r} can't obey {source} (ontology o)" in found.message
    assert ("nest the group" in found.help) == ("when" in source)
    if plugin is not Risk:
        assert "independent" in found.help
        with pytest.raises(LinnaeusError, match="E418"):  # whoever builds it without a study
            plugin().build(compile_tables(o), 3, nnx.Rngs(0))


def test_what_suits_every_ontology():
    for plugin in (Independent, BestWorld):
        plugin.check(ontology(PLANT))
    for plugin in (Flat, Conditional, Risk):
        plugin.check(ontology("multiclass a { x, y { } }\nmultilabel m { x { z }, y }\nbinary b when a.x"))


def test_long_lists_of_laws_are_cut():
    rules = "\n".join(f"rule r{k} {{ x{k} => b }}" for k in range(7))
    with pytest.raises(LinnaeusError, match=r"rule r0, rule r1, rule r2, rule r3 and 3 more \(ontology"):
        Flat.check(ontology(f"multiclass a {{ {', '.join(f'x{k}' for k in range(8))} }}\nbinary b\n{rules}"))


def test_degree_is_exact_for_certain_labels_and_for_formulas_that_mention_each_once():
    rng = np.random.default_rng(0)
    for _ in range(15):
        o = random_ontology(rng, max_labels=10, max_worlds=60)
        formula = random_formula(rng, o)
        worlds = enumerate_worlds(o)
        worlds = worlds[rng.integers(len(worlds), size=32)]  # one shape compiles once
        applying = [jnp.asarray(applies(o, g.index, worlds), jnp.float32) for g in o.groups]
        padded = np.pad(worlds, ((0, 0), (0, 10 - worlds.shape[1])))
        found = degree(o, formula, jnp.asarray(padded, jnp.float32), applying)
        assert (np.asarray(found) == evaluate(o, formula, worlds)).all()
    o = ontology("multilabel m { a, b, c, d }")
    p = np.array([0.2, 0.5, 0.7, 0.9])
    worlds = enumerate_worlds(o)
    weight = np.where(worlds, p, 1 - p).prod(1)
    a, b, c, d = map(holds, range(4))
    p = np.tile(p, (32, 1))
    for formula in (
        Formula(Op.IMPLIES, (a, Formula(Op.NOT, (b,)))),
        Formula(Op.IFF, (conjunction([a, b]), Formula(Op.OR, (c, d)))),
        *(Formula(op, (a, b, c, d), count=n) for op in (Op.AT_MOST, Op.AT_LEAST, Op.EXACTLY) for n in range(5)),
    ):
        expected = weight @ evaluate(o, formula, worlds)
        assert np.allclose(degree(o, formula, jnp.asarray(p, jnp.float32), []), expected, atol=1e-6)


def test_independent_answers_a_group_only_where_its_when_is_true():
    o = ontology(PLANT)
    tables = compile_tables(o)
    module = Independent().build(tables, 3, nnx.Rngs(0))
    scores = np.random.default_rng(1).normal(0, 3, (400, tables.n_labels)).astype(np.float32)
    worlds, p = (np.asarray(f(jnp.asarray(scores))) for f in (module.best_world, module.marginals))
    for group in o.groups:
        here = applies(o, group.index, worlds)
        some = worlds[:, list(group.labels)].any(1)
        assert (some == here).all() if group.single_choice else not (some & ~here).any()
    season = next(g for g in o.groups if g.id == "season")
    index = {label.path: label.index for label in o.labels}
    sigmoid = 1 / (1 + np.exp(-scores))
    when = sigmoid[:, index["crop.apple"]] * sigmoid[:, index["health.diseased"]]
    assert np.allclose(p[:, list(season.labels)], sigmoid[:, list(season.labels)] * when[:, None], atol=1e-6)
    assert 0 < applies(o, season.index, worlds).mean() < 1


def test_independent_trains_on_evidence_of_ontologies_with_laws():
    tables = compile_tables(ontology(PLANT))
    module = Independent().build(tables, 3, nnx.Rngs(0))
    allowed = random_evidence(np.random.default_rng(2), tables, 8).allowed()
    assert possible_states(tables, allowed).any(1).all()
    value, gradient = jax.value_and_grad(lambda s: module.log_likelihood(s, allowed).sum())(
        jnp.zeros((8, tables.n_labels))
    )
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert (gradient != 0).any(1).mean() > 0.5


def predictions(tables, possible, worlds):
    return Predictions(tables, possible, worlds, worlds.astype(np.float32), None)


def test_consistency_counts_worlds_that_break_a_rule_a_when_or_a_second_parent():
    rng = np.random.default_rng(3)
    broken = 0
    for text in [PLANT, *PARTS.values()]:
        tables = compile_tables(ontology(text))
        legal = {w.tobytes() for w in enumerate_worlds(tables.ontology)}
        worlds = enumerate_worlds(replace(tables.ontology, rules=()))
        worlds = np.concatenate([worlds, worlds ^ (rng.random(worlds.shape) < 0.1)])
        p = predictions(tables, np.ones((len(worlds), tables.n_states), bool), worlds)
        share = np.mean([w.tobytes() in legal for w in worlds])
        assert Consistency().score(p, None, None).value() == pytest.approx(share)
        broken += share < 1
    assert broken >= len(PARTS)  # all but perhaps the one whose soft rule forbids nothing


def test_truth_and_answer_of_a_group_with_a_when():
    tables = compile_tables(ontology(PLANT))
    o = tables.ontology
    worlds = enumerate_worlds(o)
    p = predictions(tables, tables.states_of(worlds), worlds)
    assert ExactMatch().score(p, None, None).value() == 1
    group = next(g for g in o.groups if g.id == "season")
    found = answers(p, group)
    here = applies(o, group.index, worlds)
    assert ((found.truth >= 0) == here).all()
    assert (found.truth == found.predicted).all()
    assert 0 < here.mean() < 1
    unknown = possible_states(tables, np.ones((1, tables.n_states), bool))
    assert answers(predictions(tables, unknown, worlds[:1]), group).truth.tolist() == [-1]
