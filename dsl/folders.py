"""How image collections lie in folders: which files are images, which folders are splits."""

from __future__ import annotations

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})
"""Endings of image files, in lower case."""

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
