"""Every head against its definition: all legal worlds listed, each scored in float64 by the formula in docs/heads.md.

Fifty random ontologies stand side by side in one compiled program; evidence about one of them leaves the others
unknown, which contributes exactly 0. Float32 tolerance for scores of deviation 1.5: 1e-4 on log-probabilities, 2e-5
relative on probabilities.
"""

import dataclasses
import functools
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from linnaeus.dsl.evidence import NO, YES, decided_labels, propagate
from linnaeus.dsl.ontology import Group, Kind, Label, Ontology
from linnaeus.dsl.tables import compile_tables
from linnaeus.dsl.testing import enumerate_worlds, random_evidence, random_ontology, random_states, side_by_side
from linnaeus.plugins.heads.conditional import Conditional
from linnaeus.plugins.heads.flat import Flat
from linnaeus.plugins.heads.independent import Independent
from linnaeus.plugins.heads.layout import NARROWEST, lay_out
from linnaeus.plugins.testing import check_head

jit = functools.partial(jax.jit, compiler_options={"xla_backend_optimization_level": 0})  # each program runs once
HEADS = {"flat": Flat(), "conditional": Conditional()}
ROWS = 6


def build(head, tables, features=3, seed=0):
    return head.build(tables, features, nnx.Rngs(seed))


def n_scores(tables, flat):
    layout = lay_out(tables, flat)
    return layout.outputs + len(layout.start_gaps)


def logsumexp(x):
    top = np.max(x)
    return top + np.log(np.exp(x - top).sum())


class Definition:
    """log P(world) for one vector of scores, from the formula alone. Scores are read in the order that docs/heads.md
    gives: nodes of trees by depth, yes-or-no classes, first thresholds of ordinals, gaps of ordinals.
    """

    def __init__(self, ontology, flat, scores):
        self.o, self.flat, self.total = ontology, flat, {}
        z = np.asarray(scores, np.float64)
        trees = [g for g in ontology.groups if g.kind in (Kind.MULTICLASS, Kind.HIERARCHY)]
        order = []
        here = [i for g in trees for i in (ontology.leaves(g) if flat else self.tops(g))]
        while here:
            order += here
            here = [] if flat else [c for i in here for c in ontology.children[i]]
        order += [i for g in ontology.groups if g.kind in (Kind.BINARY, Kind.MULTILABEL) for i in g.labels]
        self.score = dict(zip(order, z, strict=False))
        self.level = {}
        ordinals = [g for g in ontology.groups if g.kind is Kind.ORDINAL]
        gap = len(order) + len(ordinals)
        for first, g in enumerate(ordinals, start=len(order)):
            gaps = np.log1p(np.exp(z[gap : gap + len(g.labels) - 2])) + NARROWEST
            gap += len(gaps)
            theta = z[first] + np.concatenate([[0], np.cumsum(gaps)])
            at_most = np.concatenate([[0], 1 / (1 + np.exp(-theta)), [1]])
            self.level.update(zip(g.labels, np.log(np.diff(at_most)), strict=True))
        assert gap == len(z)

    def tops(self, group):
        return [i for i in group.labels if not self.o.labels[i].parents]

    def log_probability(self, world, groups):
        """`world` [L] bool; only `groups` count."""
        applying = [g for g in groups if g.condition is None or world[g.condition]]
        return sum(self.term(g, i, world) for g in applying for i in g.labels)

    def term(self, group, i, world):
        if group.kind is Kind.ORDINAL:
            return self.level[i] if world[i] else 0
        if group.kind in (Kind.BINARY, Kind.MULTILABEL):
            asked = all(world[p] for p in self.o.labels[i].parents)
            return -np.logaddexp(0, -self.score[i] if world[i] else self.score[i]) if asked else 0
        if not world[i] or (self.flat and self.o.children[i]):
            return 0
        parents = self.o.labels[i].parents
        family = self.o.children[parents[0]] if parents else self.tops(group)
        rivals = tuple(self.o.leaves(group) if self.flat else family)
        if rivals not in self.total:
            self.total[rivals] = logsumexp(np.array([self.score[j] for j in rivals]))
        return self.score[i] - self.total[rivals]


class Many:
    """Ontologies side by side, and for each where its groups, labels and states stand."""

    def __init__(self, rng, n, **bounds):
        self.parts = [random_ontology(rng, **bounds) for _ in range(n)]
        self.all = side_by_side(self.parts)
        self.tables = compile_tables(self.all)
        self.part_tables = [compile_tables(o) for o in self.parts]
        self.groups = self.slices(len(o.groups) for o in self.parts)
        self.labels = self.slices(len(o.labels) for o in self.parts)
        self.states = self.slices(t.n_states for t in self.part_tables)

    @staticmethod
    def slices(lengths):
        ends = list(itertools.accumulate(lengths))
        return [slice(a, b) for a, b in zip([0, *ends], ends, strict=False)]

    def worlds(self, k):
        return enumerate_worlds(self.parts[k])

    @functools.cache  # noqa: B019  # lives as long as its module's tests
    def definition(self, flat, scores, dtype):
        return Definition(self.all, flat, np.frombuffer(scores, dtype))

    def log_probabilities(self, k, flat, scores):
        """[ROWS, W], each part alone."""
        worlds = np.zeros((len(self.worlds(k)), len(self.all.labels)), bool)
        worlds[:, self.labels[k]] = self.worlds(k)
        definitions = [self.definition(flat, z.tobytes(), z.dtype) for z in scores]
        groups = self.all.groups[self.groups[k]]
        return np.array([[d.log_probability(w, groups) for w in worlds] for d in definitions])


@pytest.fixture(scope="module")
def many():
    return Many(np.random.default_rng(10), 50, max_worlds=100)


@pytest.fixture(scope="module")
def some():
    return Many(np.random.default_rng(20), 12, max_worlds=100)


@pytest.mark.parametrize("name", HEADS)
def test_log_likelihood_marginals_and_best_world_equal_enumeration(name, many):
    rng = np.random.default_rng(11)
    head = build(HEADS[name], many.tables)
    scores = rng.normal(0, 1.5, (ROWS, n_scores(many.tables, name == "flat"))).astype(np.float32)
    log_p = [many.log_probabilities(k, name == "flat", scores) for k in range(50)]
    assert max(np.abs(np.exp(x).sum(1) - 1).max() for x in log_p) < 1e-12  # the definition itself sums to one

    allowed = np.ones((50, ROWS, many.tables.n_states), bool)
    expected = np.zeros((50, ROWS))
    for k, tables in enumerate(many.part_tables):
        masks = random_evidence(rng, tables, ROWS).allowed()
        masks[0] = rng.random(tables.n_states) < 0.6  # perhaps contradictory
        agree = (tables.states_of(many.worlds(k))[None] <= masks[:, None]).all(2)
        with np.errstate(divide="ignore"):
            expected[k] = np.log((np.exp(log_p[k]) * agree).sum(1))
        allowed[k, :, many.states[k]] = masks
    repeated = jnp.asarray(np.tile(scores, (50, 1)))
    found = np.asarray(jit(head.log_likelihood)(repeated, allowed.reshape(50 * ROWS, -1))).reshape(50, ROWS)
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-4)
    assert (found[allowed.all(2)] == 0).all()
    assert np.isinf(expected).any()

    p = np.asarray(jit(head.marginals)(scores))
    best = np.asarray(jit(head.best_world)(scores))
    same = 0
    for k in range(50):
        worlds = many.worlds(k)
        np.testing.assert_allclose(p[:, many.labels[k]], np.exp(log_p[k]) @ worlds, rtol=2e-5, atol=1e-6)
        for b in range(ROWS):
            row = np.flatnonzero((worlds == best[b, many.labels[k]]).all(1))
            assert len(row) == 1, "the decoded world is not legal"
            assert log_p[k][b, row[0]] >= log_p[k][b].max() - 1e-4
            same += row[0] == log_p[k][b].argmax()
    assert same > 0.98 * 50 * ROWS


@pytest.mark.parametrize("name", HEADS)
def test_one_small_ontology_at_a_time(name):
    """Shapes that stand alone: one group, one level, no padding."""
    rng = np.random.default_rng(12)
    kinds = set()
    while len(kinds) < 5:
        single = Many(rng, 1, groups=1, depth=0, max_worlds=40)
        if single.all.groups[0].kind in kinds:
            continue
        kinds.add(single.all.groups[0].kind)
        scores = rng.normal(0, 1.5, (1, n_scores(single.tables, name == "flat"))).astype(np.float32)
        log_p = single.log_probabilities(0, name == "flat", scores)[0]
        head = build(HEADS[name], single.tables)
        worlds = single.worlds(0)
        found = jit(head.log_likelihood)(np.tile(scores, (len(worlds), 1)), single.tables.states_of(worlds))
        np.testing.assert_allclose(found, log_p, atol=1e-5)
        assert (np.asarray(jit(head.best_world)(scores))[0] == worlds[log_p.argmax()]).all()
        np.testing.assert_allclose(jit(head.marginals)(scores)[0], np.exp(log_p) @ worlds, atol=1e-6)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("scale", [1.0, 50.0])
def test_a_child_never_exceeds_its_parent_or_its_condition(name, scale, some):
    rng = np.random.default_rng(13)
    head = build(HEADS[name], some.tables)
    scores = rng.uniform(-scale, scale, (64, n_scores(some.tables, name == "flat"))).astype(np.float32)
    p = np.asarray(jit(head.marginals)(scores))
    assert p.min() >= 0
    assert p.max() <= 1
    for label in some.all.labels:
        for parent in label.parents:
            assert (p[:, label.index] <= p[:, parent]).all()
    for group in some.all.groups:
        if group.condition is not None:
            assert (p[:, list(group.labels)] <= p[:, [group.condition]]).all()


@pytest.mark.parametrize("name", HEADS)
def test_extreme_scores_and_contradictions_leave_gradients_finite(name, some):
    rng = np.random.default_rng(14)
    head = build(HEADS[name], some.tables)
    scores = rng.choice([-50.0, 0.0, 50.0], (40, n_scores(some.tables, name == "flat"))).astype(np.float32)
    allowed = random_evidence(rng, some.tables, 40).allowed()
    allowed[:10] = True
    allowed[10:20] = rng.random((10, some.tables.n_states)) < 0.7
    allowed[20] = False

    @jit
    def both(scores):
        value, pull = jax.vjp(lambda s: head.log_likelihood(s, jnp.asarray(allowed)), scores)
        return value, pull(jnp.ones_like(value))[0]

    value, gradient = both(scores)
    value, gradient = np.asarray(value), np.asarray(gradient)
    contradictory = ~propagate(some.tables, allowed).any(1)
    assert np.isfinite(gradient).all()
    assert not np.isnan(value).any()
    assert (np.isneginf(value) == contradictory).all()
    assert contradictory[10:21].sum() > 5
    assert not contradictory[21:].any()
    assert (value[:10] == 0).all()
    assert (gradient[:10] == 0).all()
    assert (gradient[contradictory] == 0).all()


@pytest.mark.parametrize("name", HEADS)
def test_gradient_is_that_of_the_definition(name):
    """Central differences of the enumerated log-likelihood in float64."""
    rng = np.random.default_rng(15)
    few = Many(rng, 4, max_worlds=60)
    head = build(HEADS[name], few.tables)
    k = n_scores(few.tables, name == "flat")
    scores = rng.normal(0, 1, (1, k)).astype(np.float32)
    allowed = random_evidence(rng, few.tables, 1).allowed()

    def value(z):
        total = 0.0
        for j in range(4):
            log_p = few.log_probabilities(j, name == "flat", z[None])[0]
            agree = (few.part_tables[j].states_of(few.worlds(j)) <= allowed[:, few.states[j]]).all(1)
            total += logsumexp(log_p[agree])
        return total

    found = jit(jax.grad(lambda s: head.log_likelihood(s, allowed).sum()))(scores)[0]
    z, h = scores[0].astype(np.float64), 1e-5
    expected = [(value(z + h * e) - value(z - h * e)) / (2 * h) for e in np.eye(k)]
    np.testing.assert_allclose(found, expected, atol=2e-5)


def chain_of(depth, width):
    """A hierarchy of `width` classes at each node of a path, so that heads sum along `depth` factors."""
    labels = []
    parent = ()
    for _ in range(depth):
        first = len(labels)
        labels += [Label(first + k, 0, f"n{first + k}", f"h.n{first + k}", parent) for k in range(width)]
        parent = (first,)
    return Ontology("chain", (Group(0, Kind.HIERARCHY, "h", "h", tuple(range(len(labels)))),), tuple(labels))


def test_conditional_trains_only_what_coarse_evidence_speaks_of():
    tables = compile_tables(chain_of(4, 3))
    head = build(Conditional(), tables)
    inner = 3  # the node at the second depth with children of its own
    allowed = np.zeros((1, tables.n_states), bool)
    allowed[0, list(tables.label_states[inner])] = True
    gradient = jit(jax.grad(lambda s: head.log_likelihood(s, allowed).sum()))(jnp.ones((1, 12)))[0]
    assert (np.abs(gradient[:6]) > 1e-3).all()
    np.testing.assert_allclose(gradient[6:], 0, atol=1e-6)


@pytest.mark.parametrize("name", HEADS)
def test_a_new_head_is_nearly_uniform_and_its_thresholds_learn(name):
    labels = tuple(Label(k, 0, f"l{k}", f"o.l{k}") for k in range(5))
    tables = compile_tables(Ontology("o", (Group(0, Kind.ORDINAL, "o", "o", tuple(range(5))),), labels))
    head = build(HEADS[name], tables, features=8)
    np.testing.assert_allclose(jit(lambda x: head.marginals(head(x)))(jnp.zeros((1, 8)))[0], 0.2, atol=1e-6)
    graph, params, rest = nnx.split(head, nnx.Param, ...)
    assert {jax.tree_util.keystr(k) for k, _ in jax.tree_util.tree_leaves_with_path(params)} == {
        "['gaps'].value", "['linear']['bias'].value", "['linear']['kernel'].value"}  # fmt: skip
    assert not jax.tree.leaves(rest)
    allowed = jnp.asarray(np.eye(5, dtype=bool)[[4]])

    def loss(params):
        module = nnx.merge(graph, params, rest)
        return -module.log_likelihood(module(jnp.ones((1, 8))), allowed).mean()

    assert all(np.abs(g).max() > 0 for g in jax.tree.leaves(jit(jax.grad(loss))(params)))


@pytest.mark.parametrize("head", [*HEADS.values(), Independent()])
def test_modules_of_one_ontology_share_a_compiled_program(head, some):
    first, second = (nnx.split(build(head, some.tables, seed=s))[0] for s in (0, 1))
    assert first == second
    assert hash(first) == hash(second)


# --- independent -----------------------------------------------------------------------------------


def expected_independent(tables, allowed, scores):
    """Log-sigmoids of the labels that evidence on their own variable decides, in plain loops."""
    total = 0.0
    for label in range(tables.n_labels):
        v = tables.variables[tables.label_variable[label]]
        live = {s for s in v.live if allowed[s]}
        holding = live & set(tables.label_states[label])
        if live and holding in (live, set()):
            total -= np.logaddexp(0, -scores[label] if holding else scores[label])
    return total


def test_independent_is_cross_entropy_on_what_is_decided(some):
    rng = np.random.default_rng(16)
    head = build(Independent(), some.tables)
    scores = rng.normal(0, 2, (20, some.tables.n_labels)).astype(np.float32)
    evidence = random_evidence(rng, some.tables, 20)
    allowed = evidence.allowed()
    found = jit(head.log_likelihood)(scores, allowed)
    expected = [
        expected_independent(some.tables, a, s.astype(np.float64)) for a, s in zip(allowed, scores, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
    wide = rng.choice([-50.0, 50.0], scores.shape).astype(np.float32)
    gradient = np.asarray(jit(jax.grad(lambda s: head.log_likelihood(s, allowed).sum()))(wide))
    assert np.isfinite(gradient).all()


def test_independent_learns_from_a_whole_world_what_holds_in_it(some):
    """With every state known, the gradient pushes each label of an applying group to its own side."""
    rng = np.random.default_rng(17)
    head = build(Independent(), some.tables)
    states = random_states(rng, some.tables, 5)
    zero = jnp.zeros((5, some.tables.n_labels))
    gradient = jit(jax.grad(lambda s: head.log_likelihood(s, states).sum()))(zero)
    decided = decided_labels(some.tables, states)
    applies = some.tables.count_by_variable(states & _live(some.tables))[:, some.tables.label_variable] > 0
    side = np.where(applies & (decided == YES), 0.5, np.where(applies & (decided == NO), -0.5, 0))
    np.testing.assert_allclose(gradient, side)


def _live(tables):
    live = np.ones(tables.n_states, bool)
    live[[v.na for v in tables.variables if v.na >= 0]] = False
    return live


def test_independent_answers_leaf_by_leaf(some):
    rng = np.random.default_rng(18)
    head = build(Independent(), some.tables)
    scores = rng.normal(0, 2, (30, some.tables.n_labels)).astype(np.float32)
    worlds = np.asarray(jit(head.best_world)(scores))
    p = np.asarray(jit(head.marginals)(scores))
    assert not some.tables.states_of(worlds).any(1).all()  # it is the head that may be wrong in kind
    for world, z, q in zip(worlds, scores, p, strict=True):
        for g in some.all.groups:
            applies = g.condition is None or world[g.condition]
            leaves = list(some.all.leaves(g))
            own = [i for i in g.labels if not (g.single_choice and i in leaves)]
            assert (world[own] == (applies & (z[own] >= 0))).all()
            if g.single_choice:
                assert (world[leaves] == (applies & (np.arange(len(leaves)) == z[leaves].argmax()))).all()
            given = 1 if g.condition is None else q[g.condition]
            np.testing.assert_allclose(q[list(g.labels)], given / (1 + np.exp(-z[list(g.labels)])), rtol=1e-5)


# --- conformance -----------------------------------------------------------------------------------


@pytest.mark.parametrize("head", [Flat, Conditional(), Independent])
def test_heads_pass_the_conformance_suite(head):
    check_head(head)


def test_the_conformance_suite_finds_a_head_that_does_not_keep_its_word():
    @dataclasses.dataclass(frozen=True)
    class Liar(Independent):
        name = "liar"
        coherent = True

    with pytest.raises(AssertionError, match="never exceeds its parent's"):
        check_head(Liar, ontologies=3)

    @dataclasses.dataclass(frozen=True)
    class Unnormalised(Independent):
        name = "unnormalised"
        normalised = True

    with pytest.raises(AssertionError, match="log-likelihood 0"):
        check_head(Unnormalised, ontologies=3)
