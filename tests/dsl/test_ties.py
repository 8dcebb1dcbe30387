"""Laws (rules, second parents, `when`) in tables and evidence, against their definition: all worlds, listed."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from linnaeus.dsl.evidence import NO, UNKNOWN, YES, decided_labels, evidence_from_allowed, possible_states, propagate
from linnaeus.dsl.formula import Formula, Op, conjunction, holds
from linnaeus.dsl.ontology import Change, Group, Import, Kind, Label, Migration, Ontology, Rule
from linnaeus.dsl.tables import compile_tables, laws
from linnaeus.dsl.testing import enumerate_worlds, random_evidence, random_ontology


@pytest.fixture(scope="module")
def cases():
    """(tables, legal worlds as labels) of 250 random ontologies, most with laws, some without a legal world."""
    rng, made = np.random.default_rng(6), []
    for k in range(250):
        ontology = random_ontology(rng, max_labels=14, max_worlds=200, rules=3 if k % 5 else 0, consistent=False)
        made.append((compile_tables(ontology), enumerate_worlds(ontology)))
    return made


def test_cases_cover_the_laws(cases):
    found = {"two parents": 0, "when": 0, "hard": 0, "soft": 0, "forest": 0, "no world": 0}
    for tables, worlds in cases:
        o = tables.ontology
        found["two parents"] += any(len(label.parents) > 1 for label in o.labels)
        found["when"] += any(g.when is not None for g in o.groups)
        found["hard"] += any(r.weight is None for r in o.rules)
        found["soft"] += bool(tables.soft)
        found["forest"] += tables.forest
        found["no world"] += not len(worlds)
    assert min(found.values()) >= 5, found


def test_states_of_and_labels_of_are_inverse_on_legal_worlds_and_refuse_all_others(cases):
    rng = np.random.default_rng(7)
    for tables, worlds in cases:
        states = tables.states_of(worlds)
        assert (tables.count_by_variable(states) == 1).all()
        assert (tables.labels_of(states) == worlds).all()
        legal = {w.tobytes() for w in worlds}
        tried = rng.random((60, tables.n_labels)) < 0.4
        if legal:
            tried[:30] = worlds[rng.integers(len(worlds), size=30)] ^ (rng.random((30, tables.n_labels)) < 0.1)
        assert tables.states_of(tried).any(1).tolist() == [row.tobytes() in legal for row in tried]


def test_possible_states_are_those_of_agreeing_legal_worlds(cases):
    rng = np.random.default_rng(8)
    for tables, worlds in cases:
        states = tables.states_of(worlds)
        masks = rng.random((16, tables.n_states)) < rng.choice([0.5, 0.8, 0.95], size=(16, 1))
        masks[0] = True
        if len(states):  # some that a world agrees with, some that say all
            masks[1:6] |= states[rng.integers(len(states), size=5)]
            masks[6:9] = states[rng.integers(len(states), size=3)]
        evidence = evidence_from_allowed(tables, masks)
        possible = evidence.possible()
        assert (possible == possible_states(tables, masks)).all()
        decided = decided_labels(tables, possible)
        for mask, row, answer in zip(masks, possible, decided, strict=True):
            here = (states <= mask).all(1)
            assert (row == states[here].any(0)).all()
            labels = worlds[here]
            assert (answer == np.where(labels.any(0), np.where(labels.all(0), YES, UNKNOWN), NO)).all() or not len(
                labels
            )


def plants(**more):
    """crop; health { sick { ordinal severity } }: small enough to reason about."""
    labels = [
        Label(0, 0, "apple", "crop.apple"),
        Label(1, 0, "grape", "crop.grape"),
        Label(2, 1, "well", "health.well"),
        Label(3, 1, "sick", "health.sick"),
        Label(4, 2, "mild", "severity.mild"),
        Label(5, 2, "severe", "severity.severe"),
    ]
    groups = [
        Group(0, Kind.MULTICLASS, "crop", "crop", (0, 1)),
        Group(1, Kind.MULTICLASS, "health", "health", (2, 3)),
        Group(2, Kind.ORDINAL, "severity", "health.sick.severity", (4, 5), more.pop("condition", 3), **more),
    ]
    return Ontology("plants", tuple(groups), tuple(labels))


def test_what_follows_from_a_rule_and_what_it_leaves_alone():
    rule = Rule("grapes", (Formula(Op.IMPLIES, (holds(1), Formula(Op.EQ, labels=(5,), group=2))),))
    tables = compile_tables(replace(plants(), rules=(rule,)))
    assert not tables.forest
    allowed = np.ones((2, tables.n_states), bool)
    allowed[0, 0] = False  # not an apple, so severely sick
    allowed[1, 2] = False  # not well: nothing follows
    words = [{i for i in range(6) if row[i] == YES} for row in decided_labels(tables, possible_states(tables, allowed))]
    assert words == [{1, 3, 5}, {3}]
    assert propagate(tables, allowed)[0].sum() > possible_states(tables, allowed)[0].sum()


def test_a_when_and_a_nesting_both_count():
    tables = compile_tables(plants(when=holds(0)))
    worlds = {frozenset(np.flatnonzero(w).tolist()) for w in enumerate_worlds(tables.ontology)}
    assert worlds == {frozenset(w) for w in ({0, 2}, {1, 2}, {1, 3}, {0, 3, 4}, {0, 3, 5})}
    (law,) = tables.constraints
    assert (law.source, law.group) == ("the `when` of health.sick.severity", 2)
    only = np.ones((1, tables.n_states), bool)
    only[0, tables.variables[2].na] = False  # severity applies
    assert decided_labels(tables, possible_states(tables, only))[0].tolist() == [1, 0, 0, 1, -1, -1]


def test_a_second_parent_that_stands_above_the_first_is_no_law():
    labels = [Label(0, 0, "a", "m.a"), Label(1, 0, "b", "m.b", (0,)), Label(2, 0, "c", "m.c", (1, 0))]
    group = Group(0, Kind.MULTILABEL, "m", "m", (0, 1, 2))
    ontology = Ontology("o", (group,), tuple(labels))
    assert compile_tables(ontology).forest
    labels += [Label(3, 0, "d", "m.d"), Label(4, 0, "e", "m.e", (1, 3))]
    ontology = Ontology("o", (replace(group, labels=(0, 1, 2, 3, 4)),), tuple(labels))
    assert [law.source for law in laws(ontology)] == ["m.e is m.b and m.d"]


@pytest.mark.parametrize("of", ["rule", "applies"])
def test_no_legal_world_leaves_no_state(of):
    never = conjunction([holds(0), holds(1)]) if of == "rule" else Formula(Op.NOT, (Formula(Op.APPLIES, group=0),))
    tables = compile_tables(replace(plants(), rules=(Rule("never", (never,)),)))
    assert not possible_states(tables, np.ones((3, tables.n_states), bool)).any()


def test_a_large_taxonomy_under_rules_costs_by_its_rules():
    n = 10_000
    labels = [Label(i, 0, f"n{i}", f"h.n{i}", (max(0, i // 5 - 1),) if i else ()) for i in range(n)]
    labels += [Label(n + k, 1, f"s{k}", f"s.s{k}") for k in range(4)]
    groups = (
        Group(0, Kind.HIERARCHY, "h", "h", tuple(range(n))),
        Group(1, Kind.ORDINAL, "s", "s", tuple(range(n, n + 4))),
    )
    at_most = [Formula(Op.LE, labels=(n + k % 4,), group=1) for k in range(30)]
    rules = tuple(Rule(f"r{k}", (Formula(Op.IMPLIES, (holds(k + 1), at_most[k])),)) for k in range(30))
    tables = compile_tables(Ontology("big", groups, tuple(labels), rules=rules))
    allowed = np.zeros((50, tables.n_states), bool)
    for label, row in enumerate(allowed, start=1):
        row[list(tables.label_states[label])] = True
        row[-4:] = True
    highest = [
        min((k % 4 for k in range(30) if k + 1 in set(tables.ontology.ancestors(i))), default=3) for i in range(n)
    ]
    levels = possible_states(tables, allowed)[:, -4:]
    for label, row in enumerate(levels, start=1):
        reached = max(highest[int(tables.leaf[s])] for s in tables.label_states[label])
        assert row.tolist() == [rank <= reached for rank in range(4)]


def test_random_evidence_of_ontologies_with_laws_is_never_contradictory(cases):
    rng = np.random.default_rng(9)
    for tables, worlds in cases[:60]:
        if len(worlds):
            assert random_evidence(rng, tables, 5).possible().any(1).all()


def test_an_ontology_reads_back_from_json_with_its_hash(cases):
    rng = np.random.default_rng(10)
    imports = (Import("a", "b", None, "0" * 64), Import("c", "d", "1.2", "1" * 64))
    seen = set()
    for tables, _ in cases:
        ontology = tables.ontology
        changes = (Change("old", (int(rng.integers(len(ontology.labels))),), 0), Change("gone"), Change("g", (), 0))
        first = replace(ontology.groups[0], title="Tïtle", aka=("a", "b"), levels=("x",), source=1)
        ontology = replace(
            ontology,
            title="T" if rng.random() < 0.5 else None,
            version="1.0",
            groups=(first, *ontology.groups[1:]),
            imports=imports,
            migrations=(Migration("0.9", changes), Migration("0.8", ())),
        )
        again = Ontology.from_dict(json.loads(json.dumps(ontology.to_dict())))
        assert again == ontology
        assert again.hash == ontology.hash
        seen.add(ontology.hash)
    assert len(seen) > 0.9 * len(cases)  # a few small ones are drawn twice
