"""A made-up study on digits: real tables and predictions, invented abilities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linnaeus.dsl.ontology import Group, Kind, Label, Ontology
from linnaeus.dsl.tables import Tables, compile_tables
from linnaeus.plugins.contracts import Predictions
from linnaeus.plugins.metrics.board import board, evaluate_board
from linnaeus.search.results import (
    ContenderResult,
    Results,
    SavedPredictions,
    SearchResult,
    SeedResult,
)

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
LOOPS = [1, 0, 0, 0, 1, 0, 1, 0, 2, 1]


def digits_ontology(classes: int = 10, marks: bool = False) -> Ontology:
    """Parity over digits, loops in order, and perhaps a multilabel."""
    labels = [Label(0, 0, "even", "digit.even", title="Even"), Label(1, 0, "odd", "digit.odd", title="Odd")]
    for i in range(classes):
        name = WORDS[i] if i < 10 else f"class {i}"
        labels.append(Label(i + 2, 0, str(i), f"digit.{i}", (i % 2,), title=name.capitalize()))
    groups = [Group(0, Kind.HIERARCHY, "digit", "digit", tuple(range(classes + 2)), title="Digit")]
    for g, (kind, name, ids) in enumerate(
        [(Kind.ORDINAL, "loops", ["none", "one", "two"]), (Kind.MULTILABEL, "marks", ["<b>dot</b>", "line"])][
            : 1 + marks
        ],
        start=1,
    ):
        start = len(labels)
        labels += [Label(start + i, g, c, f"{name}.{c}") for i, c in enumerate(ids)]
        groups.append(Group(g, kind, name, name, tuple(range(start, len(labels))), title=name.capitalize()))
    return Ontology("digits", tuple(groups), tuple(labels), title="Handwritten digits", version="1.0")


def truth_of(tables: Tables, n: int, rng: np.random.Generator) -> np.ndarray:
    """[n, S] true states; a tenth of the loops are not annotated."""
    possible = np.zeros((n, tables.n_states), bool)
    for v in tables.variables:
        possible[np.arange(n), v.start + rng.integers(v.stop - v.start, size=n)] = True
    loops = tables.variables[1]
    possible[rng.random(n) < 0.1, loops.start : loops.stop] = True
    return possible


def answers_of(
    tables: Tables, possible: np.ndarray, hard: np.ndarray, skill: float, coherent: bool, rng: np.random.Generator
) -> SavedPredictions:
    """Answers that are right more often with more skill, on the same hard images for all."""
    n = len(possible)
    probabilities = np.zeros((n, tables.n_labels), np.float32)
    worlds = np.zeros((n, tables.n_labels), bool)
    loglik = np.zeros(n)
    for v in tables.variables:
        width = v.stop - v.start
        logits = rng.normal(size=(n, width)) + (skill - hard)[:, None] * possible[:, v.start : v.stop]
        q = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        states = np.zeros((n, tables.n_states))
        states[:, v.start : v.stop] = q
        held = tables.labels_of(np.eye(tables.n_states, dtype=bool)).astype(float)
        probabilities += (states @ held).astype(np.float32)
        answer = np.zeros((n, tables.n_states), bool)
        answer[np.arange(n), v.start + q.argmax(1)] = True
        worlds |= tables.labels_of(answer)
        loglik += np.log((q * possible[:, v.start : v.stop]).sum(1))
    if not coherent:
        worlds = probabilities > 0.5
    names = tuple(f"test/{i:05d}" for i in range(n))
    clusters = np.arange(n, dtype=np.int32)
    return SavedPredictions(
        names, possible, worlds, np.clip(probabilities, 0, 1), loglik if coherent else None, clusters
    )


def contender_of(name: str, seeds: list[SeedResult], rng: np.random.Generator, **more: Any) -> ContenderResult:
    """A row with a search of sixteen trials."""
    values = np.sort(rng.uniform(0.6, 0.97, 16))[rng.permutation(16)]
    states = ["complete"] * 11 + ["pruned"] * 3 + ["nan", "timeout"]
    rows: list[dict[str, Any]] = []
    best: list[float | None] = []
    for i, state in enumerate(states):
        value = float(values[i]) if state in ("complete", "pruned") else None
        known = [v for v in (best[-1] if best else None, value if state == "complete" else None) if v is not None]
        best.append(max(known, default=None))
        cause = None if value is not None else "the loss was not finite in epoch 3" if state == "nan" else "over 300 s"
        rows.append({"number": i, "state": state, "value": value, "epochs": 15, "seconds": 4.0 + i % 3, "cause": cause})
    search = SearchResult(
        16, {"complete": 11, "pruned": 3, "nan": 1, "timeout": 1}, 91.4, max(b for b in best if b), 3, rows, best,
        {f"backbone.{name}.width": "8, 16", "optimizer.adamw.learning_rate": "0.0001 to 0.1 (log)"},
    )  # fmt: skip
    configuration = {
        "backbone": {"name": name, "fields": {"width": 16}},
        "head": {"name": "conditional", "fields": {}},
        "optimizer": {"name": "adamw", "fields": {"learning_rate": 0.0031415}},
        "augment": {},
        "train": {"batch_size": 64},
        "decoder": "best-world",
    }
    guarantees = {"normalised": True, "coherent": True, "obeys_rules": True}
    ended = [{"trial": t["number"], **t} for t in rows] + [
        {"seed": s.seed, "state": s.state, "cause": s.cause} for s in seeds
    ]
    failures = [f for f in ended if f["state"] not in ("complete", "pruned")]
    base = ContenderResult(name, configuration, search, seeds, guarantees=guarantees, failures=failures)
    return replace(base, **more)


def curve_of(skill: float, rng: np.random.Generator) -> list[dict[str, float]]:
    return [
        {"epoch": e + 1, "loss": 2.3 * np.exp(-e / 4) + 0.02 * rng.random(), "objective": 1 - 0.5 / (e + skill)}
        for e in range(15)
    ]  # fmt: skip


def make_run(
    run: Path, *, n: int = 600, classes: int = 10, seeds: int = 3, marks: bool = False, seed: int = 0
) -> tuple[Results, Ontology]:
    """A finished run without its statistics: predictions on disk, and results as the search leaves them."""
    rng = np.random.default_rng(seed)
    ontology = digits_ontology(classes, marks)
    tables = compile_tables(ontology)
    metrics = board(ontology)
    possible, hard = truth_of(tables, n, rng), rng.normal(0, 1.5, n)
    skills = {"lenet": 5.0, "resnet": 4.8, "mlp": 4.2, "independent": 4.4, "flat-risk": 4.7, "prior": 0.0}
    contenders = []
    for name, skill in skills.items():
        found = []
        for s in range(1 if name == "prior" else seeds):
            folder = f"final/{name}/{s}"
            p = answers_of(tables, possible, hard, skill + 0.3 * rng.normal(), name != "independent", rng)
            p.save(run / folder)
            scores = evaluate_board(
                Predictions(tables, p.possible, p.worlds, p.probabilities, p.log_likelihood), metrics
            )
            costs = {
                "data_seconds": 0.4, "compile_seconds": 2.1, "train_seconds": 9.3 + s, "evaluate_seconds": 0.12,
                "peak_memory_bytes": 3.1e8, "parameters": 61706.0, "macs": None,
            }  # fmt: skip
            found.append(SeedResult(s, scores, costs, folder, 15, curve=curve_of(max(skill, 1), rng)))
        more: dict[str, Any] = {"baseline": name in ("prior", "flat-risk"), "deterministic": name == "prior"}
        if name == "independent":
            more["guarantees"] = {"normalised": False, "coherent": False, "obeys_rules": False}
        if name == "prior":
            more |= {"search": None, "configuration": None}
        contenders.append(contender_of(name, found, rng, **more))
    failed = SeedResult(0, {}, {}, "final/fragile/0", 2, "nan", "the loss was not finite in epoch 2")
    contenders.append(contender_of("fragile", [failed], rng))
    results = Results(
        study={
            "name": "digits", "linnaeus": 1, "compare": ["backbone"], "seed": 0,
            "repeats": 1, "budget": {"trials": 16, "epochs": 15, "seconds": None}, "text": "name: digits\nseed: 0\n",
            "final": {"seeds": seeds, "train_on": "train", "epochs": "best"},
        },
        ontology={"name": "digits", "version": "1.0", "hash": ontology.hash},
        data={
            "source": "digits",
            "counts": {"train": 808, "validation": 90, "test": n},
            "hashes": {"content": "a" * 64, "split": "b" * 64, "test": "c" * 64},
            "classes": {"digit": {c.path: {"train": 80, "validation": 9, "test": 60} for c in ontology.labels[:12]}},
            "dropped": [{"reason": "duplicate of a test image", "count": 3}],
            "notes": ["The set is ordered by writer; the official split keeps writers apart."],
        },
        contenders=contenders,
        metrics={m.name: m.describe() for m in metrics},
        objective=metrics[0].name,
        test_opened=[
            {"when": "2026-05-04T12:00:00+00:00", "by": c.name, "count": i + 1} for i, c in enumerate(contenders)
        ],
        environment={
            "linnaeus": "0.1.0", "code": "d" * 64, "python": "3.11.2", "platform": "Linux", "machine": "x86_64",
            "cpus": 2, "packages": {"jax": "0.10.2", "flax": "0.12.8"},
            "device": {"platform": "cpu", "device": "TFRT_CPU_0", "count": 1},
        },
        reproduce={c.name: f"linnaeus run study.yaml --set compare=[] --only {c.name}" for c in contenders},
        report={"confidence": 0.95, "rope": 0.01, "formats": ["html", "markdown"]},
    )  # fmt: skip
    return results, ontology


@pytest.fixture(name="make_run")
def make_run_fixture() -> Callable[..., tuple[Results, Ontology]]:
    return make_run


@pytest.fixture(name="make_run_once", scope="session")
def make_run_once_fixture() -> Callable[..., tuple[Results, Ontology]]:
    return make_run
