"""From a study's data part to prepared data: a manifest like the grocery set's, made here."""

from __future__ import annotations

import csv
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from linnaeus.dsl.evidence import YES, decided_labels
from linnaeus.errors import LinnaeusError
from linnaeus.search.data import PreparedData, load_search, load_test, prepare
from linnaeus.search.data_checks import legal_records
from linnaeus.search.study_file import parse_study

ONTOLOGY = """
ontology shop
hierarchy product { Fruit { Apple { Gala, Pink-Lady "Pink Lady" }, Banana { Banana } }, Packages { Juice { Bravo } } }
binary bag
"""
ROWS = [
    ("Fruit", "Apple", "Gala"),
    ("Fruit", "Apple", "Pink Lady"),
    ("Fruit", "Banana", "Banana"),
    ("Packages", "Juice", "Bravo"),
]
HEAD = ("path", "split", "super", "coarse", "fine", "bag", "shelf")


def write_image(file, seed, size=(9, 7)):
    file.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(file)


@pytest.fixture
def shop(tmp_path):
    """40 images: 24 train, 8 validation, 8 test, in four products."""
    rows = []
    for i in range(40):
        split = "train" if i < 24 else "val" if i < 32 else "test"
        path = f"images/{split}/{i:03d}.png"
        write_image(tmp_path / path, i)
        rows.append([path, split, *ROWS[i % 4], "yes" if i % 3 else "no", f"s{i % 5}"])
    return Shop(tmp_path, rows)


class Shop:
    def __init__(self, folder, rows):
        self.folder, self.rows = folder, rows

    def prepare(
        self, *sets, data="bind: {product: {path: [super, coarse, fine]}}", split="{from: split}", ontology=ONTOLOGY
    ):
        (self.folder / "shop.onto").write_text(ontology)
        with (self.folder / "shop.csv").open("w", newline="") as file:
            csv.writer(file).writerows([HEAD, *self.rows])
        text = f"""
ontology: shop.onto
data:
  source: csv
  path: shop.csv
  image: {{size: 8}}
  {data}
  split: {split}
search: {{space: {{backbone: {{linear: {{}}}}, head: {{flat: {{}}}}}}}}
"""
        return prepare(parse_study(text, self.folder / "study.yaml", sets), self.folder / "cache")


def failure(call, *args, **kwargs):
    with pytest.raises(LinnaeusError) as e:
        call(*args, **kwargs)
    return e.value.diagnostics[0]


def test_a_manifest_becomes_evidence_and_splits(shop):
    data = shop.prepare()
    assert data.images.shape == (40, 8, 8, 3)
    assert data.split.tolist() == [0] * 24 + [1] * 8 + [2] * 8
    assert data.describe(1) == {"product": "Pink Lady", "bag": "yes"}
    report = data.report
    assert report["counts"] == {"total": 40, "train": 24, "validation": 8, "test": 8}
    assert report["bound"] == {"product": "super > coarse > fine", "bag": "bag"}
    assert report["classes"]["product"]["product.Fruit"] == {"train": 18, "validation": 6, "test": 6}
    assert list(report["classes"]["bag"].values()) == [{"train": 16, "validation": 5, "test": 5}]
    assert report["dropped"] == report["unreadable"] == []
    json.dumps(report, allow_nan=False)


def test_counts_agree_with_the_evidence_record_by_record(shop):
    shop.rows[0][4] = ""  # a coarse label
    shop.rows[1][5] = "?"
    data = shop.prepare()
    decided = decided_labels(data.tables, data.evidence.possible())
    for group in data.tables.ontology.groups:
        for i in group.labels:
            path = data.tables.ontology.labels[i].path
            for code, split in enumerate(("train", "validation", "test")):
                count = int((decided[data.split == code, i] == YES).sum())
                assert data.report["classes"][group.path][path][split] == count
    assert legal_records(data.evidence).all()


def test_saved_parts_come_back_as_they_were(shop, tmp_path):
    data = shop.prepare(data="bind: {product: fine}", split="{test: .25, validation: .2, group: shelf}")
    data.save(tmp_path / "prepared")
    data.save(tmp_path / "prepared")  # again, over itself
    train, validation = load_search(tmp_path / "prepared", data.tables)
    test = load_test(tmp_path / "prepared", data.tables)
    assert sorted(p.name for p in (tmp_path / "prepared").iterdir()) == ["report.json", "search", "test"]
    for name, part in (("train", train), ("validation", validation), ("test", test)):
        whole = data.part(name)
        assert len(part) == len(whole) == data.report["counts"][name] > 0
        assert part.names == whole.names
        assert (part.images == whole.images).all()
        assert isinstance(part.images, np.memmap)
        assert (part.evidence.possible() == whole.evidence.possible()).all()
        assert (part.clusters == whole.clusters).all()
        assert not set(part.clusters.tolist()) & {
            c for o in (train, validation, test) if o is not part for c in o.clusters
        }
    searched = b"".join(p.read_bytes() for p in (tmp_path / "prepared" / "search").iterdir())
    assert test.images[0].tobytes() not in searched


def test_studies_that_start_at_once_keep_their_data_once(shop, tmp_path, monkeypatch):
    data, saved = shop.prepare(), []

    def slow(self, folder):
        saved.append(folder)
        time.sleep(0.2)
        save(self, folder)

    save = PreparedData.save
    monkeypatch.setattr(PreparedData, "save", slow)
    with ThreadPoolExecutor(3) as pool:
        for _ in pool.map(data.keep, [tmp_path / "prepared"] * 3):
            pass
    assert len(saved) == 1
    assert len(load_test(tmp_path / "prepared", data.tables)) == data.report["counts"]["test"]


def test_prepared_data_of_another_ontology_is_refused(shop, tmp_path):
    data = shop.prepare()
    assert failure(load_test, tmp_path / "prepared", data.tables).code == "E240"
    data.save(tmp_path / "prepared")
    other = shop.prepare(ontology=ONTOLOGY + "binary more\n")
    assert failure(load_search, tmp_path / "prepared", other.tables).code == "E240"


def test_hashes_follow_content_and_not_order(shop):
    first = shop.prepare().report["hashes"]
    shop.rows = shop.rows[::-1]
    assert shop.prepare().report["hashes"] == first
    shop.rows[-1][2:5] = ROWS[1]  # one training label
    relabelled = shop.prepare().report["hashes"]
    assert relabelled["split"] != first["split"]
    assert (relabelled["content"], relabelled["test"]) == (first["content"], first["test"])
    write_image(shop.folder / shop.rows[0][0], 99)  # one test image
    changed = shop.prepare().report["hashes"]
    assert changed["content"] != first["content"]
    assert changed["test"] != first["test"]


def test_fractions_do_not_depend_on_the_order_of_the_manifest(shop):
    spec = "{test: .25, validation: .2, stratify: [product]}"
    before = shop.prepare(split=spec)
    shop.rows = shop.rows[::-1]
    after = shop.prepare(split=spec)
    assert dict(zip(before.names, before.split.tolist(), strict=True)) == dict(
        zip(after.names, after.split.tolist(), strict=True)
    )
    assert before.report["hashes"] == after.report["hashes"]
    assert (before.split == 2).sum() == 10


def test_copies_of_test_images_leave_training(shop):
    (shop.folder / shop.rows[0][0]).write_bytes((shop.folder / shop.rows[39][0]).read_bytes())
    data = shop.prepare()
    assert data.report["dropped"] == [{"reason": "a copy of a test image", "count": 1, "names": [shop.rows[0][0]]}]
    assert len(data) == 39
    assert shop.rows[0][0] not in data.names
    assert len(shop.prepare("data.split.duplicates=keep")) == 40


def test_an_image_that_cannot_be_read_is_named_or_dropped(shop):
    file = shop.folder / shop.rows[3][0]
    file.write_bytes(file.read_bytes()[:60])
    (shop.folder / shop.rows[4][0]).unlink()
    found = failure(shop.prepare)
    assert found.code == "E210"
    assert "2 of 40 images can't be read" in found.message
    assert f"{shop.rows[4][0]}: no such file" in found.message
    assert shop.rows[3][0] in found.message
    data = shop.prepare("data.bad.unreadable=drop")
    assert len(data) == 38
    assert [u["name"] for u in data.report["unreadable"]] == [shop.rows[3][0], shop.rows[4][0]]
    assert {d["reason"] for d in data.report["dropped"]} >= {"unreadable: no such file"}


def test_unknown_values_are_named_or_dropped(shop):
    shop.rows[5][4] = "Galla"
    found = failure(shop.prepare)
    assert found.code == "E223"
    assert "'Galla' is no class of product" in found.message
    data = shop.prepare("data.bad.unknown_value=drop")
    assert data.report["dropped"][0]["names"] == [shop.rows[5][0]]


def test_records_that_contradict_the_ontology_are_named_or_dropped(shop):
    shop.rows[6][2] = "Packages"  # a banana among the packages
    found = failure(shop.prepare)
    assert found.code == "E224"
    assert f"1 records contradict the ontology: {shop.rows[6][0]} (product: levels that disagree" in found.message
    assert len(shop.prepare("data.bad.illegal=drop")) == 39


def test_what_a_nested_attribute_says_must_agree(shop):
    ontology = "ontology shop\nmulticlass kind { fruit { binary bag }, juice }\n"
    for i, row in enumerate(shop.rows):
        row[2], row[5] = ("fruit", "yes") if i % 2 else ("juice", "n/a")
    bind = "bind: {kind: super}"
    assert shop.prepare(data=bind, ontology=ontology).describe(0) == {"kind": "juice", "kind.fruit.bag": "n/a"}
    shop.rows[0][5] = "yes"
    found = failure(shop.prepare, data=bind, ontology=ontology)
    assert found.code == "E224"
    assert "kind: juice with kind.fruit.bag: yes can't be, as the groups are nested" in found.message


def test_nothing_to_learn_from_one_class(shop):
    for row in shop.rows:
        row[2:6] = [*ROWS[0], "yes"]
    found = failure(shop.prepare)
    assert found.code == "E233"
    assert "all 24 training images say the same (product: Gala, bag: yes)" in found.message


def test_no_images_at_all(shop):
    shop.rows = []
    assert failure(shop.prepare).code == "E200"


def test_names_that_occur_twice(shop):
    shop.rows.append(shop.rows[0])
    found = failure(shop.prepare)
    assert found.code == "E203"
    assert shop.rows[0][0] in found.message


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_an_empty_split(shop, split):
    shop.rows = [r for r in shop.rows if r[1] != split]
    if split == "val":  # drawn from training, at a share that rounds to nothing
        shop.rows = shop.rows[:2] + shop.rows[-2:]
    found = failure(shop.prepare, "seed=3")
    assert found.code == "E232"
    assert found.message.startswith({"train": "the train ", "val": "the validation ", "test": "the test "}[split])


def test_classes_without_an_example_are_told(shop):
    ontology = ONTOLOGY.replace("hierarchy product {", "hierarchy product open {").replace("Bravo", "Bravo, Rynkeby")
    data = shop.prepare(ontology=ontology)
    assert data.report["notices"] == ["product: no training image of product.Packages.Juice.Rynkeby"]
    assert data.report["warnings"] == [
        "product.other: no training image, so its probability is not identified by the data"
    ]


def test_constant_images_are_counted(shop):
    Image.new("RGB", (8, 8), "white").save(shop.folder / shop.rows[0][0])
    assert "1 images are of one colour all over" in shop.prepare().report["notices"]


def test_vectors_that_are_not_numbers(tmp_path):
    features = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    (tmp_path / "o.onto").write_text("ontology o\nmulticlass y { a, b }\n")
    text = """
ontology: o.onto
data: {source: arrays, path: x.npz, bind: {y: {from: y, values: {0: a, 1: b}}}, split: {test: .3, validation: .2}}
search: {space: {backbone: {linear: {}}, head: {flat: {}}}}
"""
    study = parse_study(text, tmp_path / "study.yaml")
    np.savez(tmp_path / "x.npz", features=features, y=np.arange(30) % 2)
    data = prepare(study, tmp_path / "cache")
    assert (data.images.dtype, data.images.shape) == (np.float32, (30, 4))
    features[7, 2] = np.nan
    np.savez(tmp_path / "x.npz", features=features, y=np.arange(30) % 2)
    found = failure(prepare, study, tmp_path / "cache")
    assert found.code == "E206"
    assert "x/000007" in found.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_cache_without_permission(shop):
    (shop.folder / "cache").mkdir(mode=0o500)
    assert failure(shop.prepare).code == "E212"


def test_a_cache_that_is_a_file(shop):
    (shop.folder / "cache").write_text("")
    found = failure(shop.prepare)
    assert found.code == "E212"
    assert "LINNAEUS_CACHE" in found.help
