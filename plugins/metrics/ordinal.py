"""Metrics of levels in order. An answer that names no single level is read as the level farthest from the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dsl.ontology import Group, Kind, Ontology
from ..contracts import Metric, Predictions, Summands
from .answers import Answers, answers
from .classification import beside, one_hot

Floats = NDArray[np.float64]


def _levels(a: Answers) -> NDArray[np.int64]:
    """[N] the decoded level; the farthest from the truth where there is none."""
    farthest = np.where(a.truth * 2 < len(a.classes) - 1, len(a.classes) - 1, 0)
    return np.where(a.predicted >= 0, a.predicted, farthest)


@dataclass(frozen=True)
class MeanLevelError(Metric):
    """The mean number of levels between the decoded and the true one."""

    name = "mean-level-error"
    title = "Mean level error"
    better = "lower"
    scope = "group"

    def applies(self, ontology: Ontology, group: Group | None) -> bool:
        """Ordinals."""
        return group is not None and group.kind is Kind.ORDINAL

    def score(self, p: Predictions, group: Group | None, level: int | None) -> Summands:
        """Sums: levels off, decided."""
        assert group is not None
        a = answers(p, group)
        off = np.where(a.decided, np.abs(a.truth - _levels(a)), 0)
        return Summands(np.stack([off, a.decided], 1).astype(np.float64), a.decided, lambda s: s[:, 0] / s[:, 1])


@dataclass(frozen=True)
class QuadraticKappa(Metric):
    """Cohen's kappa with quadratic weights (Cohen 1968, "Weighted kappa", Psychological Bulletin 70).

    1 − Σ (t − y)² observed / Σ (t − y)² expected from the margins; nan where all is one level.
    """

    name = "quadratic-kappa"
    title = "Quadratic kappa"
    better = "higher"
    scope = "group"

    def applies(self, ontology: Ontology, group: Group | None) -> bool:
        """Ordinals."""
        return group is not None and group.kind is Kind.ORDINAL

    def score(self, p: Predictions, group: Group | None, level: int | None) -> Summands:
        """Sums: squared levels off, then true and decoded counts by level."""
        from scipy.sparse import csr_array

        assert group is not None
        a = answers(p, group)
        c = len(a.classes)
        decoded = np.where(a.decided, _levels(a), -1)
        off = np.where(a.decided, (a.truth - decoded) ** 2, 0).astype(np.float64)
        square = np.subtract.outer(np.arange(c), np.arange(c)) ** 2.0

        def finish(s: Floats) -> Floats:
            true, answered = s[:, 1 : c + 1], s[:, c + 1 :]
            expected = ((true @ square) * answered).sum(1) / true.sum(1)
            kappa: Floats = 1 - s[:, 0] / expected
            return np.where(expected > 0, kappa, np.nan)

        return Summands(beside(csr_array(off[:, None]), one_hot(a.truth, c), one_hot(decoded, c)), a.decided, finish)
