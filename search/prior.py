"""The baseline that sees no image: one distribution over legal worlds, fitted to the training evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray

from ..dsl.evidence import Evidence
from ..dsl.tables import Bools, Ints, Tables
from ..plugins.contracts import Decoder, HeadModule
from ..plugins.decoders.best_world import BestWorld
from ..plugins.heads import forest
from ..plugins.heads.flat import Flat
from ..plugins.heads.layout import NARROWEST, Layout, lay_out
from .network import Answers

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Prior:
    """The fitted distribution, as scores [K] of the `flat` head."""

    tables: Tables
    head: HeadModule
    scores: NDArray[np.float32]

    def answer(self, evidence: Evidence, decoder: Decoder | None = None) -> Answers:
        """The same answer for every image, and the log-likelihood of each one's evidence.

        Args:
            decoder: `best-world` unless another is given.
        """
        decoder = decoder or BestWorld()
        scores = jnp.asarray(self.scores[None])
        world, p = jax.jit(lambda s: (decoder.decode(self.tables, self.head, s), self.head.marginals(s)))(scores)
        shape = (len(evidence), self.tables.n_labels)

        @jax.jit
        def log_likelihood(allowed: jax.Array) -> jax.Array:
            return self.head.log_likelihood(jnp.tile(scores, (len(allowed), 1)), allowed)

        rows, back = np.unique(evidence.codes, axis=0, return_inverse=True)
        values = [np.asarray(log_likelihood(allowed))[:n] for allowed, n in _steps(evidence, rows)]
        each = np.concatenate([np.zeros(0), *values])[back.reshape(-1)]
        return Answers(np.broadcast_to(np.asarray(world), shape), np.broadcast_to(np.asarray(p), shape), each)


def fit_prior(
    tables: Tables, evidence: Evidence, *, smoothing: float = 0.5, iterations: int = 200, tolerance: float = 1e-6
) -> Prior:
    """The constant distribution that makes the training evidence most probable.

    Expectation-maximisation on the forest of variables (Dempster, Laird and Rubin 1977, "Maximum likelihood from
    incomplete data via the EM algorithm"): the expected count of a state is the gradient of the log-likelihood in its
    log-probability. Where each group is either known to the leaf or unknown, one step gives smoothed class frequencies.

    Args:
        smoothing: added to the count of every state, so that no legal world gets probability 0.
        iterations: the most steps it takes.
        tolerance: it ends when no probability moves by more.

    Raises:
        LinnaeusError: E418 the ontology says more than a forest of variables can.
    """
    Flat.check(tables.ontology)
    layout = lay_out(tables, flat=True)
    rows, times = np.unique(evidence.codes, axis=0, return_counts=True)
    expected = _expectation(layout)
    p = _maximise(tables, np.zeros(tables.n_states))
    for _ in range(iterations):
        local = np.log(p).astype(np.float32)
        counts, done = np.full(tables.n_states, smoothing), 0
        for allowed, n in _steps(evidence, rows):
            weights = np.zeros(len(allowed), np.float32)
            weights[:n] = times[done : done + n]
            counts += np.asarray(expected(local, allowed, weights), np.float64)
            done += n
        before, p = p, _maximise(tables, counts)
        if np.abs(p - before).max() <= tolerance:
            break
    return Prior(tables, Flat().build(tables, 1, nnx.Rngs(0)), _scores(layout, np.log(p)))


def _steps(evidence: Evidence, rows: Ints) -> Iterator[tuple[Bools, int]]:
    """Distinct annotations as masks [a fixed number, S], with how many of them are meant; the last step is filled up
    with unknown evidence.
    """
    size = int(np.clip(2**22 // evidence.tables.n_states, 32, 2048))
    for start in range(0, len(rows), size):
        codes = np.zeros((size, rows.shape[1]), np.int32)  # code 0 is unknown
        here = rows[start : start + size]
        codes[: len(here)] = here
        yield evidence.flat[evidence.index(codes)], len(here)


@lru_cache(maxsize=4)
def _expectation(layout: Layout) -> jax.stages.Wrapped:
    """(local [S], allowed [n, S], weights [n]) → expected counts [S]; a row that no world agrees with counts nothing.

    A variable that evidence leaves untouched counts nothing either, which changes no maximum.
    """

    def total(local: jax.Array, allowed: jax.Array, weights: jax.Array) -> jax.Array:
        value = forest.log_likelihood(layout.forest, jnp.broadcast_to(local, allowed.shape), allowed)
        return jnp.where(jnp.isfinite(value), value, 0) @ weights

    return jax.jit(jax.grad(total))


def _maximise(tables: Tables, counts: Floats) -> Floats:
    """Counts [S] → shares among each variable's live states (equal ones where there is no count); 1 for n/a."""
    p = np.ones(tables.n_states)
    for v in tables.variables:
        live = slice(v.live.start, v.live.stop)
        total = counts[live].sum()
        p[live] = counts[live] / total if total > 0 else 1 / len(v.live)
    return np.maximum(p, np.finfo(np.float32).tiny)


def _scores(layout: Layout, local: Floats) -> NDArray[np.float32]:
    """Log-probabilities of states [S] → the scores of the flat head that stand for them."""
    trees = layout.softmaxes
    scores = np.zeros(layout.outputs + len(layout.start_gaps))
    scores[trees.leaf_node] = local[trees.leaf_state]
    at = np.argsort(layout.order, kind="stable")  # the state computed at each place
    yes, no = at[trees.nodes :][: layout.yes_no], at[trees.nodes + layout.yes_no :][: layout.yes_no]
    scores[trees.nodes : trees.nodes + layout.yes_no] = local[yes] - local[no]
    for o in layout.ordinals:
        p = np.exp(local[o.states])
        above = np.cumsum(p[:, :0:-1], 1)[:, ::-1]
        cumulative = np.log(np.cumsum(p[:, :-1], 1)) - np.log(above)
        scores[o.first] = cumulative[:, 0]
        gap = np.maximum(np.diff(cumulative, axis=1) - NARROWEST, 1e-9)
        scores[o.gaps] = gap + np.log(-np.expm1(-gap))  # the inverse of softplus
    return scores.astype(np.float32)
