"""Data set plugins: what they read, and what they say of what they can't."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from linnaeus.dsl.folders import split_name
from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import ImageSpec
from linnaeus.plugins.datasets.arrays import Arrays
from linnaeus.plugins.datasets.csv import CSV
from linnaeus.plugins.datasets.digits import Digits
from linnaeus.plugins.datasets.folder import Folder

PLAIN = ImageSpec()


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def save(file, pixels):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)
    return file


def failure(dataset, tmp_path, spec=PLAIN):
    with pytest.raises(LinnaeusError) as e:
        dataset.load(spec, tmp_path, tmp_path / "cache")
    return e.value.diagnostics[0]


def test_digits_are_scikit_learns_with_its_half_split(tmp_path):
    from sklearn.datasets import load_digits

    records = Digits().load(PLAIN, tmp_path, tmp_path)
    bunch = load_digits()
    assert records.images.shape == (1797, 8, 8, 1)
    assert np.abs(records.images[..., 0] / 255 - bunch.images / 16).max() < 0.5 / 255 + 1e-9
    assert list(records.columns["target"]) == bunch.target.tolist()
    assert records.splits.count("train") == 898
    assert records.splits[898:] == ["test"] * 899
    assert len(set(records.names)) == 1797
    assert "writer" in records.notes[0]
    larger = Digits().load(ImageSpec(16, "rgb"), tmp_path, tmp_path)
    assert larger.images.shape == (1797, 16, 16, 3)


# --- arrays --------------------------------------------------------------------------------------------


def test_arrays_of_images_and_their_columns(tmp_path):
    images = np.stack([noise(6, 6, i) for i in range(5)])
    np.savez(tmp_path / "d.npz", images=images, y=np.arange(5), name=np.array(list("abcde")), other=np.zeros(3))
    records = Arrays("d.npz").load(PLAIN, tmp_path, tmp_path)
    assert (records.images == images).all()
    assert records.columns == {"y": [0, 1, 2, 3, 4], "name": list("abcde")}
    assert records.names[0] == "d/000000"
    assert "other" in records.notes[0]
    grey = Arrays("d.npz").load(ImageSpec(3, "grey"), tmp_path, tmp_path)
    assert grey.images.shape == (5, 3, 3, 1)


def test_arrays_without_a_channel_axis_of_bits_and_of_features(tmp_path):
    np.savez(tmp_path / "d.npz", pixels=np.eye(4, dtype=bool)[None], y=np.array([1]))
    records = Arrays("d.npz", "pixels").load(PLAIN, tmp_path, tmp_path)
    assert records.images.shape == (1, 4, 4, 1)
    assert records.images.max() == 255
    np.savez(tmp_path / "f.npz", features=np.ones((3, 5)), label=np.array(["a", "b", "c"]))
    records = Arrays("f.npz").load(PLAIN, tmp_path, tmp_path)
    assert (records.images.shape, records.images.dtype) == ((3, 5), np.float32)


@pytest.mark.parametrize(
    ("arrays", "dataset", "law"),
    [
        ({"a": np.zeros((2, 3, 3))}, Arrays("d.npz"), "no array named images"),
        ({"images": np.zeros((2, 3, 3))}, Arrays("d.npz"), "'images' is float64"),
        ({"images": np.full((2, 3, 3), 300)}, Arrays("d.npz"), "'images' is int64"),
        ({"images": np.zeros((2, 3, 3, 7), np.uint8)}, Arrays("d.npz"), "7"),
        ({"images": np.array([None, 1])}, Arrays("d.npz"), "Python objects"),
        ({"images": np.zeros((2, 3, 3))}, Arrays("d.npz", "imgs"), "no array 'imgs'"),
        ({}, Arrays("e.npz"), "no file"),
        (None, Arrays("d.npz"), "not an .npz"),
    ],
)
def test_arrays_that_are_not_images(tmp_path, arrays, dataset, law):
    if arrays is None:
        (tmp_path / "d.npz").write_bytes(b"PK not really")
    else:
        np.savez(tmp_path / "d.npz", **arrays)
    found = failure(dataset, tmp_path)
    assert law in found.message
    assert found.code in ("E201", "E202")


def test_features_have_no_size_and_single_arrays_no_names(tmp_path):
    np.savez(tmp_path / "d.npz", features=np.zeros((2, 3)))
    assert "no size or channels" in failure(Arrays("d.npz"), tmp_path, ImageSpec(8)).message
    np.save(tmp_path / "d.npy", np.zeros(3))
    assert "a single array" in failure(Arrays("d.npy"), tmp_path).message


# --- folders -------------------------------------------------------------------------------------------


def test_nested_folders_are_levels(tmp_path):
    for name in ("Fruit/Apple/Gala/1.png", "Fruit/Kiwi/2.PNG", "Juice/3.png", "4.png"):
        save(tmp_path / "set" / name, noise(4, 4))
    (tmp_path / "set" / "README.txt").write_text("about")
    (tmp_path / "set" / ".hidden.png").write_text("")
    records = Folder("set").load(PLAIN, tmp_path, tmp_path / "cache")
    assert records.names == ["4.png", "Fruit/Apple/Gala/1.png", "Fruit/Kiwi/2.PNG", "Juice/3.png"]
    assert records.columns == {
        "label": [None, "Fruit/Apple/Gala", "Fruit/Kiwi", "Juice"],
        "level1": [None, "Fruit", "Fruit", "Juice"],
        "level2": [None, "Apple", "Kiwi", None],
        "level3": [None, "Gala", None, None],
    }
    assert records.splits is None
    assert records.notes == ("1 files that are not images were skipped",)


def test_top_folders_named_as_splits(tmp_path):
    for name in ("Train/a/1.png", "val/a/2.png", "test/b/3.png"):
        save(tmp_path / name, noise(4, 4))
    records = Folder(".").load(PLAIN, tmp_path, tmp_path / ".cache")
    assert dict(zip(records.names, records.splits, strict=True)) == {
        "Train/a/1.png": "train", "val/a/2.png": "validation", "test/b/3.png": "test",
    }  # fmt: skip
    assert sorted(records.columns["label"]) == ["a", "a", "b"]


def test_folders_that_are_missing_or_hold_no_images(tmp_path):
    assert failure(Folder("nowhere"), tmp_path).code == "E201"
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "a.txt").write_text("")
    found = failure(Folder("set"), tmp_path)
    assert found.code == "E200"
    assert "only 1 other files" in found.message


# --- manifests -----------------------------------------------------------------------------------------


def test_a_manifest_with_its_root_delimiter_and_encoding(tmp_path):
    save(tmp_path / "pictures" / "ä.png", noise(4, 4))
    text = 'file\tlabel\tfile2\nä.png\t"a\tb"\tx\n\n'
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "m.tsv").write_bytes(text.encode("latin-1"))
    dataset = CSV("lists/m.tsv", root="pictures", encoding="latin-1")
    records = dataset.load(PLAIN, tmp_path, tmp_path / "cache")
    assert records.columns == {"file": ["ä.png"], "label": ["a\tb"], "file2": ["x"]}
    assert not records.unreadable
    assert failure(CSV("lists/m.tsv"), tmp_path).code == "E202"


@pytest.mark.parametrize(
    ("text", "options", "code", "law"),
    [
        (None, {}, "E201", "no manifest"),
        ("", {}, "E202", "no header"),
        ("path,label\n", {}, "E200", "lists no images"),
        ("picture,label\na.png,x\n", {}, "E202", "no column 'image' or 'path'"),
        ("path,label\na.png,x\n", {"image_column": "pth"}, "E202", "no column 'pth'"),
        ("path,label,label\na.png,x,y\n", {}, "E202", "two columns are named 'label'"),
        ("path,label\na.png,x,y\n", {}, "E202", "3 cells where the header has 2"),
        ('path,label\n"a.png,x\n', {}, "E202", "line 2"),
        ("path,label\na.png,x\n", {"encoding": "utf-99"}, "E202", "utf-99"),
        ("path,label\na.png,x\n", {"delimiter": "::"}, "E202", "delimiter"),
    ],
)
def test_manifests_that_are_malformed(tmp_path, text, options, code, law):
    if text is not None:
        (tmp_path / "m.csv").write_text(text)
    found = failure(CSV("m.csv", **options), tmp_path)
    assert found.code == code
    assert law in found.message + (found.where or "")


def test_a_line_without_a_file_is_unreadable_by_name(tmp_path):
    (tmp_path / "m.csv").write_text("path,label\n,x\nb.png,y\n")
    save(tmp_path / "b.png", noise(4, 4))
    records = CSV("m.csv").load(ImageSpec(4), tmp_path, tmp_path / "cache")
    assert {i: u.reason for i, u in records.unreadable.items()} == {0: "no such file"}


def test_the_names_of_splits():
    assert [split_name(t) for t in ("Train", " val", "valid", "dev", "TEST", "extra")] == [
        "train", "validation", "validation", "validation", "test", None,
    ]  # fmt: skip


# --- annotations alone ---------------------------------------------------------------------------------


def every_kind(tmp_path):
    np.savez(tmp_path / "d.npz", images=np.zeros((3, 4, 4), np.uint8), y=np.arange(3), odd=np.zeros(2))
    for name in ("train/a/1.png", "train/b/2.png", "test/a/3.png"):
        save(tmp_path / "tree" / name, noise(4, 4))
    (tmp_path / "m.csv").write_text("path,kind\ntree/train/a/1.png,a\ntree/train/b/2.png,b\n")
    return Arrays("d.npz"), Folder("tree"), CSV("m.csv"), Digits()


def test_annotations_are_what_loading_says_but_for_the_pixels(tmp_path):
    for dataset in every_kind(tmp_path):
        said = dataset.annotations(PLAIN, tmp_path, tmp_path / "cache")
        records = dataset.load(PLAIN, tmp_path, tmp_path / "cache")
        assert list(said.names) == list(records.names)
        assert said.columns == records.columns
        assert (said.splits, said.notes) == (records.splits, records.notes)
        assert len(said.sources) == len(records.names)


def test_annotations_of_files_open_no_image(tmp_path):
    (tmp_path / "m.csv").write_text("path,kind\nmissing.png,a\n")
    said = CSV("m.csv").annotations(PLAIN, tmp_path, tmp_path / "cache")
    assert said.columns["kind"] == ["a"]
    assert list(said.sources) == [tmp_path / "missing.png"]
    assert not (tmp_path / "cache").exists()
