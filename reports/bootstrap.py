"""The hierarchical bootstrap: seeds, then images (or clusters of images), the same images for every contender.

Seeds and images are crossed, not nested: every retraining answers the same images. Each draw therefore repeats
images once for all contenders and, independently, retrainings within each contender; a metric's draw is the mean of
the drawn retrainings on the drawn images. That is unbiased for what images and retrainings do each, and counts what
only one retraining does on one image three times: intervals err on the wide side, the more so the less retrainings
agree (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1).

At each level one fewer is drawn than there are: drawing n of n understates the variance of a mean by (n − 1) / n,
a third for three seeds, and drawing n − 1 is exact (McCarthy and Snowden 1985, "The bootstrap and finite population
sampling").
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..plugins.contracts import Score, Summands

Floats = NDArray[np.float64]
CHUNK = 128
"""Draws at once: 128 × 10,000 images are 10 MB of weights."""

Scores = Sequence[Mapping[str, Score]]
"""One contender: for each retraining, its metrics by name."""


@dataclass(frozen=True)
class Draws:
    """Bootstrap distributions by contender and metric; an entry may hold nan where a draw leaves nothing to score.

    `values[contender][metric]` is [B], the mean over drawn retrainings; `point[contender][metric]` the mean over all.
    """

    values: list[dict[str, Floats]]
    point: list[dict[str, float]]


def image_weights(clusters: NDArray[np.integer], draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Chunks [W, N] of image weights: how often each image's cluster was drawn, clusters with replacement.

    Args:
        clusters: [N] the cluster of each image.
    """
    found, index = np.unique(clusters, return_inverse=True)
    n = len(found)
    for start in range(0, draws, CHUNK):
        rows = min(CHUNK, draws - start)
        picks = rng.integers(n, size=(rows, max(1, n - 1))) + n * np.arange(rows)[:, None]
        counts = np.bincount(picks.ravel(), minlength=rows * n).reshape(rows, n)
        yield np.asfortranarray(counts[:, index], np.float64)  # images contiguous: see `Rankings.under`


def seed_weights(seeds: int, draws: int, rng: np.random.Generator) -> Floats:
    """[B, seeds] the share of each retraining in each draw; rows sum to one. A single seed has no variance to draw."""
    if seeds == 1:
        return np.ones((draws, 1))
    picks = rng.integers(seeds, size=(draws, seeds - 1))
    counts = (picks[:, :, None] == np.arange(seeds)).sum(1)
    shares: Floats = counts / (seeds - 1)
    return shares


class _Stacked:
    """The scores of one contender, their dense sums side by side: one wide matrix product instead of many thin ones."""

    def __init__(self, scores: Mapping[tuple[int, str], Score]):
        wide = {k: s for k, s in scores.items() if isinstance(s, Summands) and isinstance(s.values, np.ndarray)}
        self.others = {k: s for k, s in scores.items() if k not in wide}
        self.finish = {k: s.finish for k, s in wide.items()}
        self.ends = np.cumsum([s.values.shape[1] for s in wide.values()])
        self.values = np.concatenate([s.values for s in wide.values()], 1) if wide else None

    def under(self, weights: Floats) -> dict[tuple[int, str], Floats]:
        found = {k: s.under(weights) for k, s in self.others.items()}
        if self.values is not None:
            sums = np.split(weights @ self.values, self.ends[:-1], axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):  # 0 / 0 is nan, as in `Summands.under`
                found |= {k: finish(s) for (k, finish), s in zip(self.finish.items(), sums, strict=True)}
        return found


def bootstrap(
    contenders: Sequence[Scores],
    clusters: NDArray[np.integer],
    draws: int,
    rng: np.random.Generator,
    first: str,
    first_draws: int = 0,
) -> Draws:
    """The bootstrap distribution of every metric of every contender.

    Args:
        first: the metric that ranks, drawn `first_draws` times where that is more than `draws`.
    """
    total = max(draws, first_draws)
    seeds = [seed_weights(len(c), total, rng) for c in contenders]
    flat = [{(s, m): score for s, by_name in enumerate(c) for m, score in by_name.items()} for c in contenders]
    every = [_Stacked(scores) for scores in flat]
    ranking = [_Stacked({k: s for k, s in scores.items() if k[1] == first}) for scores in flat]
    under: list[dict[tuple[int, str], list[Floats]]] = [{k: [] for k in scores} for scores in flat]
    done = 0
    for weights in image_weights(clusters, total, rng):
        for kept, stacked in zip(under, every if done < draws else ranking, strict=True):
            for key, drawn in stacked.under(weights).items():
                kept[key].append(drawn)
        done += len(weights)
    values: list[dict[str, Floats]] = []
    for c, shares, kept in zip(contenders, seeds, under, strict=True):
        by_seed = {m: np.stack([np.concatenate(kept[s, m]) for s in range(len(c))], 1) for m in c[0]}
        values.append({m: (x * shares[: len(x)]).sum(1) for m, x in by_seed.items()})
    return Draws(values, [{m: float(np.mean([s[m].value() for s in c])) for m in c[0]} for c in contenders])


def interval(values: Floats, confidence: float) -> tuple[float, float]:
    """The percentile interval of the draws that have a value; (nan, nan) where none has."""
    known = values[~np.isnan(values)]
    if not len(known):
        return math.nan, math.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def rank_intervals(values: Sequence[Floats], confidence: float) -> list[tuple[int, int]]:
    """For each contender the interval of its rank over the draws, 1 = best.

    Args:
        values: [B] a contender, larger is better. Ties take the better rank for the low end, the worse for the high.
            Draws that leave a contender without a value rank nobody; without any other draw all ranks are possible.
    """
    table = np.stack(values, 1)
    table = table[~np.isnan(table).any(1)]
    if not len(table):
        return [(1, len(values))] * len(values)
    tail = (1 - confidence) / 2
    found = []
    for i in range(table.shape[1]):
        others = np.delete(table, i, 1)
        best = 1 + (others > table[:, i : i + 1]).sum(1)
        worst = 1 + (others >= table[:, i : i + 1]).sum(1)
        low = np.quantile(best, tail, method="inverted_cdf")
        high = np.quantile(worst, 1 - tail, method="inverted_cdf")
        found.append((int(low), int(high)))
    return found
