"""Columns bound to groups: what is read, what is told, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from linnaeus.dsl.annotations import describe
from linnaeus.dsl.load import check_text
from linnaeus.dsl.tables import compile_tables
from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import Records
from linnaeus.plugins.datasets.digits import Digits
from linnaeus.search.binding import bind, check_values
from linnaeus.search.study import Binding, DataSpec

PLANT = """
ontology plant
hierarchy crop "Crop plant" aka "species" { fruit { apple, pear }, banana { banana }, root { beet } }
multiclass disease { scab, rust, healthy }
binary ripe "Is ripe"
multilabel parts { leaf, stem { thorn } }
"""


@pytest.fixture(scope="module")
def tables():
    return compile_tables(check_text(PLANT, "plant.onto").ontology)


def records(**columns):
    n = len(next(iter(columns.values())))
    names = [f"apple-{i}___scab.png" for i in range(n)]
    return Records(np.zeros((n, 2, 2, 1), np.uint8), names, columns)


def read(tables, data, *bindings, **spec):
    """Each record in words, without the groups that say nothing."""
    bound = bind(tables, data, DataSpec("x", Digits(), bind=bindings, **spec))
    check_values(bound, data.names)
    said = [describe(tables, p) for p in bound.evidence.possible()]
    return [{k: v for k, v in s.items() if v not in ("?", "…?")} for s in said], bound


@pytest.mark.parametrize("name", ["crop", "Crop plant", "species", "CROP-PLANT"])
def test_a_group_by_id_title_or_alias(tables, name):
    said, bound = read(tables, records(c=["apple", None, "fruit"]), Binding(name, "c"))
    assert said == [{"crop": "apple"}, {}, {"crop": "fruit"}]
    assert bound.bound == {"crop": "c"}


def test_columns_named_as_groups_are_bound_and_others_told(tables):
    data = records(crop=["pear", "beet"], **{"Is ripe": [True, False]}, other=["a", "b"])
    said, bound = read(tables, data)
    assert said == [{"crop": "pear", "ripe": "yes"}, {"crop": "beet", "ripe": "no"}]
    assert bound.bound == {"crop": "crop", "ripe": "Is ripe"}
    assert bound.notices == ["not bound, so unknown everywhere: disease, parts"]


def test_raw_values_are_mapped_and_the_rest_stays(tables):
    data = records(c=[0, 1, "apple", None, 9])
    values = {"0": "pear", "1": "!fruit", "9": None}
    said, _ = read(tables, data, Binding("crop", "c", values))
    assert said == [{"crop": "pear"}, {"crop": "{banana|beet}"}, {"crop": "apple"}, {}, {}]


def test_booleans_are_mapped_by_either_spelling(tables):
    data = records(b=[True, False])
    for values in ({"true": "scab", "false": "healthy"}, {"True": "scab", "False": "healthy"}):
        assert read(tables, data, Binding("disease", "b", values))[0] == [{"disease": "scab"}, {"disease": "healthy"}]


def test_missing_words(tables):
    data = records(c=["", "?", "-", " "])
    assert read(tables, data, Binding("crop", "c"), missing=("", "?", "-"))[0] == [{}] * 4


def test_a_path_of_columns(tables):
    data = records(a=["fruit", "banana", "fruit", "", "root"], b=["apple", "banana", "", "pear", "root"])
    said, bound = read(tables, data, Binding("crop", path=("a", "b")))
    assert [s["crop"] for s in said] == ["apple", "banana", "fruit", "pear", "beet"]
    assert bound.bound == {"crop": "a > b"}


def test_levels_that_disagree_are_impossible(tables):
    bound = bind(
        tables, records(a=["root"], b=["pear"]), DataSpec("x", Digits(), bind=(Binding("crop", path=("a", "b")),))
    )
    assert not bound.unread
    assert not bound.evidence.possible().any()


def test_a_pattern_reads_names_and_columns(tables):
    pattern = r"(?P<crop>\w+?)-\d+___(?P<disease>.+)\.png"
    bindings = [Binding(g, pattern=pattern, capture=g) for g in ("crop", "disease")]
    said, _ = read(tables, records(c=[1, 2]), *bindings)
    assert said == [{"crop": "apple", "disease": "scab"}] * 2
    column = Binding("disease", "c", pattern=r".+ (?P<d>\w+)", capture="d", values={"DISEASED": "{scab|rust}"})
    said, _ = read(tables, records(c=["APPLE HEALTHY", "APPLE DISEASED", ""]), column)
    assert said == [{"disease": "healthy"}, {"disease": "{scab|rust}"}, {}]
    with pytest.raises(LinnaeusError, match=r"E223.*'PEAR': does not match the pattern") as e:
        read(tables, records(c=["PEAR"]), column)
    assert "1 × (first: apple-0___scab.png)" in str(e.value)


def test_a_multilabel_list_and_its_single_classes(tables):
    data = records(p=["leaf|thorn", ("stem",), ()], leaf=[True, False, None])
    said, _ = read(tables, data, Binding("parts", "p"), unlisted="no")
    assert [s["parts"] for s in said] == ["leaf, stem, thorn", "stem", "none"]
    said, bound = read(tables, data, Binding("parts.leaf", "leaf"))
    assert said == [{"parts": "leaf, …?"}, {}, {}]
    assert bound.notices[-1] == "parts: no column for stem, thorn: unknown everywhere"


def test_folding_is_told_once_a_spelling(tables):
    _, bound = read(tables, records(c=["APPLE", "APPLE", "apple"]), Binding("crop", "c"))
    told = "crop: read without regard to case, spaces and hyphens: 'APPLE' as crop.fruit.apple"
    assert bound.notices[0] == told


def test_unknown_values_are_listed_with_counts_and_the_nearest_classes(tables):
    data = records(c=["appel", "appel", "stone", "apple"], d=["rust", "rsut", "rust", "rust"])
    with pytest.raises(LinnaeusError) as e:
        read(tables, data, Binding("crop", "c"), Binding("disease", "d"))
    first, second = e.value.diagnostics
    assert first.code == second.code == "E223"
    assert "3 images have values that crop can't read" in first.message
    assert "'appel' is no class of crop (nearest: crop.fruit.apple), 2 × (first: apple-0___scab.png)" in first.message
    assert "disease.rust" in second.message
    assert "unknown_value: drop" in first.help


@pytest.mark.parametrize(
    ("bindings", "code", "law"),
    [
        ([Binding("crap", "c")], "E220", "no group 'crap'"),
        ([Binding("apple", "c")], "E220", "a class of the hierarchy crop"),
        ([Binding("crop", "c"), Binding("species", "c")], "E221", "crop is bound twice"),
        ([Binding("parts.leaf", "c"), Binding("parts", "c")], "E221", "parts is bound twice"),
        ([Binding("crop", "d")], "E222", "no column 'd'"),
        ([Binding("parts", "c")], "E225", "must say what a class left out"),
        ([], "E226", "no group is bound"),
        ([Binding("disease", path=("c", "c"))], "E227", "path binds a hierarchy"),
        ([Binding("disease")], "E227", "names no column"),
    ],
)
def test_a_binding_that_cannot_be_is_refused(tables, bindings, code, law):
    spec = {"unlisted": "no"} if code == "E221" else {}
    with pytest.raises(LinnaeusError, match=law) as e:
        read(tables, records(c=["yes"]), *bindings, **spec)
    assert e.value.diagnostics[0].code == code
    assert e.value.diagnostics[0].help or code == "E227"
