"""Fully connected layers on pixels or feature vectors."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import jax
from flax import nnx

from ..contracts import Backbone
from ..hyperparameters import Range, static, traced
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


@dataclass(frozen=True)
class MLP(Backbone):
    """A multilayer perceptron."""

    name = "mlp"

    depth: int = static(2, "hidden layers", search=(1, 2, 3), legal=Range(1, 64))
    width: int = static(256, "units a layer", search=(128, 256, 512), legal=Range(1, 65536))
    dropout: float = traced(0.1, "share of units dropped while training", search=Range(0, 0.5), legal=Range(0, 0.95))

    def build(self, shape: tuple[int, ...], rngs: nnx.Rngs) -> MLPModule:
        """The module; any shape will do."""
        return MLPModule(math.prod(shape), self.depth, self.width, self.dropout, rngs)
