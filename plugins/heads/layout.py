"""Which score of a coherent head means what, compiled from the ontology in plain NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...dsl.ontology import Kind
from ...dsl.tables import Ints, Tables, Variable
from .forest import Forest, buckets_by_width, plant

NARROWEST = 1e-3
"""The least distance between neighbouring thresholds of an ordinal: keeps the logarithm of a difference finite."""


@dataclass(frozen=True, eq=False)
class Softmaxes:
    """Trees of choices, all groups at once, nodes numbered depth by depth and siblings together: C nodes.

    Shapes:
        families: siblings [n, W], bucketed by width and padded with C.
        back: [C] where each node stands in the families laid end to end.
        steps: for each depth below the first, (first node, one past the last, the parent of each [nodes], counted
        within the depth above).
        leaf_node, leaf_state: the nodes that end a choice, and the states they end it in.
    """

    nodes: int
    families: tuple[Ints, ...]
    back: Ints
    steps: tuple[tuple[int, int, Ints], ...]
    leaf_node: Ints
    leaf_state: Ints


@dataclass(frozen=True, eq=False)
class Ordinals:
    """The n ordinal groups with one number of levels: their scores `first` [n] and `gaps` [n, levels - 2], and their
    `states` [n, levels].
    """

    first: Ints
    gaps: Ints
    states: Ints


@dataclass(frozen=True, eq=False)
class Layout:
    """The K scores: C nodes of trees, then one score a binary or multilabel class, then one an ordinal (its first
    cumulative logit), then the gaps between an ordinal's thresholds.

    `outputs` counts the scores that depend on the image, all but the gaps. `order` [S] is where each state stands among
    all computed values laid end to end (leaves, yes, no, levels, and a zero for n/a). `bias` [outputs] and
    `start_gaps` [K - outputs] make the levels of every ordinal equally likely.
    """

    forest: Forest
    softmaxes: Softmaxes
    yes_no: int
    ordinals: tuple[Ordinals, ...]
    outputs: int
    order: Ints
    bias: NDArray[np.float32]
    start_gaps: NDArray[np.float32]


@lru_cache(maxsize=16)
def lay_out(tables: Tables, flat: bool) -> Layout:
    """The layout for one ontology; one object per `tables`, so that compiled programs are shared.

    Args:
        flat: one softmax over all leaves of a hierarchy; else one among the siblings of each node.
    """
    softmaxes = _softmaxes(tables, flat)
    yes_no = [v for v in tables.variables if v.no >= 0]
    first = softmaxes.nodes + len(yes_no)
    ordinal = [v for v in tables.variables if tables.ontology.groups[v.group].kind is Kind.ORDINAL]
    ordinals = _ordinals(ordinal, first)
    states = np.concatenate(
        [softmaxes.leaf_state, [v.start for v in yes_no], [v.no for v in yes_no], *(o.states.ravel() for o in ordinals)]
    ).astype(np.int32)
    order = np.full(tables.n_states, len(states), np.int32)
    order[states] = np.arange(len(states))
    uniform = [_logits_of_equal_levels(len(v.live)) for v in ordinal]
    bias = np.concatenate([np.zeros(first), [u[0] for u in uniform]]).astype(np.float32)
    gaps = [np.log(np.expm1(np.diff(u) - NARROWEST)) for u in uniform]
    start_gaps = np.concatenate([np.zeros(0), *gaps]).astype(np.float32)
    return Layout(plant(tables), softmaxes, len(yes_no), ordinals, len(bias), order, bias, start_gaps)


def _logits_of_equal_levels(n: int) -> NDArray[np.float64]:
    below: NDArray[np.float64] = np.arange(1, n) / n
    return np.log(below) - np.log1p(-below)


def _ordinals(variables: list[Variable], first: int) -> tuple[Ordinals, ...]:
    gap = first + len(variables)
    rows: dict[int, list[tuple[int, range, range]]] = {}
    for k, v in enumerate(variables):
        n = len(v.live)
        rows.setdefault(n, []).append((first + k, range(gap, gap + n - 2), v.live))
        gap += n - 2
    made = []
    for n, members in sorted(rows.items()):
        firsts, gaps, states = zip(*members, strict=True)
        shaped = np.array([list(g) for g in gaps], np.int32).reshape(len(members), n - 2)
        made.append(Ordinals(np.array(firsts, np.int32), shaped, np.array(states, np.int32)))
    return tuple(made)


def _softmaxes(tables: Tables, flat: bool) -> Softmaxes:
    ontology = tables.ontology
    groups = [g for g in ontology.groups if g.kind in (Kind.MULTICLASS, Kind.HIERARCHY)]
    families = [
        (-1, ontology.leaves(g) if flat else tuple(i for i in g.labels if not ontology.labels[i].parents))
        for g in groups
    ]
    node_of: dict[int, int] = {}
    siblings: list[tuple[int, ...]] = []
    steps: list[tuple[int, int, Ints]] = []
    above = 0  # the first node of the depth above
    while families:
        start = len(node_of)
        parents: list[int] = []
        for parent, children in families:
            nodes = range(len(node_of), len(node_of) + len(children))
            siblings.append(tuple(nodes))
            parents.extend([parent] * len(children))
            node_of.update(zip(children, nodes, strict=True))
        if parents[0] >= 0:
            steps.append((start, len(node_of), np.array(parents, np.int32) - above))
        deeper = () if flat else list(node_of.items())[start:]
        families = [(node, ontology.children[label]) for label, node in deeper if ontology.children[label]]
        above = start
    bucketed = tuple(nodes for _, nodes in buckets_by_width(siblings, len(node_of)))
    laid = np.concatenate([np.zeros(0, np.int32), *(nodes.ravel() for nodes in bucketed)])
    back = np.zeros(len(node_of) + 1, np.int32)
    back[laid] = np.arange(len(laid))
    leaf_state = np.array([s for g in groups for v in tables.group_variables(g) for s in v.live], np.int32)
    leaf_node = np.array([node_of[int(tables.leaf[s])] for s in leaf_state.tolist()], np.int32)
    return Softmaxes(len(node_of), bucketed, back[:-1], tuple(steps), leaf_node, leaf_state)
