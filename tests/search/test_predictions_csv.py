"""`predictions.csv` says in words what evidence and worlds say in Booleans."""

import csv

import numpy as np
import pytest

from linnaeus.dsl.evidence import propagate
from linnaeus.dsl.load import load_ontology
from linnaeus.dsl.tables import compile_tables
from linnaeus.search.predictions_csv import write_predictions
from linnaeus.search.results import SavedPredictions

ONTOLOGY = """ontology zoo

hierarchy animal {
  mammal { cat, dog }
  bird {
    owl
    parrot
    binary talks
  }
}
multilabel marks { striped, spotted }
ordinal size { small < medium < large }
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    path = tmp_path_factory.mktemp("zoo") / "zoo.onto"
    path.write_text(ONTOLOGY)
    return compile_tables(load_ontology(path))


def rows(tmp_path, tables, possible, worlds):
    n = len(possible)
    probabilities = np.full((n, tables.n_labels), 0.25, np.float32)
    saved = SavedPredictions(
        tuple(f"i{k}" for k in range(n)), possible, worlds, probabilities, None, np.arange(n, dtype=np.int32)
    )
    write_predictions(tmp_path / "p.csv", saved, tables)
    with (tmp_path / "p.csv").open(encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f))


def label(tables, ident):
    (found,) = [x for x in tables.ontology.labels if x.id == ident]
    return found.index


def only(tables, allowed, row, *idents):
    """Leave in the variable of the first label only the states in which one of the labels holds."""
    states = [s for i in idents for s in tables.label_states[label(tables, i)]]
    v = tables.variables[int(tables.label_variable[label(tables, idents[0])])]
    keep = np.zeros(tables.n_states, bool)
    keep[states] = True
    allowed[row, v.start : v.stop] &= keep[v.start : v.stop]


def test_truth_is_what_the_evidence_decides(tmp_path, tables):
    allowed = np.ones((5, tables.n_states), bool)
    only(tables, allowed, 0, "cat")
    only(tables, allowed, 0, "striped")
    only(tables, allowed, 1, "owl", "parrot")
    only(tables, allowed, 2, "cat", "owl")
    only(tables, allowed, 3, "small", "medium")
    found = rows(tmp_path, tables, propagate(tables, allowed), np.zeros((5, tables.n_labels), bool))
    (talks,) = [g.path for g in tables.ontology.groups if g.id == "talks"]
    assert [r["animal.truth"] for r in found] == ["cat", "bird", "cat or owl", "", ""]
    assert [r[f"{talks}.truth"] for r in found] == ["n/a", "", "", "", ""]
    assert found[0]["marks.truth"] == "striped|spotted?"
    assert found[4]["marks.truth"] == "striped?|spotted?"
    assert [r["size.truth"] for r in found] == ["", "", "", "small or medium", ""]


def test_worlds_are_named_by_their_deepest_classes(tmp_path, tables):
    worlds = np.zeros((3, tables.n_labels), bool)
    (talks,) = [g for g in tables.ontology.groups if g.id == "talks"]
    for i in ("mammal", "dog", "striped", "spotted", "large"):
        worlds[0, label(tables, i)] = True
    for i in ("bird", "owl"):
        worlds[1:, label(tables, i)] = True
    worlds[2, talks.labels[0]] = True
    found = rows(tmp_path, tables, np.ones((3, tables.n_states), bool), worlds)
    assert [r["animal.predicted"] for r in found] == ["dog", "owl", "owl"]
    assert [r[f"{talks.path}.predicted"] for r in found] == ["n/a", "no", "yes"]
    assert [r["marks.predicted"] for r in found] == ["striped|spotted", "", ""]
    assert [r["size.predicted"] for r in found] == ["large", "", ""]
    assert found[0]["image"] == "i0"
    assert found[0]["P(animal.mammal.dog)"] == "0.25" or any(k.startswith("P(") and "dog" in k for k in found[0])
