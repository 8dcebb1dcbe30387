"""What backbones share besides convolutions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx


class Constant(nnx.Variable[jax.Array]):
    """A number of the compiled program that is not trained: where a module keeps a traced hyperparameter."""


class Dropout(nnx.Module):
    """Zeroes features with probability `rate`, which may be traced, and scales the rest by 1 / (1 - rate)."""

    def __init__(self, rate: float | jax.Array, *, rngs: nnx.Rngs):
        self.rate = Constant(jnp.asarray(rate, jnp.float32))
        self.rngs = rngs.dropout.fork()

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Any shape → the same; the identity outside training."""
        if not train:
            return x
        keep = 1 - self.rate[...]
        kept = jax.random.bernoulli(self.rngs(), keep, x.shape)
        return jnp.where(kept, x / keep, 0)
