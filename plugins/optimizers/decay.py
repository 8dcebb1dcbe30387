"""Which parameters weight decay shrinks."""

from __future__ import annotations

from typing import Any


def weights_only(params: Any) -> Any:
    """The mask of what weight decay shrinks: kernels, not biases nor scales of normalisation."""
    import jax

    return jax.tree.map(lambda p: p.ndim > 1, params)
