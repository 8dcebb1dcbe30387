"""`risk`: the answer of least expected cost, where a mistake costs as much as it is far off."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...dsl.ontology import Kind, Ontology
from ...dsl.tables import Ints, Tables
from ..contracts import Decoder, HeadModule
from ..heads.forest_only import require_forest

if TYPE_CHECKING:
    import jax


@dataclass(frozen=True)
class Risk(Decoder):
    """Conditional risk minimisation (Karthik et al. 2021, "No cost likelihood manipulation at test time for making
    better mistakes in deep networks").

    The cost of answering a where b is true: in a hierarchy the height of their lowest common ancestor; in an
    ordinal the levels between them; in a multiclass or binary 1 unless equal; in a multilabel the number of wrong
    classes. Groups are decided top-down: a nested group only where its class was answered, with the
    probabilities given that class.
    """

    name = "risk"

    @classmethod
    def check(cls, ontology: Ontology) -> None:
        """Refuse rules, second parents and `when`: groups are answered one by one, so the answers might break them."""
        require_forest(ontology, "E419", f"the decoder {cls.name!r}", "write decoder: best-world")

    def decode(self, tables: Tables, head: HeadModule, scores: jax.Array) -> jax.Array:
        """The decoded world as labels [B, L] bool, from scores [B, K]; always a legal one."""
        from ..heads import forest

        self.check(tables.ontology)
        trees = forest.plant(tables)
        worth = _worth(_compile(tables), head.marginals(scores))
        return forest.read_world(trees, [forest.best_states(level, worth)[1] for level in trees.levels])


@dataclass(frozen=True, eq=False)
class _Costs:
    """What the costs of an ontology are made of.

    Shapes:
        weight: [L] how much is saved when the answer shares this node with the truth: height of the node above minus
        its own; 1 for labels outside trees.
        steps: for each depth of the hierarchies from the second, the nodes and their parents.
        leaf: [S] the label a state ends in, 0 where none.
        no, asked, condition: [M] the `no` states, their labels, and the labels these groups are nested in (-1: none).
        ordinals: for each, its states and the distances between its levels.
    """

    weight: NDArray[np.float32]
    steps: tuple[tuple[Ints, Ints], ...]
    leaf: Ints
    no: Ints
    asked: Ints
    condition: Ints
    ordinals: tuple[tuple[Ints, NDArray[np.float32]], ...]


def _worth(costs: _Costs, p: jax.Array) -> jax.Array:
    """Minus the expected cost of each state, [B, S], up to a positive factor and a constant for each variable.

    Σ_b P(b) height(lca(a, b)) = Σ_{n on the path of a} (height above n - height n) (1 - P(n)), so a tree takes one
    sum along its paths, not a matrix of leaves by leaves. A group's probabilities all carry the probability of its
    condition as a factor, which moves no minimum.
    """
    import jax.numpy as jnp

    gain = p * costs.weight
    for child, parent in costs.steps:
        gain = gain.at[:, child].add(gain[:, parent])
    worth = gain[:, costs.leaf]
    if len(costs.no):
        certain = jnp.where(costs.condition >= 0, p[:, np.maximum(costs.condition, 0)], 1)
        worth = worth.at[:, costs.no].set(certain - p[:, costs.asked])
    for states, distance in costs.ordinals:
        worth = worth.at[:, states].set(-(worth[:, states] @ distance))
    return worth


@lru_cache(maxsize=8)
def _compile(tables: Tables) -> _Costs:
    ontology = tables.ontology
    yes_no = [v for v in tables.variables if v.no >= 0]
    conditions = [ontology.groups[v.group].condition for v in yes_no]
    ordinals = []
    for group in ontology.groups:
        if group.kind is Kind.ORDINAL:
            rank = np.arange(len(group.labels))
            states = np.array(tables.group_variables(group)[0].live, np.int32)
            ordinals.append((states, np.abs(rank[:, None] - rank).astype(np.float32)))
    return _Costs(
        _weights(ontology),
        _steps(ontology),
        np.maximum(tables.leaf, 0),
        np.array([v.no for v in yes_no], np.int32),
        tables.leaf[[v.start for v in yes_no]],
        np.array([-1 if c is None else c for c in conditions], np.int32),
        tuple(ordinals),
    )


def _weights(ontology: Ontology) -> NDArray[np.float32]:
    """[L] height of the node above minus the node's own; a leaf has height 0, the group itself stands above its top."""
    height = np.zeros(len(ontology.labels), np.float32)
    for label in reversed(ontology.labels):  # parents come first, so here children do
        height[label.index] = max((height[c] + 1 for c in ontology.children[label.index]), default=0)
    weight = np.ones(len(height), np.float32)
    for group in ontology.groups:
        if group.kind is Kind.HIERARCHY:
            top = max(height[i] for i in group.labels) + 1
            for i in group.labels:
                parents = ontology.labels[i].parents
                weight[i] = (height[parents[0]] if parents else top) - height[i]
    return weight


def _steps(ontology: Ontology) -> tuple[tuple[Ints, Ints], ...]:
    by_depth: dict[int, list[tuple[int, int]]] = {}
    for group in ontology.groups:
        for i in group.labels if group.kind is Kind.HIERARCHY else ():
            for parent in ontology.labels[i].parents:
                by_depth.setdefault(ontology.depth[i], []).append((i, parent))
    pairs = [np.array(by_depth[d], np.int32) for d in sorted(by_depth)]
    return tuple((p[:, 0], p[:, 1]) for p in pairs)
