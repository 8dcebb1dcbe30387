"""The forest of variables, evaluated in JAX: evidence upwards, marginals downwards, the best world both ways.

All functions take `local` [B, S]: for each live state the log-probability that its variable takes it, given that the
variable is free. What is forced (n/a, or `no` under a parent class that does not hold) has probability one. The
probability of a world is then the product of `local` over its free variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from ...dsl.ontology import Kind
from ...dsl.tables import Ints, Tables, Variable


@dataclass(frozen=True, eq=False)
class Level:
    """The variables at one depth of the forest, in bucket order: n of them.

    Shapes:
        buckets: the live states [n', W] of variables of like width, padded with S; their n' sum to n.
        na, no: [n] their n/a state, and their `no` where it may be forced; -1 where there is none.
        parent: [n] the variable above.
        slot: [n] the place of a variable's condition in `conditions` [C], the labels that free variables here.
        pair_slot, pair_state: [P] the states of the parents in which each condition holds.
        off_variable, off_state: [O] who (of the n) is forced to `no` by which state of its parent.
        leaves, own: [M] the labels that have a state of their own here, and that state; `owner` [M] the variable (of
        the n) it belongs to.
        labels, decider, given: [A] all labels decided here, the variable (of the n) that does, and the label each is
        conditional on (-1 among the roots).
        lifts: for each depth of trees, deepest first, children and their parents, for hierarchies only.
    """

    buckets: tuple[Ints, ...]
    na: Ints
    no: Ints
    parent: Ints
    conditions: Ints
    slot: Ints
    pair_slot: Ints
    pair_state: Ints
    off_variable: Ints
    off_state: Ints
    leaves: Ints
    own: Ints
    owner: Ints
    labels: Ints
    decider: Ints
    given: Ints
    lifts: tuple[tuple[Ints, Ints], ...]


@dataclass(frozen=True, eq=False)
class Forest:
    """The levels of the forest, roots first, over V variables, S states and L labels."""

    tables: Tables
    levels: tuple[Level, ...]


@lru_cache(maxsize=8)
def plant(tables: Tables) -> Forest:
    """The forest of compiled tables; their laws are left out. One object per `tables`: compiled programs are shared."""
    conditions = np.array([_condition(tables, v) for v in tables.variables], np.int32)
    return Forest(tables, tuple(_level(tables, level, conditions) for level in tables.levels))


def _condition(tables: Tables, v: Variable) -> int:
    """The label that must hold for a variable to be free, or -1."""
    ontology = tables.ontology
    if v.parent < 0:
        return -1
    if v.label >= 0 and ontology.labels[v.label].parents:
        return ontology.labels[v.label].parents[0]
    above = ontology.groups[v.group].condition
    return -1 if above is None else above


WORTH_A_BUCKET = 256
"""How many padded entries cost less than one more bucket: each is some twenty operations to compile and start."""


def buckets_by_width(items: list[tuple[int, ...]], padding: int) -> list[tuple[list[int], Ints]]:
    """Index lists of like length, padded to one array a bucket: (their positions [n], entries [n, W])."""
    by_width: dict[int, list[int]] = {}
    for position, item in enumerate(items):
        by_width.setdefault(1 << (len(item) - 1).bit_length(), []).append(position)
    shared: list[tuple[int, list[int]]] = []  # width and positions
    for width, positions in sorted(by_width.items()):
        if shared and (width - shared[-1][0]) * len(shared[-1][1]) <= WORTH_A_BUCKET:
            positions = shared.pop()[1] + positions
        shared.append((width, positions))
    buckets = []
    for _, positions in shared:
        positions.sort()
        width = max(len(items[p]) for p in positions)
        entries = [items[p] + (padding,) * (width - len(items[p])) for p in positions]
        buckets.append((positions, np.array(entries, np.int32)))
    return buckets


def _level(tables: Tables, members: tuple[int, ...], conditions: Ints) -> Level:
    found = buckets_by_width([tuple(tables.variables[i].live) for i in members], tables.n_states)
    order = [members[p] for positions, _ in found for p in positions]
    variables = [tables.variables[i] for i in order]
    distinct, slot = np.unique(conditions[order], return_inverse=True)
    nested = variables[0].parent >= 0
    pairs = _table([(k, s) for k, c in enumerate(distinct.tolist()) if nested for s in tables.label_states[c]], 2)
    off = _table([(k, s) for k, v in enumerate(variables) for s in v.off], 2)
    leaves = [(int(tables.leaf[s]), s, k) for k, v in enumerate(variables) for s in v.live if tables.leaf[s] >= 0]
    own = _table(leaves, 3)
    labels = np.flatnonzero(np.isin(tables.label_variable, order)).astype(np.int32)
    place = np.zeros(len(tables.variables), np.int32)
    place[order] = np.arange(len(order))
    return Level(
        buckets=tuple(states for _, states in found),
        na=np.array([v.na for v in variables], np.int32),
        no=np.array([v.no if v.off else -1 for v in variables], np.int32),
        parent=np.array([v.parent for v in variables], np.int32),
        conditions=distinct,
        slot=slot.reshape(-1).astype(np.int32),
        pair_slot=pairs[0],
        pair_state=pairs[1],
        off_variable=off[0],
        off_state=off[1],
        leaves=own[0],
        own=own[1],
        owner=own[2],
        labels=labels,
        decider=place[tables.label_variable[labels]],
        given=conditions[tables.label_variable[labels]],
        lifts=_lifts(tables, variables),
    )


def _table(rows: Sequence[tuple[int, ...]], width: int) -> Ints:
    """The columns of a list of rows, [width, rows]."""
    return np.ascontiguousarray(np.array(rows, np.int32).reshape(-1, width).T)


def _lifts(tables: Tables, variables: list[Variable]) -> tuple[tuple[Ints, Ints], ...]:
    ontology = tables.ontology
    by_depth: dict[int, list[tuple[int, int]]] = {}
    for v in variables:
        group = ontology.groups[v.group]
        for label in group.labels if group.kind is Kind.HIERARCHY else ():
            for parent in ontology.labels[label].parents:
                by_depth.setdefault(ontology.depth[label], []).append((label, parent))
    tables_by_depth = [_table(by_depth[d], 2) for d in sorted(by_depth, reverse=True)]
    return tuple((pairs[0], pairs[1]) for pairs in tables_by_depth)


# --- evaluation ------------------------------------------------------------------------------------


def pick(x: jax.Array, index: Ints, padding: float = 0) -> jax.Array:
    """`x[:, index]` for constant indices, a slice where they are contiguous; one past the last picks `padding`.

    Padding is a column and no mask, since XLA spends seconds on evaluating masked constants ahead of time.
    """
    x = jnp.asarray(x)
    if index.size and index.max() == x.shape[1]:
        x = jnp.concatenate([x, jnp.full((len(x), 1, *x.shape[2:]), padding, x.dtype)], 1)
    flat = index.ravel()
    if len(flat) and flat[-1] - flat[0] == len(flat) - 1 and (np.diff(flat) == 1).all():
        return x[:, int(flat[0]) : int(flat[-1]) + 1].reshape(x.shape[0], *index.shape, *x.shape[2:])
    return x.at[:, index].get(mode="promise_in_bounds")


def masked_logsumexp(x: jax.Array, mask: jax.Array) -> jax.Array:
    """Log-sum-exp over the last axis of what `mask` keeps; 0 where it keeps nothing. Gradients are always finite."""
    top = jnp.max(jnp.where(mask, x, -jnp.inf), axis=-1, keepdims=True)
    top = jax.lax.stop_gradient(jnp.where(jnp.isfinite(top), top, 0))
    total = jnp.sum(jnp.where(mask, jnp.exp(jnp.where(mask, x - top, 0)), 0), axis=-1)
    return jnp.where(total > 0, jnp.log(jnp.where(total > 0, total, 1)) + top[..., 0], 0)


def lift(x: jax.Array, level: Level) -> jax.Array:
    """Fill in inner nodes of hierarchies: [B, L] values of leaves → every node the sum of its children."""
    for child, parent in level.lifts:
        x = x.at[:, parent].add(pick(x, child), mode="promise_in_bounds")
    return x


def log_likelihood(forest: Forest, local: jax.Array, allowed: jax.Array) -> jax.Array:
    """Log of the total probability of the worlds inside a mask, [B].

    Exact. What evidence says nothing about contributes exactly 0, with gradient 0; where no world is left the
    value is -inf, with gradient 0.

    Args:
        allowed: [B, S] bool.
    """
    below = jnp.zeros((), local.dtype)  # what the children of a state contribute
    broken = jnp.zeros((), bool)  # states under which some child has no allowed state
    narrowed = jnp.zeros((), bool)  # states under which evidence excludes something
    for level in reversed(forest.levels):
        legal = allowed & ~broken
        values, alive, full = [], [], []
        for states in level.buckets:
            keeps = pick(legal, states, False)
            values.append(masked_logsumexp(pick(local + below, states), keeps))
            alive.append(keeps.any(-1))
            full.append(pick(legal & ~narrowed, states, True).all(-1))
        possible, untouched = jnp.concatenate(alive, 1), jnp.concatenate(full, 1)
        value = jnp.where(untouched | ~possible, 0, jnp.concatenate(values, 1))
        if level.parent[0] >= 0:
            below, broken, narrowed = _push(forest, level, legal, value, possible, untouched)
    return jnp.where(possible.all(-1), value.sum(-1), -jnp.inf)


def _push(
    forest: Forest, level: Level, legal: jax.Array, value: jax.Array, possible: jax.Array, untouched: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """What a level says to the states of the variables above it: contributions, and which are broken or narrowed.

    Every child is counted as n/a in all states of its parent, then corrected where it is free or `no`.
    """
    bad_na = jnp.where(level.na >= 0, ~pick(legal, np.maximum(level.na, 0)), False).astype(value.dtype)
    free = jnp.stack([value, (~possible).astype(value.dtype) - bad_na, (~untouched).astype(value.dtype)], -1)
    by_condition = jnp.zeros((len(value), len(level.conditions), 3), value.dtype).at[:, level.slot].add(free)
    state = jnp.zeros((*legal.shape, 3), value.dtype)
    state = state.at[:, level.pair_state].add(pick(by_condition, level.pair_slot))
    as_na = jnp.zeros((len(value), len(forest.tables.variables)), value.dtype).at[:, level.parent].add(bad_na)
    bad = state[..., 1] + pick(as_na, forest.tables.state_variable)
    if len(level.off_state):
        bad_no = (~pick(legal, level.no[level.off_variable])).astype(value.dtype)
        bad = bad.at[:, level.off_state].add(bad_no - pick(bad_na, level.off_variable))
    return state[..., 0], bad > 0.5, (state[..., 2] + bad) > 0.5


def marginals(forest: Forest, local: jax.Array) -> jax.Array:
    """P(label holds), [B, L]. A label never gets more than its parent or its condition, rounding included: a sum of
    probabilities is never rounded below its terms, nor a product of them above its factors.
    """
    p = jnp.zeros((len(local), forest.tables.n_labels), local.dtype)
    for level in forest.levels:
        given = jnp.zeros_like(p).at[:, level.leaves].set(jnp.exp(pick(local, level.own)))
        p = p + _on_condition(level, jnp.minimum(lift(given, level), 1), p)
    return p


def _on_condition(level: Level, x: jax.Array, p: jax.Array) -> jax.Array:
    """[B, L] values of a level's labels given their conditions, times the values `p` of those."""
    if level.parent[0] < 0:
        return x
    return x.at[:, level.labels].multiply(pick(p, level.given), mode="promise_in_bounds")


def best_world(forest: Forest, local: jax.Array) -> jax.Array:
    """The most probable world as labels, [B, L] bool; of equals the state listed first, so `yes` before `no`."""
    below = jnp.zeros((), local.dtype)
    choices: list[jax.Array] = []
    for level in reversed(forest.levels):
        value, chosen = best_states(level, local + below)
        choices.append(chosen)
        if level.parent[0] >= 0:
            by_condition = jnp.zeros((len(value), len(level.conditions)), value.dtype).at[:, level.slot].add(value)
            below = jnp.zeros_like(local).at[:, level.pair_state].add(pick(by_condition, level.pair_slot))
    return read_world(forest, choices[::-1])


def best_states(level: Level, worth: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Of each variable's live states the one worth most, the first of equals: (its worth, the state), both [B, n].

    Args:
        worth: [B, S].
    """
    values, chosen = [], []
    for states in level.buckets:
        x = pick(worth, states, -jnp.inf)
        values.append(x.max(-1))
        chosen.append(jnp.take_along_axis(jnp.asarray(states)[None], x.argmax(-1)[..., None], 2)[..., 0])
    return jnp.concatenate(values, 1), jnp.concatenate(chosen, 1)


def read_world(forest: Forest, choices: list[jax.Array]) -> jax.Array:
    """The labels [B, L] of a world, from the state [B, n] that each variable of each level takes where it is free."""
    world = jnp.zeros((len(choices[0]), forest.tables.n_labels), jnp.float32)
    for level, chosen in zip(forest.levels, choices, strict=True):
        holds = (pick(chosen, level.owner) == level.own).astype(world.dtype)
        given = jnp.zeros_like(world).at[:, level.leaves].set(holds)
        world = world + _on_condition(level, lift(given, level), world)
    return world > 0.5
