"""A builder made here, prepared without TensorFlow, and read back."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import ImageSpec
from linnaeus.plugins.datasets.tfds import TFDS

if sys.platform != "linux":
    pytest.skip("array_record is for Linux", allow_module_level=True)

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what its imports warn of is not ours
    import tensorflow_datasets as tfds


class TinyShapes(tfds.core.GeneratorBasedBuilder):
    """Twenty squares: classes, a nested Boolean, a sequence of classes, boxes with classes, a number, a text."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        f = tfds.features
        return self.dataset_info_from_configs(
            features=f.FeaturesDict(
                {
                    "image": f.Image(shape=(6, 6, 3)),
                    "mask": f.Image(shape=(6, 6, 1)),
                    "label": f.ClassLabel(names=["round", "Square___blue"]),
                    "attributes": {"Shiny": np.bool_, "size": np.int64},
                    "tags": f.Sequence(f.ClassLabel(names=["a", "b", "c"])),
                    "objects": f.Sequence({"bbox": f.BBoxFeature(), "label": f.ClassLabel(names=["x", "y"])}),
                    "weight": np.float32,
                    "file": f.Text(),
                    "embedding": f.Tensor(shape=(3,), dtype=np.float32),
                }
            ),
        )

    def _split_generators(self, dl_manager):
        return {
            "train": self._generate_examples(0, 12),
            "val": self._generate_examples(12, 15),
            "extra": self._generate_examples(15, 17),
            "test": self._generate_examples(17, 20),
        }

    def _generate_examples(self, start, stop):
        box = tfds.features.BBox(0.0, 0.0, 1.0, 1.0)
        for i in range(start, stop):
            yield i, {
                "image": Image.new("RGB", (6, 6), (i, i, i)),
                "mask": Image.new("L", (6, 6)),
                "label": i % 2,
                "attributes": {"Shiny": i % 3 == 0, "size": i},
                "tags": ["a", "b", "c"][: i % 4],
                "objects": [{"bbox": box, "label": "xy"[k % 2]} for k in range(i % 3)],
                "weight": i / 2,
                "file": f"é{i}.png",
                "embedding": np.zeros(3, np.float32),
            }  # fmt: skip


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tfds")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tfds.disable_progress_bar()
        TinyShapes(data_dir=folder, file_format="array_record").download_and_prepare()
    return folder


def load(folder, spec=None, **options):
    return TFDS("tiny_shapes", data_dir=str(folder), **options).load(spec or ImageSpec(), folder, folder / "cache")


def test_features_become_columns(prepared):
    records = load(prepared)
    assert records.images.shape == (18, 6, 6, 3)
    first = {k: c[records.columns["attributes/size"].index(7)] for k, c in records.columns.items()}
    assert first == {
        "label": "Square___blue", "label/number": 1, "attributes/Shiny": False, "attributes/size": 7,
        "tags": ("a", "b", "c"), "objects/label": ("x",), "weight": 3.5, "file": "é7.png",
    }  # fmt: skip
    assert [s for s in ("train", "validation", "test") for _ in range(records.splits.count(s))] == records.splits
    assert (records.splits.count("validation"), records.splits.count("test")) == (3, 3)
    assert records.names[:2] == ["train/000000", "train/000001"]
    assert "extra" in records.notes[0]
    for row, size in enumerate(records.columns["attributes/size"]):
        assert (records.images[row] == size).all()
    assert "tensorflow" not in sys.modules


def test_columns_whose_writing_was_cut_short_are_read_anew(prepared, monkeypatch):
    before = load(prepared)
    for file in (prepared / "cache").glob("*.columns.json"):
        file.unlink()

    def killed(path, text, **options):
        path.write_bytes(text.encode()[: len(text) // 2])
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", killed)
        with pytest.raises(KeyboardInterrupt):
            load(prepared)
    assert load(prepared).columns == before.columns


def test_the_cache_gives_the_same_and_reads_nothing(prepared, monkeypatch):
    first = load(prepared)
    with monkeypatch.context() as patch:
        patch.setattr("linnaeus.plugins.datasets.tfds._Encoded._read", None)
        again = load(prepared)
    assert (again.images == first.images).all()
    assert again.columns == first.columns
    for file in (prepared / "cache").glob("*.columns.json"):
        file.unlink()
    assert load(prepared).columns == first.columns


def test_a_folder_that_does_not_hold_it_starts_no_download(tmp_path):
    with pytest.raises(LinnaeusError, match="tiny_shapes is not prepared in") as caught:
        load(tmp_path / "elsewhere")
    assert caught.value.diagnostics[0].code == "E201"
    assert not (tmp_path / "elsewhere").exists()


def test_size_channels_and_another_image(prepared):
    assert load(prepared, ImageSpec(4, "grey")).images.shape == (18, 4, 4, 1)
    assert not load(prepared, image_key="mask").images.any()


@pytest.mark.parametrize(
    ("dataset", "code", "law"),
    [
        (TFDS("tiny_shapes", image_key="imag"), "E202", "no image 'imag'"),
        (TFDS("fashion_mnits"), "E204", "no builder 'fashion_mnits'"),
    ],
)
def test_what_it_cannot_find_is_told_with_the_nearest(prepared, dataset, code, law):
    with pytest.raises(LinnaeusError, match=law) as e:
        TFDS(dataset.builder, str(prepared), dataset.image_key).load(ImageSpec(), prepared, prepared / "cache")
    assert e.value.diagnostics[0].code == code
    assert {"E202": "'image'", "E204": "'fashion_mnist'"}[code] in e.value.diagnostics[0].help


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """TFDS's own folder, empty."""
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    return tmp_path


def prepare(folder):
    return TFDS("tiny_shapes").load(ImageSpec(), folder, folder / "cache")


def test_a_builder_is_prepared_in_the_own_folder_of_tfds(own_folder):
    assert len(prepare(own_folder).images) == 18
    assert (own_folder / "tiny_shapes").is_dir()


def test_a_builder_that_needs_tensorflow_says_so(own_folder, monkeypatch):
    def needs(self, start, stop):
        raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")
        yield

    monkeypatch.setattr(TinyShapes, "_generate_examples", needs)
    with pytest.raises(LinnaeusError, match="needs tensorflow to be prepared") as e:
        prepare(own_folder)
    assert e.value.diagnostics[0].code == "E205"
    assert "linnaeus[tfds]" in e.value.diagnostics[0].help


def test_a_builder_that_fails_says_why(own_folder, monkeypatch):
    def fails(self, dl_manager):
        raise ValueError("no network\nhere")

    monkeypatch.setattr(TinyShapes, "_split_generators", fails)
    with pytest.raises(LinnaeusError, match=r"can't be prepared: .*no network here") as e:
        prepare(own_folder)
    assert e.value.diagnostics[0].code == "E204"
