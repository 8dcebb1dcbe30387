"""The pixels themselves: with any head, multinomial logistic regression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..contracts import Backbone, BackboneModule

if TYPE_CHECKING:
    from flax import nnx


@dataclass(frozen=True)
class Linear(Backbone):
    """A linear classifier on pixels or feature vectors."""

    name = "linear"

    def build(self, shape: tuple[int, ...], rngs: nnx.Rngs) -> BackboneModule:
        """The module; any shape will do."""
        from .linear_network import Flatten

        return Flatten(shape)
