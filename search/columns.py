"""What a column of a data set seems to hold: classes, yes or no, lists, numbers, files, people, splits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from ..dsl.annotations import NO_WORDS, NOT_APPLICABLE, YES_WORDS, Cell, cell_text, is_missing
from ..dsl.folders import split_name

UNSAID = frozenset(
    {"na", "nan", "none given", "null", "not sure", "unsure", "unknown", "unlabeled", "unlabelled", "undefined",
     "skip", "skipped", "missing", "not available", "not recorded", "-", "--"}
)  # fmt: skip
"""Values that say that nobody knows. "none" and "other" are not among them: they may well be classes."""

LABELS = re.compile(r"(label|class|target|category|categories|digit|species|genus|family|order|grade|stage|level)s?$")
COUNTS = re.compile(
    r"(n|num|number|count|nr|counts|total)_|.*_(count|counts|number|num)$|(width|height|depth|area|size|age|year|month"
    r"|day|hour|timestamp|date|time|lat|lon|latitude|longitude|x|y|score|weight)$"
)
KEYS = re.compile(
    r"(.*_)?(sender|patient|subject|person|user|writer|photographer|observer|uploader|donor|participant|session|video"
    r"|camera|drawer|annotator|author|owner|worker|sequence|burst|hospital|clinic|scanner|device)"
    r"(_?(id|no|nr|num|number|name|code|key))?$|.*_(id|uuid|key)$|(id|uuid|hash|md5|sha1|sha256)$"
)
FILES = re.compile(r".+\.(png|jpe?g|gif|bmp|tiff?|webp|ppm|pgm|xml|json|txt)", re.IGNORECASE)

MANY = 12
"""Numbers of more values than this count or measure something."""
TEXT = 60
"""Letters of a value from which it is prose."""


class Role(StrEnum):
    """What a column is good for."""

    EMPTY = "empty"
    CONSTANT = "constant"
    NAMES = "names"
    SPLIT = "split"
    KEYS = "keys"
    NUMBERS = "numbers"
    BINARY = "binary"
    LIST = "list"
    CHOICE = "choice"


@dataclass(frozen=True)
class Column:
    """One column, read as texts: None where nothing is said. `unsaid` are the words found to say nothing, and
    `separator` parts the names of a list ("" where the cells are lists already).
    """

    name: str
    cells: Sequence[str | tuple[str, ...] | None]
    unsaid: tuple[str, ...] = ()
    separator: str | None = None

    @cached_property
    def counts(self) -> Counter[str | tuple[str, ...]]:
        """How often each value occurs."""
        return Counter(c for c in self.cells if c is not None)

    @cached_property
    def values(self) -> list[str]:
        """Its distinct values in order: numbers by size, texts by their letters. Of a list, the names in it."""
        found = {part for c in self.counts for part in (c if isinstance(c, tuple) else (c,))}
        return sorted(found, key=lambda v: (number(v) is None, number(v) or 0.0, v))

    @property
    def present(self) -> int:
        """How many images it says something of."""
        return self.counts.total()

    @cached_property
    def plain(self) -> str:
        """Its name in lower case, words parted by `_`: the last step of it where it is a path."""
        last = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name.rpartition("/")[2])
        return re.sub(r"\W+", "_", last.lower()).strip("_")

    @cached_property
    def role(self) -> Role:
        """What it is good for."""
        return _role(self)

    @property
    def many(self) -> bool:
        """Whether it is a key of more than one image: what a split should not tear apart."""
        return len(self.counts) > 1 and 2 * len(self.counts) <= self.present


def number(text: str) -> float | None:
    """A text's number, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def read_column(name: str, cells: Sequence[Cell], missing: frozenset[str]) -> Column:
    """A column as texts. Beside the study's words for missing, those of `UNSAID` say nothing, where the column has
    two other values; so does n/a.
    """
    texts = [None if is_missing(c, missing) else c if isinstance(c, tuple) else cell_text(c) for c in cells]
    words = {t for t in texts if isinstance(t, str)}
    unsaid = {t for t in words if t.casefold() in UNSAID or t.casefold() == NOT_APPLICABLE}
    if len(words - unsaid) < 2:
        unsaid = {t for t in unsaid if t.casefold() == NOT_APPLICABLE}
    said = [None if isinstance(t, str) and t in unsaid else t for t in texts]
    separator = _separator(said)
    lists = said if separator is None else [_parts(t, separator) for t in said]
    return Column(name, lists, tuple(sorted(unsaid)), separator)


def _parts(cell: str | tuple[str, ...] | None, separator: str) -> tuple[str, ...] | None:
    if cell is None or isinstance(cell, tuple):
        return cell
    return tuple(part.strip() for part in cell.split(separator) if part.strip())


def _separator(cells: Sequence[str | tuple[str, ...] | None]) -> str | None:
    """What parts the names of a list; "" where cells are lists; None for a column of single values.

    A sign parts names where half of the names that stand beside others stand in several different cells, or more.
    """
    if any(isinstance(c, tuple) for c in cells):
        return ""
    counts = Counter(c for c in cells if isinstance(c, str))
    for sign in "|;,":
        several = [c for c in counts if sign in c]
        if not several:
            continue
        uses = Counter(p for cell in counts for p in {p.strip() for p in cell.split(sign)})
        parts = {p.strip() for c in several for p in c.split(sign)} - {""}
        names = bool(parts) and max(map(len, parts)) <= TEXT and len(uses) <= max(4, counts.total() // 2)
        return sign if names and 2 * sum(uses[p] > 1 for p in parts) >= len(parts) else None
    return None


def _role(c: Column) -> Role:
    """The first that fits; what is doubtful is no class."""
    if not c.counts:
        return Role.EMPTY
    if c.separator is not None:
        return Role.LIST if len(c.values) > 1 else Role.CONSTANT
    texts = [v for v in c.counts if isinstance(v, str)]
    if len(texts) == 1:
        return Role.CONSTANT
    if all(split_name(t) for t in texts):
        return Role.SPLIT
    if sum(bool(FILES.fullmatch(t)) for t in texts) > len(texts) / 2 or 2 * len(texts) > c.present:
        return Role.NAMES
    words = {t.casefold() for t in texts}
    if words <= YES_WORDS | NO_WORDS and words & YES_WORDS and words & NO_WORDS:
        return Role.BINARY
    if KEYS.match(c.plain) and not LABELS.fullmatch(c.plain):
        return Role.KEYS
    if max(map(len, texts)) > TEXT:
        return Role.NAMES
    return _numeric(c, texts) if all(number(t) is not None for t in texts) else Role.CHOICE


def _numeric(c: Column, texts: Sequence[str]) -> Role:
    if LABELS.search(c.plain) and all(t.lstrip("-").isdigit() for t in texts):
        return Role.CHOICE
    if COUNTS.match(c.plain) or not all(t.lstrip("-").isdigit() for t in texts):
        return Role.NUMBERS
    whole = [int(t) for t in texts]
    if len(whole) > MANY:
        return Role.NUMBERS
    return Role.CHOICE if max(whole) - min(whole) < 2 * len(whole) else Role.NUMBERS


# --- ordered values --------------------------------------------------------------------------------

SCALES = (
    ("none", "trace", "slight", "mild", "moderate", "marked", "severe", "extreme"),
    ("very low", "low", "medium", "high", "very high"),
    ("low", "moderate", "high"),
    ("tiny", "extra small", "small", "medium", "large", "extra large", "huge"),
    ("xxs", "xs", "s", "m", "l", "xl", "xxl"),
    ("very poor", "poor", "fair", "good", "very good", "excellent"),
    ("bad", "poor", "fair", "good", "excellent"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("absent", "mild", "moderate", "severe"),
    ("normal", "mild", "moderate", "severe", "proliferative"),
    ("young", "middle aged", "old"),
    ("infant", "child", "teenager", "adult", "senior"),
    ("unripe", "turning", "ripe", "overripe"),
    ("blurry", "fair", "sharp"),
    ("i", "ii", "iii", "iv", "v", "vi"),
    ("first", "second", "third", "fourth", "fifth"),
)
"""Words that are known to stand in an order, lowest first."""


def ordered(values: Sequence[str]) -> tuple[str, ...] | None:
    """The values from lowest to highest, where they are few numbers or words of a known scale; else None."""
    if len(values) < 2:
        return None
    if all(number(v) is not None for v in values):
        return tuple(sorted(values, key=lambda v: number(v) or 0.0))
    folded = {re.sub(r"[\s_-]+", " ", v.casefold()).strip(): v for v in values}
    for scale in SCALES:
        if len(folded) == len(values) > 1 and set(folded) <= set(scale):
            return tuple(folded[word] for word in scale if word in folded)
    return None
