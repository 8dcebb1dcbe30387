"""`results.json`, schema v1: the one source of every report. Append-only: fields are added, never renamed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dsl.ontology import Ontology
from ..errors import fail

SCHEMA = 1


@dataclass
class Interval:
    """A metric over seeds and images: mean, confidence interval, and the number of images that decide it."""

    mean: float | None
    low: float | None
    high: float | None
    n: int


@dataclass
class SeedResult:
    """One retraining. `metrics` by name: "digit.accuracy", "digit.level-1.accuracy", "exact-match"; None is n/a.

    `costs`: data_seconds, compile_seconds, train_seconds, evaluate_seconds, peak_memory_bytes, parameters, macs (None
    where not known).
    """

    seed: int
    metrics: dict[str, float | None]
    costs: dict[str, float | None]
    folder: str
    epochs: int
    state: str = "complete"
    cause: str | None = None
    curve: list[dict[str, float]] = field(default_factory=list)


@dataclass
class SearchResult:
    """What a contender's search did.

    `trials` is their number, `states` counts them by typed state; `rows` has one each: number, contender, parameters,
    state, cause, value, best_epoch, epochs, seconds, costs, configuration; `best_so_far` is the objective after each
    trial; `space` the search space as text by hyperparameter.
    """

    trials: int
    states: dict[str, int]
    seconds: float
    best_value: float | None
    best_trial: int | None
    rows: list[dict[str, Any]] = field(default_factory=list)
    best_so_far: list[float | None] = field(default_factory=list)
    space: dict[str, str] = field(default_factory=dict)


@dataclass
class ContenderResult:
    """One row of the leaderboard. `guarantees`: the head's normalised, coherent, obeys_rules. `rank`: {low, high}.

    Contenders that share one of `letters` are not separated. `deterministic`: no seed changes the outcome. `failures`:
    {"trial" or "seed": number, "state", "cause"} of every trial and retraining that failed.
    """

    name: str
    configuration: dict[str, Any] | None
    search: SearchResult | None
    seeds: list[SeedResult]
    baseline: bool = False
    deterministic: bool = False
    guarantees: dict[str, bool] = field(default_factory=dict)
    metrics: dict[str, Interval] = field(default_factory=dict)
    rank: dict[str, int] | None = None
    letters: str = ""
    failures: list[dict[str, Any]] = field(default_factory=list)
    note: str | None = None


@dataclass
class Results:
    """Everything a study found.

    `metrics` describes each metric name: {"title", "better", "scope", "group", "level"}, in board order; `objective`
    names the one that ranks. `data` holds counts by split, hashes, what was dropped and why, notes. `comparisons` are
    paired: {"a", "b", "difference", "low", "high", "p", "p_holm", "verdict"}, the verdict being of a against b.
    `confusions` by group path: {"title", "kind", "classes", "contenders": {NAME: {"cells", "cut"}}}, counts summed
    over seeds. `report` holds confidence, rope, formats and how the bootstrap was drawn.
    `data` holds "hashes": {"content", "split", "test"} among others; boards merge where "test" agrees.
    """

    study: dict[str, Any]
    ontology: dict[str, Any]
    data: dict[str, Any]
    contenders: list[ContenderResult]
    metrics: dict[str, dict[str, Any]]
    objective: str
    test_opened: list[dict[str, Any]]
    environment: dict[str, Any]
    reproduce: dict[str, str]
    report: dict[str, Any]
    comparisons: list[dict[str, Any]] = field(default_factory=list)
    confusions: dict[str, dict[str, Any]] = field(default_factory=dict)
    schema: int = SCHEMA

    def to_json(self) -> str:
        """Strict JSON (no NaN), keys in declaration order."""
        return json.dumps(_finite(asdict(self)), indent=1, allow_nan=False, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


def from_dict(raw: dict[str, Any]) -> Results:
    """Results from parsed JSON; fields added by later versions are ignored.

    Raises:
        LinnaeusError: E610 a schema this version does not know.
    """
    if raw["schema"] != SCHEMA:
        step = "read them with the version of Linnaeus that wrote them"
        message = f"results of schema {raw['schema']!r}; this version reads {SCHEMA}"
        raise fail("E610", message, where="results.json", help=step)

    def known(cls: Any, row: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in row.items() if k in cls.__dataclass_fields__}

    contenders = []
    for row in raw["contenders"]:
        c = ContenderResult(**known(ContenderResult, row))
        c.search = SearchResult(**known(SearchResult, row["search"])) if row["search"] else None
        c.seeds = [SeedResult(**known(SeedResult, s)) for s in row["seeds"]]
        c.metrics = {k: Interval(**known(Interval, v)) for k, v in row["metrics"].items()}
        contenders.append(c)
    return Results(**{**known(Results, raw), "contenders": contenders})


def save(results: Results, run: Path) -> Path:
    """Write `run/results.json` at once or not at all."""
    path = run / "results.json"
    write_text(path, results.to_json() + "\n")
    return path


def write_text(path: Path, text: str) -> None:
    """Write a file at once or not at all (a rename on the same file system)."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def load(run: Path) -> Results:
    """The results of a run folder.

    Raises:
        LinnaeusError: E611 there are none yet, E612 the file is not what a study wrote.
    """
    path = run / "results.json"
    if not path.is_file():
        raise fail("E611", f"{run} has no results.json", help="finish the study first: linnaeus run STUDY")
    again = "delete it and run the study again: trials are kept"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as e:
        raise fail("E612", f"{path} is not JSON: {e}", help=again) from e
    try:
        return from_dict(raw)
    except (AttributeError, KeyError, TypeError) as e:
        raise fail("E612", f"{path} holds no results of a study", help=again) from e


@dataclass(frozen=True)
class SavedPredictions:
    """`final/CONTENDER/SEED/predictions.npz`: one retraining's answers on the test images.

    Shapes:
        names: N image names, the same order for every contender of a study.
        possible: [N, S] bool; worlds: [N, L] bool; probabilities: [N, L] float32.
        log_likelihood: [N] or None; clusters: [N] int32 (all different where the study names no group column).
    """

    names: tuple[str, ...]
    possible: NDArray[np.bool_]
    worlds: NDArray[np.bool_]
    probabilities: NDArray[np.float32]
    log_likelihood: NDArray[np.float64] | None
    clusters: NDArray[np.int32]

    def save(self, folder: Path) -> None:
        """Write `predictions.npz` in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        extra: dict[str, Any] = {} if self.log_likelihood is None else {"log_likelihood": self.log_likelihood}
        np.savez_compressed(
            folder / "predictions.npz",
            names=np.array(self.names),
            possible=self.possible,
            worlds=self.worlds,
            probabilities=self.probabilities,
            clusters=self.clusters,
            **extra,
        )


def load_predictions(folder: Path) -> SavedPredictions:
    """Read back what `SavedPredictions.save` wrote."""
    with np.load(folder / "predictions.npz", allow_pickle=False) as z:
        return SavedPredictions(
            tuple(z["names"].tolist()),
            z["possible"],
            z["worlds"],
            z["probabilities"],
            z.get("log_likelihood", None),
            z["clusters"],
        )


ONTOLOGY = "ontology/ontology.json"
"""A run's copy of its ontology, normalised: it needs none of the files that it was made from."""


def read_ontology(path: Path) -> Ontology:
    """An ontology from a run's copy.

    Raises:
        LinnaeusError: E615 there is none, or it is not what a study wrote.
    """
    try:
        return Ontology.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        step = "restore the file, or run the study again in another folder"
        raise fail("E615", f"{path} is not a run's copy of its ontology", where=str(path), help=step) from e


def run_ontology(run: Path, results: Results) -> Ontology:
    """The ontology of a run, from its own copy.

    Raises:
        LinnaeusError: E615 the copy is missing, unreadable, or not the ontology that the results name.
    """
    ontology = read_ontology(run / ONTOLOGY)
    if ontology.hash != results.ontology["hash"]:
        step = "restore the file: models and predictions are in the terms of the ontology they were made with"
        message = f"{run / ONTOLOGY} is not the ontology {results.ontology['name']} of these results"
        raise fail("E615", message, where=str(run), help=step)
    return ontology
