"""`check --data` and `infer` as they are typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .conftest import Command, write_csv

ONLY_DATA = "data:\n  source: csv\n  path: animals.csv\n"


def test_data_held_against_its_ontology(animals: Path, linnaeus: Command):
    outcome = linnaeus("check", "animals.onto", "--data", "study.yaml")
    assert outcome.code == 0
    assert "study.yaml: 16 images, bound: kind; nothing found" in outcome.out


def test_data_held_against_another_ontology(animals: Path, linnaeus: Command):
    (animals / "cats.onto").write_text("ontology cats\nmulticlass kind { cat, lynx, wolf }\n")
    outcome = linnaeus("check", "cats.onto", "--data", "study.yaml")
    assert outcome.code == 1
    assert "error[E223]: 'dog' is no class of kind: 8 images (images/1.png" in outcome.err
    assert "warning[W250]: 2 classes have no example in the data: kind.lynx, kind.wolf" in outcome.err
    assert "1 error, 1 warning" in outcome.out


def test_the_report_as_json(animals: Path, linnaeus: Command):
    (animals / "cats.onto").write_text("ontology cats\nmulticlass kind { cat, lynx, wolf }\n")
    outcome = linnaeus("check", "cats.onto", "--data", "study.yaml", "--format", "json")
    assert outcome.code == 1
    (found,) = json.loads(outcome.out)
    assert found["ok"]  # the ontology itself
    unknown = found["data"]["report"]["unknown_values"]
    assert [(u["value"], u["count"], len(u["records"])) for u in unknown] == [("dog", 8, 8)]
    assert {d["code"] for d in found["data"]["diagnostics"]} == {"E223", "W250"}


def test_many_findings_are_counted_not_listed(animals: Path, linnaeus: Command):
    write_csv(animals / "animals.csv", [[f"images/{i}.png", f"beast{i:02d}"] for i in range(16)])
    outcome = linnaeus("check", "animals.onto", "--data", "study.yaml")
    assert outcome.code == 1
    assert outcome.err.count("error[E223]") == 12
    assert "and 4 more of E223: --format json lists all" in outcome.err


def test_data_that_cannot_be_read_or_bound(animals: Path, linnaeus: Command):
    (animals / "birds.onto").write_text("ontology birds\nmulticlass bird { tit, wren }\n")
    outcome = linnaeus("check", "birds.onto", "--data", "study.yaml")
    assert outcome.code == 1
    assert "error[E220]" in outcome.err
    assert linnaeus("check", "animals.onto", "--data", "nothing.yaml").code == 1
    assert linnaeus("check", "animals.onto", "animals.onto", "--data", "study.yaml").code == 2
    (animals / "animals.onto").write_text("ontology animals\n")
    broken = linnaeus("check", "animals.onto", "--data", "study.yaml")
    assert broken.code == 1
    assert "E103" in broken.err


def test_a_draft_and_its_study_work_at_once(animals: Path, linnaeus: Command):
    (animals / "new.yaml").write_text(ONLY_DATA)
    assert linnaeus("infer", "new.yaml", "--out", "new.onto").code == 0
    text = (animals / "new.onto").read_text()
    assert "multiclass kind { cat, dog }" in text
    assert "#     kind: kind" in text
    assert linnaeus("infer", "new.yaml").out == text
    (animals / "new.yaml").write_text(ONLY_DATA + "  bind: {kind: kind}\n  split: {test: .25}\n")
    outcome = linnaeus("check", "new.onto", "--data", "new.yaml")
    assert (outcome.code, outcome.err) == (0, "")


def test_a_draft_writes_over_nothing_unasked(animals: Path, linnaeus: Command):
    before = (animals / "animals.onto").read_bytes()
    outcome = linnaeus("infer", "study.yaml", "--out", "animals.onto")
    assert outcome.code == 1
    assert "error[E261]: animals.onto is there already" in outcome.err
    assert (animals / "animals.onto").read_bytes() == before
    assert linnaeus("infer", "study.yaml", "--out", "animals.onto", "--force").code == 0
    assert b"# Drafted from the labels of 16 images" in (animals / "animals.onto").read_bytes()


def test_a_data_set_without_classes(animals: Path, linnaeus: Command):
    write_csv(animals / "animals.csv", [[f"images/{i}.png", "cat"] for i in range(16)])
    (animals / "new.yaml").write_text(ONLY_DATA)
    outcome = linnaeus("infer", "new.yaml")
    assert outcome.code == 1
    assert "E260" in outcome.err
    assert "kind: is always cat" in outcome.err


def test_checking_a_plain_file_loads_nothing_of_data(animals: Path):
    code = (
        "import sys; from linnaeus.cli.check import check; "
        "check.main(['animals.onto'], standalone_mode=False); "
        "print([m for m in ('numpy', 'jax', 'linnaeus.search', 'PIL') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "linnaeus.search" not in said.stdout.splitlines()[-1]
    assert "jax" not in said.stdout.splitlines()[-1]


def test_data_are_read_without_jax_and_without_decoding(animals: Path):
    code = (
        "import sys; from linnaeus.cli.check import check; "
        "check.main(['animals.onto', '--data', 'study.yaml'], standalone_mode=False); "
        "print([m for m in ('jax', 'PIL.Image') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "[]"
