"""Random ontologies, their legal worlds by enumeration, and random annotations: what a plugin's tests need.

`enumerate_worlds` follows the definitions of the language word by word and knows nothing of the compiled tables, so it
is an oracle for them and for every head.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence, evidence_from_allowed
from .ontology import OTHER, Group, Kind, Label, Ontology
from .tables import Bools, Tables

World = frozenset[int]


# --- legal worlds ----------------------------------------------------------------------------------


def enumerate_worlds(ontology: Ontology) -> Bools:
    """Every legal world as a row of labels, [W, L] bool. Only for small ontologies: W grows exponentially."""
    worlds = list(_combine(ontology, [g for g in ontology.groups if g.condition is None]))
    table = np.zeros((len(worlds), len(ontology.labels)), bool)
    for row, world in enumerate(worlds):
        table[row, sorted(world)] = True
    return table


def count_worlds(ontology: Ontology) -> int:
    """W, without listing them."""

    def count(group: Group) -> int:
        return sum(
            math.prod(count(g) for g in ontology.groups if g.condition in value) for value in _values(ontology, group)
        )

    return math.prod(count(g) for g in ontology.groups if g.condition is None)


def _combine(ontology: Ontology, groups: list[Group]) -> Iterator[World]:
    """The worlds of groups that apply, with all that is nested in them."""
    for parts in itertools.product(*(list(_worlds_of(ontology, g)) for g in groups)):
        yield frozenset().union(*parts)


def _worlds_of(ontology: Ontology, group: Group) -> Iterator[World]:
    for value in _values(ontology, group):
        nested = [g for g in ontology.groups if g.condition in value]
        for below in _combine(ontology, nested):
            yield value | below


def _values(ontology: Ontology, group: Group) -> list[World]:
    """The legal values of one group where it applies, as the labels that hold."""
    labels = [ontology.labels[i] for i in group.labels]
    match group.kind:
        case Kind.BINARY:
            return [frozenset(group.labels), frozenset()]
        case Kind.MULTICLASS | Kind.ORDINAL:
            return [frozenset([i]) for i in group.labels]
        case Kind.HIERARCHY:
            inner = {p for label in labels for p in label.parents}
            return [_path(ontology, label) for label in labels if label.index not in inner]
        case Kind.MULTILABEL:
            subsets = (frozenset(s) for n in range(len(labels) + 1) for s in itertools.combinations(group.labels, n))
            return [s for s in subsets if all(set(ontology.labels[i].parents) <= s for i in s)]


def _path(ontology: Ontology, label: Label) -> World:
    path = {label.index}
    while label.parents:
        label = ontology.labels[label.parents[0]]
        path.add(label.index)
    return frozenset(path)


# --- random ontologies -----------------------------------------------------------------------------


@dataclass
class _Draft:
    """An ontology in the making. Groups are begun breadth first, so each stands after that of its condition."""

    rng: np.random.Generator
    groups: list[Group] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    pending: list[tuple[int, int]] = field(default_factory=list)

    def begin(self, kind: Kind, condition: int | None, depth: int) -> None:
        """A group of a few labels; some of its classes may carry attributes while `depth` is positive."""
        index, first = len(self.groups), len(self.labels)
        above = "" if condition is None else self.labels[condition].path + "."
        path = f"{above}g{index}"
        opened = kind is Kind.HIERARCHY or kind is Kind.MULTICLASS
        opened = opened and self.rng.random() < 0.3
        match kind:
            case Kind.BINARY:
                self.add(index, path, None, "yes")
            case Kind.MULTICLASS | Kind.ORDINAL:
                for k in range(int(self.rng.integers(2, 4))):
                    self.add(index, path, None, f"c{k}")
            case Kind.HIERARCHY | Kind.MULTILABEL:
                self.grow(index, kind, path, None, 0)
        if opened:
            self.add(index, path, None, OTHER)
        mine = tuple(range(first, len(self.labels)))
        self.groups.append(Group(index, kind, f"g{index}", path, mine, condition, open=opened))
        if depth > 0 and kind is not Kind.ORDINAL:
            self.pending += [(i, depth - 1) for i in mine if not self.labels[i].other and self.rng.random() < 0.25]

    def grow(self, group: int, kind: Kind, path: str, parent: int | None, level: int) -> None:
        """Children under a node, down to a ragged depth; a hierarchy may have one-child nodes and open nodes."""
        for k in range(int(self.rng.integers(1, 4))):
            node = len(self.labels)
            inner = level < 2 and self.rng.random() < 0.4
            opened = inner and kind is Kind.HIERARCHY and self.rng.random() < 0.3
            self.add(group, path, parent, f"c{k}", opened)
            if inner:
                self.grow(group, kind, self.labels[node].path, node, level + 1)
            if opened:
                self.add(group, self.labels[node].path, node, OTHER)

    def add(self, group: int, path: str, parent: int | None, name: str, opened: bool = False) -> None:
        parents = () if parent is None else (parent,)
        label = Label(len(self.labels), group, name, f"{path}.{name}", parents, open=opened, other=name == OTHER)
        self.labels.append(label)


def random_ontology(
    rng: np.random.Generator, *, groups: int = 3, depth: int = 2, max_labels: int = 24, max_worlds: int = 400
) -> Ontology:
    """A small ontology: all five kinds, attributes of attributes, ragged and open hierarchies, nested multilabels.

    Args:
        groups: how many groups always apply, at most.
        depth: how deep attributes nest.
        max_labels, max_worlds: larger draws are thrown away.
    """
    kinds = list(Kind)
    while True:
        draft = _Draft(rng)
        for _ in range(int(rng.integers(1, groups + 1))):
            draft.begin(kinds[rng.integers(len(kinds))], None, depth)
        while draft.pending:
            condition, left = draft.pending.pop(0)
            draft.begin(kinds[rng.integers(len(kinds))], condition, left)
        ontology = Ontology("random", tuple(draft.groups), tuple(draft.labels))
        if len(draft.labels) <= max_labels and count_worlds(ontology) <= max_worlds:
            return ontology


def side_by_side(ontologies: list[Ontology]) -> Ontology:
    """One ontology with the groups of all: a world of it is a world of each. Labels and states keep their order, those
    of the first ontology first, so that many ontologies are tried in one compiled program.
    """
    groups: list[Group] = []
    labels: list[Label] = []
    for number, o in enumerate(ontologies):
        first, up = len(groups), len(labels)
        for label in o.labels:
            parents, path = tuple(p + up for p in label.parents), f"o{number}.{label.path}"
            labels.append(replace(label, index=label.index + up, group=label.group + first, parents=parents, path=path))
        for g in o.groups:
            condition = None if g.condition is None else g.condition + up
            mine = tuple(i + up for i in g.labels)
            path = f"o{number}.{g.path}"
            groups.append(replace(g, index=g.index + first, labels=mine, condition=condition, path=path))
    return Ontology("side_by_side", tuple(groups), tuple(labels))


# --- random annotations ----------------------------------------------------------------------------


def random_states(rng: np.random.Generator, tables: Tables, n: int) -> Bools:
    """`n` random legal worlds as states, [n, S]."""
    states = np.zeros((n, tables.n_states), bool)
    for row in states:
        for v in tables.variables:
            if v.parent < 0 or row[list(v.free)].any():
                row[rng.choice(v.live)] = True
            else:
                row[v.no if row[list(v.off)].any() else v.na] = True
    return states


def random_evidence(rng: np.random.Generator, tables: Tables, n: int) -> Evidence:
    """`n` records annotated in every way there is: a leaf, an inner node, a set, a negative, `no`, n/a, unknown.

    Each record tells the truth about some legal world, so none is contradictory.
    """
    truth = random_states(rng, tables, n)
    allowed = np.zeros_like(truth)
    for row, said in zip(truth, allowed, strict=True):
        for v in tables.variables:
            states = slice(v.start, v.stop)
            said[states] = _annotate(rng, tables, v.index, row[states])
    return evidence_from_allowed(tables, allowed)


def _annotate(rng: np.random.Generator, tables: Tables, variable: int, truth: Bools) -> NDArray[np.bool_]:
    """What one annotation of a variable allows, given its true state."""
    v = tables.variables[variable]
    said = truth.copy()
    labels = np.flatnonzero(tables.label_variable == variable)
    states_of = {i: np.isin(np.arange(v.start, v.stop), tables.label_states[i]) for i in labels.tolist()}
    match rng.integers(5):
        case 0:
            said[:] = True
        case 1:  # coarse: a label that holds
            holding = [s for s in states_of.values() if (s & truth).any()]
            if holding:
                said = holding[rng.integers(len(holding))].copy()
        case 2:  # a set
            said |= rng.random(len(said)) < 0.4
            if v.na >= 0:
                said[-1] = truth[-1]
        case 3:  # a negative
            missing = [s for s in states_of.values() if not (s & truth).any()]
            if missing:
                said = ~missing[rng.integers(len(missing))]
        case _:  # exactly
            pass
    return said
