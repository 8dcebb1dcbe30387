"""Random mirroring, left to right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..contracts import Augmentation
from ..hyperparameters import Range, traced

if TYPE_CHECKING:
    import jax


@dataclass(frozen=True)
class Flip(Augmentation):
    """Mirrors images left to right."""

    name = "flip"

    probability: float = traced(0.5, "share of images mirrored", legal=Range(0, 1))

    def apply(self, traced: Mapping[str, Any], key: jax.Array, images: jax.Array) -> jax.Array:
        """[B, H, W, C] → the same shape."""
        import jax
        import jax.numpy as jnp

        mirrored = jax.random.bernoulli(key, traced["probability"], (len(images), 1, 1, 1))
        return jnp.where(mirrored, images[:, :, ::-1], images)
