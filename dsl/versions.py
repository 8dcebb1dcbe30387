"""Versions as dotted numbers."""

from __future__ import annotations


def numbers(version: str | None) -> tuple[int, ...] | None:
    """A version such as 1.10.2 as numbers, without zeros at its end; None if it is none, or anything else."""
    parts = (version or "").strip().split(".")
    if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
        return None
    found = [int(part) for part in parts]
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)


def is_later(new: str | None, old: str | None) -> bool | None:
    """Whether `new` is a later version than `old`; None where they differ and one is not of dotted numbers.

    Any version is later than none.
    """
    if new == old or new is None:
        return False
    if old is None:
        return True
    a, b = numbers(new), numbers(old)
    return None if a is None or b is None else a > b
