"""Evidence: what an annotation says, as the states it allows, and what follows from it in every legal world."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .tables import Bools, Ints, Tables
from .ties import narrow


@dataclass(frozen=True)
class Evidence:
    """The evidence of N records: per variable a code, per code the states it allows.

    Shapes:
        codes: [N, V] int32, an index into the variable's own masks; code 0 is always "unknown" (all states allowed).
        masks: one Boolean array per variable, [codes of that variable, states of that variable].

    The likelihood of a record is the total probability of the legal worlds in which every variable is in an
    allowed state.
    """

    tables: Tables
    codes: Ints
    masks: tuple[Bools, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: NDArray[np.integer] | Bools) -> Evidence:
        """The evidence of some of the records; the masks are shared."""
        return Evidence(self.tables, self.codes[rows], self.masks)

    def allowed(self) -> Bools:
        """[N, S] the states each record allows."""
        allowed: Bools = self.flat[self.index(self.codes)]
        return allowed

    @cached_property
    def flat(self) -> Bools:
        """All masks end to end: with `index`, evidence in two arrays that a compiled program can gather from."""
        return np.concatenate([m.ravel() for m in self.masks]) if self.masks else np.zeros(0, bool)

    @cached_property
    def _offset(self) -> Ints:
        sizes = [m.size for m in self.masks]
        return np.concatenate([[0], np.cumsum(sizes)])[:-1].astype(np.int32)

    def gather_tables(self) -> tuple[Ints, Ints, Ints]:
        """`(variable, base, width)`, each [S], with `flat[base + codes[:, variable] * width]` = `allowed()`."""
        variable = self.tables.state_variable
        within = np.arange(self.tables.n_states, dtype=np.int32) - self.tables.starts[variable]
        width = np.array([m.shape[1] for m in self.masks], np.int32)
        return variable, (self._offset[variable] + within).astype(np.int32), width[variable]

    def index(self, codes: Ints) -> Ints:
        """[N, S] where in `flat` the mask of each record's states stands."""
        variable, base, width = self.gather_tables()
        where: Ints = base + codes[:, variable] * width
        return where

    def possible(self) -> Bools:
        """[N, S] the states that occur in some legal world agreeing with the record; all False: no world agrees."""
        rows, back = np.unique(self.codes, axis=0, return_inverse=True)
        possible: Bools = possible_states(self.tables, self.flat[self.index(rows)])[back.reshape(-1)]
        return possible


def evidence_from_allowed(tables: Tables, allowed: Bools) -> Evidence:
    """The evidence of a dense mask [N, S]."""
    codes = np.zeros((len(allowed), len(tables.variables)), np.int32)
    masks = []
    for v in tables.variables:
        unknown = np.ones((1, v.stop - v.start), bool)
        rows, back = np.unique(np.concatenate([unknown, allowed[:, v.start : v.stop]]), axis=0, return_inverse=True)
        back = back.reshape(-1)
        swap = np.arange(len(rows))
        swap[[0, back[0]]] = swap[[back[0], 0]]  # "unknown" comes first
        masks.append(rows[swap])
        codes[:, v.index] = swap[back[1:]]
    return Evidence(tables, codes, tuple(masks))


def possible_states(tables: Tables, allowed: Bools) -> Bools:
    """[N, S] the states that occur in some legal world inside `allowed` [N, S]; a row with no such world is all False.

    Exact for every ontology. Rows had better be distinct: where laws tie variables together, rows cost time.
    """
    possible = propagate(tables, allowed)
    if tables.constraints:
        possible = propagate(tables, narrow(tables, possible))
    return possible


def propagate(tables: Tables, allowed: Bools) -> Bools:
    """Exact consequences of evidence on the forest of variables. It knows no laws.

    Args:
        allowed: [N, S] states that evidence allows.

    Returns:
        [N, S] the states that occur in at least one legal world inside `allowed`. Arc consistency
        in both directions is exact on a forest (Freuder 1982, "A sufficient condition for backtrack-free search").
        Rows with no such world are all False.
    """
    up = allowed.copy()
    for v in reversed(tables.variables):
        if v.parent < 0:
            continue
        parent = tables.variables[v.parent]
        agrees = np.zeros((len(up), parent.stop - parent.start), bool)
        if v.na >= 0:
            agrees[:] = up[:, v.na : v.na + 1]
        for s in v.off:
            agrees[:, s - parent.start] = up[:, v.no]
        live = np.any(up[:, v.live.start : v.live.stop], axis=1)
        agrees[:, [s - parent.start for s in v.free]] = live[:, None]
        up[:, parent.start : parent.stop] &= agrees
    down = np.zeros_like(up)
    for v in tables.variables:
        if v.parent < 0:
            down[:, v.start : v.stop] = up[:, v.start : v.stop]
            continue
        above = tables.variables[v.parent]
        free = np.any(down[:, list(v.free)], axis=1)
        off = np.any(down[:, list(v.off)], axis=1)
        rest = [s for s in range(above.start, above.stop) if s not in set(v.free) | set(v.off)]
        down[:, v.live.start : v.live.stop] = up[:, v.live.start : v.live.stop] & free[:, None]
        if v.no >= 0:
            down[:, v.no] |= up[:, v.no] & off
        if v.na >= 0:
            down[:, v.na] = up[:, v.na] & np.any(down[:, rest], axis=1)
    alive = np.all(tables.count_by_variable(down) > 0, axis=1)
    legal: Bools = down & alive[:, None]
    return legal


YES, NO, UNKNOWN = 1, 0, -1


def decided_labels(tables: Tables, possible: Bools) -> NDArray[np.int8]:
    """[N, L] what evidence decides about each label: YES in every agreeing world, NO in none, else UNKNOWN.

    Args:
        possible: [N, S] from `Evidence.possible`.
    """
    decided = np.empty((len(possible), tables.n_labels), np.int8)
    for start in range(0, len(possible), 1024):  # counts of all records at once would be many times the answer
        rows = slice(start, start + 1024)
        count = tables.count_by_label(possible[rows])
        total = tables.count_by_variable(possible[rows])[:, tables.label_variable]
        decided[rows] = np.where(count == 0, NO, np.where(total > count, UNKNOWN, YES))
    return decided
