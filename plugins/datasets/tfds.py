"""Any image builder of TensorFlow Datasets, read without TensorFlow."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ...dsl.folders import split_name
from ...errors import LinnaeusError, did_you_mean, fail
from ..contracts import Annotations, Cell, Dataset, ImageSpec, Records
from ..hyperparameters import option

NUMBER = "number"
CHUNK = 1024


@dataclass(frozen=True)
class TFDS(Dataset):
    """A builder of TensorFlow Datasets, by name. Its features are columns: nested ones joined by `/`
    (attributes/Smiling), classes by name (`label`) and by number (`label/number`), sequences as lists. Its splits are
    the official ones.
    """

    name: ClassVar[str] = "tfds"
    builder: str = option("its name, with config and version where wanted: cmaterdb/bangla:1.0.0")
    data_dir: str | None = option(
        "where it is prepared, from the study's folder; by default TFDS's own, and prepared there if need be",
        default=None,
    )
    image_key: str | None = option("the feature that holds the image; by default the first image", default=None)

    def load(self, image: ImageSpec, base: Path, cache: Path) -> Records:
        """Every example of every split; prepares the builder first where that is needed and can be done.

        Raises:
            LinnaeusError: E201 not in the folder named, E202 no such feature, E204 no such builder or it can't be
                prepared, E205 it needs TensorFlow, E211 and E212 of `load_images`.
        """
        from .images import load_images

        found = self._open(base)
        shape = found.builder.info.features[found.encoded.key].shape
        if image.channels is None and shape[-1] in (1, 3, 4):
            image = replace(image, channels="grey" if shape[-1] == 1 else "rgb")
        pixels, unreadable = load_images(found.names, found.encoded, image, found.digest, cache)
        return Records(pixels, found.names, _columns(found, cache), found.splits, unreadable, found.notes)

    def annotations(self, image: ImageSpec, base: Path, cache: Path) -> Annotations:
        """The features that are not images; no image is decoded.

        Raises:
            LinnaeusError: E201, E202, E204, E205 and E212 as `load`.
        """
        found = self._open(base)
        return Annotations(found.names, _columns(found, cache), found.encoded, found.splits, found.notes)

    def _open(self, base: Path) -> _Opened:
        builder = self._prepared(base)
        features = builder.info.features
        key = self._image_key(features)
        parts = {s: split_name(s) for s in builder.info.splits}
        counts = {s: int(builder.info.splits[s].num_examples) for s, part in parts.items() if part}
        names = [f"{s}/{i:06d}" for s, n in counts.items() for i in range(n)]
        if not names:
            raise fail("E200", f"{self.builder} has no images", where="data.builder")
        left = [s for s, part in parts.items() if not part]
        notes = (f"splits that are not train, validation or test were left out: {', '.join(left)}",) if left else ()
        splits = [part for s, n in counts.items() for part in [parts[s] or ""] * n]
        encoded = _Encoded(builder, counts, key, tuple(_plan(features, ())))
        return _Opened(builder, encoded, names, splits, notes, _fingerprint(builder, counts, key))

    def _prepared(self, base: Path) -> Any:
        """The builder, prepared in a format of random access."""
        import tensorflow_datasets as tfds

        where = None if self.data_dir is None else base / Path(self.data_dir).expanduser()
        with _quiet(), _told(self.builder):
            builder = tfds.builder(self.builder, data_dir=where)
            if not builder.is_prepared():
                if where is not None:  # a mistyped folder must not start a download into it
                    raise _not_there(self.builder, where)
                builder = tfds.builder(self.builder, data_dir=where, file_format="array_record")
                builder.download_and_prepare()
        if builder.info.file_format.value in ("tfrecord", "riegeli"):
            message = f"{self.builder} is prepared as {builder.info.file_format.value}, which only TensorFlow reads"
            step = 'prepare it again into another data_dir, with file_format="array_record"'
            raise fail("E205", message, where="data.builder", help=step)
        return builder

    def _image_key(self, features: Any) -> str:
        import tensorflow_datasets as tfds

        images = [k for k, f in features.items() if isinstance(f, tfds.features.Image)]
        if self.image_key is not None and self.image_key not in images:
            step = did_you_mean(self.image_key, images, plural="image features")
            raise fail("E202", f"{self.builder} has no image {self.image_key!r}", where="data.image_key", help=step)
        if not images:
            message = f"{self.builder} has no image feature, only {', '.join(features)}"
            raise fail("E202", message, where="data.builder", help="choose a builder of images")
        return self.image_key or images[0]


# --- what TFDS says ------------------------------------------------------------------------------------


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings logged about folders that are not there yet, and about every try of a download."""
    loggers = [logging.getLogger("absl"), logging.getLogger("urllib3")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Failures of TFDS in our words."""
    import tensorflow_datasets as tfds

    try:
        yield
    except LinnaeusError:
        raise
    except tfds.core.registered.DatasetNotFoundError as e:
        known = re.findall(r"^\s*- (\S+)", str(e), re.MULTILINE)
        step = did_you_mean(re.split(r"[/:]", name)[0], known, plural="builders")
        raise fail("E204", f"TFDS has no builder {name!r}", where="data.builder", help=step) from e
    except ImportError as e:
        package = e.name or ("tensorflow" if "tensorflow" in str(e) else "a package")
        message = f"{name} needs {package} to be prepared, which is not installed"
        extra = "pip install 'linnaeus[tfds]' installs it; once prepared as array_record, it is read without"
        raise fail("E205", message, where="data.builder", help=extra) from e
    except Exception as e:  # a builder runs anyone's code and downloads: whatever fails is the builder's
        first = " ".join(line.strip() for line in str(e).splitlines()[:3])[:400]
        step = "prepare it where the network is at hand, then name that folder with data_dir"
        raise fail("E204", f"{name} can't be prepared: {type(e).__name__}: {first}", where="data.builder",
                   help=step) from e  # fmt: skip


def _not_there(name: str, where: Path) -> LinnaeusError:
    step = (
        "correct data_dir, leave it out to have the set prepared in TFDS's own folder, or prepare it there: "
        f'python -c "import tensorflow_datasets as t; t.builder({name!r}, data_dir={str(where)!r}, '
        "file_format='array_record').download_and_prepare()\""
    )
    return fail("E201", f"{name} is not prepared in {where}", where="data.data_dir", help=step)


def _fingerprint(builder: Any, counts: dict[str, int], key: str) -> str:
    info = Path(builder.data_path) / "dataset_info.json"
    shards = {s: list(builder.info.splits[s].shard_lengths) for s in counts}
    text = json.dumps([builder.info.full_name, str(builder.data_path), info.stat().st_mtime_ns, shards, key])
    return hashlib.sha256(text.encode()).hexdigest()


# --- features to columns -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Column:
    """One column: where its value stands in an example, and how it becomes a cell."""

    name: str
    keys: tuple[str, ...]
    cell: Callable[[Any], Cell]

    def read(self, example: Any) -> Cell:
        """The cell of one example."""
        for key in self.keys:
            example = example[key]
        return self.cell(example)


def _plan(feature: Any, keys: tuple[str, ...], many: bool = False) -> Iterator[_Column]:
    """The columns of a feature: of its parts where it is a mapping; none for images, boxes and other arrays."""
    import tensorflow_datasets as tfds

    name = "/".join(keys)
    if isinstance(feature, tfds.features.FeaturesDict):
        for key, inner in feature.items():
            yield from _plan(inner, (*keys, key), many)
    elif isinstance(feature, tfds.features.Sequence):
        if not many:
            yield from _plan(feature.feature, keys, True)
    elif isinstance(feature, tfds.features.ClassLabel):
        names = feature.names
        yield _Column(name, keys, _list_of(names) if many else _class_of(names))
        if not many:
            yield _Column(f"{name}/{NUMBER}", keys, _number)
    elif getattr(feature, "shape", None) == ():
        yield _Column(name, keys, _list_of(None) if many else _scalar)


def _class_of(names: Sequence[str]) -> Callable[[Any], Cell]:
    return lambda value: names[int(value)] if int(value) >= 0 else None  # TFDS writes -1 where there is no label


def _number(value: Any) -> Cell:
    return int(value) if int(value) >= 0 else None


def _list_of(names: Sequence[str] | None) -> Callable[[Any], Cell]:
    def cell(values: Any) -> Cell:
        if names is None:
            return tuple(str(_scalar(v)) for v in values)
        return tuple(names[int(v)] for v in values if int(v) >= 0)

    return cell


def _scalar(value: Any) -> Cell:
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    plain: Cell = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    return plain


# --- reading -------------------------------------------------------------------------------------------


class _Encoded(Sequence[bytes]):
    """The encoded images of a builder, read some at a time as they are asked for; the cells of their columns with them.

    Rows are asked for almost in order (by threads side by side), so few chunks are held.
    """

    def __init__(self, builder: Any, counts: dict[str, int], key: str, plan: Sequence[_Column]):
        import tensorflow_datasets as tfds

        skip = {k: tfds.decode.SkipDecoding() for k, f in builder.info.features.items()
                if isinstance(f, tfds.features.Image)}  # fmt: skip
        self.sources = [(n, builder.as_data_source(split=s, decoders=skip)) for s, n in counts.items()]
        self.n = sum(counts.values())
        self.key, self.plan = key, plan
        self.columns: dict[str, list[Cell]] = {c.name: [None] * self.n for c in plan}
        self.chunks: dict[int, list[bytes]] = {}
        self.lock = threading.Lock()

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, row: Any) -> Any:
        with self.lock:
            chunk = row // CHUNK
            if chunk not in self.chunks:
                if len(self.chunks) >= 3:
                    del self.chunks[min(self.chunks)]
                self.chunks[chunk] = self._read(chunk * CHUNK, min(self.n, (chunk + 1) * CHUNK))
            return self.chunks[chunk][row % CHUNK]

    def _read(self, start: int, stop: int) -> list[bytes]:
        images, offset = [], 0
        for n, source in self.sources:
            first, last = max(start, offset), min(stop, offset + n)
            if first < last:
                found = source.__getitems__([i - offset for i in range(first, last)])
                for row, example in zip(range(first, last), found, strict=True):
                    images.append(example[self.key])
                    for column in self.plan:
                        self.columns[column.name][row] = column.read(example)
            offset += n
        return images


@dataclass(frozen=True)
class _Opened:
    """A builder ready to read, and what is known before any example is."""

    builder: Any
    encoded: _Encoded
    names: list[str]
    splits: list[str]
    notes: tuple[str, ...]
    digest: str


def _columns(found: _Opened, cache: Path) -> dict[str, list[Cell]]:
    """The columns: as read beside the images, of the cache, or read now.

    Raises:
        LinnaeusError: E212 the cache can't be written.
    """
    encoded = found.encoded
    kept = cache / f"{found.digest[:40]}.columns.json"
    if not encoded.chunks and kept.is_file():
        columns = json.loads(kept.read_text(encoding="utf-8"))
        return {k: [tuple(c) if isinstance(c, list) else c for c in cells] for k, cells in columns.items()}
    if not encoded.chunks:  # else the images were decoded just now, and the columns read with them
        for row in range(0, len(encoded), CHUNK):
            encoded[row]
    part = kept.with_suffix(f".{os.getpid()}.part")  # a file that was cut short would be read for ever
    try:
        cache.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(encoded.columns), encoding="utf-8")
        os.replace(part, kept)
    except OSError as e:
        step = "set LINNAEUS_CACHE to a folder with free space that you may write to"
        raise fail("E212", f"can't write annotations to {cache}: {e.strerror}", help=step) from e
    return encoded.columns
