"""A data set held against an ontology, without training: what `linnaeus check SPEC --data STUDY` says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dsl.annotations import cell_text
from ..dsl.evidence import Evidence, possible_states
from ..dsl.ontology import Group, Ontology
from ..dsl.tables import Bools, Tables, compile_tables
from ..errors import Diagnostic, LinnaeusError
from ..plugins.contracts import Annotations
from .binding import Bound, bind
from .combinations import CHUNK, Combinations, combinations
from .conflicts import Conflict, conflicts
from .copies import copies
from .data_checks import check_annotated, label_counts
from .leaks import Leak, leaks
from .splits import NOWHERE, SPLITS, TRAIN, SplitCodes, given_split
from .study import StudyData


@dataclass(frozen=True)
class Copies:
    """Records of one picture that say different things; `contradict`: no legal world agrees with all of them."""

    rows: tuple[int, ...]
    contradict: bool


@dataclass(frozen=True)
class DataReport:
    """What a data set is to an ontology.

    Shapes:
        split: [N] int8 (0 train, 1 validation, 2 test, -1 none) where the splits are given, else None.
        counts: [L] images that decidedly have each label; `train` the same in training, or None.
        missing: by group the records that say nothing of it though it may apply.
        shared: how many pictures occur more than once.
    """

    tables: Tables
    said: Annotations
    bound: Bound
    split: SplitCodes | None
    split_mistakes: tuple[Diagnostic, ...]
    conflicts: tuple[Conflict, ...]
    counts: NDArray[np.int64]
    train: NDArray[np.int64] | None
    combinations: tuple[Combinations, ...]
    copies: tuple[Copies, ...]
    shared: int
    leaks: tuple[Leak, ...]
    missing: Mapping[str, tuple[int, ...]]
    bad: Mapping[str, str] = field(default_factory=dict)

    @property
    def groups(self) -> list[Group]:
        """The groups that the study binds, in part at least."""
        return bound_groups(self.tables.ontology, self.bound)

    def name(self, row: int) -> str:
        """A record's name."""
        return self.said.names[row]

    def cells(self, row: int) -> dict[str, str | None]:
        """What a record says as it is written, by group."""
        return {path: _text(cells[row]) for path, cells in self.bound.cells.items()}

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain data."""
        labels, names = self.tables.ontology.labels, self.said.names

        def named(rows: Sequence[int]) -> list[str]:
            return [names[r] for r in rows]

        return {
            "records": len(names),
            "splits": None if self.split is None else _split_counts(self.split),
            "bound": self.bound.bound,
            "unknown_values": [
                {"group": u.group, "value": _text(u.value), "why": u.message, "nearest": list(u.near),
                 "count": len(u.rows), "records": named(u.rows)}
                for u in self.bound.unread
            ],
            "illegal_records": [
                {"record": names[r], "cells": self.cells(r), "conflict": dict(c.said), "laws": list(c.laws)}
                for c in self.conflicts for r in c.rows
            ],
            "classes": {
                labels[i].path: {
                    "images": int(self.counts[i]), "train": None if self.train is None else int(self.train[i])
                }
                for g in self.groups for i in g.labels
            },
            "never_together": [asdict(c) for c in self.combinations],
            "copies": {"pictures": self.shared, "conflicting": [
                {"records": named(c.rows), "cells": [self.cells(r) for r in c.rows], "contradict": c.contradict}
                for c in self.copies
            ]},
            "leaks": [asdict(leak) for leak in self.leaks],
            "missing": {g: {"count": len(rows), "records": named(rows)} for g, rows in self.missing.items()},
            "notices": [*self.bound.notices, *self.said.notes],
        }  # fmt: skip


def report_data(ontology: Ontology, study: StudyData, cache: Path) -> DataReport:
    """Hold a study's data against an ontology, which need not be its own. No image is decoded.

    Args:
        cache: the user's cache folder.

    Raises:
        LinnaeusError: the data can't be read, or nothing in it can be bound to the ontology (E2…).
    """
    spec = study.data
    said = spec.dataset.annotations(spec.image, study.base, cache / "images")
    check_annotated(said)
    tables = compile_tables(ontology)
    bound = bind(tables, said, spec)
    split, mistakes = _split(said, study)
    found = conflicts(bound.evidence)
    legal = np.ones(len(said.names), bool)
    legal[[row for c in found for row in c.rows]] = False
    evidence = bound.evidence.take(legal)
    groups = bound_groups(ontology, bound)
    everyone = np.zeros(len(evidence), np.int8)
    training = None if split is None else evidence.take(split[legal] == TRAIN)
    alike = copies(said.sources)
    columns = frozenset(c for names in bound.columns.values() for c in names)
    return DataReport(
        tables,
        said,
        bound,
        split,
        mistakes,
        found,
        label_counts(evidence, everyone)[TRAIN],
        None if training is None else label_counts(training, everyone[: len(training)])[TRAIN],
        tuple(combinations(evidence, frozenset(g.index for g in groups))),
        tuple(_conflicting(bound.evidence, alike)),
        len(alike),
        tuple(leaks(said, spec, columns, split)),
        {g.path: rows for g in groups for rows in [_missing(bound, g, legal)] if rows},
        asdict(spec.bad),
    )


def bound_groups(ontology: Ontology, bound: Bound) -> list[Group]:
    """The groups that have a column, of their own or for one of their classes."""
    paths = set(bound.bound)
    return [g for g in ontology.groups if g.path in paths or any(ontology.labels[i].path in paths for i in g.labels)]


def _split(said: Annotations, study: StudyData) -> tuple[SplitCodes | None, tuple[Diagnostic, ...]]:
    """The splits that are given; where the study's own words for them can't be followed, that is a finding."""
    try:
        return given_split(said, study.data.split, frozenset(study.data.missing)), ()
    except LinnaeusError as e:
        return None, tuple(replace(d, code=f"W{d.code[1:]}", severity="warning") for d in e.diagnostics)


def _split_counts(split: SplitCodes) -> dict[str, int]:
    counts = Counter(split.tolist())
    return {**{s: counts[code] for code, s in enumerate(SPLITS)}, "none": counts[NOWHERE]}


def _conflicting(evidence: Evidence, alike: Sequence[Sequence[int]]) -> Iterator[Copies]:
    """Of copies those that say different things."""
    for rows in alike:
        codes = np.unique(evidence.codes[rows], axis=0)
        if len(codes) > 1:
            allowed = Evidence(evidence.tables, codes, evidence.masks).allowed()
            together: Bools = np.logical_and.reduce(allowed, axis=0, keepdims=True)
            yield Copies(tuple(rows), not possible_states(evidence.tables, together).any())


def _missing(bound: Bound, group: Group, legal: Bools) -> tuple[int, ...]:
    """The legal records that say nothing of a group, and of which nothing follows about it from what they say."""
    evidence = bound.evidence
    tables = evidence.tables
    variables = tables.group_variables(group)
    silent: Bools = legal & (evidence.codes[:, [v.index for v in variables]] == 0).all(1)
    silent[[r for u in bound.unread if u.group == group.path for r in u.rows]] = False
    rows = np.flatnonzero(silent)
    codes, back = np.unique(evidence.codes[rows], axis=0, return_inverse=True)
    undecided = np.zeros(len(codes), bool)
    size = max(1, CHUNK // max(1, tables.n_states))
    for start in range(0, len(codes), size):
        part = Evidence(tables, codes[start : start + size], evidence.masks)
        counts = tables.count_by_variable(part.possible())[:, [v.index for v in variables]]
        undecided[start : start + size] = (counts > 1).any(1)
    return tuple(rows[undecided[back.reshape(-1)]].tolist())


def _text(cell: Hashable) -> str | None:
    if cell is None or isinstance(cell, str | int | float | bool):
        return None if cell is None else cell_text(cell)
    return " > ".join("" if c is None else str(c) for c in cell) if isinstance(cell, tuple) else str(cell)
