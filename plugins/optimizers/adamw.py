"""AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101)."""

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
class AdamW(Optimizer):
    """Adam with decoupled weight decay."""

    name = "adamw"

    learning_rate: float = traced(2e-3, "peak learning rate", search=Range(3e-4, 1e-2, log=True), legal=Range(0, 1e38))
    weight_decay: float = traced(
        1e-2, "shrinkage of weights a step, times the learning rate", search=Range(1e-4, 0.3, log=True),
        legal=Range(0, 1e6),
    )  # fmt: skip

    def make(self, traced: Mapping[str, Any], schedule: Any) -> optax.GradientTransformation:
        """Adam, then the decay, then the scheduled learning rate."""
        import optax

        rate = traced["learning_rate"]
        return optax.chain(
            optax.scale_by_adam(),
            optax.add_decayed_weights(traced["weight_decay"], mask=weights_only),
            optax.scale_by_schedule(lambda step: -rate * schedule(step)),
        )
