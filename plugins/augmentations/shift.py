"""Random translation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..contracts import Augmentation
from ..hyperparameters import Range, traced

if TYPE_CHECKING:
    import jax


@dataclass(frozen=True)
class Shift(Augmentation):
    """Moves each image by whole pixels, uniformly in both directions; its border pixels fill what comes free."""

    name = "shift"

    pixels: int = traced(1, "largest shift, in pixels", search=Range(0, 3, step=1), legal=Range(0, 4096))

    def apply(self, traced: Mapping[str, Any], key: jax.Array, images: jax.Array) -> jax.Array:
        """[B, H, W, C] → the same shape."""
        import jax
        import jax.numpy as jnp

        far = traced["pixels"]
        batch, height, width, _ = images.shape
        uniform = jax.random.uniform(key, (batch, 2), minval=0, maxval=1)
        by = jnp.floor(uniform * (2 * far + 1)).astype(jnp.int32) - jnp.asarray(far).astype(jnp.int32)
        rows = jnp.clip(jnp.arange(height) + by[:, :1], 0, height - 1)
        columns = jnp.clip(jnp.arange(width) + by[:, 1:], 0, width - 1)
        return images[jnp.arange(batch)[:, None, None], rows[:, :, None], columns[:, None, :]]
