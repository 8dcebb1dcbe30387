"""The pixels themselves: with any head, multinomial logistic regression."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
from flax import nnx

from ..contracts import Backbone


class Flatten(nnx.Module):
    """Images as vectors; nothing is learned here, the head's linear layer is the model."""

    def __init__(self, shape: tuple[int, ...]):
        self.features = math.prod(shape)

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """[B, ...] → [B, features]."""
        return x.reshape(len(x), -1)


@dataclass(frozen=True)
class Linear(Backbone):
    """A linear classifier on pixels or feature vectors."""

    name = "linear"

    def build(self, shape: tuple[int, ...], rngs: nnx.Rngs) -> Flatten:
        """The module; any shape will do."""
        return Flatten(shape)
