"""Outline → ontology: numbering, paths, conditions, the class that `open` adds; and finding things by name."""

from __future__ import annotations

from itertools import pairwise

import pytest

from linnaeus.dsl.load import check_text
from linnaeus.dsl.names import find_child, find_group, find_label
from linnaeus.dsl.ontology import Kind, Ontology

HAWTHORN = """
ontology hawthorn "Hawthorn images" version "1.0"
hierarchy variety "Hawthorn variety" open {
    english open { common "Common hawthorn" aka "C. monogyna", "may"; midland "Midland hawthorn" }
    chinese { major, minor; ordinal ripeness { green < ripe } ; binary fresh }
}
multilabel damage { leaf { spots, mildew { multiclass cause { damp, heat { binary wilted } } } }, fruit }
binary healthy "In health" aka "sound"
multiclass `a.b` { `c.d`, `T-shirt/top` }
"""


def read(text: str) -> Ontology:
    checked = check_text(text, "x.onto")
    ontology, found = checked.ontology, checked.diagnostics
    assert ontology is not None, found
    return ontology


@pytest.fixture(scope="module")
def hawthorn() -> Ontology:
    return read(HAWTHORN)


def test_paths_and_order(hawthorn: Ontology) -> None:
    assert [g.path for g in hawthorn.groups] == [
        "variety",
        "variety.chinese.ripeness",
        "variety.chinese.fresh",
        "damage",
        "damage.leaf.mildew.cause",
        "damage.leaf.mildew.cause.heat.wilted",
        "healthy",
        "`a.b`",
    ]
    assert [hawthorn.labels[i].path for i in hawthorn.groups[0].labels] == [
        "variety.english",
        "variety.english.common",
        "variety.english.midland",
        "variety.english.other",
        "variety.chinese",
        "variety.chinese.major",
        "variety.chinese.minor",
        "variety.other",
    ]
    assert [label.path for label in hawthorn.labels[-2:]] == ["`a.b`.`c.d`", "`a.b`.T-shirt/top"]


def test_the_laws_of_the_numbering(hawthorn: Ontology) -> None:
    labels, groups = hawthorn.labels, hawthorn.groups
    assert [label.index for label in labels] == list(range(len(labels)))
    assert [group.index for group in groups] == list(range(len(groups)))
    assert [i for g in groups for i in g.labels] == list(range(len(labels)))
    assert len({label.path for label in labels}) == len(labels)
    for group in groups:
        assert all(labels[i].group == group.index for i in group.labels)
        assert all(p < i and labels[p].group == group.index for i in group.labels for p in labels[i].parents)
        if group.condition is not None:
            assert labels[group.condition].group < group.index
            assert group.path == f"{labels[group.condition].path}.{group.id}"
        if group.kind is Kind.BINARY:
            [yes] = group.labels
            assert (labels[yes].id, labels[yes].path, labels[yes].title) == (group.id, group.path, group.title)


def test_open_adds_other_last_among_its_siblings(hawthorn: Ontology) -> None:
    others = [label for label in hawthorn.labels if label.other]
    assert [(o.id, o.path) for o in others] == [("other", "variety.english.other"), ("other", "variety.other")]
    assert hawthorn.groups[0].open
    assert [label.id for label in hawthorn.labels if label.open] == ["english"]
    english = hawthorn.labels[0]
    assert hawthorn.children[english.index][-1] == others[0].index


def test_the_hash_is_of_the_content() -> None:
    plain = read("ontology x\nmulticlass g { a, b }")
    assert plain.hash == read("# c\nontology x\n\nmulticlass g {\n  a\n  b # d\n}\n").hash
    variants = ["{ b, a }", "{ a, c }", "open { a, b }", '"T" { a, b }', '{ a "A", b }', '{ a aka "A", b }']
    hashes = {read(f"ontology x\nmulticlass g {v}").hash for v in variants} | {read("ontology y\nbinary g").hash}
    assert len(hashes | {plain.hash}) == len(variants) + 2


@pytest.mark.parametrize(
    ("text", "path", "folded"),
    [
        ("variety", "variety", False),
        ("Hawthorn variety", "variety", False),
        ("hawthorn_Variety", "variety", True),
        ("ripeness", "variety.chinese.ripeness", False),
        ("chinese.ripeness", "variety.chinese.ripeness", False),
        ("Sound", "healthy", True),
        ("a.b", "`a.b`", False),
    ],
)
def test_groups_by_name(hawthorn: Ontology, text: str, path: str, folded: bool) -> None:
    match = find_group(hawthorn, text)
    assert match.item is not None
    assert (match.item.path, match.folded) == (path, folded)


@pytest.mark.parametrize(
    ("text", "path", "folded"),
    [
        ("common", "variety.english.common", False),
        ("english.common", "variety.english.common", False),
        ("variety.english.common", "variety.english.common", False),
        ("Common hawthorn", "variety.english.common", False),
        ("C. monogyna", "variety.english.common", False),
        ("MAY", "variety.english.common", True),
        ("common-HAWTHORN", "variety.english.common", True),
        ("variety.other", "variety.other", False),
        ("english.other", "variety.english.other", False),
    ],
)
def test_labels_by_name(hawthorn: Ontology, text: str, path: str, folded: bool) -> None:
    match = find_label(hawthorn, hawthorn.groups[0], text)
    assert match.item is not None
    assert (match.item.path, match.folded) == (path, folded)


def test_names_that_find_nothing_say_what_is_near(hawthorn: Ontology) -> None:
    variety = hawthorn.groups[0]
    match = find_label(hawthorn, variety, "comon")
    assert (match.item, match.ambiguous) == (None, False)
    assert "variety.english.common" in match.candidates
    match = find_label(hawthorn, variety, "other")
    assert (match.item, match.ambiguous) == (None, True)
    assert match.candidates == ("variety.english.other", "variety.other")
    assert find_label(hawthorn, variety, "qqqq").candidates == ()
    assert find_label(hawthorn, variety, "q" * 100_000).candidates == ()
    assert find_group(hawthorn, "ripenes").candidates == ("variety.chinese.ripeness",)


def test_ids_may_repeat_down_a_path() -> None:
    ontology = read("ontology x\nhierarchy h { fruit { banana { banana, plantain } }, `a b` { c } , d }")
    [group] = ontology.groups
    assert find_label(ontology, group, "banana").ambiguous
    assert find_label(ontology, group, "h.fruit.banana").item == ontology.labels[1]
    assert find_label(ontology, group, "banana.banana").item == ontology.labels[2]
    here = None
    for text in ("Fruit", "banana", "banana"):
        here = find_child(ontology, group, here, text).item
        assert here is not None
    assert here == ontology.labels[2]
    assert find_child(ontology, group, here, "banana").item is None
    assert find_child(ontology, group, None, "banana").item is None
    assert find_child(ontology, group, None, "A_b").folded


def test_exact_wins_over_folded() -> None:
    ontology = read("ontology x\nmulticlass g { red, Red, RED }")
    [group] = ontology.groups
    assert [find_label(ontology, group, t).item for t in ("red", "Red", "RED")] == list(ontology.labels)
    assert find_label(ontology, group, "rEd").candidates == ("g.red", "g.Red", "g.RED")
    assert find_label(read("ontology x\nmulticlass g { caf\u00e9, b }"), group, "cafe\u0301").item is not None


def test_equal_content_is_one_key() -> None:
    first, second = read(HAWTHORN), read(HAWTHORN)
    assert first is not second
    assert len({first, second}) == 1
    assert all(a.index < b.index for a, b in pairwise(first.labels))


def test_many_unknown_names_are_quick() -> None:
    ontology = read("ontology x\nmulticlass g {" + ", ".join(f"class_{i}" for i in range(5000)) + "}")
    [group] = ontology.groups
    found = [find_label(ontology, group, f"klass {i}").candidates for i in range(2000)]
    assert found[0]
    assert not found[-1]
    assert find_label(ontology, group, "Class 77").item == ontology.labels[77]
