"""A configuration as plugins, and as one network with its compiled starting values and predictions."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from ..dsl.evidence import Evidence
from ..dsl.tables import Bools, Tables
from ..errors import did_you_mean, fail
from ..plugins import contracts
from ..plugins.hyperparameters import fields_of
from ..plugins.registry import KINDS, Registry
from .study import Configuration
from .train_settings import TrainSettings

EVALUATION_BATCH = 256
"""Images a step outside training; the last batch is filled up, so that one program serves any number of images."""

Traced = dict[str, dict[str, Any]]
"""Traced hyperparameters by part ("backbone", "optimizer", "augment.shift", "train") and field."""


@dataclass(frozen=True)
class Recipe:
    """The plugins of a configuration, with their fields."""

    configuration: Configuration
    backbone: contracts.Backbone
    head: contracts.Head
    optimizer: contracts.Optimizer
    augmentations: tuple[contracts.Augmentation, ...]
    decoder: contracts.Decoder
    settings: TrainSettings

    def parts(self) -> dict[str, Any]:
        """Everything with hyperparameters, by the name that `Traced` uses."""
        augmentations = {f"augment.{a.name}": a for a in self.augmentations}
        named = {"backbone": self.backbone, "head": self.head, "optimizer": self.optimizer, "decoder": self.decoder}
        return {**named, **augmentations, "train": self.settings}

    def traced(self) -> Traced:
        """The values that compiled programs take as arguments, as float32 scalars."""
        return {
            part: {f.name: np.float32(getattr(made, f.name)) for f in fields_of(type(made)) if f.role == "traced"}
            for part, made in self.parts().items()
        }

    def program_key(self) -> str:
        """What two configurations share if and only if the same compiled programs serve both."""
        key = {}
        for part, made in self.parts().items():
            fixed = {f.name: getattr(made, f.name) for f in fields_of(type(made)) if f.role != "traced"}
            key[part] = [getattr(made, "name", part), fixed]
        return json.dumps(key, sort_keys=True, default=repr)


def read_recipe(configuration: Configuration, registry: Registry) -> Recipe:
    """The plugins that a configuration names.

    Raises:
        LinnaeusError: E410 an unknown plugin, E432 an unknown field.
    """

    def plugin(part: str, name: str, fields: Mapping[str, Any]) -> Any:
        return _make(registry.get(KINDS[part], name, part), fields, f"{part} {name}")

    def chosen(part: str) -> Any:
        return plugin(part, configuration[part]["name"], configuration[part].get("fields") or {})

    augment: Mapping[str, Any] = configuration.get("augment") or {}
    return Recipe(
        configuration,
        chosen("backbone"),
        chosen("head"),
        chosen("optimizer"),
        tuple(plugin("augmentation", name, fields or {}) for name, fields in augment.items()),
        plugin("decoder", configuration["decoder"], {}),
        _make(TrainSettings, configuration.get("train") or {}, "train"),
    )


def _make(plugin: type[Any], fields: Mapping[str, Any], where: str) -> Any:
    known = [f.name for f in fields_of(plugin)]
    for name in fields:
        if name not in known:
            raise fail("E432", f"there is no field {name!r}", where=where, help=did_you_mean(name, known))
    return plugin(**fields)


class Network(nnx.Module):
    """A backbone and a head."""

    def __init__(self, backbone: contracts.Backbone, head: contracts.Head, tables: Tables, shape: tuple[int, ...],
                 rngs: nnx.Rngs):  # fmt: skip
        self.backbone = backbone.build(shape, rngs)
        self.head = head.build(tables, self.backbone.features, rngs)

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Normalised images [B, …] → scores [B, K]."""
        return self.head(self.backbone(x, train=train))


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of training images by channel (of training vectors by feature), in raw units."""

    mean: NDArray[np.float32]
    std: NDArray[np.float32]


def normalise(raw: jax.Array, mean: jax.Array, std: jax.Array) -> jax.Array:
    """Raw images or vectors → float32 of mean 0 and deviation 1; what is constant becomes 0."""
    return (raw.astype(jnp.float32) - mean) / std


def measure(images: NDArray[Any]) -> Normalisation:
    """The normalisation of training images [N, H, W, C] or vectors [N, F]; a block at a time, in float64."""
    axes = tuple(range(images.ndim - 1))
    count = 0
    total = squares = np.zeros(images.shape[-1])
    for start in range(0, len(images), 4096):
        block = np.asarray(images[start : start + 4096], np.float64)
        count += block.size // block.shape[-1]
        total = total + block.sum(axes)
        squares = squares + np.square(block).sum(axes)
    mean = total / count
    std = np.sqrt(np.maximum(squares / count - np.square(mean), 0))
    return Normalisation(mean.astype(np.float32), np.where(std < 1e-6, 1, std).astype(np.float32))


@dataclass(frozen=True)
class Answers:
    """What a model says of N images.

    Shapes:
        worlds: [N, L] bool, decoded; probabilities: [N, L] float32.
        log_likelihood: [N] float64 of the evidence; None without evidence or for a head that is not normalised.
    """

    worlds: Bools
    probabilities: NDArray[np.float32]
    log_likelihood: NDArray[np.float64] | None


def root_key(seed: int) -> jax.Array:
    """The key that everything random in a training comes from.

    The generator is XLA's own (`rbg`, Philox): programs with JAX's default, threefry, take several times as long to
    compile on a CPU. Its draws are the same for the same device type, which is what a row of a board promises.
    """
    return jax.random.key(seed % 2**32, impl="rbg")


class NetworkProgram:
    """What all models of one static configuration and image shape share: their structure and compiled functions.

    A traced hyperparameter of a backbone or head reaches `build` as a scalar of the compiled program; the module
    keeps it in an `nnx.Variable`.
    """

    def __init__(self, recipe: Recipe, tables: Tables, shape: tuple[int, ...], dtype: Any):
        self.recipe, self.tables, self.shape, self.dtype = recipe, tables, shape, np.dtype(dtype)
        abstract = nnx.eval_shape(lambda: self._build(recipe.traced(), root_key(0)))
        self.graph, params, rest = split(abstract)
        self.abstract = params, rest
        self.parameters = sum(p.size for p in jax.tree.leaves(params))
        self.compile_seconds = 0.0
        one = jnp.zeros((1, *shape))
        self.macs = count_macs(lambda p, r, x: self.network(p, r)(x, train=False), params, rest, one)
        self._start: Any = None
        self._answer: Any = None

    def _build(self, traced: Traced, key: jax.Array) -> Network:
        backbone: Any = self.recipe.backbone
        head: Any = self.recipe.head
        backbone = dataclasses.replace(backbone, **traced["backbone"])
        head = dataclasses.replace(head, **traced["head"])
        return Network(backbone, head, self.tables, self.shape, nnx.Rngs(key))

    def network(self, params: Any, rest: Any) -> Network:
        """The module of a state; inside a compiled program."""
        network: Network = nnx.merge(self.graph, params, rest, copy=True)
        return network

    def compile(self, function: Callable[..., Any], *arguments: Any, donate: tuple[int, ...] = ()) -> Any:
        """The compiled function; the time that took is added to `compile_seconds`."""
        started = time.perf_counter()
        compiled = jax.jit(function, donate_argnums=donate).lower(*arguments).compile()
        self.compile_seconds += time.perf_counter() - started
        return compiled

    def start(self, traced: Traced, key: jax.Array) -> tuple[Any, Any]:
        """Starting values: (parameters, the rest of the state)."""

        def initial(traced: Traced, key: jax.Array) -> tuple[Any, Any]:
            _, params, rest = split(self._build(traced, key))
            return params, rest

        if self._start is None:
            self._start = self.compile(initial, traced, key)
        params, rest = self._start(traced, key)
        return params, rest

    def blank(self) -> tuple[Any, Any]:
        """A state of zeros, to be filled from a file: nothing is drawn, so nothing is compiled."""

        def zeros(leaf: Any) -> jax.Array:
            if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
                return jnp.broadcast_to(root_key(0), leaf.shape)
            return jnp.zeros(leaf.shape, leaf.dtype)

        params, rest = jax.tree.map(zeros, self.abstract)
        return params, rest

    def answer(
        self, params: Any, rest: Any, normalisation: Normalisation, images: NDArray[Any], evidence: Evidence | None
    ) -> Answers:
        """Answers for raw images, in batches of a fixed size."""
        batches = []
        for start in range(0, max(1, len(images)), EVALUATION_BATCH):
            rows = slice(start, min(start + EVALUATION_BATCH, len(images)))
            raw = np.zeros((EVALUATION_BATCH, *self.shape), self.dtype)
            raw[: rows.stop - start] = images[rows]
            allowed = np.ones((EVALUATION_BATCH, self.tables.n_states), bool)
            if evidence is not None:
                allowed[: rows.stop - start] = evidence.take(np.arange(rows.start, rows.stop)).allowed()
            arguments = (params, rest, normalisation.mean, normalisation.std, raw, allowed)
            if self._answer is None:
                self._answer = self.compile(self._answer_batch, *arguments)
            batches.append([np.asarray(a)[: rows.stop - start] for a in self._answer(*arguments)])
        worlds, probabilities, log_likelihood = (np.concatenate(parts) for parts in zip(*batches, strict=True))
        known = evidence is not None and self.recipe.head.normalised
        return Answers(worlds, probabilities, log_likelihood.astype(np.float64) if known else None)

    def _answer_batch(
        self, params: Any, rest: Any, mean: Any, std: Any, raw: jax.Array, allowed: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        network = self.network(params, rest)
        scores = network(normalise(raw, mean, std), train=False)
        worlds = self.recipe.decoder.decode(self.tables, network.head, scores)
        return worlds, network.head.marginals(scores), network.head.log_likelihood(scores, allowed)


def split(network: Network) -> tuple[Any, Any, Any]:
    """Structure, parameters, and the rest of the state: batch statistics, random streams, constants."""
    graph, params, rest = nnx.split(network, nnx.Param, ...)  # type: ignore[misc]  # as many states as filters
    return graph, params, rest


def count_macs(function: Callable[..., Any], *arguments: Any) -> int:
    """Multiply-accumulates of all convolutions and matrix products of a function, exactly; nothing is compiled."""
    return _macs_of(jax.make_jaxpr(function)(*arguments).jaxpr)


def _macs_of(jaxpr: Any) -> int:
    total = 0
    for equation in jaxpr.eqns:
        out: Any = equation.outvars[0].aval if equation.outvars else None
        if equation.primitive.name == "conv_general_dilated":
            kernel = equation.invars[1].aval
            outputs = kernel.shape[equation.params["dimension_numbers"].rhs_spec[0]]
            total += out.size * kernel.size // outputs
        elif equation.primitive.name == "dot_general":
            (contracted, _), _ = equation.params["dimension_numbers"]
            total += out.size * int(np.prod([equation.invars[0].aval.shape[d] for d in contracted]))
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_jaxpr):
            if _is_jaxpr(inner):
                total += _macs_of(getattr(inner, "jaxpr", inner))
    return total


def _is_jaxpr(value: Any) -> bool:
    return hasattr(value, "eqns")
