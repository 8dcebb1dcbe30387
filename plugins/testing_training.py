"""Conformance suites for backbones, optimizers and augmentations: what the training engine relies on.

`linnaeus.plugins.testing` offers them to authors. Each raises `AssertionError` with the law that is broken.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from .contracts import Augmentation, Backbone, Optimizer
from .hyperparameters import fields_of


def traced_of(plugin: Any) -> dict[str, Any]:
    """The traced fields of a plugin, as the engine hands them over: float32 scalars."""
    return {f.name: np.float32(getattr(plugin, f.name)) for f in fields_of(type(plugin)) if f.role == "traced"}


def check_backbone(plugin: Backbone, shape: tuple[int, ...] = (16, 16, 3)) -> None:
    """Hold a backbone against its contract on one image shape.

    It must build inside a compiled program with traced fields as scalars of it; give float32 features
    [B, `features`]; have finite gradients; and, outside training, answer each image by
    itself and change no state.
    """
    traced = traced_of(plugin)

    def build(traced: dict[str, Any], key: jax.Array) -> Any:
        made: Any = plugin
        return dataclasses.replace(made, **traced).build(shape, nnx.Rngs(key))

    graph, state = nnx.split(nnx.eval_shape(lambda: build(traced, jax.random.key(0))))
    start = jax.jit(lambda t, key: nnx.split(build(t, key))[1])
    first, same = start(traced, jax.random.key(0)), start(traced, jax.random.key(0))
    kept: bool = jax.tree.structure(first) == jax.tree.structure(state)  # type: ignore[operator]  # JAX's stub says None
    assert kept, "build gives the same structure each time"
    assert all(map(_equal, jax.tree.leaves(first), jax.tree.leaves(same))), "the key alone decides what build draws"
    x = jax.random.normal(jax.random.key(1), (4, *shape))
    _check_answers(graph, first, x)
    _check_gradients(graph, first, x)


def _equal(a: Any, b: Any) -> bool:
    if jnp.issubdtype(a.dtype, jax.dtypes.prng_key):
        a, b = jax.random.key_data(a), jax.random.key_data(b)
    return bool((a == b).all())


def _check_answers(graph: Any, state: Any, x: jax.Array) -> None:
    def answer(state: Any, x: jax.Array) -> tuple[jax.Array, Any]:
        module = nnx.merge(graph, state, copy=True)
        y = module(x, train=False)
        assert y.shape == (len(x), module.features), f"features are [B, {module.features}], not {y.shape}"
        assert y.dtype == jnp.float32, f"features are float32, not {y.dtype}"
        return y, nnx.split(module)[1]

    compiled = jax.jit(answer)
    together, after = compiled(state, x)
    assert all(map(_equal, jax.tree.leaves(state), jax.tree.leaves(after))), "outside training no state changes"
    among_others, _ = compiled(state, x.at[1:].multiply(-3.0))
    assert np.allclose(together[0], among_others[0], atol=1e-4), "outside training the rest of a batch says nothing"


def _check_gradients(graph: Any, state: Any, x: jax.Array) -> None:
    module = nnx.merge(graph, state, copy=True)
    _, params, rest = nnx.split(module, nnx.Param, ...)  # type: ignore[misc]  # as many states as filters

    def loss(params: Any) -> jax.Array:
        y: jax.Array = nnx.merge(graph, params, rest, copy=True)(x, train=True)
        return jnp.square(y).mean()

    value, gradients = jax.jit(jax.value_and_grad(loss))(params)
    assert jnp.isfinite(value), "features of ordinary images are finite"
    assert all(bool(jnp.isfinite(g).all()) for g in jax.tree.leaves(gradients)), "gradients are finite"


def check_optimizer(plugin: Optimizer, steps: int = 200) -> None:
    """Hold an optimizer against its contract.

    It must compile with its traced fields as scalars, bring a quadratic bowl down to a tenth, and stand still where
    the schedule is 0.
    """
    target = {"kernel": jnp.linspace(-1.0, 1.0, 6).reshape(2, 3), "bias": jnp.ones(3)}

    def loss(params: Any) -> jax.Array:
        distances = jax.tree.map(lambda p, t: jnp.square(p - t).sum(), params, target)
        return jnp.stack(jax.tree.leaves(distances)).sum()

    def descend(traced: dict[str, Any], scale: Any) -> Any:
        optimizer = plugin.make(traced, lambda step: scale)
        params = jax.tree.map(jnp.zeros_like, target)

        def step(carry: Any, _: None) -> tuple[Any, None]:
            params, state = carry
            updates, state = optimizer.update(jax.grad(loss)(params), state, params)
            return (optax.apply_updates(params, updates), state), None

        return jax.lax.scan(step, (params, optimizer.init(params)), None, length=steps)[0][0]

    traced = traced_of(plugin)
    run = jax.jit(descend)
    start = jax.tree.map(jnp.zeros_like, target)
    assert loss(run(traced, 0.0)) == loss(start), "a schedule of 0 changes nothing"
    assert loss(run(traced, 1.0)) < 0.1 * loss(start), "it minimises a quadratic bowl"
    if "learning_rate" in traced:
        still = run({**traced, "learning_rate": np.float32(0)}, 1.0)
        assert loss(still) == loss(start), "the learning rate is read from the traced fields"


def check_augmentation(plugin: Augmentation, shape: tuple[int, ...] = (12, 12, 3)) -> None:
    """Hold an augmentation against its contract.

    It must compile with its traced fields as scalars, keep shape and type, give finite numbers, and be decided by
    its key.
    """
    images = jax.random.normal(jax.random.key(0), (8, *shape))
    apply = jax.jit(plugin.apply)
    traced = traced_of(plugin)
    once, again = apply(traced, jax.random.key(1), images), apply(traced, jax.random.key(1), images)
    assert once.shape == images.shape, f"the shape stays {images.shape}, not {once.shape}"
    assert once.dtype == images.dtype, f"the type stays {images.dtype}, not {once.dtype}"
    assert bool(jnp.isfinite(once).all()), "images stay finite"
    assert bool((once == again).all()), "the key alone decides"
    others = [apply(traced, jax.random.key(k), images) for k in range(2, 8)]
    assert any(bool((once != other).any()) for other in others), "another key gives another change"
