"""Fully connected layers on pixels or feature vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..contracts import Backbone, BackboneModule
from ..hyperparameters import Range, static, traced

if TYPE_CHECKING:
    from flax import nnx


@dataclass(frozen=True)
class MLP(Backbone):
    """A multilayer perceptron."""

    name = "mlp"

    depth: int = static(2, "hidden layers", search=(1, 2, 3), legal=Range(1, 64))
    width: int = static(256, "units a layer", search=(128, 256, 512), legal=Range(1, 65536))
    dropout: float = traced(0.1, "share of units dropped while training", search=Range(0, 0.5), legal=Range(0, 0.95))

    def build(self, shape: tuple[int, ...], rngs: nnx.Rngs) -> BackboneModule:
        """The module; any shape will do."""
        from .mlp_network import MLPModule

        return MLPModule(math.prod(shape), self.depth, self.width, self.dropout, rngs)
