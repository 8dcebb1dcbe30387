"""Laws of the assignment to splits."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnaeus.dsl.annotations import EvidenceBuilder, GroupReader
from linnaeus.dsl.load import check_text
from linnaeus.dsl.tables import compile_tables
from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import Records
from linnaeus.search.splits import NOWHERE, TEST, TRAIN, VALIDATION, assign
from linnaeus.search.study import SplitSpec

ONTOLOGY = check_text("ontology o\nhierarchy h { a { a1, a2 }, b { b1, b2, b3 } }\nbinary c", "o.onto").ontology
TABLES = compile_tables(ONTOLOGY)
LEAVES = ["a1", "a2", "b1", "b2", "b3"]


def evidence_of(labels, second=None):
    builder = EvidenceBuilder(TABLES, len(labels))
    builder.add(labels, GroupReader(TABLES, ONTOLOGY.groups[0]).read)
    builder.add(second or [None] * len(labels), GroupReader(TABLES, ONTOLOGY.groups[1]).read)
    return builder.done()


def make(spec, labels, *, contents=None, splits=None, seed=0, **columns):
    n = len(labels)
    names = [f"{i:05d}" for i in range(n)]
    records = Records(np.zeros((n, 1, 1, 1), np.uint8), names, columns, splits)
    return assign(records, contents or names, evidence_of(labels), spec, seed, frozenset({""}))


FRACTIONS = SplitSpec(test=0.2, validation=0.1)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(LEAVES), min_size=10, max_size=300), st.integers(0, 5))
def test_fractions_hold_in_all_and_in_every_class_and_branch(labels, seed):
    made = make(FRACTIONS, labels, seed=seed)
    rows = {None: range(len(labels))}
    for leaf in (*LEAVES, "a", "b"):
        rows[leaf] = [i for i, label in enumerate(labels) if label.startswith(leaf)]
    for found in rows.values():
        count = Counter(made.split[list(found)].tolist())
        assert abs(count[TEST] - 0.2 * len(found)) <= 1
        assert abs(count[VALIDATION] - 0.1 * len(found)) <= 1.3  # two roundings: of what the test split left, a share
    assert (made.clusters == np.arange(len(labels))).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LEAVES), st.integers(0, 30)), min_size=20, max_size=200), st.randoms())
def test_the_order_of_the_records_does_not_matter(pairs, random):
    labels, groups = [p[0] for p in pairs], [str(p[1]) for p in pairs]
    contents = [f"{i}" for i in range(len(pairs))]
    for group in (None, "g"):
        spec = SplitSpec(test=0.2, validation=0.2, group=group)
        before = make(spec, labels, contents=contents, g=groups)
        order = list(range(len(pairs)))
        random.shuffle(order)

        def shuffled(cells, order=order):
            return [cells[i] for i in order]

        after = make(spec, shuffled(labels), contents=shuffled(contents), g=shuffled(groups))
        assert after.split.tolist() == before.split[order].tolist()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LEAVES), st.integers(0, 20)), min_size=5, max_size=200), st.integers(0, 3))
def test_groups_never_straddle(pairs, seed):
    groups = [p[1] for p in pairs]
    made = make(SplitSpec(test=0.3, validation=0.2, group="g"), [p[0] for p in pairs], seed=seed, g=groups)
    where: dict[int, set[int]] = {}
    for g, split in zip(groups, made.split.tolist(), strict=True):
        where.setdefault(g, set()).add(split)
    assert all(len(s) == 1 for s in where.values())
    largest = max(Counter(groups).values())
    assert abs((made.split == TEST).sum() - 0.3 * len(pairs)) <= largest
    same = {(g, c) for g, c in zip(groups, made.clusters.tolist(), strict=True)}
    assert len(same) == len(set(groups)) == len(set(made.clusters.tolist()))


def test_a_record_without_a_group_is_its_own():
    made = make(SplitSpec(test=0.5, validation=0.2, group="g"), ["a1"] * 6, g=["", None, "x", "x", "", ""])
    assert len(set(made.clusters.tolist())) == 5


def test_seeds_differ():
    labels = LEAVES * 40
    assert (make(FRACTIONS, labels).split != make(FRACTIONS, labels, seed=1).split).any()


def test_the_official_test_split_is_untouched():
    splits = ["train"] * 80 + ["test"] * 20
    made = make(SplitSpec(), LEAVES * 20, splits=splits)
    assert (made.split[80:] == TEST).all()
    assert (made.split[:80] == VALIDATION).sum() == 8


def test_official_validation_is_kept_or_pooled_and_told():
    splits = ["train"] * 60 + ["validation"] * 20 + ["test"] * 20
    kept = make(SplitSpec(validation="official"), LEAVES * 20, splits=splits)
    assert kept.split.tolist() == [TRAIN] * 60 + [VALIDATION] * 20 + [TEST] * 20
    pooled = make(SplitSpec(validation=0.25), LEAVES * 20, splits=splits)
    assert (pooled.split == VALIDATION).sum() == 20
    assert "pooled with training" in pooled.notices[0]


def test_a_column_of_splits():
    column = ["train", "Val", "test", ""] * 5
    made = make(SplitSpec(column="s"), ["a1"] * 20, s=column)
    assert made.split.tolist() == [TRAIN, VALIDATION, TEST, NOWHERE] * 5
    assert made.left_out[3] == "no split in the column 's'"
    made = make(SplitSpec(column="s"), ["a1"] * 40, s=["train", "test"] * 20)
    assert (made.split == VALIDATION).sum() == 2
    assert "names no validation images: 0.1 of training" in made.notices[0]


def test_stratifying_over_one_group():
    labels, second = LEAVES * 20, ["yes", "no"] * 50
    n = len(labels)
    records = Records(np.zeros((n, 1, 1, 1), np.uint8), [str(i) for i in range(n)], {})
    contents = list(records.names)
    made = assign(records, contents, evidence_of(labels, second), SplitSpec(0.2, 0.1, ("c",)), 0, frozenset())
    for answer in ("yes", "no"):
        rows = [i for i, s in enumerate(second) if s == answer]
        assert (made.split[rows] == TEST).sum() == 10


def test_copies_across_splits_are_counted_and_dropped_from_training():
    contents = ["x", "y", "z", "x", "y", "w", "w", "v"]
    splits = ["train", "train", "train", "test", "validation", "test", "test", "train"]
    spec = SplitSpec(validation="official")
    dropped = make(spec, ["a1"] * 8, contents=contents, splits=splits)
    assert dropped.split.tolist() == [NOWHERE, NOWHERE, TRAIN, TEST, VALIDATION, TEST, TEST, TRAIN]
    assert dropped.left_out == {0: "a copy of a test image", 1: "a copy of a validation image"}
    kept = make(SplitSpec(validation="official", duplicates="keep"), ["a1"] * 8, contents=contents, splits=splits)
    assert (kept.split != NOWHERE).all()
    counts = {"images": 6, "pictures": 3, "train-test": 1, "validation-test": 0, "train-validation": 1}
    assert dropped.duplicates == {**counts, "dropped": 2}
    assert kept.duplicates == {**counts, "dropped": 0}


def test_copies_stay_together_when_fractions_are_drawn():
    contents = [str(i // 2) for i in range(200)]
    made = make(SplitSpec(test=0.3, validation=0.3), LEAVES * 40, contents=contents)
    assert made.duplicates["dropped"] == 0
    assert (made.split[::2] == made.split[1::2]).all()


def test_groups_torn_by_official_splits_are_told():
    made = make(SplitSpec(group="g"), LEAVES * 2, splits=["train"] * 8 + ["test"] * 2, g=["x"] * 10)
    assert any("1 values of 'g' stand in more than one" in n for n in made.notices)


@pytest.mark.parametrize(
    ("spec", "code", "law", "step"),
    [
        (SplitSpec(), "E230", "no official test split", "from: when"),
        (SplitSpec(test=0.2, validation="official"), "E230", "no official validation split", "from: when"),
        (SplitSpec(column="g"), "E231", "holds 'x', which are not train, validation or test", "fractions"),
        (SplitSpec(column="whem"), "E222", "no column 'whem'", "'when'"),
        (SplitSpec(test=0.2, group="h"), "E222", "no column 'h'", "g"),
        (SplitSpec(test=0.2, stratify=("hh",)), "E234", "no group 'hh'", "'h'"),
    ],
)
def test_a_split_that_cannot_be_is_refused(spec, code, law, step):
    with pytest.raises(LinnaeusError, match=law) as e:
        make(spec, LEAVES, g=["x"] * 5, when=["train", "val", "test", "train", ""])
    assert e.value.diagnostics[0].code == code
    assert step in e.value.diagnostics[0].help
