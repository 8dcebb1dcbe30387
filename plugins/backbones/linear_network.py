"""The module of the backbone `linear`."""

from __future__ import annotations

import math

import jax
from flax import nnx


class Flatten(nnx.Module):
    """Images as vectors; nothing is learned here, the head's linear layer is the model."""

    def __init__(self, shape: tuple[int, ...]):
        self.features = math.prod(shape)

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """[B, …] → [B, features]."""
        return x.reshape(len(x), -1)
