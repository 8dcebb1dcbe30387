"""The training engine: one trial as a pure function of configuration, seed and data.

An epoch is one compiled call that scans over its steps, with the state donated. Hyperparameters that don't change
shapes are arguments of that program, so that trials which differ in nothing else share it.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import jax
import numpy as np
from numpy.typing import NDArray

from ..dsl.evidence import Evidence
from ..dsl.tables import Bools, Tables
from ..errors import fail
from ..plugins.contracts import Predictions
from ..plugins.registry import Registry
from .checkpoint import Model
from .network import Recipe, measure, read_recipe, root_key
from .programs import EpochProgram, on_device
from .study import Configuration

T = TypeVar("T")


@dataclass(frozen=True)
class TrialData:
    """One split on the host: uint8 images [N, H, W, C] or float32 vectors [N, F], and their evidence."""

    images: NDArray[Any]
    evidence: Evidence


@dataclass(frozen=True)
class EpochReport:
    """How an epoch (from 1) went. `objective` is None without validation data; `seconds` exclude compilation."""

    epoch: int
    train_loss: float
    objective: float | None
    seconds: float

    def row(self) -> dict[str, float]:
        """The report as plain numbers; what is not known is left out."""
        row = {"epoch": self.epoch, "train_loss": self.train_loss, "seconds": self.seconds}
        return row if self.objective is None else row | {"objective": self.objective}


@dataclass(frozen=True)
class TrialOutcome:
    """What became of a trial.

    `curve` has a row an epoch (`EpochReport.row`); `model` is that of the last epoch. `costs`: compile_seconds,
    train_seconds, evaluate_seconds, parameters, macs (a forward pass of one image), peak_memory_bytes (of the device,
    or of the whole process on a CPU).
    """

    state: Literal["complete", "pruned", "nan"]
    curve: list[dict[str, float]]
    model: Model
    costs: dict[str, float | None]
    cause: str | None = None


def _go_on(report: EpochReport) -> bool:
    return True


class Trainer:
    """Trains configurations on one data set. Data goes to the device once, programs are compiled once a shape.

    Args:
        train: what to learn from.
        validation: what `objective` is measured on after each epoch, or None.
        objective: from predictions on `validation` to the number that search maximises.
        cache: a folder for compiled programs, shared by processes and runs; None: don't keep them.
    """

    def __init__(
        self,
        tables: Tables,
        registry: Registry,
        train: TrialData,
        validation: TrialData | None,
        objective: Callable[[Predictions], float],
        *,
        cache: Path | None = None,
    ):
        if not len(train.images):
            raise fail("E435", "there is no training image", help="look at the split and at what was dropped")
        if cache is not None:
            keep_programs(cache)
        self.tables, self.registry, self.objective = tables, registry, objective
        self.train, self.validation = train, validation
        self.normalisation = measure(train.images)
        self.data = on_device(train.images, train.evidence, self.normalisation)
        self._possible: Bools | None = None
        self._programs: dict[str, EpochProgram] = {}

    def run(
        self,
        configuration: Configuration,
        *,
        seed: int,
        epochs: int,
        schedule_epochs: int,
        on_epoch: Callable[[EpochReport], bool] = _go_on,
    ) -> TrialOutcome:
        """Train.

        Args:
            seed: of the starting values, the order of images, dropout and augmentation.
            epochs: when to stop.
            schedule_epochs: when the learning rate has come down to nothing; `epochs` or more.
            on_epoch: told after each epoch; False ends the trial as "pruned".

        Raises:
            LinnaeusError: a plugin can't take these images, or is unknown.
        """
        recipe = read_recipe(configuration, self.registry)
        trial = _Trial(self, recipe, self._program(recipe), seed, schedule_epochs)
        for epoch in range(1, epochs + 1):
            report, cause = trial.epoch(epoch)
            if cause is not None:
                return trial.outcome("nan", cause)
            if not on_epoch(report) and epoch < epochs:
                return trial.outcome("pruned")
        return trial.outcome("complete")

    def _program(self, recipe: Recipe) -> EpochProgram:
        key = recipe.program_key()
        if key not in self._programs:
            self._programs[key] = EpochProgram(recipe, self.tables, self.train.images)
        return self._programs[key]

    def validate(self, model: Model) -> float | None:
        """The objective on the validation data."""
        if self.validation is None:
            return None
        if self._possible is None:
            self._possible = self.validation.evidence.possible()
        a = model.answer(self.validation.images, self.validation.evidence)
        found = Predictions(self.tables, self._possible, a.worlds, a.probabilities, a.log_likelihood)
        return float(self.objective(found))


class _Trial:
    """The course of one trial: its state on the device, and what was seen so far."""

    def __init__(self, trainer: Trainer, recipe: Recipe, program: EpochProgram, seed: int, schedule_epochs: int):
        self.trainer, self.recipe, self.program = trainer, recipe, program
        self.compiled_before = program.compile_seconds
        self.train_seconds = self.evaluate_seconds = 0.0
        self.reports: list[EpochReport] = []
        self.traced = recipe.traced()
        self.key = root_key(seed)
        self.horizon = schedule_epochs
        self.state = program.begin(self.traced, self.key)

    def epoch(self, number: int) -> tuple[EpochReport, str | None]:
        """Train an epoch and validate; the report, and the cause if a number is not finite."""
        trainer = self.trainer
        losses, train_seconds = self._timed(lambda: self._train(number))
        self.train_seconds += train_seconds
        cause: str | None = None
        bad = np.flatnonzero(~np.isfinite(losses))
        if len(bad):
            cause = f"the loss is {losses[bad[0]]:g} at step {bad[0] + 1} of epoch {number}"
            return self._report(number, float("nan"), None, train_seconds), cause
        objective, seconds = self._timed(lambda: trainer.validate(self.model()))
        self.evaluate_seconds += seconds
        if objective is not None and not math.isfinite(objective):
            cause = f"the objective is {objective:g} after epoch {number}"
        return self._report(number, float(losses.mean()), objective, train_seconds + seconds), cause

    def _train(self, number: int) -> NDArray[np.float32]:
        data = self.trainer.data
        self.state, losses = self.program.epoch(self.state, self.traced, data, self.key, number, self.horizon)
        return np.asarray(losses)

    def _timed(self, work: Callable[[], T]) -> tuple[T, float]:
        """What `work` gives, and its seconds without compilation."""
        compiled, started = self.program.compile_seconds, time.perf_counter()
        done = work()
        return done, time.perf_counter() - started - (self.program.compile_seconds - compiled)

    def _report(self, number: int, loss: float, objective: float | None, seconds: float) -> EpochReport:
        report = EpochReport(number, loss, objective, seconds)
        self.reports.append(report)
        return report

    def model(self) -> Model:
        """The model as it stands."""
        params, rest, _ = self.state
        return Model(self.program, params, rest, self.trainer.normalisation, self.recipe.configuration)

    def outcome(self, state: Literal["complete", "pruned", "nan"], cause: str | None = None) -> TrialOutcome:
        """What became of the trial."""
        costs = {
            "compile_seconds": self.program.compile_seconds - self.compiled_before,
            "train_seconds": self.train_seconds,
            "evaluate_seconds": self.evaluate_seconds,
            "parameters": float(self.program.parameters),
            "macs": float(self.program.macs),
            "peak_memory_bytes": peak_memory(),
        }
        curve = [r.row() for r in self.reports]
        return TrialOutcome(state, curve, self.model(), costs, cause)


def keep_programs(cache: Path) -> None:
    """Keep every compiled program in `cache/xla`, so that the next process does not compile it again."""
    folder = cache / "xla"
    folder.mkdir(parents=True, exist_ok=True)
    set_option: Callable[[str, Any], None] = jax.config.update
    set_option("jax_compilation_cache_dir", str(folder))
    set_option("jax_persistent_cache_min_compile_time_secs", 0)  # the default passes over small programs
    set_option("jax_persistent_cache_min_entry_size_bytes", -1)


def peak_memory() -> float | None:
    """The most bytes in use so far: of the accelerator, else of this whole process; None where neither is known."""
    statistics = jax.local_devices()[0].memory_stats()
    if statistics and "peak_bytes_in_use" in statistics:
        return float(statistics["peak_bytes_in_use"])
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)
