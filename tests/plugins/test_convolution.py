"""Convolutions against XLA's own gradients, by kernel, stride, padding and size in use."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from linnaeus.plugins.backbones import convolution
from linnaeus.plugins.backbones.convolution import Convolution, convolve, max_pool


def plain(x, kernel, stride, padding):
    pads = [(padding, padding)] * 2
    return jax.lax.conv_general_dilated(x, kernel, (stride, stride), pads, dimension_numbers=("NHWC", "HWIO", "NHWC"))


CASES = [
    (size, channels, kernel, stride, padding)
    for kernel, stride, padding in [(1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1), (5, 1, 2), (7, 2, 3), (3, 1, 0)]
    for size, channels in [((8, 8), 8), ((9, 7), 1)]
] + [((4, 4), 8, 5, 1, 2), ((4, 3), 2, 5, 2, 2), ((2, 2), 3, 3, 1, 1)]  # kernels larger than the image


@pytest.mark.parametrize(("size", "channels", "kernel", "stride", "padding"), CASES)
def test_gradients_are_those_of_autodiff(size, channels, kernel, stride, padding):
    random = np.random.default_rng(0)
    x = jnp.asarray(random.normal(size=(3, *size, channels)), jnp.float32)
    w = jnp.asarray(random.normal(size=(kernel, kernel, channels, 5)), jnp.float32)
    expected, expected_vjp = jax.vjp(lambda x, w: plain(x, w, stride, padding), x, w)
    found, vjp = jax.vjp(lambda x, w: convolution._convolve_plain(x, w, stride, padding), x, w)
    assert np.allclose(found, expected, atol=1e-5)
    dy = jnp.asarray(random.normal(size=expected.shape), jnp.float32)
    for ours, theirs in zip(vjp(dy), expected_vjp(dy), strict=True):
        assert ours.shape == theirs.shape
        assert np.allclose(ours, theirs, atol=1e-4), np.abs(ours - theirs).max()


def test_convolve_is_the_sum_over_the_window():
    x = jnp.arange(16.0).reshape(1, 4, 4, 1)
    y = convolve(x, jnp.ones((3, 3, 1, 1)), stride=1, padding=1)
    assert y.shape == (1, 4, 4, 1)
    assert y[0, 1, 1, 0] == x[0, :3, :3, 0].sum()
    assert y[0, 0, 0, 0] == x[0, :2, :2, 0].sum()


@pytest.mark.parametrize(("window", "stride", "padding"), [(2, 2, 0), (3, 2, 1)])
@pytest.mark.parametrize("side", [7, 8])
def test_max_pool_is_the_window_reduction_and_so_is_its_gradient(window, stride, padding, side):
    def reduction(x):
        pads = [(0, 0), (padding, padding), (padding, padding), (0, 0)]
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, window, window, 1), (1, stride, stride, 1), pads)

    x = jnp.asarray(np.random.default_rng(0).normal(size=(2, side, side, 3)), jnp.float32)
    expected, expected_vjp = jax.vjp(reduction, x)
    found, vjp = jax.vjp(lambda x: max_pool(x, window, stride, padding), x)
    assert (found == expected).all()
    assert np.allclose(vjp(expected)[0], expected_vjp(expected)[0], atol=1e-6)


def test_starting_values_have_the_variance_of_he():
    layer = Convolution(64, 128, 3, rngs=nnx.Rngs(0))
    assert float(layer.kernel[...].std()) == pytest.approx((2 / (9 * 128)) ** 0.5, rel=0.02)
    assert layer.bias is None
