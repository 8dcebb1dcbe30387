import numpy as np
import pytest

from linnaeus.dsl.evidence import NO, UNKNOWN, YES, decided_labels, evidence_from_allowed, propagate
from linnaeus.dsl.tables import compile_tables
from linnaeus.dsl.testing import enumerate_worlds, random_evidence, random_ontology


@pytest.fixture(scope="module")
def cases():
    """(tables, legal worlds as states, masks truthful and arbitrary) of 150 random ontologies."""
    rng = np.random.default_rng(3)
    made = []
    for _ in range(150):
        ontology = random_ontology(rng, max_worlds=200)
        tables = compile_tables(ontology)
        truthful = random_evidence(rng, tables, 12).allowed()
        arbitrary = rng.random((12, tables.n_states)) < rng.choice([0.4, 0.7, 0.9])
        made.append((tables, tables.states_of(enumerate_worlds(ontology)), np.concatenate([truthful, arbitrary])))
    return made


def agreeing(worlds, mask):
    return worlds[(worlds <= mask).all(1)]


def test_propagate_leaves_exactly_the_states_of_agreeing_worlds(cases):
    contradictions = 0
    for tables, worlds, masks in cases:
        found = propagate(tables, masks)
        for mask, possible in zip(masks, found, strict=True):
            here = agreeing(worlds, mask)
            assert (possible == here.any(0)).all()
            contradictions += not len(here)
    assert contradictions > 100  # both outcomes are tried


def test_random_evidence_is_never_contradictory_and_says_all_kinds_of_things(cases):
    said = set()
    for tables, worlds, masks in cases:
        for mask in masks[:12]:
            assert len(agreeing(worlds, mask))
            for v in tables.variables:
                here = mask[v.start : v.stop]
                said.add("unknown" if here.all() else "one" if here.sum() == 1 else "several")
                said.add("n/a" if v.na >= 0 and here.sum() == 1 and mask[v.na] else "")
    assert said >= {"unknown", "one", "several", "n/a"}


def test_possible_and_decided_labels_equal_brute_force(cases):
    for tables, worlds, masks in cases:
        evidence = evidence_from_allowed(tables, masks)
        possible = evidence.possible()
        decided = decided_labels(tables, possible)
        for mask, row, answer in zip(masks, possible, decided, strict=True):
            here = agreeing(worlds, mask)
            assert (row == here.any(0)).all()
            labels = tables.labels_of(here)
            expected = np.where(labels.all(0), YES, np.where(labels.any(0), UNKNOWN, NO))
            assert (answer == (expected if len(here) else NO)).all()


def test_evidence_keeps_the_masks_it_was_made_of(cases):
    rng = np.random.default_rng(4)
    for tables, _, masks in cases:
        evidence = evidence_from_allowed(tables, masks)
        assert len(evidence) == len(masks)
        assert (evidence.allowed() == masks).all()
        assert all(m[0].all() for m in evidence.masks)  # code 0 is unknown
        rows = rng.integers(len(masks), size=7)
        assert (evidence.take(rows).allowed() == masks[rows]).all()
        assert (evidence.take(masks[:, 0]).allowed() == masks[masks[:, 0]]).all()
        variable, base, width = evidence.gather_tables()
        assert (evidence.flat[base + evidence.codes[:, variable] * width] == masks).all()


def test_no_records():
    tables = compile_tables(random_ontology(np.random.default_rng(5)))
    evidence = evidence_from_allowed(tables, np.zeros((0, tables.n_states), bool))
    assert len(evidence) == 0
    assert evidence.possible().shape == (0, tables.n_states)
    assert decided_labels(tables, evidence.possible()).shape == (0, tables.n_labels)
