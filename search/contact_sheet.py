"""A sheet of training images with the labels they are bound to: what to look at before anything is trained."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..dsl.annotations import NOT_APPLICABLE
from .data import PreparedData
from .splits import TRAIN

if TYPE_CHECKING:
    from PIL import ImageFont
    from PIL.Image import Image

COUNT = 24
COLUMNS = 6
TILE = 192
MARGIN = 14
LINE = 16
INK, FAINT, PAPER = (25, 25, 28), (110, 110, 118), (255, 255, 255)


def draw_sheet(data: PreparedData, path: Path, seed: int = 0) -> Path | None:
    """Write a PNG of about 24 training images, as many different labels as there are room for.

    Tiny images are enlarged pixel by pixel, so that the sheet shows what a model sees. Images of the test split are
    never on it.

    Returns:
        The file, or None for feature vectors, which have no picture.
    """
    if data.images.ndim != 4:
        return None
    from PIL import Image, ImageDraw

    rows = pick(data, COUNT, seed)
    font = _font()
    captions = [_caption(data, row, font) for row in rows]
    lines = max(map(len, captions))
    cell = (TILE + MARGIN, TILE + MARGIN + LINE * lines)
    height = -(-len(rows) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * cell[0] + MARGIN, height * cell[1] + MARGIN), PAPER)
    pen = ImageDraw.Draw(sheet)
    for i, (row, caption) in enumerate(zip(rows, captions, strict=True)):
        x, y = MARGIN + i % COLUMNS * cell[0], MARGIN + i // COLUMNS * cell[1]
        picture = _picture(data.images[row])
        sheet.paste(picture, (x + (TILE - picture.width) // 2, y + (TILE - picture.height) // 2))
        for k, line in enumerate(caption):
            ink = FAINT if k == len(caption) - 1 else INK
            pen.text((x, y + TILE + 3 + k * LINE), line, fill=ink, font=font)
    part = path.with_name(path.name + ".part")
    sheet.save(part, format="PNG")
    os.replace(part, path)
    return path


def pick(data: PreparedData, count: int, seed: int) -> list[int]:
    """Rows of the training split, one of each different evidence before a second of any, in the ontology's order.

    Where there are more different labels than room, they are taken evenly over the ontology.
    """
    train = np.random.default_rng(seed).permutation(np.flatnonzero(data.split == TRAIN))
    kind = _kinds(data, train)
    order = np.argsort(kind, kind="stable")
    turn = np.empty(len(train), np.int64)  # how many of the same evidence were drawn before
    starts = np.flatnonzero(np.diff(kind[order], prepend=-1))
    turn[order] = np.arange(len(train)) - np.repeat(starts, np.diff([*starts, len(train)]))
    chosen: list[int] = []
    for k in range(int(turn.max()) + 1):
        here = np.flatnonzero(turn == k)
        here = here[np.argsort(kind[here], kind="stable")]
        room = min(count - len(chosen), len(here))
        chosen += here[np.linspace(0, len(here) - 1, room).round().astype(int)].tolist()
        if len(chosen) == count:
            break
    chosen.sort(key=lambda i: (kind[i], turn[i]))
    return [int(train[i]) for i in chosen]


def _kinds(data: PreparedData, rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """[n] a number for each different evidence among `rows`, in the order of the ontology's states."""
    codes, first, kind = np.unique(data.evidence.codes[rows], axis=0, return_index=True, return_inverse=True)
    impossible = ~data.evidence.take(rows[first]).possible()
    rank = np.empty(len(codes), np.intp)
    rank[np.lexsort(np.packbits(impossible, axis=1).T[::-1])] = np.arange(len(codes))
    ranked: NDArray[np.intp] = rank[kind.reshape(-1)]
    return ranked


def _picture(image: NDArray[Any]) -> Image:
    """One image [H, W, C] within a tile, enlarged by whole pixels or reduced smoothly."""
    from PIL import Image

    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).convert("RGB")
    longest = max(picture.size)
    if longest <= TILE:
        scale = TILE // longest
        return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
    picture.thumbnail((TILE, TILE), Image.Resampling.LANCZOS)
    return picture


def _font() -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib and has most alphabets."""
    from matplotlib import get_data_path
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"), 12)


def _caption(data: PreparedData, row: int, font: ImageFont.FreeTypeFont) -> list[str]:
    """A line for each group that applies, and the image's name last."""
    words = {group: text for group, text in data.describe(row).items() if text != NOT_APPLICABLE}
    single = len(data.tables.ontology.groups) == 1
    lines = [text if single else f"{group.rpartition('.')[2]}: {text}" for group, text in words.items()]
    shown = lines if len(lines) <= 6 else [*lines[:5], f"and {len(lines) - 5} more"]
    return [_cut(line, font) for line in shown] + [_cut(data.names[row], font, keep_end=True)]


def _cut(text: str, font: ImageFont.FreeTypeFont, *, keep_end: bool = False) -> str:
    """The text, cut to the width of a tile."""
    if font.getlength(text) <= TILE:
        return text
    while text and font.getlength(text + "…") > TILE:
        text = text[1:] if keep_end else text[:-1]
    return "…" + text if keep_end else text + "…"
