"""Images in nested folders: each folder is a level of the hierarchy."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar

from ...dsl.folders import SUFFIXES, split_name
from ...errors import fail
from ..contracts import Annotations, Cell, Dataset, ImageSpec, Records
from ..hyperparameters import option


@dataclass(frozen=True)
class Folder(Dataset):
    """Images under a folder, whose subfolders are the labels. Columns: `label`, the folders above the image joined by
    `/`, and `level1`, `level2` … one each, coarse to fine. Where all top folders are named as splits (train, val, test
    …) they are the official ones.
    """

    name: ClassVar[str] = "folder"
    path: str = option("the folder, from the study's folder")

    def load(self, image: ImageSpec, base: Path, cache: Path) -> Records:
        """Every image under the folder, sorted by path; hidden files are skipped.

        Raises:
            LinnaeusError: E201 no such folder, E200 no images in it, E211 and E212 of `load_images`.
        """
        from .images import file_key, load_images

        said = self.annotations(image, base, cache)
        key = file_key(said.names, said.sources)
        pixels, unreadable = load_images(said.names, said.sources, image, key, cache)
        return Records(pixels, said.names, said.columns, said.splits, unreadable, said.notes)

    def annotations(self, image: ImageSpec, base: Path, cache: Path) -> Annotations:
        """The folders' names alone; no image is opened.

        Raises:
            LinnaeusError: E201 no such folder, E200 no images in it.
        """
        root = base / self.path
        if not root.is_dir():
            raise fail(
                "E201", f"there is no folder {root}", where="data.path", help="paths start at the study's folder"
            )
        names, others = _walk(root)
        if not names:
            message = f"no images under {root}" + (f", only {others} other files" if others else "")
            raise fail("E200", message, where="data.path", help=f"images end in {', '.join(sorted(SUFFIXES))}")
        tops = [split_name(PurePosixPath(n).parts[0]) if "/" in n else None for n in names]
        splits = None if None in tops else [t for t in tops if t is not None]
        levels = [PurePosixPath(n).parts[int(splits is not None) : -1] for n in names]
        depth = max(map(len, levels))
        columns: dict[str, list[Cell]] = {"label": ["/".join(p) or None for p in levels]}
        for k in range(depth):
            columns[f"level{k + 1}"] = [p[k] if k < len(p) else None for p in levels]
        notes = (f"{others} files that are not images were skipped",) if others else ()
        return Annotations(names, columns, [root / n for n in names], splits, notes)


def _walk(root: Path) -> tuple[list[str], int]:
    """The images under a folder as relative paths, and how many other files there are."""
    names, others = [], 0
    for folder, below, files in os.walk(root, followlinks=True):
        below[:] = [d for d in below if not d.startswith(".")]
        for file in files:
            if file.startswith("."):
                continue
            if Path(file).suffix.lower() in SUFFIXES:
                names.append((Path(folder) / file).relative_to(root).as_posix())
            else:
                others += 1
    return sorted(names), others
