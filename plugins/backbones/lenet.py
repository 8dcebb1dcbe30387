"""Two convolutions and a dense layer, after LeNet-5 (LeCun et al. 1998, doi:10.1109/5.726791).

ReLU, maximum pooling and padding that keeps the size are today's; they let it take images of 8 pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
from flax import nnx

from ..contracts import Backbone
from ..hyperparameters import Choices, Range, static, traced
from .convolution import Convolution, max_pool
from .layers import Dropout, need_images


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
            x = max_pool(jax.nn.relu(convolution(x)), 2, 2)
        x = jax.nn.relu(self.dense(x.reshape(len(x), -1)))
        return self.dropout(x, train=train)


@dataclass(frozen=True)
class LeNet(Backbone):
    """A small convolutional network for images of 8 to about 64 pixels."""

    name = "lenet"

    width: int = static(16, "channels of the first convolution", search=(8, 16, 32), legal=Range(1, 4096))
    kernel: int = static(3, "side of the kernels", search=(3, 5), legal=Choices((3, 5, 7)))
    dropout: float = traced(
        0.2, "share of dense units dropped while training", search=Range(0, 0.5), legal=Range(0, 0.95)
    )

    def build(self, shape: tuple[int, ...], rngs: nnx.Rngs) -> LeNetModule:
        """The module.

        Raises:
            LinnaeusError: E430 vectors, E431 images under 8 pixels.
        """
        need_images(self.name, shape, 8)
        return LeNetModule(shape, self.width, self.kernel, self.dropout, rngs)
