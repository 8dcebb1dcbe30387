"""The settings of training itself, declared like a plugin's fields. No JAX here: study files are checked against it."""

from __future__ import annotations

from dataclasses import dataclass

from ..plugins.hyperparameters import Range, static, traced


@dataclass(frozen=True)
class TrainSettings:
    """A study's `train:`, and `configuration["train"]`."""

    batch_size: int = static(64, "images a step; the whole training set where it is smaller", legal=Range(1, 65536))
    warmup: float = traced(
        0.05, "share of the schedule in which the learning rate rises linearly, before its cosine", legal=Range(0, 1)
    )
