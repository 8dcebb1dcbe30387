"""Legal combinations of classes that a data set never shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..dsl.evidence import YES, Evidence, decided_labels, possible_states
from ..dsl.ontology import Group, Kind, Ontology
from ..dsl.tables import Bools, Tables

MOST = 40_000
"""Pairs of classes of two groups beyond which they are not looked at."""
CHUNK = 50_000_000
"""Most entries of a dense mask held at once."""


@dataclass(frozen=True)
class Combinations:
    """Two groups that rules or nesting tie together: how many pairs of their classes are legal, and which of them no
    record shows though it shows both classes. `never` is None where there are too many pairs to look at.
    """

    groups: tuple[str, str]
    legal: int
    never: tuple[tuple[str, str], ...] | None


def combinations(evidence: Evidence, bound: frozenset[int]) -> Iterator[Combinations]:
    """What is never seen of each two groups of `bound` that something ties together."""
    tables = evidence.tables
    ontology = tables.ontology
    pairs = [pair for pair in tied(ontology) if set(pair) <= bound]
    classes = {g: _classes(ontology, ontology.groups[g]) for pair in pairs for g in pair}
    small = [(a, b) for a, b in pairs if len(classes[a]) * len(classes[b]) <= MOST]
    seen = _seen(evidence, {pair: (classes[pair[0]], classes[pair[1]]) for pair in small})
    for a, b in pairs:
        names = (ontology.groups[a].path, ontology.groups[b].path)
        if (a, b) not in seen:
            yield Combinations(names, 0, None)
            continue
        legal = _legal(tables, classes[a], classes[b])
        both, first, second = seen[a, b]
        never = legal & ~both & first[:, None] & second[None]
        found = tuple(
            (ontology.labels[classes[a][i]].path, ontology.labels[classes[b][j]].path) for i, j in np.argwhere(never)
        )
        yield Combinations(names, int(legal.sum()), found)


def tied(ontology: Ontology) -> list[tuple[int, int]]:
    """Pairs of groups, lower index first: one applies by the other, both stand in one class, or a rule has both."""
    found: set[tuple[int, int]] = set()

    def tie(groups: set[int]) -> None:
        found.update((a, b) for a in groups for b in groups if a < b)

    for group in ontology.groups:
        if group.condition is not None:
            tie({group.index, ontology.labels[group.condition].group})
        if group.when is not None:
            for other in group.when.mentioned_groups(ontology):
                tie({group.index, other})
    for together in ontology.attributes:
        tie(set(together))
    for rule in ontology.rules:
        for formula in rule.formulas:
            tie(set(formula.mentioned_groups(ontology)))
    return sorted(found)


def _classes(ontology: Ontology, group: Group) -> list[int]:
    """The classes that pairs are made of: all of a multilabel, the leaves of other kinds, but no `other`."""
    labels = group.labels if group.kind is Kind.MULTILABEL else ontology.leaves(group)
    return [i for i in labels if not ontology.labels[i].other]


def _legal(tables: Tables, first: list[int], second: list[int]) -> Bools:
    """[A, B] whether some legal world has both."""
    size = max(1, CHUNK // max(1, tables.n_states))
    legal = np.zeros((len(first), len(second)), bool)
    for start in range(0, len(first), size):
        part = first[start : start + size]
        allowed = np.ones((len(part), tables.n_states), bool)
        for row, label in enumerate(part):
            v = tables.variables[tables.label_variable[label]]
            allowed[row, v.start : v.stop] = False
            allowed[row, list(tables.label_states[label])] = True
        legal[start : start + size] = (tables.count_by_label(possible_states(tables, allowed)) > 0)[:, second]
    return legal


Shown = tuple[Bools, Bools, Bools]
"""[A, B] both together; [A] and [B] each at all."""


def _seen(
    evidence: Evidence, pairs: dict[tuple[int, int], tuple[list[int], list[int]]]
) -> dict[tuple[int, int], Shown]:
    """What records decidedly show of each two groups."""
    tables = evidence.tables
    both = {k: np.zeros((len(a), len(b)), bool) for k, (a, b) in pairs.items()}
    ever = np.zeros(tables.n_labels, bool)
    rows: NDArray[np.int32] = np.unique(evidence.codes, axis=0)
    size = max(1, CHUNK // max(1, tables.n_states))
    for start in range(0, len(rows) if pairs else 0, size):
        part = Evidence(tables, rows[start : start + size], evidence.masks)
        holds = decided_labels(tables, part.possible()) == YES
        ever |= holds.any(0)
        for key, (a, b) in pairs.items():
            both[key] |= holds[:, a].astype(np.float32).T @ holds[:, b].astype(np.float32) > 0
    return {k: (both[k], ever[a], ever[b]) for k, (a, b) in pairs.items()}
