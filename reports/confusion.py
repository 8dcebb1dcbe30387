"""Confusion of each group's classes, summed over retrainings, as plain data small enough for `results.json`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dsl.evidence import NO, YES
from ..dsl.ontology import Group, Kind
from ..plugins.contracts import Predictions
from ..plugins.metrics.answers import answers, applies, label_truth

FULL = 100
"""Groups of up to this many classes keep every cell; larger ones their most frequent confusions."""
TOP = 200


def describe_group(group: Group, names: Sequence[str]) -> dict[str, Any]:
    """What the cells of a group mean: its title and its classes' names.

    In a choice, `cells` are [true, answered, count] and the class after the last means "no one class"; in a
    multilabel [class, true positives, false positives, false negatives, true negatives].
    """
    return {
        "title": group.name,
        "kind": "multilabel" if group.kind is Kind.MULTILABEL else "choice",
        "classes": list(names),
        "contenders": {},
    }


def class_names(p: Predictions, group: Group) -> list[str]:
    """The names of the classes that are told apart, in document order; equal names get their path."""
    labels = p.ontology.labels
    if group.kind is Kind.BINARY:
        return ["no", "yes"]
    indices = group.labels if group.kind is Kind.MULTILABEL else p.ontology.leaves(group)
    names = [labels[i].name for i in indices]
    return [labels[i].path if names.count(n) > 1 else n for i, n in zip(indices, names, strict=True)]


def count(p: Predictions, group: Group) -> dict[tuple[int, ...], int]:
    """Cells of one retraining: (true, answered) → images; for a multilabel (class, outcome 0…3) → images."""
    if group.kind is Kind.MULTILABEL:
        cells: dict[tuple[int, ...], int] = {}
        for i, label in enumerate(group.labels):
            decided, held = label_truth(p, label), p.worlds[:, label] & applies(p, group)
            pairs = ((YES, True), (NO, True), (YES, False), (NO, False))
            cells |= {(i, k): int(((decided == t) & (held == h)).sum()) for k, (t, h) in enumerate(pairs)}
        return cells
    a = answers(p, group)
    c = len(a.classes)
    truth = a.truth[a.decided]
    answered = np.where(a.predicted < 0, c, a.predicted)[a.decided]
    code, number = np.unique(truth * (c + 1) + answered, return_counts=True)
    return {divmod(int(k), c + 1): int(n) for k, n in zip(code, number, strict=True)}


def cells(counts: Sequence[dict[tuple[int, ...], int]], classes: int, kind: str) -> dict[str, Any]:
    """Cells summed over retrainings, cut to the most frequent confusions where there are many classes."""
    total: dict[tuple[int, ...], int] = {}
    for one in counts:
        for key, n in one.items():
            total[key] = total.get(key, 0) + n
    if kind == "multilabel":
        return {"cells": [[i, *(total[i, k] for k in range(4))] for i in range(classes)], "cut": False}
    if classes > FULL:
        wrong = [(k, n) for k, n in total.items() if k[0] != k[1]]
        wrong.sort(key=lambda item: (-item[1], item[0]))
        return {"cells": [[*k, n] for k, n in wrong[:TOP]], "cut": True}
    return {"cells": [[*k, n] for k, n in sorted(total.items())], "cut": False}
