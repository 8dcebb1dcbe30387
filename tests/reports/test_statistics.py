"""The laws of the bootstrap and of what is concluded from it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnaeus.dsl.load import check_text
from linnaeus.dsl.ontology import Ontology
from linnaeus.dsl.tables import compile_tables
from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import Predictions, Summands
from linnaeus.reports import confusion, statistics
from linnaeus.reports.bootstrap import bootstrap, image_weights, interval, rank_intervals, seed_weights
from linnaeus.reports.comparisons import bootstrap_p, compare, draws_needed, holm, letters, verdict
from linnaeus.reports.statistics import merge, run_ontology, summarise
from linnaeus.search.results import Results, from_dict, load, save


def accuracy(right: np.ndarray) -> Summands:
    decided = np.ones(len(right), bool)
    return Summands(np.stack([right, decided], 1).astype(float), decided, lambda s: s[:, 0] / s[:, 1])


def draw(right: np.ndarray, clusters: np.ndarray | None = None, draws: int = 400, seed: int = 0) -> np.ndarray:
    """Bootstrap draws of the accuracy of one contender from [seeds, N] right answers."""
    clusters = np.arange(right.shape[1]) if clusters is None else clusters
    scores = [{"accuracy": accuracy(row)} for row in right]
    return bootstrap([scores], clusters, draws, np.random.default_rng(seed), "accuracy").values[0]["accuracy"]


def test_drawing_one_fewer_gives_the_exact_variance_of_a_mean() -> None:
    rng = np.random.default_rng(0)
    for n in (2, 3, 7):
        values = rng.normal(size=n)
        drawn = seed_weights(n, 100_000, rng) @ values
        assert drawn.var() == pytest.approx(values.var(ddof=1) / n, rel=0.03)
    assert (seed_weights(1, 5, rng) == 1).all()


def test_images_of_a_cluster_are_drawn_together() -> None:
    clusters = np.array([5, 5, 9, 2, 2, 2])
    weights = np.concatenate(list(image_weights(clusters, 300, np.random.default_rng(0))))
    assert weights.shape == (300, 6)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 3:] == weights[:, 3:4]).all()
    assert (weights[:, [0, 2, 3]].sum(1) == 2).all()


def test_the_interval_covers_about_as_often_as_it_says() -> None:
    """300 experiments of 5 retrainings that find the same images hard; 95 % ± what 300 experiments allow."""
    rng = np.random.default_rng(1)
    hits = 0
    for i in range(300):
        right = rng.random((1, 150)) < 0.8 + rng.normal(0, 0.04, (5, 1))
        low, high = interval(draw(right, draws=250, seed=i), 0.95)
        hits += low <= 0.8 <= high
    assert 0.90 <= hits / 300 <= 0.98


def test_the_interval_errs_on_the_wide_side_where_retrainings_have_nothing_in_common() -> None:
    """Independent answers: the variance is counted thrice (Owen 2007), so the width is √3 of what it need be."""
    right = np.random.default_rng(8).random((5, 2000)) < 0.8
    assert draw(right, draws=2000).std() == pytest.approx(np.sqrt(3 * 0.16 / 10_000), rel=0.15)


def test_clusters_widen_the_interval_of_answers_that_go_together() -> None:
    rng = np.random.default_rng(2)
    clusters = np.repeat(np.arange(40), 10)
    right = np.repeat(rng.random((1, 40)) < 0.7, 10, axis=1)
    alone, together = draw(right), draw(right, clusters)
    assert together.std() == pytest.approx(np.sqrt(0.7 * 0.3 / 40), rel=0.3)
    assert together.std() > 2.5 * alone.std()


def test_contenders_are_drawn_on_the_same_images() -> None:
    right = np.random.default_rng(3).random((1, 300)) < 0.6
    scores = [{"accuracy": accuracy(right[0])}]
    drawn = bootstrap([scores, scores], np.arange(300), 200, np.random.default_rng(0), "accuracy").values
    assert (drawn[0]["accuracy"] == drawn[1]["accuracy"]).all()


def test_the_ranking_metric_alone_is_drawn_more_often() -> None:
    right = np.random.default_rng(4).random((2, 50)) < 0.6
    scores = [{"accuracy": accuracy(r), "other": accuracy(~r)} for r in right]
    values = bootstrap([scores], np.arange(50), 130, np.random.default_rng(0), "accuracy", 700).values[0]
    assert (len(values["accuracy"]), len(values["other"])) == (700, 256)  # others end with the chunk of 128
    assert np.allclose(values["other"], 1 - values["accuracy"][:256])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_stepping_down_rejects(p: list[float]) -> None:
    adjusted = holm(p)
    for level in (0.01, 0.05, 0.3):
        rejected: set[int] = set()
        for step, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
            if p[i] * (len(p) - step) > level:
                break
            rejected.add(i)
        assert {i for i, a in enumerate(adjusted) if a <= level} == rejected


NAMES = "lmnopq"


@given(st.sets(st.sampled_from(list(itertools.combinations(NAMES, 2)))))
def test_two_share_a_letter_exactly_where_they_are_not_separated(apart: set[tuple[str, str]]) -> None:
    rows = [
        {"a": a, "b": b, "verdict": "better" if (a, b) in apart else "not separated"}
        for a, b in itertools.combinations(NAMES, 2)
    ]
    given_letters = letters(list(NAMES), rows)
    for a, b in itertools.combinations(NAMES, 2):
        assert bool(set(given_letters[a]) & set(given_letters[b])) == ((a, b) not in apart)


def test_ranks_hold_their_uncertainty() -> None:
    rng = np.random.default_rng(5)
    far, near, twin = rng.normal(1, 0.01, 999), rng.normal(0, 1, 999), rng.normal(0, 1, 999)
    assert rank_intervals([far + 9, near, twin], 0.95) == [(1, 1), (2, 3), (2, 3)]
    assert rank_intervals([near, near], 0.95) == [(1, 2), (1, 2)]


def test_draws_without_a_value_rank_nobody() -> None:
    good, bad, none = np.full(999, 0.9), np.full(999, 0.1), np.full(999, np.nan)
    good[:100] = bad[:100] = np.nan  # no image of such a draw decides the metric
    assert rank_intervals([good, bad], 0.95) == [(1, 1), (2, 2)]
    assert rank_intervals([none, none], 0.95) == [(1, 2), (1, 2)]


def test_a_bootstrap_p_is_never_nought_and_is_uniform_under_no_difference() -> None:
    assert bootstrap_p(np.ones(999)) == pytest.approx(0.002)
    rng = np.random.default_rng(6)
    p = [bootstrap_p(rng.normal(rng.normal(), 1, 400)) for _ in range(500)]
    assert np.mean(np.array(p) < 0.1) == pytest.approx(0.1, abs=0.04)
    assert holm([2 / (draws_needed(5, 0.95) + 1)] * 10)[0] < 0.05 / 2


@pytest.mark.parametrize(
    ("low", "high", "p", "said"),
    [
        (0.02, 0.05, 0.001, "better"),
        (-0.05, -0.02, 0.001, "worse"),
        (0.001, 0.009, 0.001, "equivalent"),
        (-0.03, 0.05, 0.4, "not separated"),
    ],
)
def test_verdicts(low: float, high: float, p: float, said: str) -> None:
    assert verdict(low, high, (low + high) / 2, p, 0.95, 0.01) == said


def test_lower_is_better_turns_the_verdict_not_the_difference() -> None:
    rng = np.random.default_rng(7)
    small, large = rng.normal(0.2, 0.01, 999), rng.normal(0.5, 0.01, 999)
    (row,) = compare(["small", "large"], [small, large], [0.2, 0.5], -1.0, 0.95, 0.01)
    assert (row["verdict"], round(row["difference"], 1)) == ("better", -0.3)


Make = Callable[..., tuple[Results, Any]]


@pytest.fixture
def finished(make_run: Make, tmp_path: Path) -> tuple[Results, Any, Path]:
    results, ontology = make_run(tmp_path, n=200)
    done = summarise(results, tmp_path, ontology, draws=200)
    save(done, tmp_path)
    return done, ontology, tmp_path


def by_name(results: Results) -> dict[str, Any]:
    return {c.name: c for c in results.contenders}


def test_summarise_completes_every_row(finished: tuple[Results, Any, Path]) -> None:
    results, _, run = finished
    rows = by_name(results)
    for c in results.contenders:
        if c.name == "fragile":
            continue
        assert list(c.metrics) == list(results.metrics)
        for name, i in c.metrics.items():
            seeds = [s.metrics[name] for s in c.seeds]
            if name == "log-likelihood" and c.name == "independent":
                assert (i.mean, i.low, i.n) == (None, None, 0)
            else:
                assert i.mean == pytest.approx(np.mean(seeds))
                assert i.low <= i.mean <= i.high
        assert c.rank["low"] <= c.rank["high"]
    assert rows["lenet"].metrics["digit.accuracy"].n == 200 > rows["lenet"].metrics["loops.accuracy"].n
    assert from_dict(json.loads(results.to_json())) == load(run)


def test_a_failed_contender_is_ranked_last_without_numbers(finished: tuple[Results, Any, Path]) -> None:
    results = finished[0]
    fragile = by_name(results)["fragile"]
    assert (fragile.metrics, fragile.rank, fragile.letters) == ({}, {"low": 7, "high": 7}, "")
    assert all("fragile" not in (c["a"], c["b"]) for c in results.comparisons)
    assert len(results.comparisons) == 15


def test_marks_of_a_group_that_the_answer_rules_out_are_not_answered() -> None:
    ontology = check_text("ontology o\nmulticlass a { x { multilabel marks { dot } }, y }", "o.onto").ontology
    assert ontology is not None
    tables = compile_tables(ontology)
    truth = tables.states_of(np.array([[True, False, True]]))  # x, y, dot
    answer = np.array([[False, True, True]])  # y, and yet a dot, which only x has
    p = Predictions(tables, truth, answer, answer.astype(np.float32), None)
    assert confusion.count(p, ontology.groups[1]) == {(0, 0): 0, (0, 1): 0, (0, 2): 1, (0, 3): 0}


def test_confusions_count_every_decided_image_of_every_seed(finished: tuple[Results, Any, Path]) -> None:
    results = finished[0]
    cells = results.confusions["digit"]["contenders"]["lenet"]["cells"]
    assert sum(n for _, _, n in cells) == 3 * 200
    right = sum(n for t, y, n in cells if t == y) / 600
    assert right == pytest.approx(by_name(results)["lenet"].metrics["digit.accuracy"].mean)
    torn = results.confusions["digit"]["contenders"]["independent"]["cells"]
    assert any(y == 10 for _, y, _ in torn)


def test_the_same_seed_gives_the_same_numbers(make_run: Make, tmp_path: Path) -> None:
    results, ontology = make_run(tmp_path, n=60, seeds=2)
    a, b, c = (summarise(results, tmp_path, ontology, draws=100, seed=s) for s in (1, 1, 2))
    assert a == b
    assert a.contenders[0].metrics != c.contenders[0].metrics


def test_missing_or_other_predictions_are_refused(make_run: Make, tmp_path: Path) -> None:
    results, ontology = make_run(tmp_path / "a", n=30, seeds=1)
    make_run(tmp_path / "b", n=31, seeds=1)
    seed = replace(results.contenders[1].seeds[0], folder=str(tmp_path / "b/final/resnet/0"))
    results.contenders[1].seeds = [seed]
    with pytest.raises(LinnaeusError, match="E614"):
        summarise(results, tmp_path / "a", ontology)
    (tmp_path / "b/final/resnet/0/predictions.npz").unlink()
    with pytest.raises(LinnaeusError, match="E613"):
        summarise(results, tmp_path / "a", ontology)
    with pytest.raises(LinnaeusError, match="E615"):
        summarise(results, tmp_path / "a")


@pytest.fixture
def two_runs(make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    for name in ("first", "second"):
        results, ontology = make_run(tmp_path / name, n=80, seeds=2)
        results.study["name"] = name
        if name == "second":
            for c in results.contenders:
                c.name = {"lenet": "vgg"}.get(c.name, c.name)
        save(results, tmp_path / name)
        monkeypatch.setattr(statistics, "run_ontology", lambda *_, o=ontology: o)
    return tmp_path / "first", tmp_path / "second"


def test_studies_merge_into_one_board(two_runs: tuple[Path, Path]) -> None:
    merged = merge(two_runs, draws=100)
    names = [c.name for c in merged.contenders]
    assert {"lenet", "vgg", "first/prior", "second/prior"} <= set(names)
    assert len(names) == len(set(names)) == 14
    assert set(merged.reproduce) >= {"lenet", "first/prior"}
    rows = by_name(merged)
    assert rows["first/prior"].metrics["digit.accuracy"].mean == rows["second/prior"].metrics["digit.accuracy"].mean
    assert rows["second/fragile"].rank == {"low": 13, "high": 14}
    assert len(merged.test_opened) == 14


@pytest.mark.parametrize(("part", "word"), [("ontology", "ontology"), ("data", "test split"), ("objective", "ranks")])
def test_studies_that_differ_are_not_merged(two_runs: tuple[Path, Path], part: str, word: str) -> None:
    other = load(two_runs[1])
    if part == "objective":
        other.objective = "exact-match"
    elif part == "data":
        other.data["hashes"]["test"] = "e" * 64
    else:
        other.ontology["hash"] = "e" * 64
    save(other, two_runs[1])
    with pytest.raises(LinnaeusError, match=word) as e:
        merge(two_runs)
    assert e.value.diagnostics[0].code == "E616"


def test_a_metric_of_a_local_plugin_file_is_on_the_board(make_run: Make, tmp_path: Path) -> None:
    """The one that the documentation shows."""
    page = Path(__file__).parents[2] / "docs" / "metrics.md"
    (code,) = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mine.py").write_text(code, encoding="utf-8")
    results, ontology = make_run(tmp_path, n=60, seeds=2)
    about = {"title": "Error rate of Digit", "better": "lower", "scope": "group", "group": "digit", "level": None}
    results.metrics["digit.error-rate"] = about
    results.objective = "digit.error-rate"
    done = summarise(results, tmp_path, ontology, draws=50)
    for c in done.contenders[:-1]:
        found = c.metrics
        assert found["digit.error-rate"].mean == pytest.approx(1 - found["digit.accuracy"].mean)
    ranks = {c.name: c.rank for c in done.contenders}
    assert ranks["prior"] == {"low": 6, "high": 6}


def test_the_ontology_of_a_run_is_its_own_copy_and_has_its_hash(make_run: Make, tmp_path: Path) -> None:
    results, _ = make_run(tmp_path, n=10, seeds=1)
    copy = tmp_path / "ontology" / "ontology.json"
    copy.parent.mkdir()
    for text in (None, "{", "[1]", '{"name": 1}', json.dumps(a_binary("x").to_dict())):
        if text is not None:
            copy.write_text(text, encoding="utf-8")
        with pytest.raises(LinnaeusError, match="E615"):
            run_ontology(tmp_path, results)
    copy.write_text(json.dumps(a_binary("two").to_dict()), encoding="utf-8")
    results.ontology["hash"] = a_binary("two").hash
    assert run_ontology(tmp_path, results) == a_binary("two")


def a_binary(name: str) -> Ontology:
    return check_text(f'ontology {name} version "1"\nbinary x\n', f"{name}.onto").require()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_intervals_lie_between_the_least_and_the_greatest_draw(seed: int) -> None:
    values = np.random.default_rng(seed).random(50)
    low, high = interval(values, 0.9)
    assert values.min() <= low <= high <= values.max()
    assert np.isnan(interval(np.array([np.nan]), 0.9)).all()
