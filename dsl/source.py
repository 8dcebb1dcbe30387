"""Reading a file as text, and what in the text can't be meant."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from ..errors import Diagnostic, LinnaeusError, Span, fail

# Line ends other than new line, controls, and invisible or direction-changing format characters.
# Joiners (U+200C, U+200D) are part of how some scripts are written.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ufffd\ud800-\udfff]"
)
_SPACES = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")


_STUDY = ("a study", "linnaeus run {} --dry-run checks a study")
_OTHER = ("a file of another format", "linnaeus convert {} NAME.onto makes an ontology of what it can read")
_TABLE = ("a table", 'an ontology reads it so: hierarchy NAME from "…" levels COLUMN, …')
_NO_ONTOLOGY = {
    ".yaml": _STUDY,
    ".yml": _STUDY,
    ".csv": _TABLE,
    **dict.fromkeys((".json", ".xml", ".ttl", ".rdf", ".owl"), _OTHER),
}


def refuse_other_kinds(path: Path) -> None:
    """Refuse a file that by its name is no ontology, before each of its lines is called a mistake.

    Raises:
        LinnaeusError: E001.
    """
    if path.suffix.lower() in _NO_ONTOLOGY:
        what, step = _NO_ONTOLOGY[path.suffix.lower()]
        raise fail("E001", f"{path} is {what}, not an ontology", help=step.format(path))


def read_source(path: Path) -> str:
    """The text of a file.

    Raises:
        LinnaeusError: E001 for a file that can't be read, E002 for one that is not UTF-8.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise fail("E001", f"no such file: {path}", help="check the path") from None
    except IsADirectoryError:
        raise fail("E001", f"{path} is a folder", help="name a file in it") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise fail("E001", f"can't read {path}: {error}", help="check the path and its permissions") from None
    return decode(data, str(path))


def decode(data: bytes, file: str) -> str:
    """The text that bytes spell in UTF-8.

    Raises:
        LinnaeusError: E002, they don't.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = Diagnostic(
            "E002",
            f"{file} is not UTF-8 text: byte 0x{data[error.start]:02x} in line {line}",
            span=Span(file, line, 1, line, 1),
            help="save the file in the UTF-8 encoding",
        )
        raise LinnaeusError(found) from None


def clean(text: str, file: str) -> tuple[str, list[Diagnostic]]:
    """Text with plain line ends and spaces, as long in every line as what came in, and what was wrong with it.

    A byte order mark is dropped, CRLF and CR become new lines, a forbidden character a space (E003, once per character)
    and an unusual space a plain one (W105).
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    found = []
    seen: set[str] = set()
    for match in _FORBIDDEN.finditer(text):
        if match[0] not in seen:
            seen.add(match[0])
            found.append(
                Diagnostic(
                    "E003",
                    f"{_describe(match[0])} can't stand in an ontology",
                    span=_place(text, match.start(), file),
                    help=_more(text.count(match[0]), "delete it"),
                )
            )
    spaces = _SPACES.search(text)
    if spaces:
        found.append(
            Diagnostic(
                "W105",
                f"unusual white space {_describe(spaces[0])}, read as a space",
                "warning",
                span=_place(text, spaces.start(), file),
                help=_more(len(_SPACES.findall(text)), "type a plain space"),
            )
        )
    return _SPACES.sub(" ", _FORBIDDEN.sub(" ", text)), found


def _describe(character: str) -> str:
    name = unicodedata.name(character, "a control character")
    return f"U+{ord(character):04X} ({name.lower()})"


def _more(count: int, step: str) -> str:
    return step if count == 1 else f"{step}; there are {count} in this file"


def _place(text: str, position: int, file: str) -> Span:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return Span(file, line, column, line, column + 1)
