"""How probable a formula is where each label holds by itself with a probability of its own."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from ...dsl.formula import Formula, Op, lower
from ...dsl.ontology import Ontology


def degree(ontology: Ontology, formula: Formula, p: jax.Array, applying: Sequence[jax.Array]) -> jax.Array:
    """The probability of a formula, [B], every mention of a label taken as independent of every other.

    It is exact where the labels hold for certain or not at all.

    Args:
        p: [B, L] the probability of each label.
        applying: for each group that the formula may speak of, the probability [B] that it applies.
    """
    f = lower(ontology, formula)
    if f.op is Op.HOLDS:
        return p[:, f.labels[0]]
    if f.op is Op.APPLIES:
        return applying[f.group]
    args = [degree(ontology, arg, p, applying) for arg in f.args]
    match f.op:
        case Op.NOT:
            return 1 - args[0]
        case Op.AND:
            return _all(args, p)
        case Op.OR:
            return 1 - _all([1 - x for x in args], p)
        case Op.IMPLIES:
            return 1 - args[0] * (1 - args[1])
        case Op.IFF:
            return args[0] * args[1] + (1 - args[0]) * (1 - args[1])
    counted = _counts(args, p)
    bounds = {Op.AT_MOST: (0, f.count + 1), Op.AT_LEAST: (f.count, None), Op.EXACTLY: (f.count, f.count + 1)}
    return counted[:, slice(*bounds[f.op])].sum(-1)


def _all(args: Sequence[jax.Array], p: jax.Array) -> jax.Array:
    return jnp.prod(jnp.stack([jnp.ones(len(p), p.dtype), *args]), 0)


def _counts(args: Sequence[jax.Array], p: jax.Array) -> jax.Array:
    """[B, n + 1] the probability that so many of n are true."""
    counted = jnp.ones((len(p), 1), p.dtype)
    for x in args:
        more = jnp.pad(counted, ((0, 0), (1, 0))) * x[:, None]
        counted = jnp.pad(counted, ((0, 0), (0, 1))) * (1 - x[:, None]) + more
    return counted
