"""From a file or a text to a checked ontology."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Diagnostic, LinnaeusError
from .checks import run_checks
from .files import Files, absolute
from .imports import load_modules
from .logic.checks import run_logic_checks
from .normalise import normalise
from .ontology import Ontology
from .outline import Outline
from .parser import parse, place
from .resolve import resolve
from .source import clean, refuse_other_kinds

ECHOES = {"E125", "E131"}
"""Unknown names, which are no news where something that may declare them was not read."""


@dataclass(frozen=True)
class Checked:
    """What a text denotes and what was found in it.

    Attributes:
        ontology: None where there are errors.
        diagnostics: errors, warnings and notes; those of imported files come first, then in the order of the text.
        sources: the texts that spans point into, by file.
        outline: the groups and names in their places, or None where nothing was read.
    """

    ontology: Ontology | None
    diagnostics: tuple[Diagnostic, ...]
    sources: dict[str, str] = field(default_factory=dict)
    outline: Outline | None = None

    def require(self) -> Ontology:
        """The ontology.

        Raises:
            LinnaeusError: with everything that was found, where there are errors.
        """
        if self.ontology is None:
            raise LinnaeusError(self.diagnostics, self.sources)
        return self.ontology


def check_text(text: str, file: str, files: Files | None = None) -> Checked:
    """What a text denotes and what is wrong with it.

    Args:
        text: the text of a `.onto` file.
        file: its name, for places and for what it imports, which is relative to it.
        files: where imports and taxonomies are read from; without, the disk.
    """
    files = files or Files()
    files.texts[file] = text
    checking = _Checking(files)
    ontology, outline, found = checking.check(text, file, ())
    return Checked(ontology, found, {name: clean(read, name)[0] for name, read in files.texts.items()}, outline)


def check_file(path: str | Path, files: Files | None = None) -> Checked:
    """What a `.onto` file denotes and what is wrong with it.

    Raises:
        LinnaeusError: the file can't be read.
    """
    files = files or Files()
    refuse_other_kinds(Path(path))
    return check_text(files.read(Path(path)), str(path), files)


def load_ontology(path: str | Path) -> Ontology:
    """The ontology in a `.onto` file.

    Raises:
        LinnaeusError: with every error and warning of the file.
    """
    return check_file(path).require()


@dataclass
class _Checking:
    """One check: the file and all it imports, each read once."""

    files: Files
    done: dict[Path, tuple[Ontology | None, Outline | None, tuple[Diagnostic, ...]]] = field(default_factory=dict)

    def check(
        self, text: str, file: str, importing: tuple[Path, ...]
    ) -> tuple[Ontology | None, Outline | None, tuple[Diagnostic, ...]]:
        """Check a text that the last of `importing` imports."""
        path = absolute(Path(file))
        if path not in self.done:
            self.done[path] = self._check(text, file, (*importing, path))
        return self.done[path]

    def _check(
        self, text: str, file: str, importing: tuple[Path, ...]
    ) -> tuple[Ontology | None, Outline | None, tuple[Diagnostic, ...]]:
        document, unread = parse(text, file)
        if any(d.code == "E010" for d in unread):  # nothing was read, so there is nothing to check
            return None, None, unread
        modules, failed = load_modules(document, self.files, lambda t, f: self.check(t, f, importing), importing)
        outline = resolve(document, modules, self.files)
        checked = [*failed, *outline.problems, *outline.links.problems, *run_checks(outline)]
        broken = any(d.severity == "error" for d in unread)
        if failed or broken or any(group.partial for group in outline.groups):
            checked = [d for d in checked if d.code not in ECHOES]
        known = {(d.code, d.span) for d in unread}
        if broken:
            checked = [d for d in checked if d.code != "E103"]  # what was not read may be what seems missing
        found = [*unread, *(d for d in checked if (d.code, d.span) not in known)]
        found = list(dict.fromkeys(found))  # a broken file may be imported by several ways
        if any(d.severity == "error" for d in found):
            return None, outline, _sorted(found, file)
        ontology, places = normalise(outline)
        found += run_logic_checks(ontology, places)
        if any(d.severity == "error" for d in found):
            return None, outline, _sorted(found, file)
        return ontology, outline, _sorted(found, file)


def _sorted(found: list[Diagnostic], file: str) -> tuple[Diagnostic, ...]:
    return tuple(sorted(found, key=lambda d: (d.span is not None and d.span.file == file, place(d))))
