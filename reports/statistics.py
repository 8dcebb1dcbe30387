"""From predictions to claims: intervals, ranks with intervals, comparisons and confusions, written into the results."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dsl.ontology import Ontology
from ..dsl.tables import Tables, compile_tables
from ..errors import fail
from ..plugins.contracts import Predictions, Score
from ..plugins.metrics.board import BoardMetric, board
from ..plugins.registry import Registry, installed, with_files
from ..search.results import ContenderResult, Interval, Results, load, load_predictions, run_ontology
from .bootstrap import Draws, bootstrap, interval, rank_intervals
from .comparisons import compare, draws_needed, letters
from .confusion import cells, class_names, count, describe_group

DRAWS = 2000


@dataclass
class _Scored:
    """The test answers of all contenders, as scores and confusion counts. Failed contenders have no scores."""

    contenders: list[ContenderResult]
    scores: list[list[Mapping[str, Score]]] = field(default_factory=list)
    counts: list[list[list[dict[tuple[int, ...], int]]]] = field(default_factory=list)
    names: tuple[str, ...] | None = None
    clusters: NDArray[np.int32] | None = None
    first: Predictions | None = None


def summarise(
    results: Results,
    run: Path,
    ontology: Ontology | None = None,
    *,
    registry: Registry | None = None,
    seed: int = 0,
    draws: int = DRAWS,
) -> Results:
    """The results with intervals, ranks, letters, comparisons and confusions from the run's predictions.

    Args:
        run: the run folder that `SeedResult.folder` is relative to.
        ontology: of the study; read from the run folder by default.
        seed, draws: of the bootstrap; the metric that ranks is drawn more often where many pairs need it.

    Raises:
        LinnaeusError: E613 predictions are missing, E614 contenders answered different images, E615 no ontology.
    """
    ontology = ontology or run_ontology(run, results)
    metrics = _metrics(results, run, ontology, registry)
    scored = _score(results, run, compile_tables(ontology), metrics)
    done = [c for c, s in zip(results.contenders, scored.scores, strict=True) if s]
    out = dataclasses.replace(
        results,
        ontology={**results.ontology, "title": ontology.title},
        contenders=[dataclasses.replace(c, metrics={}, rank=None, letters="") for c in results.contenders],
        comparisons=[],
        confusions={},
        report={**results.report, "bootstrap": {"draws": draws, "seed": seed}},
    )
    if not done or scored.clusters is None:
        return out
    confidence = float(results.report["confidence"])
    drawn = bootstrap(
        [s for s in scored.scores if s],
        scored.clusters,
        draws,
        np.random.default_rng(seed),
        results.objective,
        draws_needed(len(done), confidence),
    )
    out.report["bootstrap"]["clusters"] = len(np.unique(scored.clusters))
    _write_intervals(out, scored, drawn, confidence)
    _write_ranks(out, drawn, confidence)
    _write_confusions(out, scored, ontology)
    return out


def _metrics(results: Results, run: Path, ontology: Ontology, registry: Registry | None) -> list[BoardMetric]:
    """The metrics that the results name; those of local plugin files come from the run's copies."""
    found = board(ontology, registry)
    if registry is None and not set(results.metrics) <= {m.name for m in found}:
        found = board(ontology, with_files(installed(), sorted((run / "plugins").rglob("*.py"))))
    return [m for m in found if m.name in results.metrics]


def _score(results: Results, run: Path, tables: Tables, metrics: Sequence[BoardMetric]) -> _Scored:
    scored = _Scored(results.contenders)
    for c in results.contenders:
        scored.scores.append([])
        scored.counts.append([])
        for s in c.seeds:
            if s.state != "complete":
                continue
            p = _predictions(run / s.folder, tables, scored)
            scored.scores[-1].append({m.name: m.score(p) for m in metrics})
            scored.counts[-1].append([count(p, g) for g in tables.ontology.groups])
    return scored


def _predictions(folder: Path, tables: Tables, scored: _Scored) -> Predictions:
    if not (folder / "predictions.npz").is_file():
        step = "run the study again: it resumes, and retrains what is missing"
        raise fail("E613", f"{folder} has no predictions.npz", help=step)
    saved = load_predictions(folder)
    if scored.names is None:
        scored.names, scored.clusters = saved.names, saved.clusters
    before = saved.possible if scored.first is None else scored.first.possible
    if saved.names != scored.names or not np.array_equal(saved.possible, before):
        step = "rank contenders together only on the same test images and labels"
        raise fail("E614", f"{folder} answers other test images than the contenders before it", help=step)
    p = Predictions(tables, saved.possible, saved.worlds, saved.probabilities, saved.log_likelihood)
    scored.first = scored.first or p
    return p


def _write_intervals(out: Results, scored: _Scored, drawn: Draws, confidence: float) -> None:
    done = [(c, s) for c, s in zip(out.contenders, scored.scores, strict=True) if s]
    for (c, scores), values, point in zip(done, drawn.values, drawn.point, strict=True):
        for name, score in scores[0].items():
            if np.isnan(point[name]):
                c.metrics[name] = Interval(None, None, None, int(score.decided.sum()))
                continue
            low, high = interval(values[name], confidence)
            c.metrics[name] = Interval(point[name], low, high, int(score.decided.sum()))


def _write_ranks(out: Results, drawn: Draws, confidence: float) -> None:
    """Ranks, comparisons and letters by the metric that ranks; contenders without it come last, together."""
    name = out.objective
    ranked = [i for i, c in enumerate(c for c in out.contenders if c.metrics) if not np.isnan(drawn.point[i][name])]
    done = [c for c in out.contenders if c.metrics]
    sign = 1.0 if out.metrics[name]["better"] == "higher" else -1.0
    ranked.sort(key=lambda i: -sign * drawn.point[i][name])
    values = [drawn.values[i][name] for i in ranked]
    names = [done[i].name for i in ranked]
    if ranked:
        for i, (low, high) in zip(ranked, rank_intervals([sign * v for v in values], confidence), strict=True):
            done[i].rank = {"low": low, "high": high}
    points = [drawn.point[i][name] for i in ranked]
    out.comparisons = compare(names, values, points, sign, confidence, float(out.report["rope"]))
    given = letters(names, out.comparisons)
    for c in out.contenders:
        c.letters = given.get(c.name, "")
        if c.rank is None:
            c.rank = {"low": len(ranked) + 1, "high": len(out.contenders)}


def _write_confusions(out: Results, scored: _Scored, ontology: Ontology) -> None:
    assert scored.first is not None
    for k, group in enumerate(ontology.groups):
        entry = describe_group(group, class_names(scored.first, group))
        for c, counts in zip(out.contenders, scored.counts, strict=True):
            if counts:
                entry["contenders"][c.name] = cells([one[k] for one in counts], len(entry["classes"]), entry["kind"])
        out.confusions[group.path] = entry


# --- several runs on one board ---------------------------------------------------------------------


def merge(runs: Sequence[Path], *, seed: int = 0, draws: int = DRAWS) -> Results:
    """One board of several studies on the same test split and ontology; intervals and ranks are computed anew.

    Contenders of the same name get their study's in front, as in "digits/lenet".

    Raises:
        LinnaeusError: E616 the studies differ in ontology, test split or ranking metric, which the message names;
            E617 a run is named twice.
    """
    if len({run.resolve() for run in runs}) < len(runs):
        raise fail("E617", "one run is named twice: it would be compared with itself", help="name each run once")
    found = [load(run) for run in runs]
    for other, run in zip(found[1:], runs[1:], strict=True):
        _check_same(found[0], other, runs[0], run)
    contenders, reproduce = _joined(found, runs)
    first = found[0]
    merged = dataclasses.replace(
        first,
        study={**first.study, "name": " + ".join(_titles(found, runs)), "merged": [r.study for r in found]},
        contenders=contenders,
        metrics={k: v for k, v in first.metrics.items() if all(k in r.metrics for r in found)},
        test_opened=[o for r in found for o in r.test_opened],
        environment=first.environment if all(r.environment == first.environment for r in found) else {
            title: r.environment for title, r in zip(_titles(found, runs), found, strict=True)
        },
        reproduce=reproduce,
    )  # fmt: skip
    return summarise(merged, runs[0], run_ontology(runs[0], first), seed=seed, draws=draws)


def _check_same(a: Results, b: Results, run_a: Path, run_b: Path) -> None:
    laws: list[tuple[str, Any, Any]] = [
        ("ontology", a.ontology["hash"], b.ontology["hash"]),
        ("test split", a.data.get("hashes", {}).get("test"), b.data.get("hashes", {}).get("test")),
        ("metric that ranks", a.objective, b.objective),
    ]
    for what, x, y in laws:
        if x != y:
            message = f"{run_a} and {run_b} can't share a board: their {what} differs ({str(x)[:24]}, {str(y)[:24]})"
            raise fail("E616", message, help="rank contenders together only on the same test images and labels")


def _titles(found: Sequence[Results], runs: Sequence[Path]) -> list[str]:
    """A name for each study: its own where they differ, else its run folder's, else that folder's path."""
    ways = ([str(r.study["name"]) for r in found], [run.name for run in runs])
    return next((names for names in ways if len(set(names)) == len(names)), [run.as_posix() for run in runs])


def _joined(found: Sequence[Results], runs: Sequence[Path]) -> tuple[list[ContenderResult], dict[str, str]]:
    names = [c.name for r in found for c in r.contenders]
    contenders, reproduce = [], {}
    for title, r, run in zip(_titles(found, runs), found, runs, strict=True):
        for c in r.contenders:
            name = f"{title}/{c.name}" if names.count(c.name) > 1 else c.name
            seeds = [dataclasses.replace(s, folder=str((run / s.folder).absolute())) for s in c.seeds]
            contenders.append(dataclasses.replace(c, name=name, seeds=seeds))
            if c.name in r.reproduce:
                reproduce[name] = r.reproduce[c.name]
    return contenders, reproduce
