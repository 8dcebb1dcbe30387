import numpy as np
import pytest

from linnaeus.dsl.ontology import Group, Kind, Label, Ontology
from linnaeus.dsl.tables import compile_tables
from linnaeus.dsl.testing import count_worlds, enumerate_worlds, random_ontology, random_states


@pytest.fixture(scope="module")
def ontologies():
    rng = np.random.default_rng(0)
    return [random_ontology(rng) for _ in range(150)]


def plant_health():
    """crop; health { healthy, diseased { disease; severity } }: the applicability example of the language."""
    labels, groups = [], []

    def group(kind, name, classes, condition=None, parents=()):
        index, first = len(groups), len(labels)
        for k, c in enumerate(classes):
            above = tuple(first + p for p in parents[k]) if parents else ()
            labels.append(Label(len(labels), index, c, f"{name}.{c}", above))
        groups.append(Group(index, kind, name, name, tuple(range(first, len(labels))), condition))

    group(Kind.MULTICLASS, "crop", ["apple", "grape"])
    group(Kind.MULTICLASS, "health", ["healthy", "diseased"])
    group(Kind.MULTILABEL, "disease", ["fungal", "rust"], 3, [(), (0,)])
    group(Kind.ORDINAL, "severity", ["trace", "mild", "severe"], 3)
    return Ontology("plant", tuple(groups), tuple(labels))


def test_enumeration_of_a_case_counted_by_hand():
    worlds = enumerate_worlds(plant_health())
    assert len(worlds) == 2 * (1 + 3 * 3)  # {}, {fungal}, {fungal, rust} × three levels where diseased
    assert len(np.unique(worlds, axis=0)) == len(worlds)


def test_random_ontologies_cover_the_language(ontologies):
    kinds = {g.kind for o in ontologies for g in o.groups}
    nested = {(o.groups[o.labels[g.condition].group].kind, g.kind) for o in ontologies for g in o.groups if g.condition}
    assert kinds == set(Kind)
    assert {g for _, g in nested} == set(Kind)
    assert {g for g, _ in nested} == set(Kind) - {Kind.ORDINAL}
    assert any(o.depth[i] == 2 for o in ontologies for i in range(len(o.labels)))
    assert any(len(c) == 1 for o in ontologies for c in o.children)
    assert any(label.open for o in ontologies for label in o.labels)
    assert any(len(compile_tables(o).levels) >= 4 for o in ontologies)


def test_states_of_and_labels_of_are_inverse_on_every_legal_world(ontologies):
    for ontology in ontologies:
        tables = compile_tables(ontology)
        worlds = enumerate_worlds(ontology)
        assert len(worlds) == count_worlds(ontology)
        states = tables.states_of(worlds)
        assert (tables.count_by_variable(states) == 1).all()
        assert (tables.labels_of(states) == worlds).all()
        assert len(np.unique(states, axis=0)) == len(worlds)


def test_states_of_refuses_exactly_the_illegal_label_sets(ontologies):
    rng = np.random.default_rng(1)
    illegal = 0
    for ontology in ontologies:
        tables, worlds = compile_tables(ontology), enumerate_worlds(ontology)
        legal = {w.tobytes() for w in worlds}
        near = worlds[rng.integers(len(worlds), size=40)] ^ (rng.random((40, tables.n_labels)) < 0.15)
        anything = rng.random((40, tables.n_labels)) < 0.5
        for row in np.concatenate([near, anything]):
            states = tables.states_of(row[None])
            assert states.any() == (row.tobytes() in legal)
            illegal += not states.any()
    assert illegal > 1000


def test_random_states_are_legal_worlds(ontologies):
    rng = np.random.default_rng(2)
    for ontology in ontologies[:40]:
        tables = compile_tables(ontology)
        states = random_states(rng, tables, 20)
        legal = {w.tobytes() for w in enumerate_worlds(ontology)}
        assert all(w.tobytes() in legal for w in tables.labels_of(states))


def test_layout_of_states(ontologies):
    for ontology in ontologies:
        tables = compile_tables(ontology)
        assert [v.start for v in tables.variables[1:]] == [v.stop for v in tables.variables[:-1]]
        assert tables.variables[-1].stop == tables.n_states
        for v in tables.variables:
            assert v.parent < v.index
            assert (v.na >= 0) == (ontology.groups[v.group].condition is not None)
            assert (tables.state_variable[v.start : v.stop] == v.index).all()
            assert {tables.leaf[s] for s in v.live if s != v.no} <= set(ontology.groups[v.group].labels)
        for i, states in enumerate(tables.label_states):
            assert states
            assert {tables.state_variable[s] for s in states} == {tables.label_variable[i]}
        assert sorted(i for level in tables.levels for i in level) == list(range(len(tables.variables)))
        assert sum(len(tables.group_variables(g)) for g in ontology.groups) == len(tables.variables)


def test_nine_thousand_classes_compile_in_seconds():
    labels = [Label(i, 0, f"n{i}", f"h.n{i}", (max(0, i // 5 - 1),) if i else ()) for i in range(9000)]
    ontology = Ontology("big", (Group(0, Kind.HIERARCHY, "h", "h", tuple(range(9000))),), tuple(labels))
    tables = compile_tables(ontology)
    assert tables.n_states == len(ontology.leaves(ontology.groups[0]))
