"""The files that an ontology is read from: its own, those it imports, its taxonomies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .source import read_source


def absolute(path: Path) -> Path:
    """What makes a path itself: absolute, links followed; as written where that can't be found out."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):  # a NUL byte, a circle of links
        return path


class Files:
    """Reads files, an editor's unsaved ones from memory.

    Args:
        overlay: texts that stand in for the files on disk, by absolute path.
    """

    def __init__(self, overlay: Mapping[Path, str] | None = None):
        self.overlay = {absolute(path): text for path, text in (overlay or {}).items()}
        self.texts: dict[str, str] = {}
        """What was read, by the name that spans give it."""

    def read(self, path: Path) -> str:
        """The text of a file.

        Raises:
            LinnaeusError: E001, E002.
        """
        text = self.overlay.get(absolute(path))
        if text is None:
            text = read_source(path)
        self.texts[str(path)] = text
        return text

    @staticmethod
    def beside(file: str, path: str) -> Path:
        """A path written in a file, which is relative to that file."""
        return Path(file).parent / path
