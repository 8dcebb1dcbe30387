"""How much slower training steps of a convolution are inside `lax.scan` than outside it, by autodiff and by ours.

    python benchmarks/convolution_in_scan.py

Prints milliseconds of one forward and backward pass; the ratio is inside : outside.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp

from linnaeus.plugins.backbones.convolution import _forward, convolve

BATCH, STEPS, REPEATS = 64, 8, 5
LAYERS = [(28, 1, 16, 3, 1), (14, 16, 32, 5, 1), (14, 32, 32, 3, 1), (14, 32, 64, 3, 2), (7, 64, 64, 3, 1)]
"""(side, input channels, output channels, kernel, stride)"""

Convolve = Callable[[jax.Array, jax.Array, int, int], jax.Array]


def milliseconds(function: Callable[..., object], *arguments: jax.Array) -> float:
    compiled = jax.jit(function)
    jax.block_until_ready(compiled(*arguments))
    best = float("inf")
    for _ in range(REPEATS):
        started = time.perf_counter()
        jax.block_until_ready(compiled(*arguments))
        best = min(best, time.perf_counter() - started)
    return best * 1e3


def measure(convolution: Convolve, side: int, inputs: int, outputs: int, size: int, stride: int) -> tuple[float, float]:
    """Milliseconds of a step (outside a scan, inside one)."""
    x = jax.random.normal(jax.random.key(0), (BATCH, side, side, inputs))
    kernel = jax.random.normal(jax.random.key(1), (size, size, inputs, outputs)) / size

    def step(kernel: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        def loss(kernel: jax.Array, x: jax.Array) -> jax.Array:
            return jnp.square(convolution(x, kernel, stride, (size - 1) // 2)).mean()

        by_kernel, by_input = jax.grad(loss, (0, 1))(kernel, x)
        return kernel - 1e-3 * by_kernel, x - 1e-3 * by_input

    def scan(kernel: jax.Array, x: jax.Array) -> tuple[jax.Array, jax.Array]:
        return jax.lax.scan(lambda carry, _: (step(*carry), None), (kernel, x), length=STEPS)[0]

    return milliseconds(step, kernel, x), milliseconds(scan, kernel, x) / STEPS


def main() -> None:
    print(f"{jax.default_backend()}, batch {BATCH}; ms a step")
    print(f"{'side in out kernel stride':28} {'autodiff: outside inside ratio':>32} {'ours: outside inside ratio':>32}")
    for layer in LAYERS:
        cells = []
        for convolution in (_forward, convolve):
            outside, inside = measure(convolution, *layer)
            cells.append(f"{outside:10.2f} {inside:8.2f} {inside / outside:6.1f}")
        print(f"{layer!s:28} {cells[0]:>32} {cells[1]:>32}", flush=True)


if __name__ == "__main__":
    main()
