"""What evidence decides and what was answered, as class numbers: the common ground of the metrics of a group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...dsl import worlds
from ...dsl.evidence import NO, UNKNOWN, YES
from ...dsl.ontology import Group, Kind, Ontology
from ...dsl.tables import Bools, Tables
from ..contracts import Predictions


@dataclass(frozen=True)
class Answers:
    """Truth and prediction of one group at one level, over C classes.

    Shapes:
        classes: C labels; for a binary (-1, yes), where -1 stands for `no`.
        truth: [N] the decided class, or -1 where evidence leaves it open or the group does not apply.
        predicted: [N] the decoded class, or -1 where the decoded world names none or several.
    """

    classes: tuple[int, ...]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]

    @property
    def decided(self) -> Bools:
        """[N] the images that are scored."""
        decided: Bools = self.truth >= 0
        return decided


@lru_cache(maxsize=256)
def cut(ontology: Ontology, group: Group, level: int | None = None) -> tuple[int, ...]:
    """The classes of a single-choice group at a level (from 1 = coarsest), in document order.

    They are the nodes at depth `level` − 1 and the leaves whose path ends above it, so that every leaf lies under
    exactly one of them, ragged trees included. None: the leaves.
    """
    leaves = set(ontology.leaves(group))
    if level is None:
        return tuple(i for i in group.labels if i in leaves)
    depth = ontology.depth
    return tuple(i for i in group.labels if depth[i] == level - 1 or (depth[i] < level - 1 and i in leaves))


def n_levels(ontology: Ontology, group: Group) -> int:
    """The number of levels of a hierarchy: labels on its longest path."""
    return 1 + max(ontology.depth[i] for i in group.labels)


def answers(p: Predictions, group: Group, level: int | None = None) -> Answers:
    """Truth and prediction of a binary, multiclass, hierarchy or ordinal group."""
    tables = p.tables
    variable = tables.group_variables(group)[0]
    classes = (-1, group.labels[0]) if group.kind is Kind.BINARY else cut(p.ontology, group, level)
    number = np.full(tables.n_states, -1)
    if variable.no >= 0:
        number[variable.no] = 0
    for i, label in enumerate(classes):
        if label >= 0:
            number[list(tables.label_states[label])] = i
    live = slice(variable.live.start, variable.live.stop)
    truth = _truth(p.possible[:, live], number[live])
    if variable.na >= 0:
        truth[p.possible[:, variable.na]] = -1
    return Answers(classes, truth, _predicted(p, group, classes))


def _truth(possible: Bools, of: NDArray[np.int64]) -> NDArray[np.int64]:
    """[N] the one class of all possible states [N, k], whose classes are `of` [k]; -1 where they disagree."""
    count = possible.sum(1)
    truth = np.where(count == 1, of[possible.argmax(1)], -1)
    for i in np.flatnonzero(count > 1):  # coarse labels are few; a table of all would be N × k numbers
        found = of[possible[i]]
        if (found == found[0]).all():
            truth[i] = found[0]
    return truth


def _predicted(p: Predictions, group: Group, classes: tuple[int, ...]) -> NDArray[np.int64]:
    """The one class of the decoded world; -1 where none or several hold, or the group does not apply in it."""
    if group.kind is Kind.BINARY:
        return np.where(applies(p, group), p.worlds[:, classes[1]], -1)
    held = p.worlds[:, list(classes)]
    return np.where(applies(p, group) & (held.sum(1) == 1), held.argmax(1), -1)


def applies(p: Predictions, group: Group) -> Bools:
    """[N] whether the group applies in the decoded world."""
    return worlds.applies(p.ontology, group.index, p.worlds)


def label_truth(p: Predictions, label: int) -> NDArray[np.int8]:
    """[N] YES or NO where evidence decides a class of a multilabel or a binary, else UNKNOWN.

    A label that is *not applicable*, for certain or perhaps, is UNKNOWN: no answer is right there.
    """
    tables: Tables = p.tables
    variable = tables.variables[int(tables.label_variable[label])]
    yes = p.possible[:, variable.start]
    no = p.possible[:, variable.no]
    na = p.possible[:, variable.na] if variable.na >= 0 else np.zeros(len(yes), bool)
    return np.where(na | (yes == no), UNKNOWN, np.where(yes, YES, NO)).astype(np.int8)
