"""Metrics of the chosen class: accuracy, balanced accuracy, macro F1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dsl.evidence import UNKNOWN, YES
from ...dsl.ontology import Group, Kind, Ontology
from ..contracts import Metric, Predictions, Summands
from .answers import answers, applies, label_truth

Floats = NDArray[np.float64]


def one_hot(numbers: NDArray[np.integer[Any]], classes: int) -> Any:
    """SciPy sparse [N, `classes`]: a one in the column of each number; a row of zeros for -1."""
    from scipy.sparse import csr_array

    rows = np.flatnonzero(numbers >= 0)
    return csr_array((np.ones(len(rows)), (rows, numbers[rows])), shape=(len(numbers), classes))


DENSE = 20
"""Up to this many columns a plain array is quicker: many metrics then share one matrix product."""


def beside(*parts: Any) -> Any:
    """Sparse matrices side by side; few columns become a plain array."""
    from scipy.sparse import hstack

    whole = hstack(parts, format="csr")
    return whole.toarray() if whole.shape[1] <= DENSE else whole


def mean_over(values: Floats, present: NDArray[np.bool_]) -> Floats:
    """The mean of `values` [W, C] over the classes `present` [W, C]; nan where there is none."""
    mean: Floats = np.where(present, values, 0.0).sum(-1) / present.sum(-1)
    return mean


@dataclass(frozen=True)
class Accuracy(Metric):
    """The share of decided images whose class is decoded: the leaf, or the node at a level of a hierarchy."""

    name = "accuracy"
    title = "Accuracy"
    better = "higher"
    scope = "group"
    levels = True

    def applies(self, ontology: Ontology, group: Group | None) -> bool:
        """Every kind but multilabel."""
        return group is not None and group.kind is not Kind.MULTILABEL

    def score(self, p: Predictions, group: Group | None, level: int | None) -> Summands:
        """Sums: correct, decided."""
        assert group is not None
        a = answers(p, group, level)
        right = a.decided & (a.truth == a.predicted)
        values = np.stack([right, a.decided], 1).astype(np.float64)
        return Summands(values, a.decided, lambda s: s[:, 0] / s[:, 1])


@dataclass(frozen=True)
class BalancedAccuracy(Metric):
    """Recall averaged over the classes that occur among the decided images."""

    name = "balanced-accuracy"
    title = "Balanced accuracy"
    better = "higher"
    scope = "group"

    def applies(self, ontology: Ontology, group: Group | None) -> bool:
        """Every kind but multilabel."""
        return group is not None and group.kind is not Kind.MULTILABEL

    def score(self, p: Predictions, group: Group | None, level: int | None) -> Summands:
        """Sums by class: correct, decided."""
        assert group is not None
        a = answers(p, group, level)
        c = len(a.classes)
        right = np.where(a.truth == a.predicted, a.truth, -1)

        def finish(s: Floats) -> Floats:
            return mean_over(s[:, :c] / s[:, c:], s[:, c:] > 0)

        return Summands(beside(one_hot(right, c), one_hot(a.truth, c)), a.decided, finish)


@dataclass(frozen=True)
class MacroF1(Metric):
    """F1 averaged over the classes that occur: 2 TP / (images of the class + images decoded as it).

    Classes that occur in no decided image are left out. For a multilabel, the F1 of each class's `yes`.
    """

    name = "macro-f1"
    title = "Macro F1"
    better = "higher"
    scope = "group"

    def score(self, p: Predictions, group: Group | None, level: int | None) -> Summands:
        """Sums by class: true positives, decided as the class, decoded as the class."""
        assert group is not None
        if group.kind is Kind.MULTILABEL:
            return _multilabel_f1(p, group)
        a = answers(p, group, level)
        c = len(a.classes)
        right = np.where(a.truth == a.predicted, a.truth, -1)
        predicted = np.where(a.decided, a.predicted, -1)
        values = beside(one_hot(right, c), one_hot(a.truth, c), one_hot(predicted, c))
        return Summands(values, a.decided, _f1)


def _multilabel_f1(p: Predictions, group: Group) -> Summands:
    truth = np.stack([label_truth(p, label) for label in group.labels], 1)
    answered = p.worlds[:, list(group.labels)] & applies(p, group)[:, None]
    decided = truth != UNKNOWN
    positive = truth == YES
    values = np.concatenate([positive & answered, positive, decided & answered], 1).astype(np.float64)
    return Summands(values, decided.any(1), _f1)


def _f1(s: Floats) -> Floats:
    right, true, answered = np.split(s, 3, axis=-1)
    return mean_over(2 * right / (true + answered), true > 0)
