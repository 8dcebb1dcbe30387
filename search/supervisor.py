"""The supervisor: asks a sampler for trials, has a worker run them, tells what came of them. The only writer.

A search is a function of the study alone: each ask uses a fresh sampler seeded from (study seed, contender, trial
number) over the trials told so far, so an interrupted search ends exactly as an uninterrupted one.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from . import space as spaces
from .journal import open_study
from .progress import Event, Listener
from .results import SearchResult, write_text
from .run_folder import RunFolder, empty_folder
from .stopping import chosen_epoch
from .study import Budget, Configuration, Contender, Study
from .worker_process import Answer, OnEpoch

if TYPE_CHECKING:
    import optuna

STARTUP_TRIALS = 6
"""Trials before TPE models anything. A constant, so that a search replayed with another budget draws the same."""

REDUCTION = 3
"""Of the trials at a rung, one in this many goes on."""


class TrialWorker(Protocol):
    """What the supervisor asks of a worker."""

    def request(self, job: dict[str, Any], *, seconds: float, on_epoch: OnEpoch | None = None) -> Answer:
        """Run one job (see `WorkerProcess.request`)."""
        ...


@dataclass(frozen=True)
class Selected:
    """A search's best trial: what is retrained."""

    number: int
    value: float
    best_epoch: int
    configuration: Configuration


def seed_from(*parts: object) -> int:
    """A 31-bit seed from what identifies its use."""
    digest = hashlib.sha256(json.dumps([str(p) for p in parts]).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def make_sampler(name: str, seed: int) -> optuna.samplers.BaseSampler:
    """A fresh sampler: `tpe` (multivariate, conditional spaces in groups) or `random`."""
    import optuna

    if name == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # `group` is still called that
        return optuna.samplers.TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=True, group=True)


def make_pruner(name: str, epochs: int) -> optuna.pruners.BasePruner:
    """The pruner of a study, its rungs placed by the epochs of a full trial."""
    from optuna import pruners

    if name == "halving":
        return pruners.SuccessiveHalvingPruner(min_resource=max(1, epochs // 5), reduction_factor=REDUCTION)
    if name == "hyperband":
        lowest = max(1, epochs // REDUCTION**2)
        return pruners.HyperbandPruner(min_resource=lowest, max_resource=epochs, reduction_factor=REDUCTION)
    if name == "median":
        return pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=epochs // 4)
    return pruners.NopPruner()


class ContenderSearch:
    """One contender's search. It stands where the journal left it; `run` goes on until the budget is over.

    Args:
        numbers: the numbers of the study's next trials.
        images: how many images the objective is measured on.
    """

    def __init__(
        self,
        study: Study,
        contender: Contender,
        storage: optuna.storages.BaseStorage,
        folder: RunFolder,
        numbers: Iterator[int],
        listen: Listener,
        images: int,
    ):
        import optuna

        self.study = study
        self.contender = contender
        self.folder = folder
        self.numbers = numbers
        self.listen = listen
        self.images = images
        self._journal = open_study(storage, contender.name)
        # Trials run in a study in memory that mirrors the journal; they enter the journal when they have ended.
        self._memory = optuna.create_study(
            study_name=contender.name,
            direction="maximize",
            pruner=make_pruner(study.search.pruner, self.budget.epochs),
        )
        self._memory.add_trials(self._journal.trials)
        self.rows: list[dict[str, Any]] = [t.user_attrs for t in self._journal.trials]
        """What is known of each trial that has ended, in order."""

    @property
    def budget(self) -> Budget:
        """What this search may spend."""
        return self.study.search.budget

    @property
    def seconds(self) -> float:
        """Time spent in trials so far, over all runs of the study."""
        return math.fsum(row["seconds"] for row in self.rows)

    @property
    def ended(self) -> bool:
        """Whether the budget is over, in trials or in seconds."""
        limit = self.budget.seconds
        return len(self.rows) >= self.budget.trials or (limit is not None and self.seconds >= limit)

    def run(self, worker: TrialWorker) -> None:
        """Ask, run and tell until the budget is over."""
        self.listen(self._event("search-started"))
        while not self.ended:
            _Trial(self, next(self.numbers)).run(worker)
            self.listen(self._event("trial-ended", self.rows[-1]))
        self.listen(self._event("search-ended"))

    def ask(self) -> tuple[optuna.Trial, Configuration]:
        """The next trial; the first is the default configuration."""
        number = len(self.rows)
        self._memory.sampler = make_sampler(
            self.study.search.sampler, seed_from(self.study.seed, self.contender.name, "sampler", number)
        )
        if number == 0:
            self._memory.enqueue_trial(spaces.default_parameters(self.contender.space))
        trial = self._memory.ask()
        return trial, spaces.suggest(self.contender.space, trial, self.contender.decoder)

    def tell(self, trial: optuna.Trial, facts: dict[str, Any]) -> None:
        """End a trial: first in memory, then as one record of the journal."""
        from optuna.trial import TrialState

        for key, value in facts.items():
            trial.set_user_attr(key, value)
        state, values = TrialState.FAIL, None
        if facts["state"] == "complete":
            state, values = TrialState.COMPLETE, facts["value"]
        elif facts["state"] in ("pruned", "stopped") and facts["value"] is not None:
            state = TrialState.PRUNED
        self._memory.tell(trial, values, state)
        self._journal.add_trial(self._memory.get_trials(deepcopy=False)[trial.number])
        self.rows.append(facts)

    def selected(self) -> Selected | None:
        """The best trial on validation; a pruned one only where no other has a value. None: all failed."""
        scored = [row for row in self.rows if row["value"] is not None]
        if not scored:
            return None
        best = max(scored, key=lambda row: (row["state"] != "pruned", row["value"], -row["number"]))
        return Selected(best["number"], best["value"], best["best_epoch"], best["configuration"])

    def result(self) -> SearchResult:
        """What this search did, for `results.json`."""
        best: list[float | None] = []
        for row in self.rows:
            counts = row["value"] is not None and row["state"] != "pruned"
            known = [v for v in (best[-1] if best else None, row["value"] if counts else None) if v is not None]
            best.append(max(known, default=None))
        selected = self.selected()
        return SearchResult(
            trials=len(self.rows),
            states=dict(Counter(row["state"] for row in self.rows)),
            seconds=self.seconds,
            best_value=selected.value if selected else None,
            best_trial=selected.number if selected else None,
            rows=list(self.rows),
            best_so_far=best,
            space=spaces.describe(self.contender.space),
        )

    def _event(self, kind: str, facts: dict[str, Any] | None = None) -> Event:
        selected, done = self.selected(), len(self.rows)
        left = (self.budget.trials - done) * self.seconds / done if done else None
        if self.budget.seconds is not None and left is not None:
            left = min(left, max(self.budget.seconds - self.seconds, 0.0))
        best = selected.value if selected else None
        return Event(kind, self.contender.name, done, self.budget.trials, best, left, facts or {})


class _Trial:
    """One trial, from the ask to the tell."""

    def __init__(self, search: ContenderSearch, number: int):
        self.search = search
        self.number = number
        self.folder = empty_folder(search.folder.trial(number))
        self.trial, self.configuration = search.ask()
        self.curve: list[float] = []
        self.epochs = 0
        self.ended_by_us: str | None = None
        self.started = time.monotonic()

    def run(self, worker: TrialWorker) -> None:
        """Train and validate this configuration; whatever happens to it is its result."""
        study, name = self.search.study, self.search.contender.name
        head = {"number": self.number, "contender": name, "parameters": self.trial.params}
        self._write({**head, "state": "running", "configuration": self.configuration})
        job = {
            "op": "train",
            "configuration": self.configuration,
            "seed": seed_from(study.seed, name, "trial", self.trial.number),
            "epochs": self.search.budget.epochs,
            "folder": str(self.folder.absolute()),
        }
        answer = worker.request(job, seconds=study.run.trial_seconds, on_epoch=self._on_epoch)
        facts = {**head, **self._facts(answer), "configuration": self.configuration}
        self._write(facts)
        self.search.tell(self.trial, facts)

    def _on_epoch(self, epoch: int, values: dict[str, float]) -> bool:
        """Note an epoch; whether the trial is worth going on with."""
        self.epochs = epoch
        with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as f:
            f.write(json.dumps({"epoch": epoch, **values}) + "\n")
        value = values["objective"]
        self.curve.append(value)
        self.trial.report(value, epoch)
        budget = self.search.budget
        if epoch >= budget.epochs:
            return True
        spent = self.search.seconds + time.monotonic() - self.started
        if budget.seconds is not None and spent >= budget.seconds:
            self.ended_by_us = "stopped"
        elif self.trial.should_prune():
            self.ended_by_us = "pruned"
        return self.ended_by_us is None

    def _facts(self, answer: Answer) -> dict[str, Any]:
        state = self.ended_by_us if answer.state == "complete" and self.ended_by_us else answer.state
        epoch = None
        if self.curve and state in ("complete", "pruned", "stopped"):
            epoch = chosen_epoch(self.curve, self.search.images)
        return {
            "state": state,
            "cause": answer.cause,
            "value": None if epoch is None else self.curve[epoch - 1],
            "best_epoch": epoch,
            "epochs": self.epochs,
            "seconds": time.monotonic() - self.started,
            **answer.data,
        }

    def _write(self, facts: dict[str, Any]) -> None:
        write_text(self.folder / "result.json", json.dumps(facts, indent=1) + "\n")
