"""Studies of ontologies with rules, `when` and imports: what is refused, what is noted, what a run keeps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from linnaeus.dsl.evidence import YES, decided_labels
from linnaeus.dsl.load import check_text, load_ontology
from linnaeus.dsl.tables import compile_tables
from linnaeus.dsl.testing import enumerate_worlds
from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import Records
from linnaeus.search.binding import bind
from linnaeus.search.dry_run import DryRun
from linnaeus.search.predictions_csv import answer, truth
from linnaeus.search.results import ONTOLOGY, read_ontology
from linnaeus.search.run_folder import claim
from linnaeus.search.study import Binding, DataSpec
from linnaeus.search.study_file import load_study
from linnaeus.search.suitability import notes

RULES = """
ontology plant
multiclass crop { apple, tomato }
binary ripe
multiclass season when ripe and crop.apple { spring, autumn }
rule never { tomato => ripe }
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plant.onto").write_text(RULES)
    (tmp_path / "plain.onto").write_text("ontology plain\nmulticlass crop { apple, tomato }\n")
    return tmp_path


def study(folder: Path, *lines: str, ontology: str = "plant.onto"):
    path = folder / "study.yaml"
    path.write_text("\n".join([f"ontology: {ontology}", "data: {source: digits}", *lines]) + "\n")
    return load_study(path)


INDEPENDENT = "search: {space: {head: independent}}"
WHAT = "the `when` of season, rule never"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((), [("E418", "search.space.head", 1, 1)]),
        (("search: {space: {head: flat}}",), [("E418", "search.space.head", 3, 24)]),
        (("search: {space: {head: {flat: {}, independent: {}}}}",), [("E418", "search.space.head.flat", 3, 25)]),
        ((INDEPENDENT, "decoder: risk"), [("E419", "decoder", 4, 10)]),
        ((INDEPENDENT, "baselines: [prior, flat-risk]"), [
            ("E418", "baselines[0]", 4, 13), ("E418", "baselines[1]", 4, 20)]),
        ((INDEPENDENT, "decoder: rsik"), [("E410", "decoder", 4, 10)]),
    ],
)  # fmt: skip
def test_what_can_not_obey_the_ontology_is_refused_before_anything_runs(folder, lines, found):
    with pytest.raises(LinnaeusError) as e:
        study(folder, *lines)
    shown = [(d.code, d.where, d.span.line, d.span.column) for d in e.value.diagnostics]
    assert shown == found
    assert all(WHAT in d.message for d in e.value.diagnostics if d.code != "E410")


def test_baselines_nobody_asked_for_are_left_out_with_a_note(folder):
    made = study(folder, INDEPENDENT)
    assert made.baselines == ()
    loose, none = notes(made)
    assert loose.startswith(f"The head independent does not obey {WHAT}; the metric consistency counts")
    assert none.startswith("There is no baseline: prior and flat-risk rest on the head flat")
    plain = study(folder, ontology="plain.onto")
    assert plain.baselines == ("prior", "flat-risk")
    assert notes(plain) == []
    assert notes(study(folder, "baselines: []", ontology="plain.onto")) == []


def test_a_dry_run_prints_the_notes():
    empty = {"counts": {"total": 1}, "image": {"shape": [1], "dtype": "f"}, "source": "s", "bound": {}, "dropped": []}
    data = {**empty, "warnings": [], "notices": [], "notes": [], "classes": {}}
    run = DryRun("s", "o", (), {}, 1, 1, data, 1, None, None, 1.0, 1.0, None, notes=("There is no baseline.",))
    assert "  note: There is no baseline." in run.text().splitlines()


# --- the run's copy --------------------------------------------------------------------------------


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    """A study whose ontology imports a file above it and reads a table beside it."""
    (tmp_path / "capture.onto").write_text('ontology capture version "1.2"\nmulticlass light { day, night }\n')
    here = tmp_path / "plants"
    here.mkdir()
    (here / "taxa.csv").write_text("family,species\nrose,apple\nrose,pear\nnightshade,tomato\n")
    (here / "plant.onto").write_text(
        'ontology plant version "2.0"\nimport "../capture.onto" as capture\nuse capture.light as light\n'
        'hierarchy taxon from "taxa.csv" levels family, species\nrule dark { light.night => taxon.rose }\n'
        'migrate from "1.0" { rename lamp -> light.day; drop fog }\n'
    )
    return here


def test_a_run_keeps_an_ontology_that_stands_alone_and_the_files_it_was_made_from(imported, tmp_path):
    made = study(imported, INDEPENDENT)
    with claim(made, tmp_path / "run") as folder:
        copies = folder.path / "ontology"
        files = sorted(p.relative_to(copies).as_posix() for p in copies.rglob("*") if p.is_file())
        assert files == ["capture.onto", "ontology.json", "plants/plant.onto", "plants/taxa.csv"]
        alone = read_ontology(folder.path / ONTOLOGY)
        assert alone == made.ontology
        assert alone.hash == folder.identity()["ontology"]["hash"]
        assert load_ontology(copies / "plants" / "plant.onto").hash == alone.hash  # the copies read as the files did
        assert json.loads((folder.path / ONTOLOGY).read_text("utf-8"))["rules"][0]["name"] == "dark"


@pytest.mark.parametrize(
    ("file", "old", "new"), [("../capture.onto", "night", "evening, night"), ("taxa.csv", "rose,pear", "rose,quince")]
)
def test_a_changed_import_or_table_is_a_changed_study(imported, tmp_path, file, old, new):
    with claim(study(imported, INDEPENDENT), tmp_path / "run") as folder:
        folder.journal.touch()
    path = imported / file
    before = path.read_text()
    path.write_text(before.replace(old, new))
    with pytest.raises(LinnaeusError, match="ontology: ") as e, claim(study(imported, INDEPENDENT), tmp_path / "run"):
        pass
    assert e.value.diagnostics[0].code == "E504"
    path.write_text(before + "\n")  # layout is not content
    with claim(study(imported, INDEPENDENT), tmp_path / "run"):
        pass


# --- bindings of an earlier version ----------------------------------------------------------------

PAST = """
ontology plant version "2.0"
multiclass crop { apple, tomato }
multilabel damage { leaf, stem }
binary ripe, wet
migrate from "1.0" { rename fruit -> crop; rename blight -> leaf; rename mature -> ripe; rename pome -> apple }
"""


def test_bindings_by_old_names_are_read_and_told():
    tables = compile_tables(check_text(PAST, "plant.onto").require())
    columns = {
        "what": ["pome", "tomato"], "spots": ["yes", "no"], "mature": ["yes", "no"], "wet": ["no", "no"],
    }  # fmt: skip
    records = Records(np.zeros((2, 1, 1, 1), np.uint8), ["a", "b"], columns)
    bindings = (Binding("fruit", "what"), Binding("blight", "spots"))
    bound = bind(tables, records, DataSpec("toy", None, bind=bindings, unlisted="unknown"))
    ids = [label.path for label in tables.ontology.labels]
    decided = decided_labels(tables, bound.evidence.possible())
    assert {path for path, sign in zip(ids, decided[0], strict=True) if sign == YES} == {
        "crop.apple", "damage.leaf", "ripe",
    }  # fmt: skip
    assert bound.bound == {"crop": "what", "damage.leaf": "spots", "ripe": "mature", "wet": "wet"}
    assert bound.notices[:3] == [
        "crop: the old name 'fruit', read as `migrate` says",
        "crop: old names, read as `migrate` says: 'pome' as crop.apple",
        "damage.leaf: the old name 'blight', read as `migrate` says",
    ]


# --- what a run says of a group with a `when` ---------------------------------------------------------


def test_predictions_say_where_a_group_does_not_apply(folder):
    tables = compile_tables(load_ontology(folder / "plant.onto"))
    worlds = enumerate_worlds(tables.ontology)
    season = next(g for g in tables.ontology.groups if g.id == "season")
    said = answer(tables, season, worlds)
    assert said == truth(tables, season, tables.states_of(worlds))
    here = worlds[:, 0] & worlds[:, tables.ontology.groups[1].labels[0]]
    assert (np.array([s != "n/a" for s in said]) == here).all()
    assert set(said) == {"spring", "autumn", "n/a"}
