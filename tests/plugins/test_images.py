"""Pixels: every mode Pillow opens becomes upright 8-bit grey or colour, or is named as unreadable."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image

from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import ImageSpec
from linnaeus.plugins.datasets import images
from linnaeus.plugins.datasets.images import conform, decode, file_key, load_images


def encoded(image, **options):
    out = io.BytesIO()
    image.save(out, **{"format": "PNG", **options})
    return out.getvalue()


GRADIENT = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
COLOUR = np.stack([GRADIENT, GRADIENT[::-1], GRADIENT.T], axis=-1)


def test_modes_become_grey_or_colour():
    assert (decode(encoded(Image.fromarray(GRADIENT)), ImageSpec())[..., 0] == GRADIENT).all()
    assert (decode(encoded(Image.fromarray(COLOUR)), ImageSpec()) == COLOUR).all()
    assert decode(encoded(Image.fromarray(GRADIENT)), ImageSpec(channels="rgb")).shape == (8, 8, 3)
    assert decode(encoded(Image.fromarray(COLOUR)), ImageSpec(channels="grey")).shape == (8, 8, 1)
    bits = Image.fromarray(GRADIENT > 100)
    assert set(np.unique(decode(encoded(bits), ImageSpec()))) == {0, 255}


def test_sixteen_bits_are_scaled_to_eight():
    deep = GRADIENT.astype(np.uint16) * 257
    assert (decode(encoded(Image.fromarray(deep)), ImageSpec())[..., 0] == GRADIENT).all()
    floats = Image.fromarray(GRADIENT.astype(np.float32) / 255)
    assert (decode(encoded(floats, format="TIFF"), ImageSpec())[..., 0] == GRADIENT).all()


def test_palettes_give_their_colours_not_their_indices():
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 200, 30])
    assert (decode(encoded(palette), ImageSpec()) == [10, 200, 30]).all()


@pytest.mark.parametrize("channels", ["grey", "rgb"])
def test_transparency_stands_on_white(channels):
    clear = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    assert (decode(encoded(clear), ImageSpec(channels=channels)) == 255).all()
    half = Image.new("LA", (4, 4), (0, 128))
    assert set(np.unique(decode(encoded(half), ImageSpec(channels=channels)))) <= {126, 127, 128}
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 200, 30])
    assert (decode(encoded(palette, transparency=1), ImageSpec(channels=channels)) == 255).all()


def test_photographs_stand_upright():
    image = Image.fromarray(COLOUR[:4])
    exif = image.getexif()
    exif[0x0112] = 6  # turned a quarter clockwise to be seen
    turned = decode(encoded(image, exif=exif), ImageSpec())
    assert (turned == np.rot90(COLOUR[:4], -1)).all()


def test_fit_pad_and_stretch():
    wide = np.zeros((4, 12, 3), np.uint8)
    wide[:, 4:8] = 200
    source = encoded(Image.fromarray(wide))
    assert (decode(source, ImageSpec(4, resize="fit")) == 200).all()
    padded = decode(source, ImageSpec(12, resize="pad"))
    assert padded.shape == (12, 12, 3)
    assert (padded[4:8] == wide).all()
    assert not padded[:4].any()
    assert not padded[8:].any()
    assert decode(source, ImageSpec(6, resize="stretch")).shape == (6, 6, 3)


def test_shrinking_averages_every_pixel():
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small = decode(encoded(Image.fromarray(board)), ImageSpec(8))
    assert np.abs(small.astype(int) - 127).max() <= 8


def test_conform_equals_decoding_each():
    images = np.stack([COLOUR, COLOUR[::-1]])
    spec = ImageSpec(5, "grey")
    expected = [decode(encoded(Image.fromarray(i)), spec) for i in images]
    assert (conform(images, spec) == np.stack(expected)).all()
    assert conform(images, ImageSpec()) is images


# --- many ----------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    found = []
    for i in range(6):
        found.append(tmp_path / f"{i}.jpg")
        Image.fromarray(np.roll(COLOUR, i, 0)).resize((40, 30)).save(found[-1])
    return found


def load(files, cache, spec):
    names = [f.name for f in files]
    return load_images(names, files, spec, file_key(names, files), cache)


def test_decoded_once_and_found_again(files, tmp_path, monkeypatch):
    pixels, unreadable = load(files, tmp_path / "cache", ImageSpec(16))
    assert pixels.shape == (6, 16, 16, 3)
    assert not unreadable
    for i, file in enumerate(files):
        assert (pixels[i] == decode(file, ImageSpec(16, "rgb"))).all()
    monkeypatch.setattr("linnaeus.plugins.datasets.images.decode", None)
    again, _ = load(files, tmp_path / "cache", ImageSpec(16))
    assert isinstance(again, np.memmap)
    assert (again == pixels).all()
    assert not list((tmp_path / "cache").glob("*.part"))


def test_a_changed_file_is_decoded_anew(files, tmp_path):
    before, _ = load(files, tmp_path / "cache", ImageSpec(16))
    Image.new("RGB", (33, 44), "red").save(files[2])
    after, _ = load(files, tmp_path / "cache", ImageSpec(16))
    assert (before[2] != after[2]).any()
    assert (before[3] == after[3]).all()


def test_broken_files_are_named_and_never_half_read(files, tmp_path):
    files[1].write_bytes(files[1].read_bytes()[:-200])
    files[2].write_text("not an image at all")
    files[3].unlink()
    for spec in (ImageSpec(16), ImageSpec()):
        pixels, unreadable = load(files, tmp_path / "cache", spec)
        _, found = load(files, tmp_path / "cache", spec)
        assert sorted(unreadable) == [1, 2, 3]
        assert found == unreadable
        assert "truncated" in unreadable[1].reason.lower()
        assert [unreadable[i].reason for i in (2, 3)] == ["not an image", "no such file"]
        assert [unreadable[i].name for i in (1, 2, 3)] == ["1.jpg", "2.jpg", "3.jpg"]
        assert not pixels[1:4].any()
        assert pixels[4].any()


def test_unreadable_images_stand_in_order_whichever_thread_is_first(tmp_path, monkeypatch):
    def slow_at_first(source, spec):
        time.sleep(0.2 if source == b"0" else 0)
        raise OSError(source.decode())

    monkeypatch.setattr(images, "decode", slow_at_first)
    monkeypatch.setattr(images.os, "cpu_count", lambda: 2)
    names = ["0", "1", "2"]
    sources = [n.encode() for n in names]
    _, unreadable = load_images(names, sources, ImageSpec(8, "grey"), "key", tmp_path)
    assert [u.name for u in unreadable.values()] == names


def test_channels_are_settled_for_the_whole_set(files, tmp_path):
    for file in files[:5]:
        Image.fromarray(GRADIENT).resize((40, 30)).save(file)
    assert load(files, tmp_path / "cache", ImageSpec())[0].shape == (6, 30, 40, 3)
    assert load(files[:5], tmp_path / "cache", ImageSpec())[0].shape == (5, 30, 40, 1)


def test_unequal_sizes_ask_for_one(files, tmp_path):
    Image.fromarray(COLOUR).save(files[2])
    with pytest.raises(LinnaeusError, match=r"2 different sizes: 40 × 30 \(0.jpg\), 8 × 8 \(2.jpg\)") as e:
        load(files, tmp_path / "cache", ImageSpec())
    assert e.value.diagnostics[0].code == "E211"
    assert "size: 64" in e.value.diagnostics[0].help


def test_large_photographs_are_averaged_not_sampled(tmp_path):
    board = (np.indices((600, 600)).sum(0) // 2 % 2 * 255).astype(np.uint8)
    Image.fromarray(board).save(tmp_path / "a.jpg", quality=95)
    small = decode(tmp_path / "a.jpg", ImageSpec(16))
    assert small.shape == (16, 16, 1)
    assert np.abs(small.astype(int) - 127).max() <= 12
