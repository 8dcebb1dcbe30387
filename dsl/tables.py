"""Compiled inference tables: the legal worlds of an ontology as variables with states, in plain NumPy.

A *variable* is one choice: a multiclass, hierarchy, ordinal or binary group is one variable, a multilabel
one per class. Its *states* are mutually exclusive: the leaves it can end in; `no` for a binary or a
multilabel class; and *not applicable* (`n/a`) where its group may not apply. States of all variables are numbered
through, each variable's in one contiguous run, so evidence is a Boolean mask over S states.

Variables form a forest. Given the state of its parent, a variable is either *free* (it chooses among its live
states, those that are not n/a, by its own scores) or *forced* to one state: n/a where its group does not apply, and
`no` for a nested multilabel class whose parent class does not hold.

What the forest does not see to is kept beside it as *laws*: hard rules, the parents of a multilabel class but its
first, and `when`, whose groups are roots of the forest with n/a among their states. A legal world is one choice of
states that obeys the forest and every hard law; soft laws weigh it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .formula import Formula, Op, conjunction, holds
from .ontology import Group, Kind, Ontology
from .worlds import applies, evaluate

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Variable:
    """One choice. `states` run from `start` to `stop`; `na` is its n/a state or -1.

    `label` is the class a multilabel variable decides (-1 for the other kinds). Under parent state s the variable
    is free where s is in `free`, forced to `no` where s is in `off` and forced to n/a in every other state of the
    parent. A root (`parent` -1) with an n/a state is of a group with `when`, which a law ties to it.
    """

    index: int
    group: int
    label: int
    start: int
    stop: int
    na: int
    no: int
    parent: int
    free: tuple[int, ...]
    off: tuple[int, ...]

    @property
    def live(self) -> range:
        """The states that are not n/a (n/a, where there is one, is the last)."""
        return range(self.start, self.stop - (self.na >= 0))


@dataclass(frozen=True)
class Law:
    """A formula that ties variables beyond their forest: true in every legal world, or worth `weight` where it is.

    `formula` is as the ontology has it. `source` says what of the ontology it is, in words, for messages. For a `when`,
    the formula says that `group` applies exactly where it should; -1 for other laws.
    """

    source: str
    formula: Formula
    weight: float | None = None
    group: int = -1


def laws(ontology: Ontology) -> tuple[Law, ...]:
    """What an ontology says that a forest of variables can't: several parents, `when` and rules, in that order.

    A parent that is above the first one anyway adds nothing.
    """
    found = []
    for label in ontology.labels:
        above = set(ontology.ancestors(label.parents[0])) if len(label.parents) > 1 else set()
        others = [p for p in label.parents[1:] if p not in above]
        if others:
            names = " and ".join(ontology.labels[p].path for p in (label.parents[0], *others))
            implied = Formula(Op.IMPLIES, (holds(label.index), conjunction([holds(p) for p in others])))
            found.append(Law(f"{label.path} is {names}", implied))
    for group in ontology.groups:
        if group.when is not None:
            condition = [] if group.condition is None else [holds(group.condition)]
            where = conjunction([*condition, group.when])
            applying = Formula(Op.IFF, (Formula(Op.APPLIES, group=group.index), where))
            found.append(Law(f"the `when` of {group.path}", applying, group=group.index))
    for rule in ontology.rules:
        source = f"rule {rule.name}" if rule.weight is None else f"soft rule {rule.name}"
        found += [Law(source, formula, rule.weight) for formula in rule.formulas]
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Tables:
    """The variables and states of an ontology. V variables, S states, L labels. Equal only to itself, so that what is
    compiled from it can be cached.

    `leaf` [S] is the label a state ends in, or -1 (`no`, n/a). `holds_state`, `holds_label` [P] list the
    pairs (state, label) such that the label holds in that state, sorted by label; every label has at least one.
    Variables are listed parents first; `label_variable` [L] is the variable that decides a label. `constraints` are
    the hard laws and `soft` those with a weight.
    """

    ontology: Ontology
    variables: tuple[Variable, ...]
    leaf: Ints
    holds_state: Ints
    holds_label: Ints
    label_variable: Ints
    constraints: tuple[Law, ...] = ()
    soft: tuple[Law, ...] = ()

    @property
    def forest(self) -> bool:
        """Whether the forest of variables is all there is: its worlds are the legal ones, none is favoured."""
        return not self.constraints and not self.soft

    @property
    def n_states(self) -> int:
        """S, the number of states over all variables."""
        return len(self.leaf)

    @property
    def n_labels(self) -> int:
        """L, the number of labels."""
        return len(self.ontology.labels)

    @cached_property
    def state_variable(self) -> Ints:
        """[S] the variable of each state."""
        widths = [v.stop - v.start for v in self.variables]
        return np.repeat(np.arange(len(widths), dtype=np.int32), widths)

    @cached_property
    def starts(self) -> Ints:
        """[V] the first state of each variable."""
        return np.array([v.start for v in self.variables], np.int32)

    @cached_property
    def levels(self) -> tuple[tuple[int, ...], ...]:
        """Variables by their depth in the forest, roots first."""
        depth: list[int] = []
        for v in self.variables:  # parents come first
            depth.append(0 if v.parent < 0 else depth[v.parent] + 1)
        return tuple(tuple(i for i, d in enumerate(depth) if d == level) for level in range(max(depth, default=-1) + 1))

    @cached_property
    def label_states(self) -> tuple[tuple[int, ...], ...]:
        """For each label, the states of its variable in which it holds."""
        under: list[list[int]] = [[] for _ in range(self.n_labels)]
        for state, label in zip(self.holds_state.tolist(), self.holds_label.tolist(), strict=True):
            under[label].append(state)
        return tuple(map(tuple, under))

    def group_variables(self, group: Group) -> tuple[Variable, ...]:
        """The variables of a group: one, or one per class for a multilabel."""
        return self._by_group[group.index]

    @cached_property
    def _by_group(self) -> tuple[tuple[Variable, ...], ...]:
        found: list[list[Variable]] = [[] for _ in self.ontology.groups]
        for v in self.variables:
            found[v.group].append(v)
        return tuple(map(tuple, found))

    def labels_of(self, states: Bools) -> Bools:
        """Worlds as labels: [N, S] one state true per variable → [N, L] which labels hold."""
        return self.count_by_label(states) > 0

    def count_by_label(self, states: Bools) -> Ints:
        """[N, S] → [N, L], how many of the states given as true make each label hold."""
        first = np.searchsorted(self.holds_label, np.arange(self.n_labels))
        counts: Ints = np.add.reduceat(states[:, self.holds_state], first, axis=1, dtype=np.int32)
        return counts

    def count_by_variable(self, states: Bools) -> Ints:
        """[N, S] → [N, V], how many states of each variable are given as true."""
        counts: Ints = np.add.reduceat(states, self.starts, axis=1, dtype=np.int32)
        return counts

    def states_of(self, labels: Bools) -> Bools:
        """The one world whose labels are [N, L], as states [N, S]; a row of an illegal label set is all False."""
        states = np.zeros((len(labels), self.n_states), bool)
        groups = (g.index for g in self.ontology.groups if g.when is not None)
        applying = {g: applies(self.ontology, g, labels) for g in groups}
        everywhere = np.ones(len(labels), bool)
        for v in self.variables:
            free = applying.get(v.group, everywhere) if v.parent < 0 else np.any(states[:, list(v.free)], axis=1)
            _set_states(self, v, labels, free, states)
        legal = (self.labels_of(states) == labels).all(1) & (self.count_by_variable(states) == 1).all(1)
        for law in self.constraints:
            if law.group < 0:  # where a group applies is in its states already
                legal &= evaluate(self.ontology, law.formula, labels)
        world: Bools = states & legal[:, None]
        return world


def _set_states(tables: Tables, v: Variable, labels: Bools, free: Bools, states: Bools) -> None:
    """Fill the states of one variable from labels and from where it is free; its parent's are filled already."""
    off = states[:, list(v.off)].any(1)
    for s in v.live:
        if tables.leaf[s] >= 0:
            states[:, s] = free & labels[:, tables.leaf[s]]
    if v.no >= 0:
        states[:, v.no] = off | (free & ~states[:, v.start : v.no].any(1))
    if v.na >= 0:
        states[:, v.na] = ~free & ~off


def compile_tables(ontology: Ontology) -> Tables:
    """The tables of an ontology; linear in its labels times their depth."""
    return _Compiler(ontology).run()


class _Compiler:
    def __init__(self, ontology: Ontology):
        self.ontology = ontology
        self.variables: list[Variable] = []
        self.leaf: list[int] = []
        self.pairs: list[tuple[int, int]] = []
        self.label_variable = np.full(len(ontology.labels), -1, np.int32)
        self.holding: dict[int, list[int]] = {}

    def run(self) -> Tables:
        for group in self.ontology.groups:
            if group.kind is Kind.MULTILABEL:
                self._multilabel(group)
            else:
                self._choice(group)
        pairs = np.array(sorted(self.pairs, key=lambda p: (p[1], p[0])), np.int32).reshape(-1, 2)
        ties = laws(self.ontology)
        return Tables(
            self.ontology,
            tuple(self.variables),
            np.array(self.leaf, np.int32),
            pairs[:, 0].copy(),
            pairs[:, 1].copy(),
            self.label_variable,
            tuple(law for law in ties if law.weight is None),
            tuple(law for law in ties if law.weight is not None),
        )

    def _choice(self, group: Group) -> None:
        """One variable; states are the leaves, then `no` for a binary, then n/a if it may not apply."""
        leaves = self.ontology.leaves(group)
        parent, free = self._condition(group)
        self._add(group, -1, list(leaves), group.kind is Kind.BINARY, parent, free, ())
        for label in group.labels:
            self.label_variable[label] = len(self.variables) - 1

    def _multilabel(self, group: Group) -> None:
        """A variable per class, hung on its first parent class, else on the condition of the group."""
        for label in group.labels:
            above = self.ontology.labels[label].parents
            if above:
                parent = self.variables[self.label_variable[above[0]]]
                self._add(group, label, [label], True, parent.index, (parent.start,), (parent.no,))
            else:
                index, free = self._condition(group)
                self._add(group, label, [label], True, index, free, ())
            self.label_variable[label] = len(self.variables) - 1

    def _condition(self, group: Group) -> tuple[int, tuple[int, ...]]:
        """The variable that a group hangs on and the states of it that free the group; a `when` hangs on none."""
        if group.condition is None or group.when is not None:
            return -1, ()
        return int(self.label_variable[group.condition]), tuple(self.holding[group.condition])

    def _add(
        self,
        group: Group,
        label: int,
        leaves: list[int],
        has_no: bool,
        parent: int,
        free: tuple[int, ...],
        off: tuple[int, ...],
    ) -> None:
        start = len(self.leaf)
        for leaf in leaves:
            state = len(self.leaf)
            self.leaf.append(leaf)
            for above in [leaf] if label >= 0 else self.ontology.ancestors(leaf):
                self.pairs.append((state, above))
                self.holding.setdefault(above, []).append(state)
        no = na = -1
        if has_no:
            no = len(self.leaf)
            self.leaf.append(-1)
        if group.conditional:
            na = len(self.leaf)
            self.leaf.append(-1)
        index = len(self.variables)
        self.variables.append(Variable(index, group.index, label, start, len(self.leaf), na, no, parent, free, off))
