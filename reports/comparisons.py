"""Pairs of contenders: what can be told apart, and what is too alike to matter."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bootstrap import interval

Floats = NDArray[np.float64]
BETTER, WORSE, EQUIVALENT, OPEN = "better", "worse", "equivalent", "not separated"


def bootstrap_p(differences: Floats) -> float:
    """Two-sided p of "no difference", by inverting the percentile interval: twice the smaller tail beyond 0.

    One is added to counts and draws, so that no finite bootstrap claims p = 0 (Davison and Hinkley 1997, "Bootstrap
    Methods and their Application", section 4.2).
    """
    b = len(differences)
    tail = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (tail + 1) / (b + 1))


def holm(p: Sequence[float]) -> list[float]:
    """Adjusted p-values that bound the chance of any false separation (Holm 1979, Scand. J. Statistics 6)."""
    adjusted = [0.0] * len(p)
    worst = 0.0
    for step, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        worst = max(worst, min(1.0, (len(p) - step) * p[i]))
        adjusted[i] = worst
    return adjusted


def draws_needed(contenders: int, confidence: float) -> int:
    """Draws for which the least p there can be, corrected for all pairs, is a quarter of the level asked for."""
    return math.ceil(8 * math.comb(contenders, 2) / (1 - confidence))


def verdict(low: float, high: float, difference: float, p: float, confidence: float, rope: float) -> str:
    """What is said of a against b; a positive `difference` means that a is better.

    `equivalent` where the whole interval is within ±`rope`, however small p is; else `better` or `worse` where the
    corrected p is below 1 − `confidence`; else `not separated`, which claims nothing.
    """
    if -rope <= low and high <= rope:
        return EQUIVALENT
    if p < 1 - confidence:
        return BETTER if difference > 0 else WORSE
    return OPEN


def compare(
    names: Sequence[str],
    values: Sequence[Floats],
    points: Sequence[float],
    sign: float,
    confidence: float,
    rope: float,
) -> list[dict[str, Any]]:
    """Every pair, paired over images: the draws of both repeat the same images.

    Args:
        values: [B] draws a contender, in the metric's units; points: on all images.
        sign: 1 where higher is better, −1 where lower is.
    """
    rows: list[dict[str, Any]] = []
    for i, j in itertools.combinations(range(len(names)), 2):
        differences = values[i] - values[j]
        low, high = interval(differences, confidence)
        p = bootstrap_p(differences[~np.isnan(differences)])
        gap = points[i] - points[j]
        rows.append({"a": names[i], "b": names[j], "difference": gap, "low": low, "high": high, "p": p})
    for row, p in zip(rows, holm([r["p"] for r in rows]), strict=True):
        ends = sorted((sign * row["low"], sign * row["high"]))
        row["p_holm"] = p
        row["verdict"] = verdict(ends[0], ends[1], sign * row["difference"], p, confidence, rope)
    return rows


def letters(names: Sequence[str], comparisons: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Letters by contender: two that share one are not separated. They are never said to be equal.

    Every largest set in which no pair is separated has a letter; sets are lettered in the order of `names`.
    """
    apart = {frozenset((r["a"], r["b"])) for r in comparisons if r["verdict"] in (BETTER, WORSE)}
    near = {a: {b for b in names if b != a and frozenset((a, b)) not in apart} for a in names}
    sets = sorted(_cliques(set(), set(names), set(), near), key=lambda s: sorted(names.index(n) for n in s))
    return {n: "".join(_letter(i) for i, s in enumerate(sets) if n in s) for n in names}


def _cliques(taken: set[str], open_: set[str], done: set[str], near: Mapping[str, set[str]]) -> list[set[str]]:
    """Every largest set of mutual neighbours (Bron and Kerbosch 1973, with a pivot)."""
    if not open_ and not done:
        return [taken]
    pivot = max(open_ | done, key=lambda n: len(near[n] & open_))
    found = []
    for n in sorted(open_ - near[pivot]):
        found += _cliques(taken | {n}, open_ & near[n], done & near[n], near)
        open_ = open_ - {n}
        done = done | {n}
    return found


def _letter(i: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return alphabet[i] if i < len(alphabet) else f"{alphabet[i // 26 - 1]}{alphabet[i % 26]}"
