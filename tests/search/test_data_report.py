"""Data held against an ontology: laws by enumeration on random ontologies, and what a study's data is told."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from linnaeus.dsl.evidence import evidence_from_allowed, possible_states
from linnaeus.dsl.load import check_text
from linnaeus.dsl.tables import compile_tables
from linnaeus.dsl.testing import enumerate_worlds, random_ontology
from linnaeus.errors import LinnaeusError
from linnaeus.search.combinations import combinations, tied
from linnaeus.search.conflicts import conflicts
from linnaeus.search.copies import copies
from linnaeus.search.data_findings import findings
from linnaeus.search.data_report import report_data
from linnaeus.search.study_file import load_data

PLANT = """
ontology plant
multiclass crop { apple, grape, tomato }
multiclass health {
    healthy
    diseased { multiclass disease { scab, rust, mold }; ordinal severity { trace < mild < severe } }
}
multilabel parts { leaf { spot }, fruit }
rule hosts { scab => apple; mold => tomato }
"""


def agrees(tables, worlds, allowed):
    """Whether some world, given as states, is inside a mask of states."""
    return bool((~worlds | allowed).all(1).any())


def some_evidence(rng, tables, n):
    """Random masks, most of which say a little of several variables; many are illegal."""
    allowed = np.ones((n, tables.n_states), bool)
    for row in allowed:
        for v in tables.variables:
            if rng.random() < 0.5:
                row[v.start : v.stop] = rng.random(v.stop - v.start) < 0.5
                row[rng.integers(v.start, v.stop)] = True
    return allowed


@pytest.mark.parametrize("seed", range(20))
def test_conflicts_are_minimal_and_complete(seed):
    rng = np.random.default_rng(seed)
    ontology = random_ontology(rng, max_worlds=200, rules=3)
    tables = compile_tables(ontology)
    worlds = tables.states_of(enumerate_worlds(ontology))
    allowed = some_evidence(rng, tables, 40)
    evidence = evidence_from_allowed(tables, allowed)
    found = conflicts(evidence)
    wrong = [i for i in range(40) if not agrees(tables, worlds, allowed[i])]
    assert sorted(r for c in found for r in c.rows) == wrong
    groups = {g.path: g for g in ontology.groups}
    for conflict in found:
        for row in conflict.rows[:2]:
            said = {path: _states_of(tables, groups[path]) for path, _ in conflict.said}
            kept = np.ones(tables.n_states, bool)
            for states in said.values():
                kept[states] = allowed[row][states]
            assert not agrees(tables, worlds, kept)  # what is said is enough
            for states in said.values():
                without = kept.copy()
                without[states] = True
                assert agrees(tables, worlds, without)  # and every group of it is needed
        blamed = [law for law in tables.constraints if law.source in conflict.laws]
        assert not legal_under(tables, blamed, allowed[conflict.rows[0]])
        single = all(groups[path].single_choice for path, _ in conflict.said)  # of a multilabel, a part is enough
        for source in conflict.laws if single else ():
            fewer = [law for law in blamed if law.source != source]
            kept = np.ones(tables.n_states, bool)
            for path, _ in conflict.said:
                kept[_states_of(tables, groups[path])] = allowed[conflict.rows[0]][_states_of(tables, groups[path])]
            assert legal_under(tables, fewer, kept)


def legal_under(tables, laws, allowed):
    return possible_states(replace(tables, constraints=tuple(laws)), allowed[None]).any()


def _states_of(tables, group):
    return np.concatenate([np.arange(v.start, v.stop) for v in tables.group_variables(group)])


def test_the_laws_blamed_are_those_without_which_it_is_legal():
    text = "ontology o\nbinary a, b, c, d\nrule one { a => b }\nrule two { b => c }\nrule three { a => d }\n"
    ontology = check_text(text, "o.onto").require()
    tables = compile_tables(ontology)
    allowed = np.ones((2, tables.n_states), bool)
    states = {g.id: tables.group_variables(g)[0] for g in ontology.groups}
    allowed[0, states["a"].no] = allowed[0, states["c"].start] = False  # a no, c no: fine
    allowed[1, states["a"].no] = allowed[1, states["c"].start] = False
    allowed[0, states["a"].no], allowed[0, states["a"].start] = True, False
    (found,) = conflicts(evidence_from_allowed(tables, allowed))
    assert found.rows == (1,)
    assert found.laws == ("rule one", "rule two")
    assert str(found) == "a: yes with c: no can't be, by rule one and rule two"


@pytest.mark.parametrize("seed", range(8))
def test_combinations_never_seen_equal_enumeration(seed):
    rng = np.random.default_rng(seed)
    ontology = random_ontology(rng, groups=3, max_worlds=200, rules=2)
    tables = compile_tables(ontology)
    worlds = enumerate_worlds(ontology)
    shown = worlds[rng.integers(len(worlds), size=max(1, len(worlds) // 3))]
    evidence = evidence_from_allowed(tables, tables.states_of(shown))
    for found in combinations(evidence, frozenset(range(len(ontology.groups)))):
        a, b = ([i for i in g.labels if not ontology.children[i] or g.kind == "multilabel"]
                for path in found.groups for g in ontology.groups if g.path == path)  # fmt: skip
        legal = {(i, j) for i in a for j in b if (worlds[:, i] & worlds[:, j]).any()}
        legal = {(i, j) for i, j in legal if not (ontology.labels[i].other or ontology.labels[j].other)}
        seen = {(i, j) for i, j in legal if (shown[:, i] & shown[:, j]).any()}
        ever = shown.any(0)
        never = {(i, j) for i, j in legal - seen if ever[i] and ever[j]}
        assert found.legal == len(legal)
        paths = {(ontology.labels[i].path, ontology.labels[j].path) for i, j in never}
        assert set(found.never) == paths


def test_groups_are_tied_by_nesting_and_rules():
    ontology = check_text(PLANT, "plant.onto").require()
    names = [{ontology.groups[a].id, ontology.groups[b].id} for a, b in tied(ontology)]
    assert {"crop", "disease"} in names  # the rule
    assert {"health", "disease"} in names
    assert {"disease", "severity"} in names
    assert {"crop", "severity"} not in names


def test_copies_are_files_of_equal_bytes(tmp_path):
    for name, content in (("a", b"1"), ("b", b"2"), ("c", b"1"), ("d", b"long")):
        (tmp_path / name).write_bytes(content)
    files = [tmp_path / n for n in "abcd"]
    assert copies([*files, tmp_path / "missing"]) == [[0, 2]]
    assert copies([b"x", b"y", b"x"]) == [[0, 2]]
    assert copies(np.array([[1, 2], [3, 4], [1, 2]])) == [[0, 2]]


# --- a study's data ------------------------------------------------------------------------------------


HEAD = ("path", "split", "patient_id", "crop", "health", "disease", "severity", "parts")
ROWS = [
    ("0", "train", "p1", "apple", "diseased", "scab", "mild", "leaf|spot"),
    ("1", "train", "p1", "tomato", "diseased", "mold", "severe", "leaf"),
    ("2", "train", "p2", "apple", "healthy", "", "", "fruit"),
    ("3", "train", "p2", "appel", "healthy", "", "", "fruit"),
    ("4", "test", "p2", "tomato", "healthy", "", "", ""),
    ("5", "test", "p3", "grape", "diseased", "scab", "", "leaf"),
    ("6", "test", "p3", "", "diseased", "rust", "trace", "leaf"),
    ("7", "test", "p4", "appel", "healthy", "", "mild", "leaf"),
    ("8", "train", "p5", "apple", "diseased", "rust", "trace", "leaf"),
    ("9", "train", "p5", "Not sure", "healthy", "", "", "fruit"),
]


@pytest.fixture
def plants(tmp_path):
    def write(rows=ROWS, text=PLANT, extra="", split="{from: split}"):
        (tmp_path / "plant.onto").write_text(text)
        for row in rows:
            (tmp_path / row[0]).write_bytes(b"same" if row[0] in "28" else row[0].encode())
        with (tmp_path / "plants.csv").open("w", newline="") as file:
            csv.writer(file).writerows([HEAD, *rows])
        data = f"  source: csv\n  path: plants.csv\n  unlisted: no\n  split: {split}\n{extra}"
        (tmp_path / "study.yaml").write_text(f"ontology: other.onto\ndata:\n{data}")
        ontology = check_text(text, "plant.onto").require()
        return report_data(ontology, load_data(tmp_path / "study.yaml"), tmp_path / "cache")

    return write


def told(report, code):
    return [d for d in findings(report) if d.code == code]


def test_unknown_values_one_by_one(plants):
    found = told(plants(), "E223")
    assert [d.severity for d in found] == ["error"] * 2
    appel, unsure = found
    assert appel.message == "'appel' is no class of crop: 2 images (3, 7); the nearest: crop.apple, crop.grape"
    assert "values: {'appel': apple}" in appel.help
    assert unsure.message.startswith("'Not sure' is no class of crop: 1 image (9)")
    assert "data.missing" in unsure.help
    dropped = plants(extra="  bad: {unknown_value: drop, illegal: drop}\n")
    assert [d.severity for d in told(dropped, "W223")] == ["warning"] * 2
    assert not [d for d in findings(dropped) if d.severity == "error"]


def test_illegal_records_with_what_contradicts_what(plants):
    report = plants()
    found = [d.message for d in told(report, "E224")]
    assert sorted(found) == [
        "crop: grape with health.diseased.disease: scab can't be, by rule hosts: 1 image (5); "
        "the first is written crop: 'grape', health.diseased.disease: 'scab'",
        "health: healthy with health.diseased.severity: mild can't be, as the groups are nested: 1 image (7); "
        "the first is written health: 'healthy', health.diseased.severity: 'mild'",
    ]
    listed = report.to_dict()["illegal_records"]
    assert {r["record"]: r["laws"] for r in listed} == {"5": ["rule hosts"], "7": []}
    assert listed[0]["cells"]["crop"] in ("grape", "appel")


def test_missing_labels_are_counted_and_named(plants):
    report = plants()
    assert dict(report.missing) == {"crop": (6,), "parts": (4,)}  # where nothing applies, nothing is missing
    assert report.to_dict()["missing"]["crop"] == {"count": 1, "records": ["6"]}
    assert told(report, "I255")[0].message == "no label of crop: 1 image (6)"


def test_classes_without_an_example(plants):
    report = plants()
    messages = [d.message for d in told(report, "W250")]
    assert "one class has no example in the data: crop.grape" in messages  # its only image is illegal
    opened = PLANT.replace("multiclass crop {", "multiclass crop open {")
    assert told(plants(text=opened), "W251")[0].message.startswith("crop.other has no example, so its probability")


def test_pairs_never_seen(plants):
    report = plants()
    found = {c.groups: c.never for c in report.combinations}
    assert ("health.diseased.disease.scab", "health.diseased.severity.trace") in found[
        "health.diseased.disease", "health.diseased.severity"
    ]
    assert "scab with trace" in " ".join(d.message for d in told(report, "I252"))


def test_copies_with_other_labels(plants):
    report = plants()
    assert [(c.rows, c.contradict) for c in report.copies] == [((2, 8), True)]
    assert told(report, "W253")[0].message.startswith(
        "1 of 1 pictures that occur more than once say different things, 1"
    )


@pytest.mark.parametrize(
    ("split", "law"),
    [
        ("{from: split}", "1 of 5 values of the column 'patient_id', with 3 images, stand in more than one split: p2"),
        ("{test: .2}", "the column 'patient_id' has 5 values over 10 images, and the split is drawn image by image"),
        ("{test: .2, group: patient_id}", None),
    ],
)
def test_groups_that_a_split_tears(plants, split, law):
    found = told(plants(split=split), "W254")
    assert [d.message.startswith(law) for d in found] == ([True] if law else [])


def test_a_split_that_is_not_there_is_a_warning(plants):
    report = plants(split="{test: official}")
    assert report.split is None
    assert told(report, "W230")[0].severity == "warning"


def test_uneven_classes(plants):
    rows = [*ROWS, *((f"x{i}", "train", "p9", "tomato", "healthy", "", "", "leaf") for i in range(30))]
    assert told(plants(rows=rows), "I256")[0].message.startswith("uneven classes: crop.tomato 32 images, crop.apple 3")


def test_the_whole_report_is_plain_data(plants):
    report = plants().to_dict()
    again = json.loads(json.dumps(report, allow_nan=False))
    assert again["records"] == 10
    assert again["splits"] == {"train": 6, "validation": 0, "test": 4, "none": 0}
    assert again["classes"]["crop.apple"] == {"images": 3, "train": 3}


def test_a_binding_that_this_ontology_has_no_group_for(plants):
    with pytest.raises(LinnaeusError, match="E220"):
        plants(extra="  bind: {variety: crop}\n")
