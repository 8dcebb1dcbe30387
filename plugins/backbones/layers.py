"""What backbones share besides convolutions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from ...errors import fail


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


def need_images(backbone: str, shape: tuple[int, ...], side: int) -> None:
    """Hold an input shape against what convolutions need.

    Raises:
        LinnaeusError: E430 vectors, E431 images under `side` pixels.
    """
    if len(shape) != 3:
        step = "choose linear or mlp for feature vectors"
        raise fail("E430", f"the backbone {backbone} needs images, not vectors of {shape[0]} features", help=step)
    if min(shape[:2]) < side:
        raise fail(
            "E431",
            f"the backbone {backbone} needs images of at least {side} × {side} pixels, not {shape[0]} × {shape[1]}",
            help="raise data.image.size, or choose linear or mlp",
        )
