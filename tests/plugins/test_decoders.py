import functools

import jax
import numpy as np
import pytest
from flax import nnx

from linnaeus.dsl.ontology import Kind
from linnaeus.dsl.tables import compile_tables
from linnaeus.dsl.testing import random_ontology, side_by_side
from linnaeus.plugins.decoders.best_world import BestWorld
from linnaeus.plugins.decoders.risk import Risk
from linnaeus.plugins.heads.conditional import Conditional
from linnaeus.plugins.heads.independent import Independent
from linnaeus.plugins.testing import check_decoder

jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(30)
    return compile_tables(side_by_side([random_ontology(rng) for _ in range(24)]))


@pytest.fixture(scope="module")
def answers(tables):
    """Probabilities and decoded worlds of 12 random score vectors."""
    head = Conditional().build(tables, 4, nnx.Rngs(0))
    rng = np.random.default_rng(31)
    k = head.linear.bias.shape[0] + head.gaps.shape[0]
    scores = rng.normal(0, 1.5, (12, k)).astype(np.float32)
    p = np.asarray(jit(head.marginals)(scores), np.float64)
    return p, np.asarray(jit(functools.partial(Risk().decode, tables, head))(scores)), head, scores


def height(ontology, label):
    return max((height(ontology, c) + 1 for c in ontology.children[label]), default=0)


def cost(ontology, group, a, b):
    """Of answering leaf a where b is true, from the definition."""
    if a == b:
        return 0
    if group.kind is Kind.ORDINAL:
        return abs(group.labels.index(a) - group.labels.index(b))
    if group.kind is Kind.MULTICLASS:
        return 1
    shared = [n for n in ontology.ancestors(a) if n in set(ontology.ancestors(b))]
    top = 1 + max(height(ontology, i) for i in group.labels)
    return min((height(ontology, n) for n in shared), default=top)


def test_risk_answers_the_leaf_of_least_expected_cost(tables, answers):
    p, worlds, _, _ = answers
    ontology = tables.ontology
    assert tables.states_of(worlds).any(1).all()
    differs = 0
    for group in (g for g in ontology.groups if g.single_choice):
        leaves = list(ontology.leaves(group))
        costs = np.array([[cost(ontology, group, a, b) for b in leaves] for a in leaves])
        given = 1 if group.condition is None else p[:, [group.condition]]
        expected = (p[:, leaves] / given) @ costs.T
        applies = np.ones(len(p), bool) if group.condition is None else worlds[:, group.condition]
        chosen = worlds[:, leaves].argmax(1)
        assert (worlds[:, leaves].sum(1) == applies).all()
        assert (expected[np.arange(len(p)), chosen] <= expected.min(1) + 1e-5)[applies].all()
        differs += (chosen != p[:, leaves].argmax(1))[applies].sum()
    assert differs > 2  # the costs matter


def test_risk_answers_the_set_with_the_fewest_expected_mistakes(tables, answers):
    p, worlds, _, _ = answers
    ontology = tables.ontology
    for group in (g for g in ontology.groups if not g.single_choice):
        labels = list(group.labels)
        given = 1 if group.condition is None else p[:, [group.condition]]
        q = p[:, labels] / given
        applies = np.ones(len(p), bool) if group.condition is None else worlds[:, group.condition]
        subsets = np.array(np.meshgrid(*[[0, 1]] * len(labels))).reshape(len(labels), -1).T
        place = {i: k for k, i in enumerate(labels)}
        legal = [all(s[place[j]] for i in labels if s[place[i]] for j in ontology.labels[i].parents) for s in subsets]
        mistakes = (q[:, None] * (1 - subsets) + (1 - q[:, None]) * subsets).sum(2)[:, legal]
        mine = worlds[:, labels]
        found = (q * ~mine + (1 - q) * mine).sum(1)
        assert (found <= mistakes.min(1) + 1e-5)[applies].all()
        assert not mine[~applies].any()


def test_best_world_is_the_heads_own(tables, answers):
    _, _, head, scores = answers
    decode = jit(functools.partial(BestWorld().decode, tables, head))
    assert (np.asarray(decode(scores)) == np.asarray(jit(head.best_world)(scores))).all()


def test_risk_is_legal_even_for_an_incoherent_head(tables):
    head = Independent().build(tables, 4, nnx.Rngs(0))
    scores = np.random.default_rng(32).normal(0, 3, (50, tables.n_labels)).astype(np.float32)
    worlds = np.asarray(jit(functools.partial(Risk().decode, tables, head))(scores))
    assert tables.states_of(worlds).any(1).all()
    assert not tables.states_of(np.asarray(jit(head.best_world)(scores))).any(1).all()


@pytest.mark.parametrize("decoder", [BestWorld, Risk()])
def test_decoders_pass_the_conformance_suite(decoder):
    check_decoder(decoder)
