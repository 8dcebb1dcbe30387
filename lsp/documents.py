"""The files of an editor's session: open ones from memory, others from disk, each checked when it is asked about."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from ..dsl.files import Files
from ..dsl.load import Checked, check_text
from ..errors import LinnaeusError
from .findings import named_files
from .index import Index

MAX_FILES = 2_000
"""How many `.onto` files, and how many folders, of the workspace are looked at for uses of a name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A checked file: what was found, its names (none where nothing could be read), and every text that it rests on.

    A file that it names and that isn't there has the text None.
    """

    checked: Checked
    index: Index | None
    texts: Mapping[str, str | None]

    def rests_on(self, paths: Iterable[Path]) -> bool:
        """Whether the file is one of these, or imports one of them."""
        return not {Path(name).resolve() for name in self.texts}.isdisjoint(paths)


@dataclass
class Documents:
    """Open files by absolute path, and the workspace's folders."""

    open: dict[Path, str] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)
    _readings: dict[Path, Reading] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)  # what two threads ask about at once is checked once

    def text(self, path: Path) -> str | None:
        """The text of a file, None where it can't be read."""
        try:
            return Files(dict(self.open)).read(path)
        except LinnaeusError:
            return None

    def read(self, path: Path) -> Reading | None:
        """A file checked as it is now; None where it can't be read."""
        with self._lock:
            return self._read(path)

    def _read(self, path: Path) -> Reading | None:
        known = self._readings.get(path)
        if known is not None and all(self.text(Path(name)) == text for name, text in known.texts.items()):
            return known
        text = self.text(path)
        if text is None:
            return None
        files = Files(dict(self.open))
        checked = check_text(text, str(path), files)
        index = Index(checked.outline) if checked.outline else None
        missing = {name: self.text(Path(name)) for name, _ in named_files(checked.outline)} if checked.outline else {}
        reading = Reading(checked, index, missing | files.texts)
        self._readings[path] = reading
        return reading

    def index(self, path: Path, *, stale: bool = False) -> Index | None:
        """The names of a file; `stale`: those of its last check will do."""
        reading = self._readings.get(path) if stale else None
        reading = reading or self.read(path)
        return reading.index if reading else None

    def forget(self) -> None:
        """Check everything again when it is next asked about: files may have come or gone."""
        self._readings.clear()

    def importers(self, path: Path) -> Iterator[Path]:
        """The open files that rest on a file, by their last check."""
        for other in list(self.open):
            reading = self._readings.get(other)
            if other != path and reading is not None and reading.rests_on([path]):
                yield other

    def all_files(self) -> list[Path]:
        """The open files and the ontologies in the workspace's folders."""
        found = dict.fromkeys(self.open)
        for folder in self.folders:
            for seen, (here, inner, names) in enumerate(os.walk(folder)):
                if seen >= MAX_FILES or len(found) >= MAX_FILES:
                    break
                inner[:] = sorted(name for name in inner if not name.startswith(".") and name != "node_modules")
                found.update((Path(here, name).resolve(), None) for name in sorted(names) if name.endswith(".onto"))
        return list(found)

    def indices(self, *paths: Path) -> Iterator[Index]:
        """The names of some files and of every file that may import them."""
        for other in dict.fromkeys([*paths, *self.all_files()]):
            text = self.text(other)
            if other in paths or (text is not None and "import" in text):
                index = self.index(other)
                if index is not None:
                    yield index
