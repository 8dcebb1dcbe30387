"""Metrics of the order that probabilities give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...dsl.evidence import UNKNOWN, YES
from ...dsl.ontology import Group, Kind, Ontology
from ...dsl.tables import Bools
from ..contracts import Metric, Predictions, Score
from .answers import label_truth
from .classification import mean_over

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AveragePrecision(Metric):
    """Average precision of each class's probability, averaged over the classes that occur.

    Per class, over the images whose evidence decides it: Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct probabilities, with no
    interpolation (as scikit-learn's `average_precision_score`).
    """

    name = "average-precision"
    title = "Average precision"
    better = "higher"
    scope = "group"

    def applies(self, ontology: Ontology, group: Group | None) -> bool:
        """Multilabels (macro over classes) and binaries."""
        return group is not None and group.kind in (Kind.MULTILABEL, Kind.BINARY)

    def score(self, p: Predictions, group: Group | None, level: int | None) -> Score:
        """The images of each class in the order of their probabilities."""
        assert group is not None
        truth = np.stack([label_truth(p, label) for label in group.labels], 1)
        columns = [_ranking(truth[:, i], p.probabilities[:, label]) for i, label in enumerate(group.labels)]
        return Rankings(tuple(columns), (truth != UNKNOWN).any(1))


@dataclass(frozen=True)
class Ranking:
    """The decided images of one class, most probable first.

    `order` [n] image rows; `positive` [n] which are of the class; `ends` the last place of each run of ties.
    """

    order: NDArray[np.int64]
    positive: Bools
    ends: NDArray[np.int64]


def _ranking(truth: NDArray[np.int8], probabilities: NDArray[np.float32]) -> Ranking:
    rows = np.flatnonzero(truth != UNKNOWN)
    order = rows[np.argsort(-probabilities[rows], kind="stable")]
    ends = np.flatnonzero(np.diff(probabilities[order], append=-np.inf))
    return Ranking(order, truth[order] == YES, ends)


@dataclass(frozen=True)
class Rankings(Score):
    """Average precision over C rankings."""

    columns: tuple[Ranking, ...]
    decided: Bools

    def under(self, weights: Floats) -> Floats:
        """The mean over classes with a positive weight of positives, [W]."""
        by_image = weights.T  # rows of images: gathering them in rank order is then quick
        pairs = [_average_precision(r, by_image) for r in self.columns]
        with np.errstate(invalid="ignore"):  # 0 / 0: no class occurs
            return mean_over(np.stack([ap for ap, _ in pairs], 1), np.stack([has for _, has in pairs], 1))


def _average_precision(r: Ranking, by_image: Floats) -> tuple[Floats, Bools]:
    """Average precision [W] under weights [N, W], and where it is defined."""
    if not r.positive.any():
        none = np.zeros(by_image.shape[1], bool)
        return none.astype(np.float64), none
    ranked = by_image[r.order]
    found = np.cumsum(np.where(r.positive[:, None], ranked, 0.0), 0)[r.ends]
    seen = np.cumsum(ranked, 0)[r.ends]
    gained = np.diff(found, axis=0, prepend=0.0)
    precision = found / np.where(seen > 0, seen, 1.0)
    total = found[-1]
    return (gained * precision).sum(0) / np.where(total > 0, total, 1.0), total > 0
