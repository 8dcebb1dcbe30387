from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from linnaeus.plugins.optimizers.adamw import AdamW
from linnaeus.plugins.optimizers.sgd import SGD
from linnaeus.plugins.testing import check_optimizer, traced_of


@pytest.mark.parametrize("optimizer", [AdamW(learning_rate=0.02, weight_decay=0.0), SGD()], ids=["adamw", "sgd"])
def test_built_in_optimizers_conform(optimizer):
    check_optimizer(optimizer)


def follow(transformation, gradients, params):
    state = transformation.init(params)
    for g in gradients:
        updates, state = transformation.update(g, state, params)
        params = optax.apply_updates(params, updates)
    return params


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            AdamW(learning_rate=0.01, weight_decay=0.1),
            lambda: optax.adamw(0.01, weight_decay=0.1, mask=lambda p: jax.tree.map(lambda x: x.ndim > 1, p)),
        ),
        (SGD(learning_rate=0.1, weight_decay=0.0), lambda: optax.sgd(0.1, momentum=0.9, nesterov=True)),
    ],
    ids=["adamw", "sgd"],
)
def test_they_are_the_ones_of_optax(ours, theirs):
    random = np.random.default_rng(0)
    params = {"kernel": jnp.ones((3, 4)), "bias": jnp.ones(4)}
    gradients = [
        jax.tree.map(lambda p: jnp.asarray(random.normal(size=p.shape), jnp.float32), params) for _ in range(5)
    ]
    found = follow(ours.make(traced_of(ours), lambda step: 1.0), gradients, params)
    expected = follow(theirs(), gradients, params)
    for name in params:
        assert np.allclose(found[name], expected[name], atol=1e-6)


@pytest.mark.parametrize("optimizer", [AdamW(weight_decay=0.5), SGD(weight_decay=0.5)], ids=["adamw", "sgd"])
def test_decay_spares_biases(optimizer):
    params = {"kernel": jnp.ones((3, 4)), "bias": jnp.ones(4)}
    nothing = jax.tree.map(jnp.zeros_like, params)
    after = follow(optimizer.make(traced_of(optimizer), lambda step: 1.0), [nothing] * 3, params)
    assert (after["bias"] == 1).all()
    assert (after["kernel"] < 1).all()
