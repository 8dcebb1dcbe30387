"""The names that splits go by."""

from __future__ import annotations

SPLIT_NAMES = {
    "train": "train", "training": "train",
    "validation": "validation", "val": "validation", "valid": "validation", "validate": "validation",
    "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
"""Spelling (lower case) → "train", "validation" or "test"."""


def split_name(text: str) -> str | None:
    """The split that `text` names, or None."""
    return SPLIT_NAMES.get(text.strip().casefold())
