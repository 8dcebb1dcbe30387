"""Images that are copies of each other, by the bytes of their files; without decoding any."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def copies(sources: Sequence[Any]) -> list[list[int]]:
    """The rows of equal content, each list of two or more.

    Files of a size that no other has are not opened; files that can't be read are copies of none.

    Args:
        sources: of each image its file (a path), its encoded bytes, or its pixels.
    """
    sizes = [_size(sources[row]) for row in range(len(sources))] if _files(sources) else None
    uses = Counter(sizes or ())
    same: dict[str, list[int]] = {}
    for row in range(len(sources)):  # in order: what is read in chunks is read once
        content = _content(sources[row]) if sizes is None or uses[sizes[row]] > 1 else None
        if content is not None:
            same.setdefault(hashlib.sha256(content).hexdigest(), []).append(row)
    return sorted(rows for rows in same.values() if len(rows) > 1)


def _files(sources: Sequence[Any]) -> bool:
    """Whether sources are files, whose sizes cost little."""
    return len(sources) > 0 and isinstance(sources[0], Path)


def _size(file: Path) -> int:
    """In bytes; -1 for a file that can't be read."""
    try:
        return file.stat().st_size
    except OSError:
        return -1


def _content(source: Any) -> bytes | None:
    if not isinstance(source, Path):
        return source if isinstance(source, bytes) else np.ascontiguousarray(source).tobytes()
    try:
        return source.read_bytes()
    except OSError:
        return None
