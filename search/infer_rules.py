"""Implications that no image contradicts: laws of the labels perhaps, or accidents of the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..dsl.ontology import Kind
from .infer_groups import Found
from .infer_trees import Steps

SUPPORT = 20
"""Images that an implication must hold for."""
SURPRISE = 10.0
"""Counterexamples to expect, were the two groups independent: with none, chance is e^-10 at most, or so."""
WIDEST = 3
"""Classes that an implication may leave open."""
MOST = 4_000_000
"""Pairs of classes beyond which two groups are not compared."""


@dataclass(frozen=True)
class Implication:
    """Where `first` holds, one of `then` does (or does not, where `negated`).

    `images` it holds for; `expected` counterexamples, were the two independent.
    """

    group: Found
    first: Steps
    of: Found
    then: tuple[Steps, ...]
    negated: bool
    images: int
    expected: float


def implications(found: Sequence[Found]) -> list[Implication]:
    """What holds throughout between each two groups, the most surprising first; what nesting says is left out."""
    listed: list[Implication] = []
    for a in found:
        for b in found:
            pairs = len(a.rows) * len(b.rows)
            if a is not b and not _tied(a, b) and pairs <= MOST:
                listed += _between(a, b)
    return sorted(listed, key=lambda i: -i.expected)


def _tied(a: Found, b: Found) -> bool:
    """Whether one is nested in the other, however deep."""
    for one, other in ((a, b), (b, a)):
        while one.host is not None:
            one = one.host[0]
            if one is other:
                return True
    return False


def _between(a: Found, b: Found) -> Iterator[Implication]:
    tops = {p: images for p, images in b.rows.items() if not p or p in b.classes.drafted}
    known = len(b.said)
    done: set[Steps] = set()
    for first, images in sorted(a.rows.items(), key=lambda item: len(item[0])):
        if first not in a.classes.ids or any(first[:k] in done for k in range(1, len(first))):
            continue
        both = images & b.said
        if len(both) < SUPPORT:
            continue
        best = _strongest(b, tops, both, known)
        if best is not None:
            then, negated, expected = best
            done.add(first)
            yield Implication(a, first, b, then, negated, len(both), expected)


def _strongest(
    b: Found, classes: dict[Steps, set[int]], both: set[int], known: int
) -> tuple[tuple[Steps, ...], bool, float] | None:
    """What always holds of a group for some images: the narrowest class, else a few siblings, else that none does."""
    n = len(both)
    certain = [(p, n * (1 - len(images) / known)) for p, images in classes.items() if both <= images]
    if certain:
        then, expected = max(certain, key=lambda c: c[1])
        return ((then,), False, expected) if expected >= SURPRISE else None
    if b.kind is Kind.BINARY:
        yes = classes.get((), set())
        expected = n * len(yes) / known
        return (((),), True, expected) if not both & yes and expected >= SURPRISE else None
    if b.kind is Kind.MULTILABEL:
        return None
    tops = {p: images for p, images in classes.items() if len(p) == 1}
    some = tuple(p for p, images in tops.items() if both & images)
    whole = sum(len(tops[p] & both) for p in some) == n
    expected = n * (1 - sum(len(tops[p]) for p in some) / known)
    if whole and 1 < len(some) <= WIDEST and 2 * len(some) <= len(tops) and expected >= SURPRISE:
        return some, False, expected
    return None
