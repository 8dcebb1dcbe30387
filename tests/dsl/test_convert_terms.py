"""Formats of data sets and vocabularies: what both sides can say survives, what one can't say is listed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from linnaeus.dsl.convert import coco, terms
from linnaeus.dsl.convert.conversion import read_as_text
from linnaeus.dsl.convert.formats import FORMATS, Loss, Written, guess_source
from linnaeus.dsl.draft import Draft, DraftClass, DraftGroup
from linnaeus.dsl.load import check_text
from linnaeus.dsl.ontology import Kind, Ontology
from linnaeus.errors import LinnaeusError

MINE = ("coco", "open-images", "skos", "skos-xml", "csv", "folders", "tfds")
CASES = Path(__file__).with_name("convert_cases")
SUFFIX = {
    "coco": "x.json",
    "skos": "x.ttl",
    "skos-xml": "x.rdf",
    "csv": "x.csv",
    "open-images": "x",
    "folders": "x",
    "tfds": "x",
}
ENTRY = {"open-images": "hierarchy.json"}


def save(written: Written, name: str, folder: Path) -> Path:
    """The file or folder that another program would be given."""
    place = folder / SUFFIX[name]
    if isinstance(written.text, str):
        place.write_text(written.text, encoding="utf-8")
        return place
    for part, text in written.text.items():
        file = place / part
        (file if part.endswith("/") else file.parent).mkdir(parents=True, exist_ok=True)
        if not part.endswith("/"):
            file.write_text(text, encoding="utf-8")
    return place / ENTRY.get(name, "")


def load(name: str, path: Path) -> tuple[Ontology, list[Loss]]:
    text, losses = read_as_text(path, FORMATS[name], "x.onto")
    return check_text(text, "x.onto").require(), losses


def ontology_of(text: str) -> Ontology:
    return check_text(f"ontology x\n{text}", "x.onto").require()


def whats(losses: list[Loss]) -> set[str]:
    return {loss.what for loss in losses}


# --- round trips ----------------------------------------------------------------------------------------


def test_coco_comes_back(tmp_path: Path) -> None:
    ontology, losses = load("coco", CASES / "street.coco.json")
    assert [(loss.where, loss.what) for loss in losses] == [
        ("/categories/0/keypoints", "`keypoints` of a category"),
        ("/categories/2/color", "`color` of a category"),
    ]
    written = FORMATS["coco"].converter().write(ontology)
    assert written.losses == []
    theirs = json.loads((CASES / "street.coco.json").read_text())
    kept = [{k: c[k] for k in ("id", "name", "supercategory")} for c in theirs["categories"]]
    ours = json.loads(str(written.text))
    assert sorted(ours["categories"], key=lambda c: c["id"]) == kept
    assert ours["info"] == {"description": "Street scenes", "version": "1.0"}


def test_coco_of_roboflow_has_one_tree(tmp_path: Path) -> None:
    categories = [
        {"id": 0, "name": "fruits", "supercategory": "none"},
        {"id": 1, "name": "apple", "supercategory": "fruits"},
        {"id": 2, "name": "fuji", "supercategory": "apple"},
    ]
    path = tmp_path / "x.json"
    path.write_text(json.dumps(categories))
    ontology, _ = load("coco", path)
    assert [label.path for label in ontology.labels][-1] == "categories.fruits.apple.fuji"
    ours = json.loads(str(coco.write(ontology).text))["categories"]
    assert ours == [{**categories[0], "supercategory": "fruits"}, *categories[1:]]


def test_large_coco_file_is_not_loaded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.loads((CASES / "street.coco.json").read_text())
    trap = {"categories": [1, "]", '\\"categories\\": ['], "x": "categories"}
    path = tmp_path / "street.coco.json"
    path.write_text(json.dumps({"note": "categories", "annotations": [trap] * 50, **document, "z": trap}, indent=1))
    whole, _ = load("coco", path)
    monkeypatch.setattr(coco, "WHOLE", 100)
    monkeypatch.setattr(coco, "read_json", None)  # it must not be called
    assert load("coco", path)[0] == whole
    assert coco.recognises(path)
    path.write_text(path.read_text()[:-30])
    with pytest.raises(LinnaeusError, match="E160"):
        load("coco", path)


def edges(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for child in node.get("Subcategory", []):
        yield node["LabelName"], child["LabelName"]
        yield from edges(child)


def test_open_images_comes_back(tmp_path: Path) -> None:
    path = CASES / "toys.open-images.json"
    ontology, losses = load("open-images", path)
    assert [(loss.where, loss.what) for loss in losses] == [
        ("/Subcategory/1/Subcategory/0/Part/0", "`Part`: that a class is a part of another")
    ]
    boat = next(label for label in ontology.labels if label.id == "model_boat")
    assert [ontology.labels[p].id for p in boat.parents] == ["toy", "boat"]
    written = FORMATS["open-images"].converter().write(ontology)
    assert written.losses == []
    assert isinstance(written.text, dict)
    ours = json.loads(written.text["hierarchy.json"])
    assert set(edges(ours)) == {*edges(json.loads(path.read_text())), ("/m/0bl9f", "/m/wheel")}
    names = (CASES / "toys.class-descriptions.csv").read_text().splitlines()
    assert sorted(written.text["class-descriptions.csv"].splitlines()) == sorted(names)


def test_open_images_that_would_not_end_is_refused() -> None:
    rungs = "\n".join(f"a{i} is a{i - 1} and b{i - 1}; b{i} is a{i - 1} and b{i - 1}" for i in range(1, 20))
    ladder = ontology_of(f"multilabel g {{ a0; b0\n{rungs} }}")
    with pytest.raises(LinnaeusError, match="E168"):
        FORMATS["open-images"].converter().write(ladder)


def test_csv_comes_back() -> None:
    ontology, losses = load("csv", CASES / "taxa.csv")
    assert losses == []
    written = FORMATS["csv"].converter().write(ontology)
    assert written.losses == []
    rows = (CASES / "taxa.csv").read_text().replace("Primates,Primates,Homo sapiens", "Primates,Homo sapiens,")
    assert written.text == rows
    by_reference = 'ontology taxa\nhierarchy taxa from "taxa.csv" levels order, family, species'
    assert check_text(by_reference, str(CASES / "x.onto")).require() == ontology


def test_folders_come_back(tmp_path: Path) -> None:
    for name in ("train/cat/siam", "train/dog", "test/cat", "test/bird", "train/notes", "train/.git", "train/__MACOSX"):
        (tmp_path / "images" / name).mkdir(parents=True)
    for name in ("train/cat/siam/a.jpg", "train/cat/b.PNG", "train/notes/readme.txt", "train/cat/.DS_Store"):
        (tmp_path / "images" / name).touch()
    (tmp_path / "images/train/dog/all").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "images/train/dog/cats").symlink_to("../cat", target_is_directory=True)
    (tmp_path / "more/wolf").mkdir(parents=True)
    (tmp_path / "more/wolf/back").symlink_to(tmp_path / "more", target_is_directory=True)
    (tmp_path / "images/train/dog/wild").symlink_to(tmp_path / "more", target_is_directory=True)
    assert guess_source(tmp_path / "images").name == "folders"
    ontology, losses = load("folders", tmp_path / "images")
    paths = {label.path.removeprefix("label.") for label in ontology.labels}
    assert paths == {"bird", "cat", "cat.siam", "dog", "dog.wild", "dog.wild.wolf"}
    link = "a link to a folder that is in the tree anyway, or around it"
    assert {(loss.where, loss.what) for loss in losses} == {
        ("train/.git", "a hidden folder"),
        ("train/__MACOSX", "a hidden folder"),
        ("notes", "a folder with files but no images"),
        ("train/dog/all", link),
        ("train/dog/cats", link),
        ("train/dog/wild/wolf/back", link),
        ("cat", "that its own images have coarse labels: each is of a class in it"),
    }
    written = FORMATS["folders"].converter().write(ontology)
    assert written.losses == []
    assert set(written.text) == {"bird/", "cat/", "cat/siam/", "dog/", "dog/wild/", "dog/wild/wolf/"}


def test_tfds_comes_back(tmp_path: Path) -> None:
    assert guess_source(CASES / "leaves.tfds").name == "tfds"
    text, losses = read_as_text(CASES / "leaves.tfds", FORMATS["tfds"], "x.onto")
    ontology = check_text(text, "x.onto").require()
    assert (ontology.name, ontology.version) == ("leaves_small", "2.0.1")
    assert "coarse_label may be the upper level" in text
    assert "names of label seem to say two things" in text
    assert {g.path: (g.kind, g.aka, len(g.labels)) for g in ontology.groups} == {
        "attributes_smiling": (Kind.BINARY, ("attributes/Smiling",), 1),
        "attributes_young": (Kind.BINARY, ("attributes/Young",), 1),
        "coarse_label": (Kind.MULTICLASS, (), 2),
        "digit": (Kind.MULTICLASS, (), 3),
        "label": (Kind.MULTICLASS, (), 3),
        "objects_label": (Kind.MULTILABEL, ("objects/label",), 2),
        "wet": (Kind.BINARY, (), 1),
    }
    assert [ontology.labels[i].name for i in ontology.groups[4].labels] == [
        "Apple___scab",
        "Apple___healthy",
        "T-shirt/top",
    ]
    assert {loss.where: loss.what for loss in losses} == {
        "flags": "a feature that is no label (Tensor)",
        "image": "a feature that is no label (Image)",
        "objects/bbox": "a feature that is no label (BBoxFeature)",
        "one": "a feature of one class",
        "open": "a feature that does not say its classes",
    }
    written = FORMATS["tfds"].converter().write(replace(ontology, version=None))
    assert written.losses == []
    again, losses = load("tfds", save(written, "tfds", tmp_path))
    assert losses == []
    assert [(g.kind, g.path, g.aka) for g in again.groups] == [(g.kind, g.path, g.aka) for g in ontology.groups]
    assert again.labels == ontology.labels


def test_tfds_reads_what_is_written(tmp_path: Path) -> None:
    tfds = pytest.importorskip("tensorflow_datasets")
    ontology, _ = load("tfds", CASES / "leaves.tfds")
    folder = save(FORMATS["tfds"].converter().write(ontology), "tfds", tmp_path)
    features = tfds.features.FeaturesDict.from_config(str(folder))
    assert features["label"].names == ["Apple___scab", "Apple___healthy", "T-shirt/top"]
    assert features["objects"]["label"].feature.names == ["leaf", "0"]
    assert str(features["attributes"]["Smiling"].np_dtype) == "bool"


# --- the law: where nothing is lost, nothing is ---------------------------------------------------------

NAMES = st.sampled_from(
    ["apple", "Apple", "Black rot", "T-shirt/top", "0", "12", "none", "no", "yes", "rule", "größe", "a.b", "other_2",
     "Other", "apple_2", "level1", '"q" \\', "/m/0ab", "https://x.example/a", "urn:x:y", "a_b", "A b", "..", "train"]
)  # fmt: skip


@st.composite
def classes(draw: st.DrawFn, depth: int, used: list[str]) -> list[DraftClass]:
    found = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True)):
        other = draw(st.none() | NAMES)
        id_ = terms.natural_id(name) if draw(st.booleans()) else name
        aka = draw(st.lists(NAMES, max_size=2))
        parents = (draw(st.sampled_from(used)),) if used and draw(st.integers(0, 5)) == 5 else ()
        item = DraftClass(id_, other or (name if name != id_ else None), tuple(aka), parents=parents)
        if depth and draw(st.booleans()):
            item.classes = draw(classes(depth - 1, used))
        found.append(item)
        used.append(f"`{id_}`")
    return found


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    groups = []
    for number in range(draw(st.integers(1, 2))):
        kind = draw(st.sampled_from([Kind.HIERARCHY, Kind.MULTICLASS, Kind.MULTILABEL, Kind.BINARY, Kind.ORDINAL]))
        id_ = draw(st.sampled_from(["categories", "label", "x", "objects", "Fruit"])) + "s" * number
        title = draw(st.none() | NAMES)
        group = DraftGroup(kind, id_, title, open=kind is Kind.HIERARCHY and draw(st.integers(0, 3)) == 3)
        if kind is not Kind.BINARY:
            depth = 2 if kind in (Kind.HIERARCHY, Kind.MULTILABEL) else 0
            group.classes = draw(classes(depth, [] if kind is Kind.MULTILABEL else _Never()))
        if kind is Kind.HIERARCHY and draw(st.booleans()):
            group.levels = ("order", "family", "species")
        groups.append(group)
    return Draft("x", draw(st.none() | NAMES), draw(st.none() | st.just("1.0")), groups)


class _Never(list[str]):
    """Takes no names: classes of a tree have one parent."""

    def append(self, _: str) -> None:
        pass


@pytest.mark.parametrize("name", MINE)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(draft=drafts())
def test_nothing_is_lost_in_silence(name: str, draft: Draft, tmp_path_factory: pytest.TempPathFactory) -> None:
    ontology = check_text(draft.to_text(), "x.onto").ontology
    assume(ontology is not None)
    assert ontology is not None
    try:
        written = FORMATS[name].converter().write(ontology)
    except LinnaeusError as e:
        if e.diagnostics[0].code != "E167":
            raise
        return
    path = save(written, name, tmp_path_factory.mktemp("x"))
    try:
        again, losses = load(name, path)
    except LinnaeusError as e:
        raise AssertionError(f"what is written can't be read: {e}") from e
    if not written.losses:
        assert losses == []
        assert comparable(again, name) == comparable(ontology, name)


def comparable(ontology: Ontology, name: str) -> list[Any]:
    """What is said of every group and class. A hierarchy without nesting means what a multiclass does; a title or alias
    that repeats the id says nothing; COCO's numbers are new. A file's name is the ontology's, in CSV the group's.
    """
    found: list[Any] = [ontology.title, ontology.version]
    for g in ontology.groups:
        labels = [ontology.labels[i] for i in g.labels]
        tree = all(len(label.parents) < 2 for label in labels)  # in a graph, the braces it stands in say nothing more
        flat = not any(label.parents for label in labels)
        kind = Kind.MULTICLASS if g.kind is Kind.HIERARCHY and flat else g.kind
        about = (spellings("" if name == "csv" else g.id, g.title, g.aka, ""), g.levels, kind, g.open)
        rows = [
            (
                label.path.removeprefix(f"{g.path}.") if tree else label.id,
                spellings(label.id, label.title, label.aka, name),
                sorted(ontology.labels[p].id for p in label.parents),
            )
            for label in labels
            if g.kind is not Kind.BINARY
        ]
        found.append((None if name == "csv" else g.id, about, sorted(rows)))
    return found


def spellings(id_: str, title: str | None, aka: tuple[str, ...], name: str) -> tuple[str, list[str]]:
    shown = title or id_
    return shown, sorted(a for a in {*aka} if a not in (id_, shown) and not (name == "coco" and a.isdecimal()))


# --- what both sides say survives -----------------------------------------------------------------------

WORDS = st.lists(
    st.sampled_from(["apple", "Black rot", "T-shirt", "größe", "rule", "Ähre", "semi-dry", "x", "Sea turtle", "棕色"]),
    min_size=3, max_size=9, unique=True,
)  # fmt: skip
KINDS = {
    "coco": [Kind.MULTILABEL], "open-images": [Kind.MULTILABEL], "csv": [Kind.HIERARCHY], "folders": [Kind.HIERARCHY],
    "skos": [Kind.HIERARCHY, Kind.MULTICLASS, Kind.MULTILABEL], "tfds": [Kind.MULTICLASS, Kind.MULTILABEL, Kind.BINARY],
}  # fmt: skip
KINDS["skos-xml"] = KINDS["skos"]


@st.composite
def sayable(draw: st.DrawFn, name: str) -> Draft:
    """An ontology of what a format can say."""
    one = name not in ("skos", "skos-xml", "tfds")
    groups = []
    for number in range(1 if one else draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(KINDS[name]))
        id_ = {"coco": "categories", "folders": "label", "csv": "x"}.get(name, f"g{number}")
        group = DraftGroup(kind, id_)
        if kind is not Kind.BINARY:
            group.classes = draw(forest(kind, name))
        if name == "csv" and draw(st.booleans()):
            group.levels = tuple(f"rank{n}" for n in range(depth(group.classes)))
        groups.append(group)
    titled = name in ("coco", "skos", "skos-xml")
    return Draft("x", draw(st.none() | st.just("A title")) if titled else None, "1.0" if titled else None, groups)


def depth(classes: list[DraftClass]) -> int:
    return 1 + max(map(depth, (c.classes for c in classes))) if classes else 0


@st.composite
def forest(draw: st.DrawFn, kind: Kind, name: str) -> list[DraftClass]:
    words = draw(WORDS)
    found = [DraftClass(terms.natural_id(w), w if w != terms.natural_id(w) else None) for w in words]
    if name == "csv":
        found = [DraftClass(terms.slug(w), w if w != terms.slug(w) else None) for w in words]
    if name in ("skos", "skos-xml"):
        for number, item in enumerate(found):
            item.aka = draw(
                st.sampled_from([(), ("may", "haw"), (f"https://x.example/{number}",), (f"urn:a:{number}", "b")])
            )
            item.id = draw(st.sampled_from([item.id, f"`{number}"[1:], f"id {number}"]))
    tops = found[:2]
    for number, item in enumerate(found[2:], 2):
        nests = kind in (Kind.HIERARCHY, Kind.MULTILABEL) and name != "tfds"
        above = draw(st.none() | st.integers(0, number - 1)) if nests else None
        (tops if above is None else found[above].classes).append(item)
        if above is not None and kind is Kind.MULTILABEL and name in ("skos", "skos-xml", "open-images"):
            others = draw(st.lists(st.integers(0, number - 1), max_size=2, unique=True))
            item.parents = tuple(f"`{found[i].id}`" for i in others if i != above)
    return tops


@pytest.mark.parametrize("name", MINE)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_both_sides_say_survives(name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    draft = data.draw(sayable(name))
    ontology = check_text(draft.to_text(), "x.onto").ontology
    assume(ontology is not None)
    assert ontology is not None
    written = FORMATS[name].converter().write(ontology)
    trees = "that any set of classes may hold: a tree is read back as a hierarchy"
    assume(whats(written.losses) != {trees})
    assert written.losses == []
    again, losses = load(name, save(written, name, tmp_path_factory.mktemp("x")))
    assert losses == []
    assert comparable(again, name) == comparable(ontology, name)
