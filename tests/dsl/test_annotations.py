"""Cells against the states they must allow."""

from __future__ import annotations

import numpy as np
import pytest

from linnaeus.dsl.annotations import AnnotationError, EvidenceBuilder, GroupReader, cell_text, describe, is_missing
from linnaeus.dsl.evidence import NO, UNKNOWN, YES, decided_labels
from linnaeus.dsl.load import check_text
from linnaeus.dsl.ontology import Kind
from linnaeus.dsl.tables import compile_tables
from linnaeus.dsl.testing import random_ontology

PLANT = """
ontology plant
hierarchy crop open {
    fruit { apple "Apple tree" aka "Malus", pear }
    banana { banana }
    root { beet, carrot }
}
multilabel damage { leaf { spots, mildew }, fruit_damage { borer } }
binary ripe
hierarchy health {
    healthy
    diseased { ordinal severity { trace < mild < severe }; multiclass cause { rust, scab } }
}
"""


@pytest.fixture(scope="module")
def tables():
    checked = check_text(PLANT, "plant.onto")
    ontology, found = checked.ontology, checked.diagnostics
    assert ontology is not None, found
    return compile_tables(ontology)


def group(tables, path):
    return next(g for g in tables.ontology.groups if g.path.split(".")[-1] == path)


def leaves(tables, path, cell, unlisted="unknown"):
    """The paths' ends of the leaves a cell allows, `no` and `n/a` by name."""
    reader = GroupReader(tables, group(tables, path), unlisted)
    (v,) = reader.variables
    mask = reader.read_path(cell) if isinstance(cell, list) else reader.read(cell)
    states = [s for s in range(v.start, v.stop) if mask[v.index][s - v.start]]
    names = {v.no: "no", v.na: "n/a"}
    return {names.get(s) or tables.ontology.labels[int(tables.leaf[s])].path.removeprefix(f"{path}.") for s in states}


CROP = {"fruit.apple", "fruit.pear", "banana.banana", "root.beet", "root.carrot", "other"}


@pytest.mark.parametrize(
    ("cell", "allowed"),
    [
        ("apple", {"fruit.apple"}),
        ("Apple tree", {"fruit.apple"}),
        ("Malus", {"fruit.apple"}),
        ("APPLE-TREE", {"fruit.apple"}),
        ("fruit.apple", {"fruit.apple"}),
        ("crop.fruit.apple", {"fruit.apple"}),
        ("Fruit/Apple tree", {"fruit.apple"}),
        ("fruit > pear", {"fruit.pear"}),
        ("fruit", {"fruit.apple", "fruit.pear"}),
        ("banana", {"banana.banana"}),  # the only child of its own name: both readings say the same
        ("{apple|root}", {"fruit.apple", "root.beet", "root.carrot"}),
        (("apple", "pear"), {"fruit.apple", "fruit.pear"}),
        ("!fruit", CROP - {"fruit.apple", "fruit.pear"}),
        ("!{apple|pear}", CROP - {"fruit.apple", "fruit.pear"}),
        ("other", {"other"}),
        ("n/a", set()),
        (["fruit", "Apple tree"], {"fruit.apple"}),
        (["banana", "banana"], {"banana.banana"}),
        (["fruit", None], {"fruit.apple", "fruit.pear"}),
        (["fruit", "fruit"], {"fruit.apple", "fruit.pear"}),
        ([None, "pear"], {"fruit.pear"}),
        (["root", "apple"], set()),  # levels that disagree
    ],
)
def test_a_choice_allows_what_its_cell_says(tables, cell, allowed):
    assert leaves(tables, "crop", cell) == allowed


@pytest.mark.parametrize("cell", ["yes", "True", "1", 1, 1.0, True, "ripe"])
def test_a_binary_says_yes(tables, cell):
    assert leaves(tables, "ripe", cell) == {"ripe"}


@pytest.mark.parametrize("cell", ["no", "FALSE", "0", 0, False, "!yes"])
def test_a_binary_says_no(tables, cell):
    assert leaves(tables, "ripe", cell) == {"no"}


def test_not_applicable_and_negatives_of_a_nested_group(tables):
    assert leaves(tables, "severity", "n/a") == {"n/a"}
    reader = GroupReader(tables, group(tables, "severity"))
    (v,) = reader.variables
    assert reader.read("!mild")[v.index].tolist() == [True, False, True, True]  # and n/a


@pytest.mark.parametrize("separator", ["|", ",", ";", " | "])
def test_a_list_in_one_text(tables, separator):
    reader = GroupReader(tables, group(tables, "damage"), "no")
    assert_labels(tables, reader.read(f"spots{separator}borer"), {"leaf", "spots", "fruit_damage", "borer"}, UNKNOWN)


def assert_labels(tables, masks, yes, rest):
    builder = EvidenceBuilder(tables, 1)
    builder.add(["cell"], lambda _: masks)
    decided = decided_labels(tables, builder.done().possible())[0]
    for i in group(tables, "damage").labels:
        expected = YES if tables.ontology.labels[i].id in yes else (NO if rest == UNKNOWN else UNKNOWN)
        assert decided[i] == expected, tables.ontology.labels[i].path


def test_unlisted_means_no_or_unknown_and_ancestors_hold(tables):
    damage = group(tables, "damage")
    for cell in (("mildew",), "mildew", "damage.leaf.mildew", "leaf/mildew"):
        assert_labels(tables, GroupReader(tables, damage, "no").read(cell), {"leaf", "mildew"}, UNKNOWN)
        assert_labels(tables, GroupReader(tables, damage, "unknown").read(cell), {"leaf", "mildew"}, NO)
    assert_labels(tables, GroupReader(tables, damage, "no").read(()), set(), UNKNOWN)
    assert_labels(tables, GroupReader(tables, damage, "unknown").read("no"), set(), UNKNOWN)


def test_an_attribute_implies_the_class_it_belongs_to(tables):
    builder = EvidenceBuilder(tables, 2)
    reader = GroupReader(tables, group(tables, "severity"))
    builder.add(["mild", None], reader.read)
    said = describe(tables, builder.done().possible()[0])
    assert {k.split(".")[-1]: v for k, v in said.items()} == {
        "crop": "?", "damage": "…?", "ripe": "?", "health": "diseased", "severity": "mild", "cause": "{rust|scab}",
    }  # fmt: skip
    assert set(describe(tables, builder.done().possible()[1]).values()) == {"?", "…?"}


@pytest.mark.parametrize(
    ("path", "cell", "law"),
    [
        ("crop", "appel", "'appel' is no class of crop"),
        ("crop", "{apple|plum}", "'plum' is no class of crop"),
        ("damage", "spots|rot", "'rot' is no class of damage"),
        ("damage", "{spots|borer}", "a set of alternatives"),
        ("ripe", "maybe", "'maybe' is no class of ripe"),
    ],
)
def test_what_says_nothing_is_refused(tables, path, cell, law):
    with pytest.raises(AnnotationError, match=law.replace("{", r"\{")):
        GroupReader(tables, group(tables, path)).read(cell)


def test_the_nearest_class_is_named(tables):
    with pytest.raises(AnnotationError) as e:
        GroupReader(tables, group(tables, "crop")).read("appel")
    assert "crop.fruit.apple" in e.value.near


def test_an_ambiguous_name_lists_what_it_may_mean():
    ontology = check_text("ontology o\nhierarchy h { a { c, x }, b { c, y } }", "o.onto").ontology
    reader = GroupReader(compile_tables(ontology), ontology.groups[0])
    with pytest.raises(AnnotationError, match=r"may mean any of h\.a\.c, h\.b\.c"):
        reader.read("c")
    assert reader.read_path(("b", "c"))[0].tolist() == [False, False, True, False]


def test_folded_spellings_are_told_and_exact_ones_are_not(tables):
    reader = GroupReader(tables, group(tables, "crop"))
    reader.read("apple")
    reader.read("APPLE")
    assert reader.names.folded == {"APPLE": "crop.fruit.apple"}


@pytest.mark.parametrize("cell", ["yes", "no", "n/a", "other words"])
def test_one_class_of_a_multilabel_group_reads_yes_and_no(tables, cell):
    damage = group(tables, "damage")
    spots = next(tables.ontology.labels[i] for i in damage.labels if tables.ontology.labels[i].id == "spots")
    reader = GroupReader(tables, damage)
    if cell == "other words":
        with pytest.raises(AnnotationError):
            reader.read_class(spots, cell)
        return
    (mask,) = reader.read_class(spots, cell).values()
    assert mask.tolist() == {"yes": [True, False], "no": [False, True], "n/a": [False, False]}[cell]


@pytest.mark.parametrize("seed", range(25))
def test_every_path_reads_as_its_states_on_random_ontologies(seed):
    rng = np.random.default_rng(seed)
    tables = compile_tables(random_ontology(rng))
    for g in tables.ontology.groups:
        reader = GroupReader(tables, g)
        for i in g.labels:
            label = tables.ontology.labels[i]
            if g.kind is Kind.MULTILABEL:
                index = int(tables.label_variable[i])
                assert not reader.read(label.path)[index][1:].any()
                assert not reader.read(f"!{label.path}")[index][0]
                continue
            (v,) = reader.variables
            holds = {s - v.start for s in tables.label_states[i]}
            assert set(np.flatnonzero(reader.read(label.path)[v.index])) == holds
            assert set(np.flatnonzero(~reader.read(f"!{label.path}")[v.index])) == holds
            union = holds | {s - v.start for s in tables.label_states[g.labels[0]]}
            both = reader.read(f"{{{label.path}|{tables.ontology.labels[g.labels[0]].path}}}")[v.index]
            assert set(np.flatnonzero(both)) == union


def test_a_hundred_thousand_records_share_their_masks(tables):
    builder = EvidenceBuilder(tables, 100_000)
    reader = GroupReader(tables, group(tables, "crop"))
    failed = builder.add(["apple", "pear", None, "plum"] * 25_000, reader.read)
    evidence = builder.done()
    index = reader.variables[0].index
    assert len(evidence.masks[index]) == 3
    assert evidence.masks[index][0].all()
    assert evidence.codes[:4, index].tolist() == [1, 2, 0, 0]
    ((rows, error),) = failed.values()
    assert len(rows) == 25_000
    assert "'plum'" in str(error)


def test_cells_as_text():
    assert [cell_text(c) for c in (True, 3, 3.0, 2.5, " a ", ("a", "b"))] == ["true", "3", "3", "2.5", "a", "a|b"]
    missing = frozenset({"", "?"})
    assert [is_missing(c, missing) for c in (None, float("nan"), " ", "?", 0, False, ())] == [True] * 4 + [False] * 3


def test_impossible_evidence_reads_impossible(tables):
    assert set(describe(tables, np.zeros(tables.n_states, bool)).values()) == {"impossible"}
