"""Convolution and pooling that stay fast inside compiled loops on a CPU.

XLA's CPU layout pass looks at the entry computation only, so the transposed convolutions that autodiff writes for
gradients fall to a naive loop inside `lax.scan` (https://github.com/jax-ml/jax/issues/12868). Here both gradients are
written as plain NHWC × HWIO convolutions with explicit transposes. On other devices autodiff is kept: their libraries
choose layouts themselves. `benchmarks/convolution_in_scan.py` measures both.
"""

from __future__ import annotations

import functools
from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx

_NHWC = ("NHWC", "HWIO", "NHWC")


def convolve(x: jax.Array, kernel: jax.Array, stride: int = 1, padding: int = 0) -> jax.Array:
    """2-D cross-correlation: x [B, H, W, I], kernel [h, w, I, O] → [B, H', W', O].

    Zeros are padded on all sides alike, so that H' = (H + 2·padding - h) // stride + 1.
    """
    if jax.default_backend() == "cpu":
        return _convolve_plain(x, kernel, stride, padding)
    return _forward(x, kernel, stride, padding)


def _forward(x: jax.Array, kernel: jax.Array, stride: int, padding: int) -> jax.Array:
    return _correlate(x, kernel, [(padding, padding)] * 2, stride)


def _correlate(x: jax.Array, kernel: jax.Array, pads: list[tuple[int, int]], stride: int = 1) -> jax.Array:
    """Correlation with zeros written around the images where the kernel is larger than they are.

    XLA's CPU backend leaves its fast path there, and takes ten times as long.
    """
    if min(x.shape[1:3]) < max(kernel.shape[:2]) and jax.default_backend() == "cpu":
        padded = jax.lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), *((a, b, 0) for a, b in pads), (0, 0, 0)])
        # The barrier keeps XLA from folding the zeros back into padding.
        x = jax.lax.optimization_barrier(padded)  # type: ignore[no-untyped-call]  # jax ships it unannotated
        pads = [(0, 0)] * 2
    return jax.lax.conv_general_dilated(x, kernel, (stride, stride), pads, dimension_numbers=_NHWC)


@partial(jax.custom_vjp, nondiff_argnums=(2, 3))
def _convolve_plain(x: jax.Array, kernel: jax.Array, stride: int, padding: int) -> jax.Array:
    return _forward(x, kernel, stride, padding)


def _save(x: jax.Array, kernel: jax.Array, stride: int, padding: int) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return _forward(x, kernel, stride, padding), (x, kernel)


def _gradients(
    stride: int, padding: int, saved: tuple[jax.Array, jax.Array], dy: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, kernel = saved
    return _input_gradient(x, kernel, stride, padding, dy), _kernel_gradient(x, kernel, stride, padding, dy)


def _input_gradient(x: jax.Array, kernel: jax.Array, stride: int, padding: int, dy: jax.Array) -> jax.Array:
    """The full correlation of the dilated output gradient with the kernel turned by 180° and transposed."""
    turned = kernel[::-1, ::-1].transpose(0, 1, 3, 2)
    pads = []
    for size, k, out in zip(x.shape[1:3], kernel.shape[:2], dy.shape[1:3], strict=True):
        low = k - 1 - padding
        pads.append((low, size + k - 1 - low - _dilated(out, stride)))
    if stride == 1:
        return _correlate(dy, turned, pads)
    return jax.lax.conv_general_dilated(
        dy, turned, (1, 1), pads, lhs_dilation=(stride, stride), dimension_numbers=_NHWC
    )


def _kernel_gradient(x: jax.Array, kernel: jax.Array, stride: int, padding: int, dy: jax.Array) -> jax.Array:
    """The correlation of inputs with output gradients: channels stand where the batch did, the batch where they did."""
    pads = []
    for size, k, out in zip(x.shape[1:3], kernel.shape[:2], dy.shape[1:3], strict=True):
        pads.append((padding, k - 1 + _dilated(out, stride) - size - padding))
    by_channel = jax.lax.conv_general_dilated(
        x.transpose(3, 1, 2, 0),
        dy.transpose(1, 2, 0, 3),
        (1, 1),
        pads,
        rhs_dilation=(stride, stride),
        dimension_numbers=_NHWC,
    )
    return by_channel.transpose(1, 2, 0, 3)


def _dilated(size: int, stride: int) -> int:
    return (size - 1) * stride + 1


_convolve_plain.defvjp(_save, _gradients)


def max_pool(x: jax.Array, window: int, stride: int, padding: int = 0) -> jax.Array:
    """Maxima of windows, [B, H, W, C] → [B, H', W', C].

    As maxima of shifted, strided slices: their gradient is elementwise, where the one of a window reduction is a
    scatter that XLA runs one element at a time on a CPU.
    """
    x = jnp.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)), constant_values=-jnp.inf)
    rows, columns = ((size - window) // stride + 1 for size in x.shape[1:3])
    slices = [
        x[:, i : i + _dilated(rows, stride) : stride, j : j + _dilated(columns, stride) : stride]
        for i in range(window)
        for j in range(window)
    ]
    return functools.reduce(jnp.maximum, slices)


class Convolution(nnx.Module):
    """A convolution layer of square kernels, He-initialised over its outputs (He et al. 2015, arXiv:1502.01852)."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        *,
        stride: int = 1,
        padding: int | None = None,
        bias: bool = False,
        rngs: nnx.Rngs,
    ):
        self.stride = stride
        self.padding = (size - 1) // 2 if padding is None else padding
        scale = jnp.sqrt(2.0 / (size * size * outputs))
        self.kernel = nnx.Param(scale * jax.random.normal(rngs.params(), (size, size, inputs, outputs)))
        self.bias = nnx.Param(jnp.zeros(outputs)) if bias else None

    def __call__(self, x: jax.Array) -> jax.Array:
        """[B, H, W, inputs] → [B, H', W', outputs]."""
        y = convolve(x, self.kernel[...], self.stride, self.padding)
        return y if self.bias is None else y + self.bias[...]
