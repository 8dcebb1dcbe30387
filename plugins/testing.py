"""Conformance suites: what every plugin of a kind must pass. Call them in a test of yours; ours pass them too.

Each takes the plugin class, or an instance with fields of your choice, and raises `AssertionError` with the law
that is broken.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..dsl.ontology import Ontology
from ..dsl.tables import Bools, Tables, compile_tables
from ..dsl.testing import enumerate_worlds, random_evidence, random_ontology, side_by_side
from .contracts import Augmentation, Backbone, Decoder, Head, HeadModule, Optimizer, Plugin
from .hyperparameters import fields_of
from .registry import check_contract

P = TypeVar("P", bound=Plugin)
FEATURES = 5
BATCH = 7


def require(condition: Any, law: str) -> None:
    """Raise `AssertionError` with the law unless it holds."""
    if not condition:
        raise AssertionError(law)


def _instance(plugin: P | type[P]) -> P:
    made = plugin() if isinstance(plugin, type) else plugin
    check_contract(made.kind, made.name, type(made))
    return made


# --- heads -----------------------------------------------------------------------------------------


def check_head(plugin: Head | type[Head], *, seed: int = 0, ontologies: int = 6) -> None:
    """Hold a head against its contract and its own flags, by brute force over random ontologies.

    Shapes, finite gradients under any evidence and extreme features; `normalised`: the worlds' probabilities sum to one
    and the likelihood of evidence is the sum over the worlds that agree; `coherent`: marginals never exceed
    their parents', decoded worlds are legal; both: marginals and the best world are those of the enumerated worlds.
    """
    head = _instance(plugin)
    rng = np.random.default_rng(seed)
    parts = [random_ontology(rng, groups=2, max_worlds=40) for _ in range(ontologies)]
    tables = compile_tables(side_by_side(parts))
    module = _build(head, tables)
    features = rng.normal(0, 30, (BATCH, FEATURES)).astype(np.float32)
    scores = np.asarray(_quick(module)(features))
    require(scores.ndim == 2 and len(scores) == BATCH and np.isfinite(scores).all(), "scores are finite, [B, K]")
    p, worlds = np.asarray(_quick(module.marginals)(scores)), np.asarray(_quick(module.best_world)(scores))
    require(p.shape == (BATCH, tables.n_labels), "marginals are [B, L]")
    require((p >= 0).all() and (p <= 1).all(), "marginals are probabilities")
    require(worlds.shape == p.shape and worlds.dtype == bool, "a decoded world is [B, L] bool")
    _check_gradients(module, tables, features, rng)
    if head.coherent:
        _check_coherent(tables, p, worlds)
    if head.normalised:
        _check_normalised(head, module, tables, parts, scores[:1], rng)


def _build(head: Head, tables: Tables) -> HeadModule:
    from flax import nnx

    first, second = (head.build(tables, FEATURES, nnx.Rngs(s)) for s in (0, 1))
    graphs = [nnx.split(module)[0] for module in (first, second)]
    require(graphs[0] == graphs[1], "two modules of one ontology have equal structure (or nothing compiled is shared)")
    return first


def _quick(function: Any) -> Any:
    """Compiled, but not for speed: each program here runs once."""
    import jax

    return jax.jit(function, compiler_options={"xla_backend_optimization_level": 0})


def _check_gradients(
    module: HeadModule, tables: Tables, features: NDArray[np.float32], rng: np.random.Generator
) -> None:
    import jax
    import jax.numpy as jnp
    from flax import nnx

    graph, state = nnx.split(module)

    @partial(_quick)
    def value_and_gradients(x: jax.Array, allowed: jax.Array) -> Any:
        def total(state: Any, x: jax.Array) -> Any:
            merged: Any = nnx.merge(graph, state)
            value = merged.log_likelihood(merged(x), allowed)
            return jnp.where(jnp.isfinite(value), value, 0).sum(), value

        return jax.value_and_grad(total, argnums=(0, 1), has_aux=True)(state, x)

    allowed = random_evidence(rng, tables, BATCH).allowed()
    allowed[0], allowed[1] = True, False
    for scale in (1, 30):
        (_, value), gradients = value_and_gradients(features * scale, allowed)
        require(value.shape == (BATCH,), "log-likelihoods are [B]")
        require(not np.isnan(value).any() and not np.isposinf(value).any(), "a log-likelihood is never nan or +inf")
        require(np.isfinite(np.asarray(value)[2:]).all(), "evidence that some world agrees with has a finite value")
        finite = [np.isfinite(np.asarray(g)).all() for g in jax.tree.leaves(gradients)]
        require(all(finite), "gradients are finite under any evidence, contradictory evidence included")


def _check_coherent(tables: Tables, p: NDArray[np.float32], worlds: Bools) -> None:
    ontology = tables.ontology
    for label in ontology.labels:
        for parent in label.parents:
            require((p[:, label.index] <= p[:, parent]).all(), f"P({label.path}) never exceeds its parent's")
    require(tables.states_of(worlds).any(1).all(), "every decoded world is legal")


def _check_normalised(
    head: Head,
    module: HeadModule,
    tables: Tables,
    parts: list[Ontology],
    scores: NDArray[np.float32],
    rng: np.random.Generator,
) -> None:
    """Each part by itself: evidence about one leaves the others unknown, which must contribute nothing."""
    own = [compile_tables(o) for o in parts]
    worlds = [enumerate_worlds(o) for o in parts]
    rows = [
        np.concatenate([t.states_of(w), random_evidence(rng, t, 3).allowed()]) for t, w in zip(own, worlds, strict=True)
    ]
    allowed = np.ones((sum(map(len, rows)) + 1, tables.n_states), bool)
    at = first = 0
    for t, masks in zip(own, rows, strict=True):
        allowed[at : at + len(masks), first : first + t.n_states] = masks
        at, first = at + len(masks), first + t.n_states
    value = np.asarray(_quick(module.log_likelihood)(np.tile(scores, (len(allowed), 1)), allowed), np.float64)
    require(abs(value[-1]) < 1e-5, "unknown evidence has log-likelihood 0")
    p, best = np.asarray(_quick(module.marginals)(scores))[0], np.asarray(_quick(module.best_world)(scores))[0]
    at = first = 0
    for t, legal, masks in zip(own, worlds, rows, strict=True):
        probability = np.exp(value[at : at + len(legal)])
        said = masks[len(legal) :]
        agree = (masks[: len(legal)][None] <= said[:, None]).all(2)
        here = slice(first, first + t.n_labels)
        require(np.isclose(probability.sum(), 1, atol=1e-4), "the probabilities of all legal worlds sum to one")
        likelihood = np.exp(value[at + len(legal) : at + len(masks)])
        require(
            np.allclose(likelihood, agree @ probability, atol=1e-4),
            "the likelihood of evidence is the sum over the worlds that agree with it",
        )
        if head.coherent:
            require(np.allclose(p[here], probability @ legal, atol=1e-4), "marginals are sums over worlds")
            chosen = probability[(legal == best[here]).all(1)]
            require(chosen.size == 1 and chosen[0] >= probability.max() - 1e-5, "the best world is the most probable")
        at, first = at + len(masks), first + t.n_labels


# --- decoders --------------------------------------------------------------------------------------


def check_decoder(plugin: Decoder | type[Decoder], *, seed: int = 0, ontologies: int = 6) -> None:
    """Hold a decoder against its contract: legal worlds from a coherent head, [B, L] bool, row by row, repeatably."""
    from .heads.flat import Flat
    from .heads.independent import Independent

    decoder = _instance(plugin)
    rng = np.random.default_rng(seed)
    tables = compile_tables(side_by_side([random_ontology(rng) for _ in range(ontologies)]))
    for head in (Flat(), Independent()):
        module = _build(head, tables)
        scores = np.asarray(_quick(module)(rng.normal(0, 30, (BATCH, FEATURES)).astype(np.float32)))
        decode = _quick(partial(decoder.decode, tables, module))
        worlds = np.asarray(decode(scores))
        require(worlds.shape == (BATCH, tables.n_labels) and worlds.dtype == bool, "a decoded world is [B, L] bool")
        require((worlds[::-1] == np.asarray(decode(scores[::-1]))).all(), "images are decoded one by one, repeatably")
        if head.coherent:
            require(tables.states_of(worlds).any(1).all(), "every world decoded from a coherent head is legal")


# --- training --------------------------------------------------------------------------------------


def traced_of(plugin: Any) -> dict[str, Any]:
    """The traced fields of a plugin, as the engine hands them over: float32 scalars."""
    return {f.name: np.float32(getattr(plugin, f.name)) for f in fields_of(type(plugin)) if f.role == "traced"}


def check_backbone(plugin: Backbone | type[Backbone], shape: tuple[int, ...] = (16, 16, 3)) -> None:
    """Hold a backbone against its contract on one image shape.

    It must build inside a compiled program, with traced fields as scalars of it; give float32 features
    [B, `features`]; have finite gradients; and, outside training, answer each image by itself and change no state.
    """
    import jax
    from flax import nnx

    made: Any = _instance(plugin)

    def build(traced: dict[str, Any], key: Any) -> Any:
        return dataclasses.replace(made, **traced).build(shape, nnx.Rngs(key))

    key = jax.random.key(0, impl="rbg")
    graph, state = nnx.split(nnx.eval_shape(lambda: build(traced_of(made), key)))
    start = _quick(lambda traced, key: nnx.split(build(traced, key))[1])
    first, same = start(traced_of(made), key), start(traced_of(made), key)
    kept: bool = jax.tree.structure(first) == jax.tree.structure(state)  # type: ignore[operator]  # JAX's stub says None
    require(kept, "build gives the same structure each time")
    require(_same(first, same), "the key alone decides what build draws")
    x = jax.random.normal(key, (4, *shape))
    _check_features(graph, first, x)
    _check_training(graph, first, x)


def _same(a: Any, b: Any) -> bool:
    """Whether two states are equal, random keys included."""
    import jax

    def equal(x: Any, y: Any) -> bool:
        if jax.numpy.issubdtype(x.dtype, jax.dtypes.prng_key):
            x, y = jax.random.key_data(x), jax.random.key_data(y)
        return bool((x == y).all())

    return all(map(equal, jax.tree.leaves(a), jax.tree.leaves(b)))


def _check_features(graph: Any, state: Any, x: Any) -> None:
    from flax import nnx

    def answer(state: Any, x: Any) -> tuple[Any, Any]:
        module = nnx.merge(graph, state, copy=True)
        y = module(x, train=False)
        require(y.shape == (len(x), module.features), f"features are [B, {module.features}], not {y.shape}")
        require(y.dtype == np.float32, f"features are float32, not {y.dtype}")
        return y, nnx.split(module)[1]

    compiled = _quick(answer)
    together, after = compiled(state, x)
    require(_same(state, after), "outside training no state changes")
    among_others, _ = compiled(state, x.at[1:].multiply(-3.0))
    require(np.allclose(together[0], among_others[0], atol=1e-4), "outside training the rest of a batch says nothing")


def _check_training(graph: Any, state: Any, x: Any) -> None:
    import jax
    from flax import nnx

    module = nnx.merge(graph, state, copy=True)
    _, params, rest = nnx.split(module, nnx.Param, ...)  # type: ignore[misc]  # as many states as filters

    def loss(params: Any) -> Any:
        y = nnx.merge(graph, params, rest, copy=True)(x, train=True)
        return (y * y).mean()

    found = _quick(jax.value_and_grad(loss))(params)
    finite = all(bool(np.isfinite(leaf).all()) for leaf in jax.tree.leaves(found))
    require(finite, "in training, features of ordinary images and their gradients are finite")


def check_optimizer(plugin: Optimizer | type[Optimizer], steps: int = 200) -> None:
    """Hold an optimizer against its contract.

    It must compile with its traced fields as scalars, bring a quadratic bowl down to a tenth, and stand still where
    the schedule, or a traced learning rate, is 0.
    """
    import jax
    import jax.numpy as jnp

    made = _instance(plugin)
    target = {"kernel": jnp.linspace(-1.0, 1.0, 6).reshape(2, 3), "bias": jnp.ones(3)}
    start = jax.tree.map(jnp.zeros_like, target)

    def loss(params: Any) -> Any:
        distances = jax.tree.map(lambda p, t: jnp.square(p - t).sum(), params, target)
        return jnp.stack(jax.tree.leaves(distances)).sum()

    def descend(traced: dict[str, Any], scale: Any) -> Any:
        optimizer = made.make(traced, lambda step: scale)

        def step(carry: Any, _: None) -> tuple[Any, None]:
            params, state = carry
            updates, state = optimizer.update(jax.grad(loss)(params), state, params)
            return (jax.tree.map(jnp.add, params, updates), state), None

        return loss(jax.lax.scan(step, (start, optimizer.init(start)), None, length=steps)[0][0])

    run, traced = _quick(descend), traced_of(made)
    require(run(traced, 0.0) == loss(start), "a schedule of 0 changes nothing")
    require(run(traced, 1.0) < 0.1 * loss(start), "it minimises a quadratic bowl")
    if "learning_rate" in traced:
        still = run({**traced, "learning_rate": np.float32(0)}, 1.0)
        require(still == loss(start), "the learning rate is read from the traced fields")


def check_augmentation(plugin: Augmentation | type[Augmentation], shape: tuple[int, ...] = (12, 12, 3)) -> None:
    """Hold an augmentation against its contract.

    It must compile with its traced fields as scalars, keep shape and type, give finite numbers, and be decided by
    its key.
    """
    import jax

    made = _instance(plugin)
    images = jax.random.normal(jax.random.key(0), (8, *shape))
    apply = _quick(partial(made.apply, traced_of(made)))
    once, again = apply(jax.random.key(1), images), apply(jax.random.key(1), images)
    require(once.shape == images.shape, f"the shape stays {images.shape}, not {once.shape}")
    require(once.dtype == images.dtype, f"the type stays {images.dtype}, not {once.dtype}")
    require(np.isfinite(once).all(), "images stay finite")
    require((once == again).all(), "the key alone decides")
    others = [apply(jax.random.key(k), images) for k in range(2, 8)]
    require(any((once != other).any() for other in others), "another key gives another change")
