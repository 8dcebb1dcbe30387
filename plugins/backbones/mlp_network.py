"""The module of the backbone `mlp`."""

from __future__ import annotations

import itertools

import jax
from flax import nnx

from .layers import Dropout


class MLPModule(nnx.Module):
    """Linear, ReLU and dropout, `depth` times."""

    def __init__(self, inputs: int, depth: int, width: int, dropout: float, rngs: nnx.Rngs):
        self.features = width
        sizes = [inputs] + [width] * depth
        init = nnx.initializers.he_normal()
        self.layers = nnx.List([nnx.Linear(i, o, kernel_init=init, rngs=rngs) for i, o in itertools.pairwise(sizes)])
        self.dropout = Dropout(dropout, rngs=rngs)

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """[B, ...] → [B, width]."""
        x = x.reshape(len(x), -1)
        for layer in self.layers:
            x = self.dropout(jax.nn.relu(layer(x)), train=train)
        return x
