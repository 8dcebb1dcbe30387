"""What the worker does for the supervisor: train and validate, retrain and test, fit the prior. JAX lives here."""

from __future__ import annotations

import contextlib
import math
import time
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import numpy as np

from ..dsl.evidence import Evidence
from ..dsl.tables import Tables, compile_tables
from ..errors import fail
from ..plugins.contracts import Predictions
from ..plugins.metrics.board import board, evaluate_board, objective
from ..plugins.registry import Registry, installed, with_files
from .checkpoint import save_model
from .data import Split, load_search, load_test
from .network import Answers
from .predictions_csv import write_predictions
from .prior import fit_prior
from .results import SavedPredictions, read_ontology
from .training import Trainer, TrialData, TrialOutcome
from .worker_process import NotFiniteError, OnEpoch


def open_jobs(setup: dict[str, Any]) -> StudyJobs:
    """The jobs of one study, from the first message: "ontology", "plugins", "data", "objective", "cache", "device".

    Raises:
        LinnaeusError: E521 the device asked for is not there: JAX would go on without it, many times slower.
    """
    found = jax.default_backend()
    if setup["device"] not in ("auto", found):
        raise fail("E521", f"there is no {setup['device']} that JAX can use, only {found}", where="run.device")
    registry = with_files(installed(), [Path(p) for p in setup["plugins"]])
    tables = compile_tables(read_ontology(Path(setup["ontology"])))
    return StudyJobs(tables, registry, Path(setup["data"]), setup["objective"], Path(setup["cache"]))


def forget_peak() -> None:
    """Start measuring the process's peak memory anew, where the system can; the worker has done other jobs before."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_of_process() -> float | None:
    """The most memory of this process since `forget_peak`, in bytes; None where the system doesn't say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((float(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


class StudyJobs:
    """Jobs on one study's data. What is expensive (data on the device, compiled programs) is kept between jobs."""

    def __init__(self, tables: Tables, registry: Registry, data: Path, goal: dict[str, Any], cache: Path):
        self.tables = tables
        self.registry = registry
        self.folder = data
        self.cache = cache
        self.measure = objective(goal["metric"], goal["of"], tables.ontology, registry)[1]
        started = time.perf_counter()
        train, validation = load_search(data, tables)
        self._train = TrialData(train.images, train.evidence)
        self._validation = TrialData(validation.images, validation.evidence)
        self.data_seconds = time.perf_counter() - started

    def objective(self, p: Predictions) -> float:
        """What search maximises; nan where a probability is, since a decoder answers something even then."""
        return self.measure(p) if np.isfinite(p.probabilities).all() else math.nan

    def device(self) -> dict[str, Any]:
        """The accelerator, or the CPU, as JAX names it."""
        devices = jax.devices()
        return {"platform": devices[0].platform, "name": devices[0].device_kind, "count": len(devices)}

    def train(self, job: dict[str, Any], on_epoch: OnEpoch) -> dict[str, Any]:
        """Train and validate one configuration."""
        return {"costs": _run(self._trainer, job, job["epochs"], on_epoch).costs}

    def final(self, job: dict[str, Any], on_epoch: OnEpoch) -> dict[str, Any]:
        """Retrain one configuration, keep the model, predict the test split."""
        forget_peak()
        folder = Path(job["folder"])
        trainer = self._trainer if job["train_on"] == "train" else self._trainer_on_all
        outcome = _run(trainer, job, job["schedule_epochs"], on_epoch)
        save_model(folder / "checkpoint", outcome.model)
        started = time.perf_counter()
        answers = outcome.model.answer(self._test.images, self._test.evidence)
        costs = {**outcome.costs, "data_seconds": self.data_seconds, "evaluate_seconds": time.perf_counter() - started}
        if jax.default_backend() == "cpu":
            costs["peak_memory_bytes"] = peak_of_process() or costs["peak_memory_bytes"]
        return {"metrics": self._tested(folder, answers), "costs": costs}

    def prior(self, job: dict[str, Any]) -> dict[str, Any]:
        """Fit the class prior and predict the test split."""
        started = time.perf_counter()
        data = self._train if job["train_on"] == "train" else self._all
        answers = fit_prior(self.tables, data.evidence).answer(self._test.evidence)
        costs = {"data_seconds": self.data_seconds, "train_seconds": time.perf_counter() - started}
        return {"metrics": self._tested(Path(job["folder"]), answers), "costs": costs}

    @cached_property
    def _trainer(self) -> Trainer:
        return Trainer(self.tables, self.registry, self._train, self._validation, self.objective, cache=self.cache)

    @cached_property
    def _trainer_on_all(self) -> Trainer:
        return Trainer(self.tables, self.registry, self._all, None, self.objective, cache=self.cache)

    @cached_property
    def _all(self) -> TrialData:
        codes = np.concatenate([self._train.evidence.codes, self._validation.evidence.codes])
        images = np.concatenate([self._train.images, self._validation.images])
        return TrialData(images, Evidence(self.tables, codes, self._train.evidence.masks))

    @cached_property
    def _test(self) -> Split:
        """The test split, read when the first retraining has ended: the supervisor has entered the opening by then."""
        return load_test(self.folder, self.tables)

    def _tested(self, folder: Path, answers: Answers) -> dict[str, float | None]:
        """Write the predictions down; the board's metrics of them."""
        if not np.isfinite(answers.probabilities).all():
            raise NotFiniteError("probabilities of test images are not finite numbers")
        test = self._test
        possible = test.evidence.possible()
        saved = SavedPredictions(
            test.names, possible, answers.worlds, answers.probabilities, answers.log_likelihood, test.clusters
        )
        saved.save(folder)
        write_predictions(folder / "predictions.csv", saved, self.tables)
        found = Predictions(self.tables, possible, answers.worlds, answers.probabilities, answers.log_likelihood)
        return evaluate_board(found, board(self.tables.ontology, self.registry))


def _run(trainer: Trainer, job: dict[str, Any], schedule_epochs: int, on_epoch: OnEpoch) -> TrialOutcome:
    """One training, its epochs reported.

    Raises:
        NotFiniteError: a loss or an objective was not a finite number.
    """
    outcome = trainer.run(
        job["configuration"],
        seed=job["seed"],
        epochs=job["epochs"],
        schedule_epochs=schedule_epochs,
        on_epoch=lambda report: on_epoch(report.epoch, report.row()),
    )
    if outcome.state == "nan":
        raise NotFiniteError(outcome.cause or "a number is not finite")
    return outcome
