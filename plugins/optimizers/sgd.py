"""Stochastic gradient descent with Nesterov momentum (Sutskever et al. 2013)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..contracts import Optimizer
from ..hyperparameters import Range, traced
from .decay import weights_only

if TYPE_CHECKING:
    import optax


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent with Nesterov momentum; weight decay is part of the gradient."""

    name = "sgd"

    learning_rate: float = traced(0.05, "peak learning rate", search=Range(5e-3, 0.5, log=True), legal=Range(0, 1e38))
    momentum: float = traced(0.9, "share of the last step kept", legal=Range(0, 0.9999))
    weight_decay: float = traced(
        5e-4, "shrinkage of weights, added to their gradient", search=Range(1e-5, 1e-2, log=True), legal=Range(0, 1e6)
    )

    def make(self, traced: Mapping[str, Any], schedule: Any) -> optax.GradientTransformation:
        """The decay, then momentum, then the scheduled learning rate."""
        import optax

        rate = traced["learning_rate"]
        return optax.chain(
            optax.add_decayed_weights(traced["weight_decay"], mask=weights_only),
            optax.trace(decay=traced["momentum"], nesterov=True),
            optax.scale_by_schedule(lambda step: -rate * schedule(step)),
        )
