"""An epoch of training as one compiled program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from ..dsl.evidence import Evidence
from ..dsl.tables import Tables
from ..errors import fail
from .network import NetworkProgram, Normalisation, Recipe, Traced, normalise, split

State = tuple[Any, Any, Any]
"""Parameters, the rest of the network's state (batch statistics, random streams), the optimizer's state."""


def on_device(images: NDArray[Any], evidence: Evidence, normalisation: Normalisation) -> dict[str, jax.Array]:
    """Everything an epoch reads, by name; evidence as codes and the masks to gather from."""
    variable, base, width = evidence.gather_tables()
    arrays = {
        "images": np.asarray(images), "codes": evidence.codes, "masks": evidence.flat, "variable": variable,
        "base": base, "width": width, "mean": normalisation.mean, "std": normalisation.std,
    }  # fmt: skip
    return {name: jnp.asarray(array) for name, array in arrays.items()}


def warm_cosine(warmup: Any, steps: Any) -> Callable[[Any], Any]:
    """The multiplier at each step: linear over the first `warmup` share of `steps`, then half a cosine down to 0."""
    rise = jnp.maximum(warmup * steps, 1)

    def multiplier(step: Any) -> Any:
        done = jnp.clip((step - rise) / jnp.maximum(steps - rise, 1), 0, 1)
        return jnp.where(step < rise, (step + 1) / (rise + 1), (1 + jnp.cos(jnp.pi * done)) / 2)

    return multiplier


class EpochProgram(NetworkProgram):
    """What all trials of one static configuration share.

    The epoch is one `lax.scan` over its steps and not a call a step: the gradients of `plugins.backbones.convolution`
    run in a scan at the speed they have outside, and one call saves its overhead for each of the state's arrays.
    """

    def __init__(self, recipe: Recipe, tables: Tables, images: NDArray[Any]):
        super().__init__(recipe, tables, images.shape[1:], images.dtype)
        if recipe.augmentations and images.ndim != 4:
            name = recipe.augmentations[0].name
            step = "leave search.space.augment out"
            raise fail("E433", f"the augmentation {name} needs images, not feature vectors", where="augment", help=step)
        self.batch = min(recipe.settings.batch_size, len(images))
        self.steps = len(images) // self.batch
        self._begin: Any = None
        self._epoch: Any = None

    def begin(self, traced: Traced, key: jax.Array) -> State:
        """The state before the first step."""
        params, rest = self.start(traced, key)
        if self._begin is None:
            self._begin = self.compile(lambda p, t: self._optimizer(t, 1).init(p), params, traced)
        return params, rest, self._begin(params, traced)

    def epoch(
        self, state: State, traced: Traced, data: dict[str, jax.Array], key: jax.Array, epoch: int, horizon: int
    ) -> tuple[State, jax.Array]:
        """One epoch (from 1) of a schedule of `horizon` epochs; `state` is used up. The new state, losses [steps]."""
        arguments = (state, traced, data, key, np.int32(epoch), np.int32(horizon))
        if self._epoch is None:
            self._epoch = self.compile(self._scan, *arguments, donate=(0,))
        after, losses = self._epoch(*arguments)
        return after, losses

    def _optimizer(self, traced: Traced, horizon: Any) -> optax.GradientTransformation:
        schedule = warm_cosine(traced["train"]["warmup"], horizon * self.steps)
        return self.recipe.optimizer.make(traced["optimizer"], schedule)

    def _scan(
        self, state: State, traced: Traced, data: dict[str, jax.Array], key: jax.Array, epoch: Any, horizon: Any
    ) -> tuple[State, jax.Array]:
        key, order_key = jax.random.split(jax.random.fold_in(key, epoch))
        order = jax.random.permutation(order_key, len(data["images"]))  # what does not fill a batch rests this epoch
        order = order[: self.steps * self.batch].reshape(self.steps, self.batch)
        optimizer = self._optimizer(traced, horizon)

        def step(state: State, this: tuple[jax.Array, jax.Array]) -> tuple[State, jax.Array]:
            params, rest, optimizer_state = state
            rows, key = this
            images, allowed = self._batch(traced, data, rows, key)
            (loss, rest), gradients = jax.value_and_grad(self._loss, has_aux=True)(params, rest, images, allowed)
            updates, optimizer_state = optimizer.update(gradients, optimizer_state, params)
            return (optax.apply_updates(params, updates), rest, optimizer_state), loss

        after, losses = jax.lax.scan(step, state, (order, jax.random.split(key, self.steps)))
        return after, losses

    def _batch(
        self, traced: Traced, data: dict[str, jax.Array], rows: jax.Array, key: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        """Augmented, normalised images [B, …] and the states that their evidence allows [B, S]."""
        images = normalise(data["images"][rows], data["mean"], data["std"])
        keys = jax.random.split(key, max(1, len(self.recipe.augmentations)))
        for augmentation, key in zip(self.recipe.augmentations, keys, strict=False):
            images = augmentation.apply(traced[f"augment.{augmentation.name}"], key, images)
        codes = data["codes"][rows]
        return images, data["masks"][data["base"] + codes[:, data["variable"]] * data["width"]]

    def _loss(self, params: Any, rest: Any, images: jax.Array, allowed: jax.Array) -> tuple[jax.Array, Any]:
        network = self.network(params, rest)
        log_likelihood = network.head.log_likelihood(network(images, train=True), allowed)
        return -log_likelihood.mean(), split(network)[2]
