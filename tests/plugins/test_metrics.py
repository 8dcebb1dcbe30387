"""Metrics against scikit-learn, and the laws they share."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from linnaeus.dsl.evidence import evidence_from_allowed, propagate
from linnaeus.dsl.ontology import Group, Kind, Label, Ontology
from linnaeus.dsl.tables import compile_tables
from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import Predictions
from linnaeus.plugins.metrics.board import board, evaluate_board, objective, ranking_metric
from linnaeus.plugins.metrics.worlds import FLOOR


def grown(*groups: tuple[Kind, str, list[tuple[str, str | None]], str | None]) -> Ontology:
    """An ontology from (kind, id, [(label, parent)], condition) tuples."""
    labels: list[Label] = []
    made: list[Group] = []
    at: dict[str, int] = {}
    for g, (kind, name, under, condition) in enumerate(groups):
        for label, parent in under:
            at[label] = len(labels)
            above = () if parent is None else (at[parent],)
            labels.append(Label(len(labels), g, label, f"{name}.{label}", above))
        own = tuple(at[label] for label, _ in under)
        made.append(Group(g, kind, name, name, own, None if condition is None else at[condition]))
    return Ontology("grown", tuple(made), tuple(labels))


TREE = [("even", None), ("odd", None), ("0", "even"), ("2", "even"), ("1", "odd"), ("3", "odd"), ("x", None)]
WORLD = grown(
    (Kind.HIERARCHY, "digit", TREE, None),
    (Kind.ORDINAL, "quality", [(c, None) for c in "pqrs"], None),
    (Kind.BINARY, "bold", [("bold", None)], "odd"),
    (Kind.MULTILABEL, "marks", [("dot", None), ("line", None), ("wavy", "line")], None),
    (Kind.MULTICLASS, "ink", [("red", None), ("blue", None), ("black", None)], "bold"),
)
TABLES = compile_tables(WORLD)


def legal_states(n: int, rng: np.random.Generator) -> np.ndarray:
    """[n, S] random legal worlds: narrow the possible states one variable at a time."""
    states = propagate(TABLES, np.ones((n, TABLES.n_states), bool))
    for v in TABLES.variables:
        here = states[:, v.start : v.stop]
        pick = np.where(here, rng.random(here.shape), -1).argmax(1)
        states[:, v.start : v.stop] = np.eye(v.stop - v.start, dtype=bool)[pick]
        states = propagate(TABLES, states)
    return states


def predictions(n: int = 300, seed: int = 0, coherent: bool = True, coarse: float = 0.2) -> Predictions:
    rng = np.random.default_rng(seed)
    truth, guess = legal_states(n, rng), legal_states(n, rng)
    same = rng.random(n) < 0.6
    guess[same] = truth[same]
    allowed = truth | (rng.random((n, 1)) < coarse) & (rng.random(truth.shape) < 0.5)
    possible = evidence_from_allowed(TABLES, allowed).possible()
    worlds = TABLES.labels_of(guess)
    if not coherent:
        worlds = worlds ^ (rng.random(worlds.shape) < 0.05)
    probabilities = np.round(0.4 * worlds + 0.6 * rng.random(worlds.shape), 1).astype(np.float32)  # many ties
    return Predictions(TABLES, possible, worlds, probabilities, np.log(rng.random(n)) * 10)


def value(name: str, p: Predictions) -> float:
    return next(m for m in board(WORLD) if m.name == name).score(p).value()


def column(p: Predictions, states: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Truth by brute force: which of `states` is the only possible one of its variable, or -1."""
    v = TABLES.variables[TABLES.state_variable[states[0]]]
    alone = p.possible[:, v.start : v.stop].sum(1) == 1
    truth = np.where(alone & p.possible[:, states].any(1), p.possible[:, states].argmax(1), -1)
    return truth, truth >= 0


def leaf_pairs(p: Predictions, group: str) -> tuple[np.ndarray, np.ndarray]:
    """(truth, predicted) of the decided images, predicted −1 where the answer is not one class."""
    g = next(g for g in WORLD.groups if g.path == group)
    v = TABLES.group_variables(g)[0]
    states = [s for s in v.live if TABLES.leaf[s] >= 0]
    truth, decided = column(p, states)
    held = p.worlds[:, TABLES.leaf[states]]
    applies = np.ones(len(held), bool) if g.condition is None else p.worlds[:, g.condition]
    predicted = np.array([row.argmax() if row.sum() == 1 and a else -1 for row, a in zip(held, applies, strict=True)])
    return truth[decided], predicted[decided]


@pytest.mark.parametrize("coherent", [True, False])
@pytest.mark.parametrize("group", ["digit", "quality", "ink"])
def test_a_choice_is_scored_as_by_scikit_learn(group: str, coherent: bool) -> None:
    p = predictions(seed=3, coherent=coherent)
    t, y = leaf_pairs(p, group)
    present = np.unique(t)
    assert 0 < len(t) < len(p.possible)
    assert value(f"{group}.accuracy", p) == pytest.approx(sk.accuracy_score(t, y))
    recalls = sk.recall_score(t, y, labels=present, average="macro", zero_division=0)
    assert value(f"{group}.balanced-accuracy", p) == pytest.approx(recalls)
    f1 = sk.f1_score(t, y, labels=present, average="macro", zero_division=0)
    assert value(f"{group}.macro-f1", p) == pytest.approx(f1)


def test_a_level_scores_the_node_at_that_depth_or_the_leaf_above_it() -> None:
    p = predictions(seed=4)
    even, odd, x = 0, 1, 6
    v = TABLES.group_variables(WORLD.groups[0])[0]
    leaf_to_top = {2: even, 3: even, 4: odd, 5: odd, x: x}
    right = []
    for row, world in zip(p.possible[:, v.start : v.stop], p.worlds, strict=True):
        tops = {leaf_to_top[int(TABLES.leaf[v.start + s])] for s in np.flatnonzero(row)}
        if len(tops) == 1:
            right.append(world[tops.pop()])
    assert value("digit.level-1.accuracy", p) == pytest.approx(np.mean(right))
    assert value("digit.level-2.accuracy", p) == value("digit.accuracy", p)
    score = next(m for m in board(WORLD) if m.name == "digit.level-1.accuracy").score(p)
    assert (
        score.decided.sum()
        == len(right)
        > next(m for m in board(WORLD) if m.name == "digit.accuracy").score(p).decided.sum()
    )


@pytest.mark.parametrize("coherent", [True, False])
def test_a_nested_binary_is_scored_only_where_it_applies(coherent: bool) -> None:
    p = predictions(seed=5, coherent=coherent)
    bold = WORLD.groups[2].labels[0]
    v = TABLES.variables[TABLES.label_variable[bold]]
    decided = (p.possible[:, v.start : v.stop].sum(1) == 1) & ~p.possible[:, v.na]
    yes, answered = p.possible[decided, v.start], p.worlds[decided, bold]
    applies = p.worlds[decided, 1]
    assert value("bold.accuracy", p) == pytest.approx(np.mean((yes == answered) & applies))
    ap = sk.average_precision_score(yes, p.probabilities[decided, bold])
    assert value("bold.average-precision", p) == pytest.approx(ap)


def test_average_precision_is_the_mean_over_classes_of_scikit_learns() -> None:
    p = predictions(seed=6)
    each = []
    for label in WORLD.groups[3].labels:
        v = TABLES.variables[TABLES.label_variable[label]]
        decided = p.possible[:, v.start : v.stop].sum(1) == 1
        each.append(sk.average_precision_score(p.possible[decided, v.start], p.probabilities[decided, label]))
    assert value("marks.average-precision", p) == pytest.approx(np.mean(each))


def test_multilabel_f1_is_scikit_learns_when_all_is_decided() -> None:
    p = predictions(seed=7, coarse=0.0)
    columns = list(WORLD.groups[3].labels)
    truth = TABLES.labels_of(p.possible)[:, columns]
    assert value("marks.macro-f1", p) == pytest.approx(sk.f1_score(truth, p.worlds[:, columns], average="macro"))


@pytest.mark.parametrize("seed", range(5))
def test_ordinal_metrics_are_scikit_learns(seed: int) -> None:
    p = predictions(seed=seed)
    t, y = leaf_pairs(p, "quality")
    assert value("quality.mean-level-error", p) == pytest.approx(sk.mean_absolute_error(t, y))
    kappa = sk.cohen_kappa_score(t, y, weights="quadratic")
    assert value("quality.quadratic-kappa", p) == pytest.approx(kappa)


def test_an_ordinal_answer_of_no_one_level_counts_as_the_farthest() -> None:
    p = predictions(seed=8, coarse=0.0)
    p.worlds[:, list(WORLD.groups[1].labels)] = False
    levels = p.possible[:, TABLES.group_variables(WORLD.groups[1])[0].start :][:, :4].argmax(1)
    assert value("quality.mean-level-error", p) == pytest.approx(np.maximum(levels, 3 - levels).mean())
    assert value("quality.quadratic-kappa", p) < 0


def test_whole_worlds() -> None:
    p = predictions(seed=9)
    decided = np.array([all(row[v.start : v.stop].sum() == 1 for v in TABLES.variables) for row in p.possible])
    matched = (TABLES.labels_of(p.possible) == p.worlds).all(1)
    assert value("exact-match", p) == pytest.approx(matched[decided].mean())
    assert value("consistency", p) == 1.0
    torn = predictions(seed=9, coherent=False)
    legal = [TABLES.states_of(w[None]).any() for w in torn.worlds]
    assert value("consistency", torn) == pytest.approx(np.mean(legal))
    assert not all(legal)


def test_log_likelihood_has_a_floor_and_is_not_available_without_normalisation() -> None:
    p = predictions(seed=10)
    assert p.log_likelihood is not None
    p.log_likelihood[:2] = -np.inf, -1e9
    some = ~p.possible.all(1)
    assert value("log-likelihood", p) == pytest.approx(np.maximum(p.log_likelihood, FLOOR)[some].mean())
    without = Predictions(TABLES, p.possible, p.worlds, p.probabilities, None)
    assert evaluate_board(without)["log-likelihood"] is None


@pytest.mark.parametrize("coherent", [True, False])
def test_a_weight_is_a_number_of_repetitions(coherent: bool) -> None:
    p = predictions(seed=11, n=120, coherent=coherent)
    counts = np.random.default_rng(0).poisson(1.0, (3, 120))
    for m in board(WORLD):
        weighted = m.score(p).under(counts.astype(float))
        for row, got in zip(counts, weighted, strict=True):
            i = np.repeat(np.arange(120), row)
            assert p.log_likelihood is not None
            again = Predictions(TABLES, p.possible[i], p.worlds[i], p.probabilities[i], p.log_likelihood[i])
            assert got == pytest.approx(m.score(again).value(), nan_ok=True), m.name


def test_what_nobody_annotated_has_no_value_and_is_left_out_of_the_mean() -> None:
    p = predictions(seed=12)
    v = TABLES.group_variables(WORLD.groups[1])[0]
    p.possible[:, v.start : v.stop] = True
    found = evaluate_board(p)
    assert found["quality.accuracy"] is found["quality.quadratic-kappa"] is found["exact-match"] is None
    heads = [found[n] for n in ("digit.accuracy", "bold.accuracy", "marks.average-precision", "ink.accuracy")]
    assert found["headline"] == pytest.approx(np.mean([h for h in heads if h is not None]))
    nothing = Predictions(TABLES, np.zeros_like(p.possible), p.worlds, p.probabilities, p.log_likelihood)
    assert {n for n, x in evaluate_board(nothing).items() if x is not None} == {"consistency"}


def test_the_board_starts_with_what_ranks() -> None:
    names = [m.name for m in board(WORLD)]
    assert names[:4] == ["headline", "digit.accuracy", "quality.accuracy", "bold.accuracy"]
    assert names[4:6] == ["marks.average-precision", "ink.accuracy"]
    assert len(set(names)) == len(names)
    alone = grown((Kind.MULTICLASS, "a", [("b", None), ("c", None)], None))
    assert board(alone)[0].name == "a.accuracy"
    assert board(WORLD)[1].describe() == {
        "title": "Accuracy of digit", "short": "Accuracy", "better": "higher", "scope": "group",
        "group": "digit", "group_title": "digit", "level": None,
    }  # fmt: skip


def test_the_objective_is_larger_where_better() -> None:
    p = predictions(seed=13)
    name, aim = objective(None, None, WORLD)
    assert name == "headline"
    assert aim(p) == value("headline", p)
    name, aim = objective("mean-level-error", None, WORLD)
    assert name == "quality.mean-level-error"
    assert aim(p) == -value(name, p)
    assert ranking_metric("level-1.accuracy", "digit", WORLD).level == 1
    assert ranking_metric(None, "marks", WORLD).name == "marks.average-precision"


@pytest.mark.parametrize(
    ("metric", "of", "code", "step"),
    [
        ("accuracy", None, "E332", "digit"),
        ("acuracy", None, "E331", "accuracy"),
        ("acuracy", "digit", "E331", "accuracy"),
        ("accuracy", "digits", "E330", "digit"),
        ("quadratic-kappa", "digit", "E331", "known metrics of digit"),
    ],
)
def test_an_objective_that_does_not_exist_is_refused(metric: str, of: str | None, code: str, step: str) -> None:
    with pytest.raises(LinnaeusError) as e:
        objective(metric, of, WORLD)
    assert e.value.diagnostics[0].code == code
    assert step in (e.value.diagnostics[0].help or "")
