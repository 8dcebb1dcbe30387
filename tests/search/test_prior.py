import jax
import jax.numpy as jnp
import numpy as np
import pytest

from linnaeus.dsl.evidence import evidence_from_allowed
from linnaeus.dsl.ontology import Kind
from linnaeus.dsl.tables import compile_tables
from linnaeus.dsl.testing import enumerate_worlds, random_evidence, random_ontology, random_states
from linnaeus.plugins.decoders.risk import Risk
from linnaeus.plugins.heads.coherent import local_log_probabilities
from linnaeus.search.prior import fit_prior


@pytest.fixture(scope="module")
def tables():
    """All kinds but ordinals nested and not, in one small ontology."""
    rng = np.random.default_rng(5)
    while True:
        ontology = random_ontology(rng, depth=1, max_labels=16)
        kinds = {g.kind for g in ontology.groups}
        if kinds >= {Kind.HIERARCHY, Kind.MULTILABEL, Kind.ORDINAL} and len(compile_tables(ontology).levels) == 2:
            return compile_tables(ontology)


def free(v, states):
    return states[:, list(v.free)].any(1) if v.parent >= 0 else np.ones(len(states), bool)


def test_with_whole_worlds_it_is_smoothed_class_frequencies(tables):
    rng = np.random.default_rng(1)
    states = random_states(rng, tables, 400)
    prior = fit_prior(tables, evidence_from_allowed(tables, states), smoothing=0.5)
    fresh = random_states(rng, tables, 200)
    expected = np.zeros(len(fresh))
    for v in tables.variables:
        counts = states[free(v, states)][:, v.live].sum(0) + 0.5
        expected += free(v, fresh) * (fresh[:, v.live] @ np.log(counts / counts.sum()))
    answers = prior.answer(evidence_from_allowed(tables, fresh))
    np.testing.assert_allclose(answers.log_likelihood, expected, rtol=1e-5, atol=1e-4)


def test_labels_missing_at_random_do_not_move_frequencies(tables):
    """A group known or unknown, record by record: frequencies among the records where it is known and applies."""
    rng = np.random.default_rng(2)
    states = random_states(rng, tables, 600)
    roots = [v for v in tables.variables if v.parent < 0]
    allowed = states.copy()
    for v in roots:  # hide whole trees of variables, so that what applies stays known
        tree = {v.index}
        tree |= {w.index for w in tables.variables if _root(tables, w) == v.index}
        hidden = rng.random(len(states)) < 0.5
        allowed |= hidden[:, None] & np.isin(tables.state_variable, list(tree))
    prior = fit_prior(tables, evidence_from_allowed(tables, allowed))
    p = prior.answer(evidence_from_allowed(tables, states)).probabilities[0]
    for v in roots:
        known = ~allowed[:, v.start : v.stop].all(1)
        live = states[known][:, v.live].sum(0) + 0.5
        shares = live / live.sum()
        for s in v.live:
            if tables.leaf[s] >= 0:
                assert p[tables.leaf[s]] == pytest.approx(shares[s - v.start], abs=1e-5)


def _root(tables, v):
    while v.parent >= 0:
        v = tables.variables[v.parent]
    return v.index


def test_coarse_and_missing_evidence_reaches_the_maximum(tables):
    """No nearby distribution explains the evidence better: the smoothed log-likelihood is flat in every score."""
    rng = np.random.default_rng(3)
    evidence = random_evidence(rng, tables, 300)
    prior = fit_prior(tables, evidence)
    allowed = jnp.asarray(evidence.allowed())

    layout = prior.head.layout
    live = np.ones(tables.n_states)
    live[[v.na for v in tables.variables if v.na >= 0]] = 0

    def objective(scores):
        value = prior.head.log_likelihood(jnp.tile(scores, (len(allowed), 1)), allowed).sum()
        return value + 0.5 * (local_log_probabilities(layout, scores[None])[0] @ live)

    gradient_of = jax.jit(jax.grad(objective))
    gradient = np.asarray(gradient_of(jnp.asarray(prior.scores)))
    assert np.abs(gradient).max() < 0.05  # of 300 records
    uniform = np.asarray(gradient_of(jnp.zeros_like(prior.scores)))
    assert np.abs(uniform).max() > 5


def test_it_is_a_distribution_that_answers_every_image_alike(tables):
    rng = np.random.default_rng(4)
    evidence = random_evidence(rng, tables, 50)
    prior = fit_prior(tables, evidence)
    again = fit_prior(tables, evidence)
    assert (prior.scores == again.scores).all()
    answers = prior.answer(evidence)
    assert answers.worlds.shape == answers.probabilities.shape == (50, tables.n_labels)
    assert (answers.worlds == answers.worlds[0]).all()
    assert tables.states_of(answers.worlds[:1]).any()
    assert np.isfinite(answers.log_likelihood).all()
    by_risk = prior.answer(evidence, Risk())
    assert tables.states_of(by_risk.worlds[:1]).any()
    assert prior.answer(evidence.take(np.arange(0))).log_likelihood.shape == (0,)


def test_classes_never_seen_keep_a_little_probability():
    ontology = random_ontology(np.random.default_rng(6), groups=1, depth=1)
    tables = compile_tables(ontology)
    worlds = tables.states_of(enumerate_worlds(ontology))
    prior = fit_prior(tables, evidence_from_allowed(tables, worlds[:1]))
    values = prior.answer(evidence_from_allowed(tables, worlds)).log_likelihood
    assert np.isfinite(values).all()
    assert values.argmax() == 0
    assert np.exp(values).sum() == pytest.approx(1, abs=1e-5)


def test_no_training_record_gives_the_uniform_start():
    tables = compile_tables(random_ontology(np.random.default_rng(7), groups=1, depth=0))
    prior = fit_prior(tables, evidence_from_allowed(tables, np.zeros((0, tables.n_states), bool)))
    one = evidence_from_allowed(tables, np.eye(tables.n_states, dtype=bool)[:1])
    assert np.isfinite(prior.answer(one).log_likelihood).all()
