"""Metrics of whole worlds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...dsl.ontology import Group
from ...dsl.tables import Bools
from ..contracts import Metric, Predictions, Summands

FLOOR = float(np.log(1e-12))
"""The least log-likelihood an image can count for: a sure mistake costs this much and not infinity."""


def _mean(values: Any, decided: Bools) -> Summands:
    columns = np.stack([np.where(decided, values, 0.0), decided], 1).astype(np.float64)
    return Summands(columns, decided, lambda s: s[:, 0] / s[:, 1])


@dataclass(frozen=True)
class ExactMatch(Metric):
    """The share of images whose whole world is decoded, over those whose evidence decides every group."""

    name = "exact-match"
    title = "Exact match"
    better = "higher"
    scope = "ontology"

    def score(self, p: Predictions, group: Group | None, level: int | None) -> Summands:
        """Sums: worlds matched, worlds decided."""
        decided: Bools = (p.tables.count_by_variable(p.possible) == 1).all(1)
        same: Bools = p.tables.labels_of(p.possible) == p.worlds
        return _mean(same.all(axis=1), decided)


@dataclass(frozen=True)
class Consistency(Metric):
    """The share of decoded worlds that are legal. It needs no truth, so every image counts."""

    name = "consistency"
    title = "Consistency"
    better = "higher"
    scope = "ontology"

    def score(self, p: Predictions, group: Group | None, level: int | None) -> Summands:
        """Sums: legal worlds, images."""
        return _mean(p.tables.states_of(p.worlds).any(1), np.ones(len(p.worlds), bool))


@dataclass(frozen=True)
class LogLikelihood(Metric):
    """The mean natural log-probability of the evidence, at least log 1e-12 an image.

    Over the images whose evidence says anything; not available for heads that are not normalised.
    """

    name = "log-likelihood"
    title = "Log-likelihood"
    better = "higher"
    scope = "ontology"

    def score(self, p: Predictions, group: Group | None, level: int | None) -> Summands:
        """Sums: floored log-likelihoods, images with evidence."""
        if p.log_likelihood is None:
            none = np.zeros(len(p.possible), bool)
            return _mean(none, none)
        decided = np.any(p.possible, axis=1) & ~np.all(p.possible, axis=1)
        return _mean(np.maximum(np.nan_to_num(p.log_likelihood, nan=FLOOR, neginf=FLOOR), FLOOR), decided)
