"""Images to arrays: decoded with Pillow, made one size, kept in a cache."""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ...errors import LinnaeusError, fail
from ..contracts import ImageSpec, Unreadable

VERSION = 1
"""Part of the cache's key: raise it when the same file would give other pixels."""

Pixels = NDArray[np.uint8]
Source = Path | bytes

_GREY = ("1", "L", "LA", "La", "I", "F")
_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")


def decode(source: Source, spec: ImageSpec) -> Pixels:
    """One image as uint8 [H, W, C], upright, on white where it is transparent.

    16-bit greys are scaled to 8 bits. With `channels` None the image's own decide.

    Raises:
        OSError, ValueError, SyntaxError: the file is missing, broken or cut short (what Pillow raises).
    """
    with _open(source) as image:
        if image.format == "JPEG" and spec.size is not None:
            image.draft(None, (2 * spec.size, 2 * spec.size))  # decode large photographs at a fraction of their size
        image.load()
        upright = ImageOps.exif_transpose(image)
        return _array(_resized(_in_mode(upright, spec.channels or natural_channels(upright)), spec))


def _open(source: Source) -> Image.Image:
    return Image.open(source if isinstance(source, Path) else io.BytesIO(source))


def natural_channels(image: Image.Image) -> Literal["grey", "rgb"]:
    """Whether an image is grey or in colour, by its mode."""
    return "grey" if image.mode in _GREY or image.mode.startswith("I;16") else "rgb"


def _in_mode(image: Image.Image, channels: str) -> Image.Image:
    mode = "L" if channels == "grey" else "RGB"
    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    if image.mode in _ALPHA or "transparency" in image.info:
        over = image.convert("RGBA")
        white = Image.new("RGBA", over.size, "white")
        image = Image.alpha_composite(white, over)
        if channels == "rgb":
            return image.convert("RGB")
    return image.convert(mode)


def _eight_bits(values: NDArray[Any]) -> Pixels:
    """Greys of 16 or more bits, or floats, as 8 bits."""
    if values.dtype.kind == "f":
        scaled = values * 255.0 if values.size and values.max() <= 1 else values
    else:
        scaled = values / 257.0 if values.dtype == np.uint16 or values.max(initial=0) > 255 else values
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def _resized(image: Image.Image, spec: ImageSpec) -> Image.Image:
    """The image at the asked size. Pillow's filters widen when they shrink, so every source pixel counts."""
    if spec.size is None or image.size == (spec.size, spec.size):
        return image
    side, quality = (spec.size, spec.size), Image.Resampling.BILINEAR
    if spec.resize == "stretch":
        return image.resize(side, quality)
    if spec.resize == "pad":
        return ImageOps.pad(image, side, quality, color=0)
    return ImageOps.fit(image, side, quality)


def _array(image: Image.Image) -> Pixels:
    pixels = np.asarray(image, np.uint8)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def conform(images: Pixels, spec: ImageSpec) -> Pixels:
    """Images [N, H, W, C], C 1 or 3, as the study asks for them."""
    channels = spec.channels or ("grey" if images.shape[3] == 1 else "rgb")
    size = spec.size or images.shape[1]
    if images.shape[1:] == (size, size if spec.size else images.shape[2], 1 if channels == "grey" else 3):
        return images
    made = [Image.fromarray(i[:, :, 0] if i.shape[2] == 1 else i) for i in images]
    return np.stack([_array(_resized(_in_mode(i, channels), spec)) for i in made])


# --- many, cached --------------------------------------------------------------------------------------


def file_key(names: Sequence[str], files: Sequence[Path]) -> str:
    """A digest of files by name, size and time of change, under which their pixels are cached."""
    digest = hashlib.sha256()
    for name, file in zip(names, files, strict=True):
        try:
            stat = file.stat()
            digest.update(f"{name}\0{file}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
        except OSError:
            digest.update(f"{name}\0missing\n".encode())
    return digest.hexdigest()


def cache_path(key: str, spec: ImageSpec, cache: Path) -> Path:
    """Where the pixels of `key` are kept, at one size."""
    return cache / (hashlib.sha256(f"{VERSION} {astuple(spec)} {key}".encode()).hexdigest()[:40] + ".npy")


def load_images(
    names: Sequence[str], sources: Sequence[Source], spec: ImageSpec, key: str, cache: Path
) -> tuple[Pixels, dict[int, Unreadable]]:
    """Decode many images, or find them decoded in the cache.

    Args:
        sources: of each image, its file or its bytes; read by index, perhaps from several threads.
        key: a digest of the sources' content.
        cache: the folder of decoded images.

    Returns:
        uint8 [N, H, W, C], memory-mapped, zero where unreadable; and the unreadable ones by row.

    Raises:
        LinnaeusError: E211 no size is asked for and the images differ in theirs, E212 the cache can't be written.
    """
    path = cache_path(key, spec, cache)
    beside = path.with_suffix(".json")
    if path.is_file() and beside.is_file():
        found = json.loads(beside.read_text(encoding="utf-8"))
        return np.load(path, mmap_mode="r"), {int(i): Unreadable(*u) for i, u in found.items()}
    shape, spec = _common(names, sources, spec)
    part = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        pixels = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=(len(names), *shape))
        unreadable = _decode_all(names, sources, spec, pixels)
        pixels.flush()
        del pixels
        beside.write_text(json.dumps({i: [u.name, u.reason] for i, u in unreadable.items()}), encoding="utf-8")
        os.replace(part, path)
    except OSError as e:
        step = "set LINNAEUS_CACHE to a folder with free space that you may write to"
        raise fail("E212", f"can't write decoded images to {cache}: {e.strerror}", help=step) from e
    finally:
        with suppress(OSError):
            part.unlink()
    return np.load(path, mmap_mode="r"), unreadable


def _decode_all(
    names: Sequence[str], sources: Sequence[Source], spec: ImageSpec, pixels: Pixels
) -> dict[int, Unreadable]:
    unreadable: dict[int, Unreadable] = {}

    def one(row: int) -> None:
        try:
            pixels[row] = decode(sources[row], spec)
        except Exception as e:  # noqa: BLE001  # a broken file may raise anything at all; it becomes a named row
            unreadable[row] = Unreadable(names[row], reason(e))

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for _ in pool.map(one, range(len(names))):
            pass
    return dict(sorted(unreadable.items()))  # threads find them in any order


def reason(error: Exception) -> str:
    """Why an image can't be read, in a few words."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, UnidentifiedImageError):
        return "not an image"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


def _common(names: Sequence[str], sources: Sequence[Source], spec: ImageSpec) -> tuple[tuple[int, int, int], ImageSpec]:
    """The shape of all images, and the spec with its channels settled. Reads headers only, and only where needed."""
    sizes: dict[tuple[int, int], str] = {}
    grey = True
    if spec.size is None or spec.channels is None:
        for name, source in zip(names, sources, strict=True):
            try:
                with _open(source) as image:
                    grey = grey and natural_channels(image) == "grey"
                    turned = image.getexif().get(0x0112, 1) >= 5  # the EXIF orientations that swap the sides
                    sizes.setdefault(image.size[::-1] if turned else image.size, name)
            except Exception:  # noqa: BLE001  # unreadable: decoding names it
                continue
    if spec.channels is None:
        spec = replace(spec, channels="grey" if grey else "rgb")
    if spec.size is None and len(sizes) > 1:
        raise _unequal(sizes)
    width, height = (spec.size, spec.size) if spec.size is not None else next(iter(sizes), (1, 1))
    return (height, width, 1 if spec.channels == "grey" else 3), spec


def _unequal(sizes: Mapping[tuple[int, int], str]) -> LinnaeusError:
    shown = ", ".join(f"{w} × {h} ({name})" for (w, h), name in list(sizes.items())[:3])
    message = f"the images have {len(sizes)} different sizes: {shown}{' …' if len(sizes) > 3 else ''}"
    return fail("E211", message, where="data.image.size", help="set it, such as image: {size: 64}")
