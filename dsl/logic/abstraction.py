"""What formulas can tell apart: the few states that a large ontology has for them.

Leaves of a choice that no formula distinguishes are interchangeable: any world with one of them is a world with any
other. So reasoning about rules needs one state for each set of such leaves, and a taxonomy of 10,000 classes of which
three are mentioned has four states at most. The abstraction is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from ..formula import COMPARISONS, Formula, Op, meant
from ..ontology import Group, Ontology


@dataclass(frozen=True)
class Choice:
    """A group of which one leaf holds where it applies.

    `state` gives the state of each leaf; `states_of` the states in which one of some labels holds, for every set of
    labels that a formula asks for. Each set of labels covers a state wholly or not at all.
    """

    n_states: int
    state: dict[int, int]
    states_of: dict[tuple[int, ...], tuple[int, ...]]


class Abstraction:
    """What some formulas speak of, and all that it depends on: conditions, `when` and parents.

    Attributes:
        ontology: whose labels the formulas speak of.
        asked: for each group that matters, the sets of its labels of which a formula asks whether one holds.
        needed: the groups of which it matters whether they apply.
    """

    def __init__(self, ontology: Ontology, formulas: Iterable[Formula]):
        self.ontology = ontology
        self.asked: dict[int, set[tuple[int, ...]]] = {}
        self.needed: set[int] = set()
        for formula in formulas:
            self._read(formula)

    def _read(self, formula: Formula) -> None:
        for node in formula.walk():
            labels = atom(self.ontology, node)
            if labels:
                group = self.ontology.labels[labels[0]].group
                self.asked.setdefault(group, set()).add(labels)
                self._need(group)
            if node.group >= 0:
                self._need(node.group)

    def _need(self, group: int) -> None:
        if group in self.needed:
            return
        self.needed.add(group)
        g = self.ontology.groups[group]
        if g.condition is not None:
            above = self.ontology.labels[g.condition].group
            self.asked.setdefault(above, set()).add((g.condition,))
            self._need(above)
        if g.when is not None:
            self._read(g.when)

    def covers(self, formulas: Iterable[Formula]) -> bool:
        """Whether it has all that some more formulas speak of."""
        other = Abstraction(self.ontology, formulas)
        known = all(asked <= self.asked.get(group, set()) for group, asked in other.asked.items())
        return known and other.needed <= self.needed

    @cached_property
    def choices(self) -> dict[int, Choice]:
        """The states of each group that matters and of which one leaf holds."""
        groups = self.ontology.groups
        return {i: self._choice(groups[i], sets) for i, sets in sorted(self.asked.items()) if groups[i].single_choice}

    @cached_property
    def decided(self) -> dict[int, tuple[int, ...]]:
        """For each multilabel or binary group that matters, the labels that do: those asked for and all above them."""
        groups = self.ontology.groups
        return {
            i: tuple(sorted({a for labels in sets for label in labels for a in self.ontology.ancestors(label)}))
            for i, sets in sorted(self.asked.items())
            if not groups[i].single_choice
        }

    def _choice(self, group: Group, sets: set[tuple[int, ...]]) -> Choice:
        """States by signature: which of the sets a leaf's path meets."""
        ordered = sorted(sets)
        asked: dict[int, list[int]] = {}
        for k, labels in enumerate(ordered):
            for label in labels:
                asked.setdefault(label, []).append(k)
        signature: dict[int, frozenset[int]] = {}
        states: dict[frozenset[int], int] = {}
        state: dict[int, int] = {}
        for i in group.labels:  # parents come first
            above = [signature[p] for p in self.ontology.labels[i].parents]
            signature[i] = frozenset(asked.get(i, ())).union(*above) if i in asked or len(above) != 1 else above[0]
            if not self.ontology.children[i]:
                state[i] = states.setdefault(signature[i], len(states))
        met: list[list[int]] = [[] for _ in ordered]
        for signs, number in states.items():
            for k in signs:
                met[k].append(number)
        return Choice(len(states), state, {labels: tuple(m) for labels, m in zip(ordered, met, strict=True)})


def atom(ontology: Ontology, node: Formula) -> tuple[int, ...]:
    """The labels of which a formula's node by itself says that one holds (for `!=`: the one that does not)."""
    if node.op in (Op.HOLDS, Op.NE):
        return node.labels
    if node.op in (Op.ANY, Op.IN) or node.op in COMPARISONS:
        return tuple(sorted(set(meant(ontology, node))))
    return ()
