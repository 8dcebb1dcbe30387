"""Ids that people, or the matching of data, can't tell apart."""

from __future__ import annotations

import unicodedata

from .names import fold

# Letters of other scripts, and digits, drawn like a Latin letter (after case folding).
_DRAWN_ALIKE = str.maketrans(
    "авгекмнорстухѕіјһԁԛԝαβεηικμνορτυχϲϳ01",
    "abrekmhopctyxsijhdqwabenikmvoptuxcjol",
)
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK")


def skeleton(name: str) -> str:
    """What a name looks like: equal for ids that differ only in case, separators or look-alike letters."""
    return fold(name).translate(_DRAWN_ALIKE)


def mixed_scripts(name: str) -> tuple[str, ...]:
    """The scripts of a name's letters where it mixes Latin, Cyrillic and Greek, else nothing."""
    initials = {unicodedata.name(c, "").partition(" ")[0] for c in name if c.isalpha()}
    found = tuple(s.capitalize() for s in _SCRIPTS if s in initials)
    return found if len(found) > 1 else ()
