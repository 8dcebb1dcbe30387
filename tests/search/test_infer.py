"""Drafting an ontology from data: structure comes back from what it generated, and each kind of column is told."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import yaml

from linnaeus.dsl.evidence import decided_labels
from linnaeus.dsl.fmt import format_text
from linnaeus.dsl.load import check_text
from linnaeus.dsl.ontology import Kind
from linnaeus.dsl.tables import compile_tables
from linnaeus.dsl.testing import enumerate_worlds, random_ontology
from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import Annotations
from linnaeus.plugins.datasets.digits import Digits
from linnaeus.plugins.registry import installed
from linnaeus.search.binding import bind
from linnaeus.search.columns import Role, ordered, read_column
from linnaeus.search.data_checks import legal_records
from linnaeus.search.data_file import read_data
from linnaeus.search.infer import infer_annotations
from linnaeus.search.infer_trees import separator
from linnaeus.search.schema import Findings, Section
from linnaeus.search.study import DataSpec
from linnaeus.search.yaml12 import parse


def annotations(splits=None, **columns):
    n = len(next(iter(columns.values())))
    return Annotations([f"{i}.png" for i in range(n)], columns, [b""] * n, splits)


def head(text):
    """The data part that the comments at the head of a draft ask for, read as a study's."""
    lines = [line[2:] for line in text.splitlines() if line.startswith("# ") or line == "#"]
    start = lines.index("data:")
    stop = next(k for k in range(start + 1, len(lines)) if not lines[k].startswith("  "))
    source = "\n".join([*lines[start:stop], "  source: digits"])
    root = parse(source, "study.yaml")
    findings = Findings({"study.yaml": source})
    spec = read_data(Section(root, findings).section("data"), installed())
    assert not findings.found
    return yaml.safe_load(source.replace(": no\n", ": 'no'\n"))["data"], spec


def drafted(said, **spec):
    """The draft, its ontology, and the evidence that its own bindings read from its own data."""
    made = infer_annotations(said, DataSpec("digits", Digits(), **spec), "drafted", "study.yaml")
    checked = check_text(made.text, "drafted.onto")
    ontology = checked.require()
    assert format_text(made.text, "drafted.onto") == made.text
    asked, data = head(made.text)
    assert asked["bind"] == made.data["bind"]
    bound = bind(compile_tables(ontology), said, data)
    assert not bound.unread, bound.unread
    assert set(bound.bound) == set(made.data["bind"])
    assert legal_records(bound.evidence).all(), made.text
    return made, ontology, bound


def shape(ontology):
    """Groups by id: kind, the class it belongs to, and each class by its names from the top down."""
    found = {}
    for g in ontology.groups:
        names = {}
        for i in g.labels:
            label = ontology.labels[i]
            above = names[label.parents[0]] if label.parents else ()
            names[i] = (*above, label.name)
        condition = None if g.condition is None else ontology.labels[g.condition].name
        found[g.id] = (g.kind, condition, sorted(names.values()))
    return found


# --- laws --------------------------------------------------------------------------------------------


def random_set(seed, n=400):
    """Columns of a hidden structure: a tree in level columns, an attribute of one class, a flag, a list, keys."""
    rng = np.random.default_rng(seed)
    tree = []
    for a in range(int(rng.integers(2, 4))):
        for b in range(int(rng.integers(2, 4))):
            deeper = b == 0 or rng.random() < 0.5
            tree += [(f"top{a}", f"mid{a}{b}", f"low{a}{b}{c}" if deeper else "") for c in range(1 + deeper)]
    picks = [tree[i] for i in rng.integers(len(tree), size=n)]
    colour = [f"colour{i}" for i in rng.integers(4, size=n)]
    shade = [f"shade{rng.integers(3)}" if c == "colour1" else "" for c in colour]
    tags = [f"tag{k}" for k in range(4)]
    lists = ["|".join(t for t in tags if rng.random() < 0.4) for _ in range(n)]
    columns = {
        "top": [p[0] for p in picks],
        "mid": [p[1] for p in picks],
        "low": [p[2] for p in picks],
        "colour": colour,
        "shade": shade,
        "wet": [("no", "yes")[i] for i in rng.integers(2, size=n)],
        "tags": lists,
        "sender_id": [str(i) for i in rng.integers(40, size=n)],
        "width": [str(i) for i in rng.integers(200, 900, size=n)],
        "camera": ["one"] * n,
    }
    order = rng.permutation(list(columns))
    paths = {p[:k] for p in picks for k in (1, 2, 3) if p[k - 1]}
    return annotations(**{k: columns[k] for k in order}), paths


@pytest.mark.parametrize("seed", range(12))
def test_structure_comes_back_from_the_data_it_made(seed):
    said, paths = random_set(seed)
    made, ontology, bound = drafted(said)
    found = shape(ontology)
    kind, condition, classes = found["low"]
    assert (kind, condition, set(classes)) == (Kind.HIERARCHY, None, paths)
    assert found["colour"] == (Kind.MULTICLASS, None, [(f"colour{i}",) for i in range(4)])
    assert found["shade"] == (Kind.MULTICLASS, "colour1", [(f"shade{i}",) for i in range(3)])
    assert found["wet"][0] is Kind.BINARY
    assert found["tags"] == (Kind.MULTILABEL, None, [(f"tag{k}",) for k in range(4)])
    assert set(found) == {"low", "colour", "shade", "wet", "tags"}
    assert set(made.left) == {"sender_id", "width", "camera"}
    assert made.data["split"]["group"] == "sender_id"
    assert bound.bound["low"] == "top > mid > low"


@pytest.mark.parametrize("gaps", [0, 0.1])
@pytest.mark.parametrize("seed", range(12))
def test_any_ontologys_data_give_a_draft_that_reads_them(seed, gaps):
    """Worlds of a random ontology, written a column a group, some cells empty or coarse: the draft checks clean, reads
    every cell, and finds no record illegal.
    """
    rng = np.random.default_rng(100 + seed)
    ontology = random_ontology(rng, max_worlds=200)
    worlds = enumerate_worlds(ontology)
    shown = worlds[rng.integers(len(worlds), size=300)]
    columns = {g.path.replace(".", "_"): [_cell(ontology, g, world) for world in shown] for g in ontology.groups}
    for cells in columns.values():
        for row in np.flatnonzero(rng.random(300) < gaps).tolist():
            cells[row] = cells[row].rpartition("/")[0] if row % 2 else ""
    if all(len(set(c) - {""}) < 2 for c in columns.values()):
        return
    _, _, bound = drafted(annotations(**columns))
    decided = decided_labels(bound.evidence.tables, bound.evidence.possible())
    assert gaps or len(np.unique(decided, axis=0)) <= len(np.unique(shown, axis=0))


def _cell(ontology, group, world):
    """One group of a world as a cell: yes or no, a path, or a list of paths; empty where it does not apply."""
    held = [i for i in group.labels if world[i]]
    above = group.condition is None or world[group.condition]
    if group.kind is Kind.BINARY:
        return ("no", "yes")[bool(held)] if above else ""
    deepest = [i for i in held if not any(world[c] for c in ontology.children[i])]
    return "|".join(_path(ontology, i) for i in deepest)


def _path(ontology, label):
    steps = [ontology.labels[i].id for i in ontology.ancestors(label)]
    return "/".join(reversed(steps))


# --- one kind of column each ---------------------------------------------------------------------------


def test_paths_of_one_to_many_steps_several_an_image():
    cells = ["animals/frog|signs/hazard", "animals", "animals/frog/red", "signs/hazard", "buttons", "signs/buttons"] * 5
    made, ontology, bound = drafted(annotations(label_paths=cells))
    assert shape(ontology)["label_paths"][0] is Kind.MULTILABEL
    paths = {label.path for label in ontology.labels}
    assert "label_paths.animals.frog.red" in paths
    assert made.data["unlisted"] == "no"
    decided = decided_labels(bound.evidence.tables, bound.evidence.possible())
    held = [{ontology.labels[i].id for i in np.flatnonzero(row == 1)} for row in decided[:6]]
    assert held[0] == {"animals", "frog", "signs", "hazard"}
    assert held[4] == {"buttons"}  # the class at the top, though another has its name
    assert held[5] == {"signs", "signs_buttons"}


def test_level_columns_that_repeat_a_name_collapse_or_stay():
    rows = [("Fruit", "Banana", "Banana"), ("Fruit", "Apple", "Apple"), ("Fruit", "Apple", "Gala"),
            ("Packages", "Juice", "Bravo")] * 5  # fmt: skip
    a, b, c = zip(*rows, strict=True)
    _, ontology, bound = drafted(annotations(supercategory=a, coarse=b, fine=c))
    paths = [label.path for label in ontology.labels]
    assert "fine.Fruit.Apple.Apple" in paths
    assert "fine.Fruit.Banana.Banana" not in paths
    decided = decided_labels(bound.evidence.tables, bound.evidence.possible())
    deepest = [ontology.labels[ontology.deepest(np.flatnonzero(row == 1).tolist())].path for row in decided[:4]]
    assert deepest == [
        "fine.Fruit.Banana", "fine.Fruit.Apple.Apple", "fine.Fruit.Apple.Gala", "fine.Packages.Juice.Bravo",
    ]  # fmt: skip


def test_a_coarse_name_that_is_also_a_fine_one_is_read_at_the_top():
    coarse, fine = zip(*[("Apple", "Apple"), ("Apple", "Gala"), ("Pear", "Kaiser"), ("Apple", "")] * 5, strict=True)
    _, ontology, bound = drafted(annotations(coarse=coarse, fine=fine))
    decided = decided_labels(bound.evidence.tables, bound.evidence.possible())
    paths = [{ontology.labels[i].path for i in np.flatnonzero(row == 1)} for row in decided[:4]]
    assert paths[0] == {"fine.Apple", "fine.Apple.Apple"}
    assert paths[3] == {"fine.Apple"}


@pytest.mark.parametrize(
    ("names", "sign"),
    [
        (["Apple___healthy", "Apple___scab", "Tomato___healthy"], "___"),
        (["apple: rust", "apple: scab", "pear: rust"], ": "),
        (["Fruit > Apple", "Fruit > Pear", "Root > Beet"], ">"),
        (["a/b", "a/c", "a"], "/"),
        (["APPLE HEALTHY", "APPLE DISEASED", "PEAR HEALTHY", "PEAR DISEASED", "FIG HEALTHY", "FIG DISEASED"], " "),
        (["T-shirt/top", "Trouser", "Bag", "Ankle boot"], None),
        (["red oak", "white pine", "silver fir"], None),
        (["km/h", "m/s"], None),
        (["Bravo-Apple-Juice", "Bravo-Pear-Juice"], None),
    ],
)
def test_what_parts_names(names, sign):
    assert separator(names) == sign


def test_joined_names_are_read_whole():
    made, ontology, _ = drafted(annotations(label=["Apple___healthy", "Apple___Apple scab", "Tomato___healthy"] * 5))
    assert shape(ontology)["label"][2] == [
        ("Apple",), ("Apple", "Apple scab"), ("Apple", "healthy"), ("Tomato",), ("Tomato", "healthy"),
    ]  # fmt: skip
    assert "what stands after '___' repeats" in made.text


def test_an_order_is_suggested_never_drafted():
    made, ontology, _ = drafted(annotations(severity=["low", "high", "medium"] * 9, grade=["3", "1", "2"] * 9))
    assert {g.kind for g in ontology.groups} == {Kind.MULTICLASS}
    assert "ordinal { low < medium < high }" in made.text
    assert ordered(["mild", "none", "severe"]) == ("none", "mild", "severe")
    assert ordered(["red", "green"]) is None


def test_words_for_missing_and_other():
    cells = ["cat", "dog", "Other", "Not sure", "n/a", ""] * 5
    made, ontology, bound = drafted(annotations(kind=cells))
    assert made.data["missing"] == ["", "?", "Not sure", "n/a"]
    assert ontology.groups[0].open
    assert [label.id for label in ontology.labels] == ["cat", "dog", "other"]
    assert (bound.evidence.codes[:, 0] != 0).sum() == 15


def test_yes_or_no_columns_under_one_name_are_one_multilabel():
    rng = np.random.default_rng(0)
    flags = {f"attributes/{k}": [bool(b) for b in rng.integers(2, size=30)] for k in ("Smiling", "Young", "Bald")}
    made, ontology, bound = drafted(annotations(**flags, indoor=[True, False] * 15))
    assert shape(ontology)["attributes"] == (Kind.MULTILABEL, None, [("Bald",), ("Smiling",), ("Young",)])
    assert shape(ontology)["indoor"][0] is Kind.BINARY
    assert made.data["bind"]["attributes.Smiling"] == "attributes/Smiling"
    assert "unlisted" not in made.data
    assert bound.bound["attributes.Bald"] == "attributes/Bald"


def test_an_attribute_of_a_yes():
    wet = ["yes", "no"] * 15
    made, ontology, _ = drafted(annotations(wet=wet, depth_class=["deep", "", "shallow", ""] * 7 + ["deep", ""]))
    group = next(g for g in ontology.groups if g.id == "depth_class")
    assert ontology.labels[group.condition].path == "wet"
    assert "given for 15 images, all of them wet" in made.text


def test_an_attribute_is_nested_though_some_images_are_labelled_coarsely():
    organ = ["kidney", "skin"] * 40
    tissue = ["cortex", "dermis", "medulla", "epithelium"] * 20
    grade = [("low", "high")[k % 3 == 0] if t == "cortex" else "" for k, t in enumerate(tissue)]
    tissue[0] = organ[4] = tissue[4] = ""  # the grade says that these are of the cortex
    _, ontology, bound = drafted(annotations(organ=organ, tissue=tissue, grade=grade))
    assert shape(ontology)["grade"][1] == "cortex"
    cortex = next(label for label in ontology.labels if label.id == "cortex")
    assert (decided_labels(bound.evidence.tables, bound.evidence.possible())[[0, 4], cortex.index] == 1).all()
    grade[1] = "low"  # an image of the skin
    assert shape(drafted(annotations(organ=organ, tissue=tissue, grade=grade))[1])["grade"][1] is None


def slides():
    """The set of the documentation's example."""
    chance = random.Random(1)
    organs = {"epithelium": "skin", "dermis": "skin", "cortex": "kidney", "medulla": "kidney"}
    rows = []
    for i in range(120):
        tissue = chance.choice(list(organs))
        stain = chance.choice(["H&E", "PAS"]) if organs[tissue] == "kidney" else "H&E"
        grade = chance.choice(["low", "medium", "high"]) if tissue == "cortex" else ""
        patient = f"p{chance.randrange(20)}"
        rows.append((f"{i:03d}.png", patient, organs[tissue], tissue if chance.random() > 0.05 else "", stain, grade))
    names = ("file", "patient", "organ", "tissue", "stain", "grade")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    return Annotations(columns["file"], columns, [b""] * 120)


def test_the_documentations_example_is_what_is_drafted(root):
    made = infer_annotations(slides(), DataSpec("digits", Digits()), "slides", "slides.yaml")
    page = (root / "docs" / "data.md").read_text("utf-8")
    assert f"```onto\n{made.text}```" in page


def test_columns_that_say_the_same_are_bound_once():
    raw = ["T-Shirt", "Hat", "Other", "Hat"] * 6
    label = ["T-Shirt", "Hat", "", "Hat"] * 6
    made, _, _ = drafted(annotations(raw_label=raw, label=label, number=[{"T-Shirt": 0, "Hat": 1}.get(r) for r in raw]))
    assert made.data["bind"] == {"label": "label"}
    assert made.left["raw_label"] == "says the same as label, and Other where that is empty"
    assert made.left["number"] == "says the same as label"


def test_implications_are_proposed_with_their_support_and_not_made_law():
    rng = np.random.default_rng(3)
    crop = [("apple", "grape", "tomato")[i] for i in rng.integers(3, size=300)]
    disease = [
        {"apple": "scab", "grape": "rot", "tomato": ("mold", "wilt", "rot")[i % 3]}[c] for i, c in enumerate(crop)
    ]
    coat = [("red", "green")[i] for i in rng.integers(2, size=300)]
    made, ontology, _ = drafted(annotations(crop=crop, coat=coat, disease=disease))
    assert not ontology.rules
    assert f"=> crop.apple }}  # {disease.count('scab')} images; by chance" in made.text
    assert "rule crop_apple_disease { crop.apple => disease.scab }" in made.text
    assert "coat" not in made.text.partition("# No image contradicts")[2]
    live = made.text.replace("# rule", "rule")
    assert check_text(live, "live.onto").ontology.rules  # uncommented, they are rules


@pytest.mark.parametrize(
    ("name", "cells", "role"),
    [
        ("split", ["train", "test", "val"], Role.SPLIT),
        ("writer", ["a", "b", "c"], Role.KEYS),
        ("patientID", ["7", "9", "12"], Role.KEYS),
        ("label", ["1", "7", "30"], Role.CHOICE),
        ("n_cells", ["1", "2", "3"], Role.NUMBERS),
        ("blur", ["0.25", "1.5", "3"], Role.NUMBERS),
        ("code", [str(i) for i in range(40)], Role.NUMBERS),
        ("text", ["x" * 80, "y" * 80], Role.NAMES),
        ("empty", ["", "?"], Role.EMPTY),
        ("same", ["x", ""], Role.CONSTANT),
        ("flag", ["True", "False"], Role.BINARY),
        ("sex", ["m", "f"], Role.CHOICE),
        ("parts", ["leaf;stem", "leaf", "stem"], Role.LIST),
        ("words", ["Golden, red", "Sweet, small", "Green"], Role.CHOICE),
    ],
)
def test_what_columns_hold(name, cells, role):
    assert read_column(name, cells * 10, frozenset({"", "?"})).role is role


def test_names_of_files_are_no_classes():
    assert read_column("file", [f"{i}.jpg" for i in range(9)], frozenset()).role is Role.NAMES
    assert read_column("title", [f"Picture {i}" for i in range(9)], frozenset()).role is Role.NAMES


def test_a_set_without_classes_is_refused():
    with pytest.raises(LinnaeusError, match=r"E260.*no column holds classes") as e:
        infer_annotations(annotations(width=[3.5, 4.5] * 5), DataSpec("digits", Digits()), "x", "s.yaml")
    assert "width: numbers" in str(e.value)


def test_ids_that_the_language_reserves_or_cannot_write():
    names = ["rule", "other thing", "größe", "0", "12", "a/b c", "Ünïque!", "ordinal", "x`y", "CamelCase", "camelcase"]
    _, ontology, _ = drafted(annotations(**{"my kind": names * 4}))
    assert [label.name for label in ontology.labels] == sorted(names, key=lambda n: (not n.isdigit(), n.zfill(0)))
    assert ontology.groups[0].name == "my kind"
    assert Path(ontology.groups[0].id).name == "my_kind"
