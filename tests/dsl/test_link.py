"""What names refer to: used groups are the import's, conditions mean what they say, taxonomies are hierarchies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from linnaeus.dsl.draft import draft_of
from linnaeus.dsl.files import Files
from linnaeus.dsl.fmt import format_text
from linnaeus.dsl.formula import Op
from linnaeus.dsl.load import Checked, check_file, check_text, load_ontology
from linnaeus.dsl.ontology import Ontology
from linnaeus.dsl.tables import compile_tables
from linnaeus.dsl.testing import enumerate_worlds, random_ontology


def worlds(ontology: Ontology) -> set[frozenset[str]]:
    """The legal worlds as sets of paths, so that numbering does not matter."""
    return {frozenset(ontology.labels[i].path for i in np.flatnonzero(row)) for row in enumerate_worlds(ontology)}


def checked(folder: Path, **files: str) -> Checked:
    for name, text in files.items():
        (folder / f"{name}.onto").write_text(text, encoding="utf-8")
    return check_file(folder / "main.onto")


def codes(found: Checked) -> list[str]:
    return [d.code for d in found.diagnostics]


@pytest.mark.parametrize("seed", range(40))
def test_all_of_an_import_has_the_worlds_of_the_import(tmp_path: Path, seed: int) -> None:
    drawn = random_ontology(np.random.default_rng(seed), rules=3)
    drawn = replace(drawn, rules=tuple(r for r in drawn.rules if r.weight is None))
    (tmp_path / "other.onto").write_text(draft_of(drawn).to_text(), encoding="utf-8")
    other = load_ontology(tmp_path / "other.onto")
    used = checked(tmp_path, main='ontology main\nimport "other.onto"\nuse random\nbinary more\n').require()
    both = {world | more for world in worlds(other) for more in (frozenset(), frozenset(["more"]))}
    assert worlds(used) == both
    assert [r.name for r in used.rules] == [f"random.{r.name}" for r in other.rules]
    assert used.imports[0].hash == other.hash
    assert {g.source for g in used.groups} == {0, None}


def test_a_used_group_is_renamed_with_all_in_it(tmp_path: Path) -> None:
    plant = """ontology plant version "2"
    multiclass health "Health" { healthy, diseased { ordinal severity { mild < severe } } }
    multiclass crop { apple, tomato }
    rule r { tomato => healthy }
    """
    main = """ontology main
    import "plant.onto" as p
    hierarchy place { field { use p.health as state }, shop }
    rule s { field => state == healthy or severity < severe }
    """
    o = checked(tmp_path, plant=plant, main=main)
    assert codes(o) == ["W142", "I120"]  # severity is always mild; the import's rule speaks of crop
    assert o.ontology is not None
    assert [g.path for g in o.ontology.groups] == ["place", "place.field.state", "place.field.state.diseased.severity"]
    assert o.ontology.groups[1].title == "Health"
    assert len(worlds(o.ontology)) == 1 + 2  # shop; healthy, or diseased and mild


def test_one_group_by_two_ways_is_one_variable(tmp_path: Path) -> None:
    files = {
        "base": "ontology base\nmulticlass light { day, night }\nbinary wet\n",
        "left": 'ontology left\nimport "base.onto"\nuse base.light\n',
        "right": 'ontology right\nimport "base.onto"\nuse base\n',
    }
    twice = 'ontology main\nimport "left.onto"\nimport "right.onto"\nuse left\nuse right.light as again\n'
    found = checked(tmp_path, **files, main=twice)
    assert "E126" in codes(found)
    once = 'ontology main\nimport "left.onto"\nimport "right.onto"\nuse left\nuse right.wet\n'
    assert codes(checked(tmp_path, **files, main=once)) == []


def test_a_condition_of_one_class_is_an_attribute_elsewhere() -> None:
    o = check_text("ontology x\nmulticlass s when h.a { c, d }\nhierarchy h { a { e, f }, b }", "x.onto").require()
    assert [g.path for g in o.groups] == ["h", "s"]  # after what it depends on
    assert o.labels[o.groups[1].condition or 0].path == "h.a"
    assert o.groups[1].when is None
    nested = check_text("ontology x\nbinary w\nmulticlass g { a { binary b when w }, c }", "x.onto").require()
    inner = nested.groups[-1]
    assert inner.condition is not None
    assert inner.when is not None
    assert len(worlds(nested)) == 2 + 1 + 2  # a and w: b or not; a, not w: one; c: w or not


def test_parents_come_first_in_the_numbering() -> None:
    o = check_text("ontology x\nmultilabel m { a is c, b { d }, c is d }\nrule r { any d => a }", "x.onto").require()
    names = [label.id for label in o.labels]
    assert all(p < label.index for label in o.labels for p in label.parents)
    assert names == ["b", "d", "c", "a"]
    assert worlds(o) == {frozenset(f"m.{n}" for n in w.split()) for w in ("", "b", "b b.d", "b b.d c a")}


def test_operators_bind_as_the_reference_says() -> None:
    text = "ontology x\nbinary a, b, c\nrule r soft 1 { not a and b or c => a => b <=> c }"
    formula = check_text(text, "x.onto").require().rules[0].formulas[0]
    assert formula.op is Op.IFF
    left = formula.args[0]
    assert [left.op, left.args[0].op, left.args[1].op] == [Op.IMPLIES, Op.OR, Op.IMPLIES]
    assert [left.args[0].args[0].op, left.args[0].args[0].args[0].op] == [Op.AND, Op.NOT]


TAXA = """order,family,note,species
Rosales,Rosaceae,x,Malus domestica
Rosales,Rosaceae,,Crataegus
Rosales,Rosales,,Rosales
Fagales,,,
"Fagales","Betulaceae",,"Betula, white"
"""


def test_a_taxonomy_is_the_hierarchy_it_lists(tmp_path: Path) -> None:
    (tmp_path / "taxa.csv").write_text(TAXA, encoding="utf-8")
    levels = "levels order, family, species"
    read = checked(tmp_path, main=f'ontology main\nhierarchy s from "taxa.csv" {levels}\n').require()
    braces = """ontology main
    hierarchy s levels order, family, species {
        rosales "Rosales" { rosaceae "Rosaceae" { malus_domestica "Malus domestica", crataegus "Crataegus" } }
        fagales "Fagales" { betulaceae "Betulaceae" { betula_white "Betula, white" } }
    }"""
    written = check_text(braces, "main.onto").require()
    assert read == written
    assert read.hash == written.hash
    (tmp_path / "taxa.csv").write_text(TAXA.replace("Betula, white", "Betula"), encoding="utf-8")
    assert load_ontology(tmp_path / "main.onto").hash != read.hash


@pytest.mark.parametrize(
    ("csv", "says"),
    [
        ("order,species\nA,\n", "has no column 'family'"),
        ("order,family,species\nA,,b\n", "an empty cell inside a path"),
        ("order,family,species\nA,B c,d\nA,b-C,e\n", "have one id: b_c"),
        ("order,family,species\nA,Other,d\n", "reserved id"),
        ('order,family,species\nA,"B\n', "not CSV"),
        ("order,family,species\n", "has no rows"),
        ("", "has no column"),
    ],
)
def test_a_taxonomy_that_can_not_be_read(tmp_path: Path, csv: str, says: str) -> None:
    (tmp_path / "taxa.csv").write_text(csv, encoding="utf-8")
    found = checked(tmp_path, main='ontology main\nhierarchy s from "taxa.csv" levels order, family, species\n')
    assert {d.code for d in found.diagnostics} == {"E130"}
    assert says in found.diagnostics[0].message


def test_an_open_buffer_stands_in_for_the_file(tmp_path: Path) -> None:
    (tmp_path / "other.onto").write_text("ontology other\nbinary a\n", encoding="utf-8")
    text = 'ontology main\nimport "other.onto"\nuse other.b\n'
    place = str(tmp_path / "main.onto")
    assert "E125" in [d.code for d in check_text(text, place).diagnostics]
    files = Files({tmp_path / "other.onto": "ontology other\nbinary a, b\n"})
    assert check_text(text, place, files).diagnostics == ()


def test_the_language_files_compile_and_format_to_a_fixed_point() -> None:
    files = sorted(Path(__file__).with_name("language").glob("*.onto"))
    assert len(files) == 4
    for path in files:
        text = path.read_text(encoding="utf-8")
        done = format_text(text, str(path))
        assert format_text(done, str(path)) == done
        ontology = check_text(done, str(path)).require()
        assert ontology == load_ontology(path)
        tables = compile_tables(ontology)
        legal = enumerate_worlds(ontology)
        states = tables.states_of(legal)
        assert states.any(1).all()
        assert (tables.labels_of(states) == legal).all()
