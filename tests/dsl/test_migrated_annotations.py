"""Annotations made with an earlier version of an ontology, read through its `migrate`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from linnaeus.dsl.annotations import AnnotationError, GroupReader
from linnaeus.dsl.load import check_text
from linnaeus.dsl.names import find_group, find_label
from linnaeus.dsl.ontology import Change, Migration
from linnaeus.dsl.tables import compile_tables

PLANT = """
ontology plant version "2.0"
hierarchy crop { fruit { apple, pear }, root { beet, carrot } }
multilabel damage { leaf { spots, mildew }, stem, borer }
binary ripe
"""


@pytest.fixture(scope="module")
def tables():
    ontology = check_text(PLANT, "plant.onto").ontology
    assert ontology is not None
    crop, damage, ripe = ontology.groups

    def change(old, group, *names):
        return Change(old, tuple(find_label(ontology, group, n).item.index for n in names), group.index)

    first = [
        change("pome", crop, "apple"),
        change("crop.topf", crop, "fruit.apple", "fruit.pear"),
        change("vegetable", crop, "root"),
        change("vegetable.red", crop, "root.beet"),
        Change("crop.weed"),
        change("blotch", damage, "spots"),
        change("rot", damage, "mildew", "stem"),
        change("patches", damage, "leaf", "spots"),
        Change("damage.dirt"),
        Change("dmg", (), damage.index),
        change("mature", ripe, "ripe"),
        change("both", crop, "apple"),
    ]
    second = [change("pome", crop, "apple"), change("both", crop, "pear"), Change("bits", (4, damage.labels[0]), 0)]
    migrations = (Migration("1.0", tuple(first)), Migration("1.1", tuple(second)))
    return compile_tables(replace(ontology, migrations=migrations))


def reader(tables, group, unlisted="unknown"):
    return GroupReader(tables, next(g for g in tables.ontology.groups if g.id == group), unlisted)


def leaves(tables, cell):
    """The crops that a cell, or a list of cells from coarse to fine, allows; None: it says nothing."""
    crop = reader(tables, "crop")
    masks = crop.read_path(cell) if isinstance(cell, list) else crop.read(cell)
    if not masks:
        return None
    (v,) = crop.variables
    return {tables.ontology.labels[int(tables.leaf[s])].id for s in v.live if masks[v.index][s - v.start]}


ALL = {"apple", "pear", "beet", "carrot"}


@pytest.mark.parametrize(
    ("cell", "allowed"),
    [
        ("pome", {"apple"}),  # renamed, in two versions alike
        ("Pome", {"apple"}),
        ("topf", {"apple", "pear"}),  # split
        ("crop.topf", {"apple", "pear"}),
        ("!pome", {"pear", "beet", "carrot"}),
        ("!topf", {"beet", "carrot"}),
        ("{pome|carrot}", {"apple", "carrot"}),
        ("{topf|carrot}", {"apple", "pear", "carrot"}),
        ("weed", None),  # dropped: it says nothing, and neither does a denial of it or a set with it
        ("!weed", None),
        ("{weed|apple}", None),
        ("vegetable", {"beet", "carrot"}),
        ("vegetable/carrot", {"carrot"}),
        ("vegetable > red", {"beet"}),
        ("crop.vegetable.carrot", {"carrot"}),
        ("fruit/topf", {"apple", "pear"}),
        ("fruit/weed", {"apple", "pear"}),  # the path still says fruit
        (["vegetable", "red"], {"beet"}),
        (["vegetable", "carrot"], {"carrot"}),
        (["fruit", "weed"], {"apple", "pear"}),
        (["weed", None], ALL),
    ],
)
def test_one_choice(tables, cell, allowed):
    assert leaves(tables, cell) == allowed


@pytest.mark.parametrize("cell", ["both", "vegetable/apple", "bits", "dirt", "blotch"])
def test_what_is_refused(tables, cell):
    with pytest.raises(AnnotationError) as e:
        reader(tables, "crop").read(cell)
    said = {
        "both": "'both' may mean any of both (version 1.0), both (version 1.1)",
        "bits": "'bits' is now crop.root.beet or damage.leaf, which no one group can say",
    }
    assert said.get(cell, "is no class of crop") in str(e.value)


def listed(tables, cell, unlisted):
    """What a multilabel list says of each class: + holds, - does not."""
    damage = reader(tables, "damage", unlisted)
    masks = damage.read(cell)
    signs = {}
    for v in damage.variables:
        mask = masks.get(v.index)
        if mask is not None:
            signs[tables.ontology.labels[v.label].id] = {(True, False): "+", (False, True): "-"}.get(tuple(mask), "!")
    return signs


@pytest.mark.parametrize(
    ("cell", "unlisted", "signs"),
    [
        ("blotch", "unknown", {"leaf": "+", "spots": "+"}),
        ("blotch, stem", "no", {"leaf": "+", "spots": "+", "mildew": "-", "stem": "+", "borer": "-"}),
        ("!blotch", "unknown", {"spots": "-"}),
        ("!rot", "unknown", {"mildew": "-", "stem": "-"}),
        ("dirt", "unknown", {}),
        ("dirt, stem", "no", {"leaf": "-", "spots": "-", "mildew": "-", "stem": "+", "borer": "-"}),
        ("patches", "unknown", {"leaf": "+"}),  # spots is a leaf damage, so leaf is the least that holds
        ("patches", "no", {"leaf": "+", "mildew": "-", "stem": "-", "borer": "-"}),
        ("rot, stem", "unknown", {"stem": "+"}),  # one of them is known to hold
        ("rot, stem", "no", {"spots": "-", "stem": "+", "borer": "-"}),  # mildew, and so leaf, stay open
        ("rot, !stem", "unknown", {"leaf": "+", "mildew": "+", "stem": "-"}),
    ],
)
def test_lists(tables, cell, unlisted, signs):
    assert listed(tables, cell, unlisted) == signs


def test_alternatives_in_a_list_are_refused_where_they_stay_alternatives(tables):
    with pytest.raises(AnnotationError, match=r"'rot' is now damage.leaf.mildew or damage.stem.*at least one of them"):
        reader(tables, "damage").read("rot, borer")


def test_a_name_of_today_wins_over_an_old_one_unless_it_is_only_alike(tables):
    ontology = tables.ontology
    pear = find_label(ontology, ontology.groups[0], "pear").item.index
    changes = (Change("apple", (pear,), 0), Change("BEET", (pear,), 0))
    other = compile_tables(replace(ontology, migrations=(Migration("1.0", changes),)))
    assert leaves(other, "apple") == {"apple"}
    assert leaves(other, "BEET") == {"pear"}
    assert leaves(other, "Beet") == {"beet"}


def test_an_old_name_tells_apart_what_is_ambiguous_today():
    ontology = check_text("ontology o\nhierarchy h { a { rot, x }, b { rot, y } }", "o.onto").ontology
    assert ontology is not None
    both = tuple(label.index for label in ontology.labels if label.id == "rot")
    with pytest.raises(AnnotationError, match="may mean any of"):
        GroupReader(compile_tables(ontology), ontology.groups[0]).read("rot")
    tables = compile_tables(replace(ontology, migrations=(Migration("1", (Change("rot", both, 0),)),)))
    (mask,) = GroupReader(tables, ontology.groups[0]).read("rot").values()
    assert mask.sum() == 2


def test_groups_by_old_names(tables):
    ontology = tables.ontology
    found = {name: find_group(ontology, name) for name in ("dmg", "DMG", "mature", "damage", "nothing")}
    assert {n: m.item and m.item.id for n, m in found.items()} == {
        "dmg": "damage", "DMG": "damage", "mature": "ripe", "damage": "damage", "nothing": None,
    }  # fmt: skip
    assert {n for n, m in found.items() if m.former} == {"dmg", "DMG", "mature"}
    assert listed(tables, "dmg.leaf", "unknown") == {"leaf": "+"}


def test_the_reader_says_what_it_read_as_what(tables):
    crop = reader(tables, "crop")
    for cell in ("pome", "topf", "weed", "APPLE", "apple"):
        crop.read(cell)
    assert crop.names.notices() == [
        "crop: read without regard to case, spaces and hyphens: 'APPLE' as crop.fruit.apple",
        "crop: old names, read as `migrate` says: 'pome' as crop.fruit.apple, "
        "'topf' as crop.fruit.apple or crop.fruit.pear, 'weed' as unknown",
    ]
