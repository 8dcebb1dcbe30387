"""Columns whose values should not stand on both sides of a split: one person's pictures, one patient's slides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..plugins.contracts import Annotated
from .columns import Column, Role, read_column
from .splits import NOWHERE, SplitCodes
from .study import DataSpec


@dataclass(frozen=True)
class Leak:
    """A column of keys, such as a sender's: how many values it has, and which stand in more than one split.

    `torn` is None where the split is yet to be drawn, image by image, so that any value may be torn.
    """

    column: str
    values: int
    torn: tuple[str, ...] | None
    images: int


def leaks(records: Annotated, spec: DataSpec, bound: frozenset[str], split: SplitCodes | None) -> Iterator[Leak]:
    """The columns that a split tears, or may tear: the study's own `group`, and those that look like one.

    Args:
        bound: columns that hold annotations.
        split: the splits that are given; None: the study draws them.
    """
    missing = frozenset(spec.missing)
    for name, cells in records.columns.items():
        own = name == spec.split.group
        if name in bound or name == spec.split.column or (split is None and spec.split.group is not None):
            continue
        column = read_column(name, cells, missing)
        if not own and not (column.role is Role.KEYS and column.many):
            continue
        if split is None:
            yield Leak(name, len(column.counts), None, column.present)
        else:
            torn = _torn(column, split.tolist())
            if torn:
                yield Leak(name, len(column.counts), tuple(torn), sum(column.counts[v] for v in torn))


def _torn(column: Column, split: Sequence[int]) -> list[str]:
    sides: dict[str, set[int]] = {}
    for value, code in zip(column.cells, split, strict=True):
        if isinstance(value, str) and code != NOWHERE:
            sides.setdefault(value, set()).add(code)
    return sorted(v for v, codes in sides.items() if len(codes) > 1)
