"""The module of the backbone `resnet`."""

from __future__ import annotations

import jax
from flax import nnx

from .convolution import Convolution, max_pool
from .resnet import BLOCKS, Stem

_EXPANSION = 4


def _norm(channels: int, rngs: nnx.Rngs, *, zero: bool = False) -> nnx.BatchNorm:
    """Batch normalisation; `zero` starts a residual branch as nothing (Goyal et al. 2017, arXiv:1706.02677)."""
    scale = nnx.initializers.zeros if zero else nnx.initializers.ones
    return nnx.BatchNorm(channels, momentum=0.9, epsilon=1e-5, scale_init=scale, rngs=rngs)


class Block(nnx.Module):
    """A residual block: convolutions with batch norms, added to their input (projected where the shape changes)."""

    def __init__(self, inputs: int, outputs: int, stride: int, bottleneck: bool, rngs: nnx.Rngs):
        inner = outputs // _EXPANSION if bottleneck else outputs
        if bottleneck:
            plan = [(inputs, inner, 1, 1), (inner, inner, 3, stride), (inner, outputs, 1, 1)]
        else:
            plan = [(inputs, inner, 3, stride), (inner, outputs, 3, 1)]
        self.convolutions = nnx.List([Convolution(i, o, k, stride=s, rngs=rngs) for i, o, k, s in plan])
        last = len(plan) - 1
        self.norms = nnx.List([_norm(o, rngs, zero=n == last) for n, (_, o, _, _) in enumerate(plan)])
        changes = stride != 1 or inputs != outputs
        self.shortcut = Convolution(inputs, outputs, 1, stride=stride, rngs=rngs) if changes else None
        self.shortcut_norm = _norm(outputs, rngs) if changes else None

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """[B, H, W, inputs] → [B, H / stride, W / stride, outputs]."""
        y = x
        for n, (convolution, norm) in enumerate(zip(self.convolutions, self.norms, strict=True)):
            y = norm(convolution(jax.nn.relu(y) if n else y), use_running_average=not train)
        if self.shortcut is not None and self.shortcut_norm is not None:
            x = self.shortcut_norm(self.shortcut(x), use_running_average=not train)
        return jax.nn.relu(x + y)


class ResNetModule(nnx.Module):
    """Stem, stages of residual blocks that halve the sides and double the channels, and the mean over positions."""

    def __init__(self, channels: int, depth: int, width: int, stem: Stem, rngs: nnx.Rngs):
        bottleneck = depth == 50
        size, stride = {"small": (3, 1), "strided": (3, 2), "imagenet": (7, 2)}[stem]
        self.pooled = stem == "imagenet"
        self.stem = Convolution(channels, width, size, stride=stride, rngs=rngs)
        self.stem_norm = _norm(width, rngs)
        blocks = []
        inputs = width
        for stage, count in enumerate(BLOCKS[depth]):
            outputs = width * 2**stage * (_EXPANSION if bottleneck else 1)
            for n in range(count):
                blocks.append(Block(inputs, outputs, 2 if stage and not n else 1, bottleneck, rngs))
                inputs = outputs
        self.blocks = nnx.List(blocks)
        self.features = inputs

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """[B, H, W, C] → [B, features]."""
        x = jax.nn.relu(self.stem_norm(self.stem(x), use_running_average=not train))
        if self.pooled:
            x = max_pool(x, 3, 2, padding=1)
        for block in self.blocks:
            x = block(x, train=train)
        return x.mean((1, 2))
