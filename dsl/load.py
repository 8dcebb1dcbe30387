"""From a file or a text to a checked ontology."""

from __future__ import annotations

from pathlib import Path

from ..errors import Diagnostic, LinnaeusError
from .checks import run_checks
from .ontology import Ontology
from .parser import parse, place
from .resolve import normalise, resolve
from .source import clean, read_source


def check_text(text: str, file: str) -> tuple[Ontology | None, tuple[Diagnostic, ...]]:
    """The ontology that a text denotes, or None where there are errors; and all that was found, warnings included.

    Args:
        text: the text of a `.onto` file.
        file: its name, for places.
    """
    document, unread = parse(text, file)
    if any(d.code == "E010" for d in unread):  # nothing was read, so there is nothing to check
        return None, unread
    outline = resolve(document)
    checked = run_checks(outline)
    known = {(d.code, d.span) for d in unread}
    if any(d.severity == "error" for d in unread):
        checked = tuple(d for d in checked if d.code != "E103")  # what was not read may be what seems missing
    found = sorted([*unread, *(d for d in checked if (d.code, d.span) not in known)], key=place)
    if any(d.severity == "error" for d in found):
        return None, tuple(found)
    return normalise(outline), tuple(found)


def load_ontology(path: str | Path) -> Ontology:
    """The ontology in a `.onto` file.

    Raises:
        LinnaeusError: with every error and warning of the file.
    """
    text = read_source(Path(path))
    ontology, found = check_text(text, str(path))
    if ontology is None:
        raise LinnaeusError(found, {str(path): clean(text, str(path))[0]})
    return ontology
