"""After the search: the best configuration of each contender, retrained with N seeds and then tested."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from .progress import Event, Listener
from .results import SeedResult, write_text
from .run_folder import RunFolder, empty_folder
from .study import Study
from .supervisor import Selected, TrialWorker, seed_from
from .worker_process import Answer

PRIOR = "prior"
TIMES = 2.0
"""A retraining may also predict and write down the test split, so it gets this many times `run.trial_seconds`."""


def retrain(
    study: Study, name: str, selected: Selected, worker: TrialWorker, folder: RunFolder, listen: Listener
) -> list[SeedResult]:
    """Every seed of one contender; those that an earlier run finished are read back. A seed that fails is a result."""
    seeds = range(study.seed, study.seed + study.final.seeds)
    done: list[SeedResult] = []
    listen(Event("final-started", name, 0, len(seeds)))
    for seed in seeds:
        job = _job(study, name, selected, seed)
        done.append(_once(name, seed, job, worker, folder, TIMES * study.run.trial_seconds))
        listen(Event("seed-ended", name, len(done), len(seeds), facts={"state": done[-1].state}))
    listen(Event("final-ended", name, len(done), len(seeds)))
    return done


def fit_prior(study: Study, worker: TrialWorker, folder: RunFolder) -> list[SeedResult]:
    """The class prior on the board: no search, no seeds, one fit."""
    job = {"op": "prior", "train_on": study.final.train_on}
    return [_once(PRIOR, study.seed, job, worker, folder, TIMES * study.run.trial_seconds)]


def _job(study: Study, name: str, selected: Selected, seed: int) -> dict[str, Any]:
    epochs = selected.best_epoch if study.final.epochs == "best" else study.final.epochs
    return {
        "op": "final",
        "configuration": selected.configuration,
        "seed": seed_from(study.seed, name, "final", seed),
        "epochs": epochs,
        "schedule_epochs": max(epochs, study.search.budget.epochs),
        "train_on": study.final.train_on,
    }


def _once(
    name: str, seed: int, job: dict[str, Any], worker: TrialWorker, folder: RunFolder, seconds: float
) -> SeedResult:
    path = folder.seed(name, seed)
    finished = _read_seed(path)
    if finished is not None:
        return finished
    empty_folder(path)
    curve: list[dict[str, float]] = []

    def on_epoch(epoch: int, values: dict[str, float]) -> bool:
        curve.append({"epoch": epoch, **values})
        with (path / "metrics.jsonl").open("a", encoding="utf-8") as f:
            f.write(json.dumps(curve[-1]) + "\n")
        return True

    answer = worker.request({**job, "folder": str(path.absolute())}, seconds=seconds, on_epoch=on_epoch)
    place = path.relative_to(folder.path).as_posix()
    result = replace(_result(answer, seed, place), curve=curve, epochs=len(curve))
    write_text(path / "result.json", json.dumps(asdict(result), indent=1) + "\n")
    return result


def _result(answer: Answer, seed: int, folder: str) -> SeedResult:
    return SeedResult(
        seed=seed,
        metrics=answer.data.get("metrics", {}),
        costs=answer.data.get("costs", {}),
        folder=folder,
        epochs=0,
        state=answer.state,
        cause=answer.cause,
    )


def _read_seed(path: Path) -> SeedResult | None:
    """A retraining that ended in an earlier run; None where there is none."""
    file = path / "result.json"
    if not file.is_file():
        return None
    return SeedResult(**json.loads(file.read_text(encoding="utf-8")))
