"""How wide text is, before anyone draws it: cut and wrapped to fit.

A picture can't know the reader's fonts, so widths are those of a wide one; a narrower one leaves some room.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Hundredths of an em, U+0020 to U+007E.
_ASCII = (
    *(32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34),
    *(84, 84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99),
    *(69, 61, 69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52),
    *(39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84),
)
_BOLD, _MONO = 1.12, 0.602
_SLACK = 0.01
"""Pixels by which sums of widths may differ without being wider."""


@lru_cache(maxsize=4096)
def _em(char: str) -> float:
    if " " <= char <= "~":
        return _ASCII[ord(char) - 32] / 100
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.02
    base = unicodedata.normalize("NFD", char)[0]
    return _em(base) if base != char else 0.9 if char.isupper() else 0.75


def width(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """The width of a text in pixels, `size` being that of the font; the wider of what fonts make of it."""
    ems = sum((_MONO if c.isascii() else max(_MONO, _em(c))) if mono else _em(c) for c in text)
    return ems * size * (_BOLD if bold else 1.0)


def cut(text: str, room: float, size: float, *, bold: bool = False, mono: bool = False) -> str:
    """A text that fits into `room` pixels, with an ellipsis where something was left out."""
    room += _SLACK
    if width(text, size, bold=bold, mono=mono) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        fits = width(text[:middle].rstrip() + "…", size, bold=bold, mono=mono) <= room
        low, high = (middle, high) if fits else (low, middle - 1)
    return text[:low].rstrip() + "…"


def wrap(text: str, room: float, size: float, *, mono: bool = False) -> list[str]:
    """A text as lines that fit into `room` pixels, broken at spaces; a longer word is cut."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if width(longer, size, mono=mono) <= room or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return [cut(line, room, size, mono=mono) for line in lines]
