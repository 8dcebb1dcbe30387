"""Broken files of data sets and vocabularies are mistakes with their places, never tracebacks."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path

import pytest

from linnaeus.dsl.convert.conversion import read_as_text
from linnaeus.dsl.convert.formats import FORMATS
from linnaeus.dsl.load import check_text
from linnaeus.errors import LinnaeusError

CASES = Path(__file__).with_name("convert_cases")

MISTAKES = [
    ("coco", "{}", "E162", "'categories' is missing"),
    ("coco", '{"categories": []}', "E162", "no categories"),
    ("coco", '{"categories": [{"id": 1}]}', "E162", "/categories/0"),
    ("coco", '[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]', "E162", "stands twice"),
    ("coco", '[{"id": 1, "name": "a"}, {"id": 2, "name": "a"}]', "E162", "a second category 'a'"),
    ("coco", '[{"id": "x", "name": "a"}]', "E162", "/0/id"),
    ("coco", '[{"name": "a", "supercategory": "b"}, {"name": "b", "supercategory": "a"}]', "E165", "a < b < a"),
    ("coco", "[1", "E160", "line 1"),
    ("open-images", '{"LabelName": "a"}', "E162", "no class under the root"),
    ("open-images", '{"LabelName": "a", "Subcategory": [{}]}', "E162", "/Subcategory/0"),
    ("open-images", '{"LabelName": "a", "Subcategory": {"LabelName": "b"}}', "E162", "/Subcategory"),
    ("open-images", '{"LabelName": "r", "Subcategory": [{"LabelName": "a", "Subcategory": [{"LabelName": "b",'
     '"Subcategory": [{"LabelName": "a"}]}]}]}', "E165", "a < b < a"),
    ("open-images", '{"LabelName": "r", "Subcategory": [{"LabelName": "r"}]}', "E16", "r"),
    ("csv", "", "E162", "empty"),
    ("csv", "a,a\nx,y\n", "E162", "column 2"),
    ("csv", "a,\nx,y\n", "E162", "column 2"),
    ("csv", 'a,"b\nx,y\n', "E1", "CSV"),
    ("csv", "a,b\n,y\n", "E130", "empty cell"),
    ("csv", ",".join(f"c{i}" for i in range(2000)) + "\n" + "x," * 1999 + "x\n", "E168", "2000 columns"),
    ("tfds", "{}", "E162", "'pythonClassName' is missing"),
    ("tfds", '{"pythonClassName": "a.Text", "text": {}}', "E162", "no feature is a class label"),
    ("tfds", '{"pythonClassName": "C", "classLabel": {"numClasses": "-3"}}', "E162", "numClasses"),
    ("tfds", '{"pythonClassName": "C", "classLabel": {"numClasses": "99999999999"}}', "E162", "numClasses"),
    ("tfds", '{"pythonClassName": "D", "featuresDict": {"features": {"a": 1}}}', "E162", "/featuresDict/features/a"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "code", "said"), MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes(name: str, text: str, code: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LinnaeusError) as error:
        read_as_text(path, FORMATS[name], "x.onto")
    assert error.value.diagnostics[0].code.startswith(code)
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["coco", "open-images", "csv", "skos", "tfds", "folders"])
def test_missing_files(name: str, tmp_path: Path) -> None:
    with pytest.raises(LinnaeusError, match="E001"):
        read_as_text(tmp_path / "none", FORMATS[name], "x.onto")


def test_folders_without_classes(tmp_path: Path) -> None:
    with pytest.raises(LinnaeusError, match="E162"):
        read_as_text(tmp_path, FORMATS["folders"], "x.onto")
    with pytest.raises(LinnaeusError, match="E001"):
        read_as_text(tmp_path, FORMATS["tfds"], "x.onto")


def test_descriptions_and_names_of_classes(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text('{"LabelName": "r", "Subcategory": [{"LabelName": "a"}]}')
    (tmp_path / "class-descriptions.csv").write_text("a,A\nb\n")
    with pytest.raises(LinnaeusError, match=r"class-descriptions\.csv, line 2"):
        read_as_text(tmp_path / "h.json", FORMATS["open-images"], "x.onto")
    label = '{"pythonClassName": "C", "classLabel": {"numClasses": "3"}}'
    (tmp_path / "features.json").write_text(
        f'{{"pythonClassName": "D", "featuresDict": {{"features": {{"l": {label}}}}}}}'
    )
    for names, said in (("a\na\nb\n", r"l\.labels\.txt, line 2"), ("a\nb\n", "has 2 names")):
        (tmp_path / "l.labels.txt").write_text(names)
        with pytest.raises(LinnaeusError, match=said):
            read_as_text(tmp_path, FORMATS["tfds"], "x.onto")


NOTHING = {"coco": "binary b", "open-images": "binary b", "skos": "binary b", "csv": "multilabel m { a }",
           "folders": "ordinal o { a < b }", "tfds": "hierarchy h { a }"}  # fmt: skip


@pytest.mark.parametrize("name", NOTHING)
def test_ontologies_of_which_nothing_can_be_said(name: str) -> None:
    ontology = check_text(f"ontology x\n{NOTHING[name]}", "x.onto").require()
    with pytest.raises(LinnaeusError, match="E167"):
        FORMATS[name].converter().write(ontology)


FILES = {"street.coco.json": "coco", "toys.open-images.json": "open-images", "taxa.csv": "csv", "fruit.ttl": "skos",
         "hawthorn.ttl": "skos", "leaves.tfds/features.json": "tfds"}  # fmt: skip


@pytest.mark.parametrize("file", FILES)
def test_damaged_files_show_no_traceback(file: str, tmp_path: Path) -> None:
    rng = random.Random(file)
    data = (CASES / file).read_bytes()
    for _ in range(120):
        damaged = bytearray(data)
        for _ in range(rng.randint(1, 6)):
            at, end = sorted((rng.randrange(len(damaged)), rng.randrange(len(damaged))))
            if rng.random() < 0.4:
                del damaged[at : min(end, at + 40)]
            elif rng.random() < 0.5:
                damaged[at:at] = damaged[at:end][:60]
            else:
                damaged[at] = rng.choice(b'"{}[]<>\\,;:@\n\x00\xff.0a')
            damaged = damaged or bytearray(b"x")
        path = tmp_path / Path(file).name
        path.write_bytes(damaged)
        began = time.monotonic()
        with contextlib.suppress(LinnaeusError):
            read_as_text(path, FORMATS[FILES[file]], "x.onto")
        assert time.monotonic() - began < 2
