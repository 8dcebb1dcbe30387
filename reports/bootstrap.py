"""The hierarchical bootstrap: seeds, then images (or clusters of images), the same images for every contender.

Seeds and images are crossed, not nested: every retraining answers the same images. Each draw therefore repeats
images once for all contenders and, independently, retrainings within each contender; a metric's draw is the mean of
the drawn retrainings on the drawn images (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1:
unbiased for each main effect and slightly conservative for their interaction).

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

from ..plugins.contracts import Score

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
    under: list[list[dict[str, list[Floats]]]] = [[{m: [] for m in s} for s in c] for c in contenders]
    done = 0
    for weights in image_weights(clusters, total, rng):
        for c, scores in enumerate(contenders):
            for s, by_name in enumerate(scores):
                for name, score in by_name.items():
                    if done < draws or name == first:
                        under[c][s][name].append(score.under(weights))
        done += len(weights)
    values, point = [], []
    for c, scores in enumerate(contenders):
        names = scores[0].keys()
        stacked = {m: np.stack([np.concatenate(under[c][s][m]) for s in range(len(scores))], 1) for m in names}
        values.append({m: (x * seeds[c][: len(x)]).sum(1) for m, x in stacked.items()})
        point.append({m: float(np.mean([s[m].value() for s in scores])) for m in names})
    return Draws(values, point)


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
    """
    table = np.stack(values, 1)
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
