"""The module of the `independent` head: binary cross-entropy on what evidence decides."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from ...dsl.tables import Tables
from .coherent import SMALL
from .degree import degree
from .forest import Forest, Level, lift, pick, plant


class SigmoidModule(nnx.Module):
    """A linear map to one score a label; L scores."""

    def __init__(self, tables: Tables, features: int, rngs: nnx.Rngs):
        self.forest = plant(tables)
        self.linear = nnx.Linear(features, tables.n_labels, kernel_init=SMALL, rngs=rngs)

    def __call__(self, features: jax.Array) -> jax.Array:
        """[B, features] → scores [B, L]."""
        return self.linear(features)

    def log_likelihood(self, scores: jax.Array, allowed: jax.Array) -> jax.Array:
        """A composite log-likelihood, [B]: Σ log P over the labels that the evidence on their own variable decides.

        A label is `yes` where no allowed live state of its variable leaves it out, `no` where none holds it, and left
        out otherwise; so are all labels of a group that the evidence says does not apply.
        """
        live, holding = _count_allowed(self.forest, allowed)
        signed = jnp.where(holding > 0, scores, -scores)
        decided = (live > 0) & ((holding == 0) | (holding == live))
        return jnp.where(decided, jax.nn.log_sigmoid(signed), 0).sum(-1)

    def marginals(self, scores: jax.Array) -> jax.Array:
        """P(label holds), [B, L]: its sigmoid, times the probability that its group applies."""
        return self._where_applicable(jax.nn.sigmoid(scores))

    def best_world(self, scores: jax.Array) -> jax.Array:
        """Each label by its own sigmoid ≥ ½, and of the leaves of a single choice the best one. [B, L] bool, perhaps
        illegal. A group is answered only where it applies in that answer.
        """
        ontology = self.forest.tables.ontology
        world = scores >= 0
        for group in ontology.groups:
            if group.single_choice:
                leaves = np.array(ontology.leaves(group), np.int32)
                best = scores[:, leaves].argmax(-1)
                world = world.at[:, leaves].set(best[:, None] == np.arange(len(leaves)))
        return self._where_applicable(world.astype(jnp.float32)) > 0.5

    def _where_applicable(self, p: jax.Array) -> jax.Array:
        """[B, L] what labels get if their groups apply → that, times what the groups get: P(condition) P(when)."""
        ontology = self.forest.tables.ontology
        applying: list[jax.Array] = []
        for group in ontology.groups:  # each stands after those that its applicability depends on
            here = jnp.ones(len(p), p.dtype) if group.condition is None else p[:, group.condition]
            if group.when is not None:
                here = here * degree(ontology, group.when, p, applying)
            if group.conditional:
                p = p.at[:, np.array(group.labels, np.int32)].multiply(here[:, None])
            applying.append(here)
        return p


def _count_allowed(forest: Forest, allowed: jax.Array) -> tuple[jax.Array, jax.Array]:
    """For each label, how many live states of its variable are allowed, and how many of them hold it: [B, L] each."""
    live = jnp.zeros((len(allowed), forest.tables.n_labels), jnp.float32)
    holding = live
    for level in forest.levels:
        live = live.at[:, level.labels].set(pick(_live(level, allowed), level.decider))
        own = jnp.zeros_like(live).at[:, level.leaves].set(pick(allowed, level.own).astype(live.dtype))
        holding = holding + lift(own, level)
    return live, holding


def _live(level: Level, allowed: jax.Array) -> jax.Array:
    counts = [pick(allowed, states, False).sum(-1).astype(jnp.float32) for states in level.buckets]
    return jnp.concatenate(counts, 1)
