"""Heads that score the legal worlds themselves: scores → local log-probabilities → the forest of variables.

A binary or a multilabel class is a sigmoid, a nested class given that its parent holds. An ordinal is a cumulative
link. A multiclass or hierarchy is a chain of softmaxes down a tree: over all leaves at once (`flat`) or among the
siblings of each node (`conditional`).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from . import forest
from .forest import pick
from .layout import NARROWEST, Layout, Ordinals, Softmaxes

SMALL = nnx.initializers.variance_scaling(1e-2, "fan_in", "truncated_normal")
"""A tenth of the usual deviation: a new head starts near the uniform distribution, yet passes gradients back."""


class CoherentModule(nnx.Module):
    """A linear map to scores, and the exact distribution over legal worlds that they stand for.

    Every real vector of scores [K] is a legal one. The thresholds of ordinals are scores like any other, but do not
    depend on the image (`gaps`).
    """

    def __init__(self, layout: Layout, features: int, rngs: nnx.Rngs):
        self.layout = layout
        self.linear = nnx.Linear(features, layout.outputs, kernel_init=SMALL, rngs=rngs)
        self.linear.bias = nnx.Param(jnp.asarray(layout.bias))
        self.gaps = nnx.Param(jnp.asarray(layout.start_gaps))

    def __call__(self, features: jax.Array) -> jax.Array:
        """[B, features] → scores [B, K]."""
        scores = self.linear(features)
        gaps = jnp.broadcast_to(self.gaps[...], (len(scores), len(self.layout.start_gaps)))
        return jnp.concatenate([scores, gaps.astype(scores.dtype)], 1)

    def log_likelihood(self, scores: jax.Array, allowed: jax.Array) -> jax.Array:
        """Exact log-probability of evidence, [B]; 0 where all is unknown, -inf where no world agrees."""
        return forest.log_likelihood(self.layout.forest, local_log_probabilities(self.layout, scores), allowed)

    def marginals(self, scores: jax.Array) -> jax.Array:
        """Exact P(label holds), [B, L]."""
        return forest.marginals(self.layout.forest, local_log_probabilities(self.layout, scores))

    def best_world(self, scores: jax.Array) -> jax.Array:
        """The most probable world, [B, L] bool."""
        return forest.best_world(self.layout.forest, local_log_probabilities(self.layout, scores))


def local_log_probabilities(layout: Layout, scores: jax.Array) -> jax.Array:
    """Scores [B, K] → log-probability of each live state given that its variable is free, [B, S]; 0 for n/a."""
    nodes = layout.softmaxes.nodes
    parts = []
    if nodes:
        parts.append(_leaves(layout.softmaxes, scores[:, :nodes]))
    if layout.yes_no:
        z = scores[:, nodes : nodes + layout.yes_no]
        parts += [jax.nn.log_sigmoid(z), jax.nn.log_sigmoid(-z)]
    parts += [cumulative_link(o, scores).reshape(len(scores), -1) for o in layout.ordinals]
    return pick(jnp.concatenate(parts, 1), layout.order)


def _leaves(trees: Softmaxes, scores: jax.Array) -> jax.Array:
    """Scores of nodes [B, C] → log-probability of each leaf, summed along its path."""
    normalised = []
    for siblings in trees.families:
        x = pick(scores, siblings, -jnp.inf)
        normalised.append(jax.nn.log_softmax(x, -1).reshape(len(scores), -1))
    given_parent = pick(jnp.concatenate(normalised, 1), trees.back)
    first = trees.steps[0][0] if trees.steps else trees.nodes
    paths = [given_parent[:, :first]]
    for start, stop, parents in trees.steps:
        paths.append(given_parent[:, start:stop] + pick(paths[-1], parents))
    return pick(jnp.concatenate(paths, 1), trees.leaf_node)


def cumulative_link(ordinals: Ordinals, scores: jax.Array) -> jax.Array:
    """Log-probability of each level, [B, n, levels], under proportional odds.

    P(y ≤ k) = σ(θₖ - w·x) with increasing thresholds θ (McCullagh 1980, "Regression models for ordinal data"); the
    first cumulative logit is a score of the image, the distances of the others to it are positive functions of the
    scores `gaps`. A difference of sigmoids is taken as σ(b) - σ(a) = σ(b) σ(-a) (1 - exp(a - b)), which keeps
    precision where both are near 0 or 1.
    """
    gaps = jax.nn.softplus(pick(scores, ordinals.gaps)) + NARROWEST
    first = pick(scores, ordinals.first)[..., None]
    cumulative = jnp.concatenate([first, first + jnp.cumsum(gaps, -1)], -1)
    at_most, above = jax.nn.log_sigmoid(cumulative), jax.nn.log_sigmoid(-cumulative)
    between = at_most[..., 1:] + above[..., :-1] + jnp.log(-jnp.expm1(-gaps))
    return jnp.concatenate([at_most[..., :1], between, above[..., -1:]], -1)
