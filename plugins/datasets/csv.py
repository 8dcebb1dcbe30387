"""A manifest: one line an image, with its file and its labels."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ...errors import did_you_mean, fail
from ..contracts import Annotations, Cell, Dataset, ImageSpec, Records
from ..hyperparameters import option

USUAL = ("image", "path", "file", "filename", "file_name", "image_path")


@dataclass(frozen=True)
class CSV(Dataset):
    """A CSV file with a header: one column holds image files, all columns hold annotations, splits or groups."""

    name: ClassVar[str] = "csv"
    path: str = option("the manifest, from the study's folder")
    image_column: str | None = option(
        "the column of image files; by default image, path, file or filename", default=None
    )
    root: str | None = option("the folder that image files start from; by default the manifest's", default=None)
    delimiter: str | None = option("between cells; by default a tab in .tsv files, else a comma", default=None)
    encoding: str = option("of the manifest", default="utf-8-sig")

    def load(self, image: ImageSpec, base: Path, cache: Path) -> Records:
        """Every line, in order. An image file that is missing counts as unreadable.

        Raises:
            LinnaeusError: E201 no such manifest, E202 it is malformed, E200 it lists nothing, E211 and E212 of
                `load_images`.
        """
        from .images import file_key, load_images

        said = self.annotations(image, base, cache)
        key = file_key(said.names, said.sources)
        pixels, unreadable = load_images(said.names, said.sources, image, key, cache)
        return Records(pixels, said.names, said.columns, unreadable=unreadable)

    def annotations(self, image: ImageSpec, base: Path, cache: Path) -> Annotations:
        """The manifest alone; no image is opened.

        Raises:
            LinnaeusError: E201 no such manifest, E202 it is malformed, E200 it lists nothing.
        """
        manifest = base / self.path
        columns = self._read(manifest)
        key = self._image_column(list(columns))
        names = [str(n or "").strip() for n in columns[key]]
        if not names:
            raise fail("E200", f"{self.path} lists no images", where="data.path", help="add a line an image")
        root = manifest.parent if self.root is None else base / self.root
        return Annotations(names, columns, [root / n if n else root / "(no file named)" for n in names])

    def _read(self, manifest: Path) -> dict[str, list[Cell]]:
        if not manifest.is_file():
            step = "paths start at the study's folder"
            raise fail("E201", f"there is no manifest {manifest}", where="data.path", help=step)
        try:
            header, rows = self._lines(manifest)
        except (UnicodeDecodeError, LookupError) as e:
            message = f"{self.path} is not {self.encoding} text: {e}"
            raise fail("E202", message, where="data.encoding", help="name its encoding, such as latin-1") from e
        twice = sorted({h for h in header if header.count(h) > 1})
        if twice or not header:
            message = f"two columns are named {twice[0]!r}" if twice else "there is no header line"
            raise fail("E202", f"{self.path}: {message}", where="data.path", help="the first line names the columns")
        return {h: [row[i] for row in rows] for i, h in enumerate(header)}

    def _lines(self, manifest: Path) -> tuple[list[str], list[list[str]]]:
        """The header, and every line that is not empty."""
        delimiter = self.delimiter or ("\t" if manifest.suffix.lower() == ".tsv" else ",")
        if len(delimiter) != 1:
            raise fail("E202", f"the delimiter {delimiter!r} is not one character", where="data.delimiter")
        with manifest.open(encoding=self.encoding, newline="") as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            try:
                header = [h.strip() for h in next(reader, [])]
                rows = []
                for row in reader:
                    if row and len(row) != len(header):
                        message = f"{len(row)} cells where the header has {len(header)}"
                        raise fail("E202", message, where=f"{self.path}, line {reader.line_num}")
                    if row:
                        rows.append(row)
            except csv.Error as e:
                raise fail("E202", f"not CSV: {e}", where=f"{self.path}, line {reader.line_num}") from e
        return header, rows

    def _image_column(self, known: list[str]) -> str:
        wanted = (self.image_column,) if self.image_column is not None else USUAL
        found = next((k for w in wanted for k in known if k == w), None)
        if found is None:
            step = did_you_mean(self.image_column or "image", known, plural="columns")
            message = f"{self.path} has no column {' or '.join(map(repr, wanted))}"
            raise fail("E202", message, where="data.image_column", help=f"name it with image_column: NAME; {step}")
        return found
