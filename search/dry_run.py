"""What a study would do, without training: contenders, space, work, data counts, and a sheet of labelled images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .contact_sheet import draw_sheet
from .data import PreparedData
from .run_folder import CONTACT_SHEET, writing
from .space import contenders, describe, size
from .study import Contender, Study
from .suitability import notes

SHOWN = 12

NANOSECONDS = {"linear": 30.0, "mlp": 30.0, "lenet": 250.0, "resnet": 600.0}
"""Rough time to train on one value of one image, by backbone, at its default width on two CPU cores.

Measured once, on images of 64 pixels; widths and depths change it several times over.
"""
SECONDS_PER_IMAGE = 10e-6
SECONDS_PER_TRAINING = 5.0
"""Rough time that each training takes besides, to compile and to evaluate."""


@dataclass(frozen=True)
class PlannedContender:
    """One row of the board to come.

    `size`: how many configurations there are to choose from; None where a hyperparameter is continuous, and for a
    baseline, whose backbone is the winner's.
    """

    name: str
    size: int | None
    baseline: bool
    trials: int


@dataclass(frozen=True)
class DryRun:
    """Plain data on a study that has not run.

    `space` describes each hyperparameter, `data` is the report of the prepared data, `images_trained` counts
    training images times epochs if no trial is pruned; `seconds` is a rough estimate for them on two CPU cores, None
    where a backbone's speed is not known, and `trial_seconds` that of the slowest contender's trial;
    `seconds_at_most` is what the study's own limits allow the search, `trial_limit` a trial.
    """

    study: str
    ontology: str
    contenders: tuple[PlannedContender, ...]
    space: Mapping[str, str]
    epochs: int
    seeds: int
    data: Mapping[str, Any]
    images_trained: int
    seconds: float | None
    trial_seconds: float | None
    trial_limit: float
    seconds_at_most: float
    sheet: Path | None
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """All of it, to print."""
        parts = (self._data(), self._classes(), self._contenders(), self._space(), self._work())
        return "\n\n".join("\n".join(part) for part in parts)

    def _data(self) -> Iterator[str]:
        d = self.data
        yield f"{self.study}: a dry run, nothing is trained ({self.ontology})"
        counts = ", ".join(f"{name} {n}" for name, n in d["counts"].items() if name != "total")
        shape = " × ".join(map(str, d["image"]["shape"]))
        yield f"Data from {d['source']}: {d['counts']['total']} of {shape} ({d['image']['dtype']}): {counts}"
        for group, column in d["bound"].items():
            yield f"  {group} from {column}"
        for row in d["dropped"]:
            names = ", ".join(row["names"]) + ", …" * (row["count"] > len(row["names"]))
            yield f"  left out: {row['count']}, {row['reason']} ({names})"
        for kind in ("warnings", "notices", "notes"):
            yield from (f"  {kind[:-1]}: {line}" for line in d[kind])

    def _classes(self) -> Iterator[str]:
        yield "Images by class                            train  validation  test"
        for group, labels in self.data["classes"].items():
            for path, counts in list(labels.items())[:SHOWN]:
                yield f"  {path:<40} {counts['train']:>5}  {counts['validation']:>10}  {counts['test']:>4}"
            if len(labels) > SHOWN:
                yield f"  and {len(labels) - SHOWN} more of {group}"

    def _contenders(self) -> Iterator[str]:
        epochs, seeds = _count(self.epochs, "epoch"), _count(self.seeds, "seed")
        yield f"Contenders, {epochs} a trial at most, then {seeds} each"
        for c in self.contenders:
            trials = _count(c.trials, "trial")
            if c.baseline:
                work = f"baseline: {trials} on the winner's backbone" if c.trials else "baseline: no search"
            else:
                work = f"{trials} in " + ("a continuous space" if c.size is None else f"a space of {c.size}")
            yield f"  {c.name:<24} {work}"
        yield from (f"  note: {note}" for note in self.notes)

    def _space(self) -> Iterator[str]:
        yield "Search space"
        width = max(map(len, self.space), default=0)
        yield from (f"  {name:<{width}}  {domain}" for name, domain in self.space.items())

    def _work(self) -> Iterator[str]:
        yield f"Work: {self.images_trained:,} training images through the networks, if no trial is pruned"
        if self.seconds is None or self.trial_seconds is None:
            yield "Estimated time: unknown, for want of a known speed of one of the backbones"
        else:
            yield f"Estimated time: {words(self.seconds)} on two CPU cores, rough within a factor of three"
            if self.trial_seconds > self.trial_limit:
                took = f"a trial may take {words(self.trial_seconds)}, over run.trial_seconds ({self.trial_limit:g})"
                yield f"  warning: {took}, and would end as a timeout"
        yield f"The study's limits allow its search {words(self.seconds_at_most)} at most"
        yield f"Contact sheet: {self.sheet}" if self.sheet else "No contact sheet: the data are vectors, not images"


def dry_run(study: Study, prepared: PreparedData, out: Path) -> DryRun:
    """What running `study` would do; writes a contact sheet of training images to `out`/contact-sheet.png.

    Raises:
        LinnaeusError: the folder can't be written to.
    """
    rows = contenders(study)
    budget = study.search.budget
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        sheet = draw_sheet(prepared, out / CONTACT_SHEET, study.seed)
    planned = [PlannedContender(c.name, size(c.space), False, budget.trials) for c in rows]
    if "flat-risk" in study.baselines:
        planned.append(PlannedContender("flat-risk", None, True, budget.trials))
    searches = len(planned)
    if "prior" in study.baselines:
        planned.append(PlannedContender("prior", None, True, 0))
    limit = budget.trials * study.run.trial_seconds
    training, final = _images(study, prepared)
    speeds = [_speed(c, int(np.prod(prepared.images.shape[1:]))) for c in rows]
    times = [_seconds(study, speed, training, final) for speed in speeds if speed is not None]
    known = len(times) == len(rows)
    return DryRun(
        study=study.name,
        ontology=f"ontology {study.ontology.name}, {study.ontology.hash[:12]}",
        contenders=tuple(planned),
        space=describe(study.search.space),
        epochs=budget.epochs,
        seeds=study.final.seeds,
        data=prepared.report,
        images_trained=searches * (budget.trials * training + study.final.seeds * final),
        seconds=sum(times) + max(times) * (searches - len(rows)) if known else None,
        trial_seconds=SECONDS_PER_TRAINING + training * max(s or 0.0 for s in speeds) if known else None,
        trial_limit=study.run.trial_seconds,
        seconds_at_most=searches * min(limit, budget.seconds or limit),
        sheet=sheet,
        notes=tuple(notes(study)),
    )


def _images(study: Study, prepared: PreparedData) -> tuple[int, int]:
    """Training images times epochs, for a trial that is not pruned and for a retraining."""
    counts, epochs = prepared.report["counts"], study.search.budget.epochs
    last = epochs if study.final.epochs == "best" else study.final.epochs
    final = counts["train"] + (counts["validation"] if study.final.train_on == "train+validation" else 0)
    return counts["train"] * epochs, final * last


def _speed(contender: Contender, values: int) -> float | None:
    """Seconds to train on one image, the mean over the contender's backbones; None: one is of unknown speed."""
    backbones = contender.space.plugins["backbone"]
    if not all(name in NANOSECONDS for name in backbones):
        return None
    rate = sum(NANOSECONDS[name] for name in backbones) / len(backbones)
    return SECONDS_PER_IMAGE + values * rate * 1e-9


def _seconds(study: Study, speed: float, training: int, final: int) -> float:
    """A contender's search, with no trial pruned, and its retrainings."""
    trials, seeds = study.search.budget.trials, study.final.seeds
    return (trials + seeds) * SECONDS_PER_TRAINING + speed * (trials * training + seeds * final)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def words(seconds: float) -> str:
    """A time to one figure or two: "40 s", "7 min", "2.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
