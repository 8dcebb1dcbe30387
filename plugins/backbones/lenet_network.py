"""The module of the backbone `lenet`."""

from __future__ import annotations

import jax
from flax import nnx

from .convolution import Convolution, max_pool
from .layers import Dropout


class LeNetModule(nnx.Module):
    """Convolution, ReLU and pooling twice (width, then 2·width channels), then a dense layer of 8·width units."""

    def __init__(self, shape: tuple[int, ...], width: int, kernel: int, dropout: float, rngs: nnx.Rngs):
        height, across, channels = shape
        self.features = 8 * width
        self.first = Convolution(channels, width, kernel, bias=True, rngs=rngs)
        self.second = Convolution(width, 2 * width, kernel, bias=True, rngs=rngs)
        pooled = (height // 4) * (across // 4) * 2 * width
        init = nnx.initializers.he_normal()
        self.dense = nnx.Linear(pooled, self.features, kernel_init=init, rngs=rngs)
        self.dropout = Dropout(dropout, rngs=rngs)

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """[B, H, W, C] → [B, 8·width]."""
        for convolution in (self.first, self.second):
            x = jax.nn.relu(max_pool(convolution(x), 2, 2))  # the same as pooling last, on a quarter of the numbers
        x = jax.nn.relu(self.dense(x.reshape(len(x), -1)))
        return self.dropout(x, train=train)
