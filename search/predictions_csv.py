"""`predictions.csv`: one row a test image, for people and spreadsheets: truth, decoded world, probabilities."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..dsl.annotations import NOT_APPLICABLE
from ..dsl.evidence import NO, UNKNOWN, YES, decided_labels
from ..dsl.ontology import Group, Kind
from ..dsl.tables import Bools, Tables
from ..dsl.worlds import applies
from .results import SavedPredictions


def write_predictions(path: Path, saved: SavedPredictions, tables: Tables) -> None:
    """Write the table.

    Columns: `image`; for each group `GROUP.truth` and `GROUP.predicted`; for each label `P(LABEL)`. Truth is the
    deepest class that the evidence decides, `a or b` where it leaves a choice, empty where it says nothing; classes
    of a multilabel are joined by `|`, with `?` after one that is not known; `n/a` is a group that does not apply.
    """
    groups = tables.ontology.groups
    head = ["image"] + [f"{g.path}.{side}" for g in groups for side in ("truth", "predicted")]
    head += [f"P({label.path})" for label in tables.ontology.labels]
    words = [column for g in groups for column in (truth(tables, g, saved.possible), answer(tables, g, saved.worlds))]
    with path.open("w", encoding="utf-8", newline="") as f:
        writer = csv.writer(f, lineterminator="\n")
        writer.writerow(head)
        for i, name in enumerate(saved.names):
            writer.writerow([name, *(column[i] for column in words), *(f"{p:.6g}" for p in saved.probabilities[i])])


def truth(tables: Tables, group: Group, possible: Bools) -> list[str]:
    """What the evidence says of a group, in words, for each of N images (`possible` [N, S])."""
    rows, back = np.unique(possible, axis=0, return_inverse=True)
    decided = decided_labels(tables, rows)
    said = [_truth(tables, group, row, labels) for row, labels in zip(rows, decided, strict=True)]
    return [said[i] for i in back.reshape(-1)]


def _truth(tables: Tables, group: Group, possible: Bools, decided: NDArray[np.int8]) -> str:
    variables = tables.group_variables(group)
    if not possible.any():
        return ""
    if all(v.na >= 0 and possible[v.start : v.stop].sum() == 1 and possible[v.na] for v in variables):
        return NOT_APPLICABLE
    if group.kind is Kind.BINARY:
        return {YES: "yes", NO: "no", UNKNOWN: ""}[int(decided[group.labels[0]])]
    names = tables.ontology.labels
    if group.kind is Kind.MULTILABEL:
        marks = {YES: "", UNKNOWN: "?"}
        return "|".join(names[i].id + marks[int(decided[i])] for i in group.labels if int(decided[i]) in marks)
    deepest = _deepest(tables, group, decided == YES)
    if deepest:
        return deepest
    (variable,) = variables
    left = [names[tables.leaf[s]].id for s in variable.live if possible[s]]
    return " or ".join(left) if len(left) < len(variable.live) else ""


def _deepest(tables: Tables, group: Group, holds: Bools) -> str:
    deepest = tables.ontology.deepest(i for i in group.labels if holds[i])
    return "" if deepest is None else tables.ontology.labels[deepest].id


def answer(tables: Tables, group: Group, worlds: Bools) -> list[str]:
    """What the decoded worlds [N, L] say of a group, in words."""
    return list(_answers(tables, group, worlds))


def _answers(tables: Tables, group: Group, worlds: Bools) -> Iterator[str]:
    names = tables.ontology.labels
    for world, here in zip(worlds, applies(tables.ontology, group.index, worlds), strict=True):
        if not here:
            yield NOT_APPLICABLE
        elif group.kind is Kind.BINARY:
            yield "yes" if world[group.labels[0]] else "no"
        elif group.kind is Kind.MULTILABEL:
            yield "|".join(names[i].id for i in group.labels if world[i])
        else:
            yield _deepest(tables, group, world)
