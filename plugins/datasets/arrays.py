"""Images or feature vectors in a NumPy `.npz` file."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...errors import did_you_mean, fail
from ..contracts import Annotations, Cell, Dataset, ImageSpec, Records
from ..hyperparameters import option

USUAL = ("images", "image", "features", "x", "X", "data")


@dataclass(frozen=True)
class Arrays(Dataset):
    """An `.npz` file: one array of images [N, H, W] or [N, H, W, C] or of feature vectors [N, F]. Every other array of
    length N is a column. Arrays of Python objects are refused.
    """

    name: ClassVar[str] = "arrays"
    path: str = option("the .npz file, from the study's folder")
    array: str | None = option("the array of images or features; by default images, features, x or data", default=None)

    def load(self, image: ImageSpec, base: Path, cache: Path) -> Records:
        """Read the file.

        Raises:
            LinnaeusError: E201 no such file, E202 not an .npz file, or no array to use.
        """
        key, arrays = self._open(base)
        values = _images(arrays[key], key, image)
        said = self._said(key, arrays)
        return Records(values, said.names, said.columns, notes=said.notes)

    def annotations(self, image: ImageSpec, base: Path, cache: Path) -> Annotations:
        """The file's arrays as they are.

        Raises:
            LinnaeusError: as `load`.
        """
        return self._said(*self._open(base))

    def _open(self, base: Path) -> tuple[str, dict[str, NDArray[Any]]]:
        """Which array holds the images, and all of them."""
        arrays = _read(base / self.path)
        return self._key(arrays), arrays

    def _said(self, key: str, arrays: dict[str, NDArray[Any]]) -> Annotations:
        values: Any = arrays[key]
        n = len(values) if values.ndim else 0
        columns: dict[str, list[Cell]] = {
            k: a.tolist() for k, a in arrays.items() if k != key and a.shape == (n,) and a.dtype.kind in "biufU"
        }
        left = [k for k in arrays if k != key and k not in columns]
        notes = (f"arrays that are not a column of {n} values, left out: {', '.join(left)}",) if left else ()
        return Annotations([f"{Path(self.path).stem}/{i:06d}" for i in range(n)], columns, values, notes=notes)

    def _key(self, arrays: dict[str, NDArray[Any]]) -> str:
        if self.array is not None and self.array not in arrays:
            step = did_you_mean(self.array, list(arrays), plural="arrays")
            raise fail("E202", f"{self.path} holds no array {self.array!r}", where="data.array", help=step)
        key = self.array or next((k for k in USUAL if k in arrays), None)
        if key is None:
            listed = ", ".join(f"{k} {a.shape}" for k, a in arrays.items())
            message = f"{self.path} has no array named {' or '.join(USUAL)}; it holds {listed or 'nothing'}"
            raise fail("E202", message, where="data.path", help="name it with array: NAME")
        return key


def _read(file: Path) -> dict[str, NDArray[Any]]:
    if not file.is_file():
        raise fail("E201", f"there is no file {file}", where="data.path", help="paths start at the study's folder")
    try:
        loaded = np.load(file, allow_pickle=False)
        if not isinstance(loaded, np.lib.npyio.NpzFile):
            step = "save images and labels by name, with numpy.savez"
            raise fail("E202", f"{file.name} is a single array", where="data.path", help=step)
        with loaded:
            return {k: loaded[k] for k in loaded.files}
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as e:
        if "Object arrays" in str(e):
            message = f"{file.name} holds Python objects, which are not read (they could run code)"
            raise fail("E202", message, where="data.path", help="save texts and numbers as plain arrays") from e
        raise fail("E202", f"{file.name} is not an .npz file: {e}", where="data.path") from e


def _images(values: NDArray[Any], key: str, spec: ImageSpec) -> NDArray[Any]:
    from .images import conform

    if values.ndim == 2 and values.dtype.kind in "biuf":
        if spec.size is not None or spec.channels is not None:
            message = f"{key!r} holds feature vectors {values.shape}, which have no size or channels"
            raise fail("E202", message, where="data.image", help="leave size and channels out")
        return np.ascontiguousarray(values, np.float32)
    shaped = values.ndim == 3 or (values.ndim == 4 and values.shape[3] in (1, 3))
    if values.dtype == bool:
        values = values.astype(np.uint8) * np.uint8(255)
    whole = values.dtype.kind in "iu" and (not values.size or (values.min() >= 0 and values.max() <= 255))
    if not (shaped and whole):
        message = f"{key!r} is {values.dtype} of shape {values.shape}"
        step = "images are whole numbers 0 to 255, [N, H, W], [N, H, W, 1] or [N, H, W, 3]; features are [N, F]"
        raise fail("E202", message, where="data.array", help=step)
    values = values.astype(np.uint8, copy=False)
    return conform(values[..., None] if values.ndim == 3 else values, spec)
