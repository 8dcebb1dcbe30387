"""Why records are illegal: a minimal part of what each says that can't be, and of what forbids it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from ..dsl.annotations import describe
from ..dsl.evidence import Evidence, possible_states
from ..dsl.ontology import Group, Kind
from ..dsl.tables import Bools, Ints, Law, Tables

CHUNK = 50_000_000
"""Most entries of a dense mask held at once."""
DISAGREE = "levels that disagree"


@dataclass(frozen=True)
class Conflict:
    """A contradiction and the records that hold it.

    `said` is a minimal part of what they say, group by group in words: leave any of it out, and some legal world agrees
    with the rest. `laws` are the rules, and the conditions and second parents, without any one of which it would be
    legal; none where the nesting of classes and groups forbids it alone.
    """

    said: tuple[tuple[str, str], ...]
    laws: tuple[str, ...]
    rows: tuple[int, ...]

    def __str__(self) -> str:
        parts = [f"{path}: {text}" for path, text in self.said]
        if len(parts) == 1 and self.said[0][1] == DISAGREE:
            return parts[0]
        why = f"by {' and '.join(self.laws)}" if self.laws else "as the groups are nested"
        return f"{' with '.join(parts)} can't be, {why}"


def conflicts(evidence: Evidence) -> tuple[Conflict, ...]:
    """Every illegal record in the conflict that it shows first, the commonest conflict first."""
    rows, back = np.unique(evidence.codes, axis=0, return_inverse=True)
    wrong = np.flatnonzero(~agreeing(Evidence(evidence.tables, rows, evidence.masks)))
    if not len(wrong):
        return ()
    said = _minimal(evidence, rows[wrong])
    kinds, kind = np.unique(said, axis=0, return_inverse=True)
    of_row = np.full(len(rows), -1)
    of_row[wrong] = kind.reshape(-1)
    members = of_row[back.reshape(-1)]
    blamed = _blamed(evidence, kinds)
    found = [
        Conflict(tuple(_words(evidence, kinds[k])), blamed[k], tuple(np.flatnonzero(members == k).tolist()))
        for k in range(len(kinds))
    ]
    return tuple(sorted(found, key=lambda c: -len(c.rows)))


def agreeing(evidence: Evidence) -> Bools:
    """[N] whether some legal world agrees with each record; rows of codes had better be distinct."""
    tables = evidence.tables
    size = max(1, CHUNK // max(1, tables.n_states))
    legal = np.zeros(len(evidence), bool)
    for start in range(0, len(evidence), size):
        allowed = evidence.flat[evidence.index(evidence.codes[start : start + size])]
        legal[start : start + size] = possible_states(tables, allowed).any(1)
    return legal


def _minimal(evidence: Evidence, codes: Ints) -> Ints:
    """Illegal codes with as much as can be taken back: whole groups first, then single classes of a multilabel."""
    tables, kept = evidence.tables, codes.copy()
    groups = [[v.index for v in tables.group_variables(g)] for g in reversed(tables.ontology.groups)]
    for parts in (groups, [[i] for group in groups if len(group) > 1 for i in group]):
        for variables in parts:
            rows = np.flatnonzero(kept[:, variables].any(1))
            if not len(rows):
                continue
            trial = kept[rows]
            trial[:, variables] = 0
            still = ~agreeing(Evidence(tables, trial, evidence.masks))
            kept[rows[still]] = trial[still]
    return kept


# --- what forbids it ---------------------------------------------------------------------------------


def _blamed(evidence: Evidence, kinds: Ints) -> list[tuple[str, ...]]:
    """For each conflict a minimal set of rules that forbids it: none, or one, where that is enough."""
    sources: dict[str, list[Law]] = {}
    for law in evidence.tables.constraints:
        sources.setdefault(law.source, []).append(law)
    blamed: list[tuple[str, ...]] = [()] * len(kinds)
    left = _still_legal(evidence, kinds, np.arange(len(kinds), dtype=np.int32), ())
    for source, laws in sources.items():
        legal = _still_legal(evidence, kinds, left, laws) if len(left) else left
        for k in set(left.tolist()) - set(legal.tolist()):
            blamed[k] = (source,)
        left = legal
    for k in left.tolist():
        kept = dict(sources)
        for source in sources:
            fewer = {other: laws for other, laws in kept.items() if other != source}
            if not len(_still_legal(evidence, kinds, np.array([k], np.int32), [*chain(*fewer.values())])):
                kept = fewer
        blamed[k] = tuple(kept)
    return blamed


def _still_legal(evidence: Evidence, kinds: Ints, which: Ints, laws: Sequence[Law]) -> Ints:
    """Of some conflicts those that would be none, were these laws the only ones."""
    tables: Tables = replace(evidence.tables, constraints=tuple(laws))
    legal: Ints = which[agreeing(Evidence(tables, kinds[which], evidence.masks))]
    return legal


# --- in words ----------------------------------------------------------------------------------------


def _words(evidence: Evidence, codes: Ints) -> Iterator[tuple[str, str]]:
    """What codes say, group by group, each read alone."""
    tables = evidence.tables
    for group in tables.ontology.groups:
        said = [v.index for v in tables.group_variables(group) if codes[v.index]]
        if said and group.kind is Kind.MULTILABEL:
            yield group.path, ", ".join(_class_words(evidence, group, i, int(codes[i])) for i in said)
        elif said:
            mask = evidence.masks[said[0]][codes[said[0]]]
            yield group.path, _choice_words(tables, group, said[0], mask)


def _class_words(evidence: Evidence, group: Group, variable: int, code: int) -> str:
    v, mask = evidence.tables.variables[variable], evidence.masks[variable][code]
    name = evidence.tables.ontology.labels[v.label].name
    if mask[0]:
        return name if not mask[1:].any() else f"{name}?"
    return f"!{name}"


def _choice_words(tables: Tables, group: Group, variable: int, mask: Bools) -> str:
    """What a mask of one variable's states says, in the words of the annotations."""
    if not mask.any():
        return DISAGREE
    plain = replace(tables, constraints=())
    v = tables.variables[variable]
    states = np.ones(tables.n_states, bool)
    states[v.start : v.stop] = mask
    possible = possible_states(plain, states[None])[0]
    return describe(plain, possible)[group.path] if possible.any() else DISAGREE
