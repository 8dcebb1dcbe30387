"""Names and texts as an `.onto` file writes them."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from .names import path_steps
from .parser import grammar
from .source import clean


def quote_id(text: str) -> str:
    """An id as the language writes it: in backticks where it is no plain name.

    Raises:
        ValueError: for an id that the language can't write: an empty one, or one that holds a backtick, a new line or a
            character that can't stand in an ontology. `slug` makes one that it can.
    """
    text = unicodedata.normalize("NFC", text)
    if not text.strip() or "`" in text or "\n" in text or clean(text, "")[0] != text:
        raise ValueError(f"no id can be {text!r}")
    return text if is_plain(text) else f"`{text}`"


def is_plain(text: str) -> bool:
    """Whether an id can stand without backticks: it reads as one name, and is no word of the language."""
    name, words = _names()
    if text in words or not name.fullmatch(text):
        return False
    return text.isascii() or text.replace("-", "_").isidentifier()


def quote_path(path: str) -> str:
    """A path of an ontology (`Group.path`, `Label.path`) as a reference: each of its steps quoted where it needs it."""
    return ".".join(quote_id(step.strip("`")) for step in path_steps(path))


def quote_text(text: str) -> str:
    """A title or an alias in double quotes. What can't stand in a string, such as a new line, becomes a space."""
    text = clean(text.replace("\n", " ").replace("\r", " "), "")[0]
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@cache
def _names() -> tuple[re.Pattern[str], frozenset[str]]:
    """What a plain name looks like, and the words of the language."""
    patterns = {terminal.name: terminal.pattern for terminal in grammar().terminals}
    words = frozenset(p.value for p in patterns.values() if p.value.isalpha())
    return re.compile(patterns["NAME"].to_regexp()), words
