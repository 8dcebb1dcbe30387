"""`linnaeus convert`: which format, what is said, and what is written when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Command

ONTO = "ontology o\nmulticlass kind { cat, dog }\nrule r { kind.cat }\n"
XTREME1 = {"classifications": [{"name": "kind", "isRequired": True, "inputType": "RADIO", "options": []}]}
XTREME1["classifications"][0]["options"] = [{"name": "cat", "attributes": []}, {"name": "dog", "attributes": []}]  # type: ignore[index]  # a list


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `o.json` and `o.onto`, which says a law besides."""
    monkeypatch.chdir(tmp_path)
    Path("o.json").write_text(json.dumps(XTREME1), encoding="utf-8")
    Path("o.onto").write_text(ONTO, encoding="utf-8")
    return tmp_path


@pytest.mark.usefixtures("here")
def test_there_and_back(linnaeus: Command):
    there = linnaeus("convert", "o.json", "new.onto")
    assert (there.code, there.out, there.err) == (0, "", "")
    assert Path("new.onto").read_text(encoding="utf-8") == "ontology o\n\nmulticlass kind { cat, dog }\n"
    back = linnaeus("convert", "new.onto", "-", "--to", "xtreme1")
    assert (back.code, back.err) == (0, "")
    assert json.loads(back.out) == {"classes": [], **XTREME1}


@pytest.mark.usefixtures("here")
def test_losses_are_told_and_strict_refuses_them(linnaeus: Command):
    told = linnaeus("convert", "o.onto", "new.json", "--to", "xtreme1")
    assert told.code == 0
    assert told.err == "o.onto: 1 thing is not said in the result\n  the rule\n    r\n"
    Path("new.json").unlink()
    refused = linnaeus("convert", "o.onto", "new.json", "--to", "xtreme1", "--strict")
    assert refused.code == 1
    assert "nothing is written to new.json" in refused.err
    assert not Path("new.json").exists()


def test_no_file_is_written_over_unless_forced(linnaeus: Command, here: Path):
    refused = linnaeus("convert", "o.json", "o.onto")
    assert refused.code == 1
    assert "error[E164]: o.onto exists" in refused.err
    assert Path("o.onto").read_text(encoding="utf-8") == ONTO
    assert linnaeus("convert", "o.json", "o.onto", "--force").code == 0
    assert Path("o.onto").read_text(encoding="utf-8") != ONTO
    assert sorted(path.name for path in here.iterdir()) == ["o.json", "o.onto"]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["o.onto", "x.json"], "can't tell which format to write to x.json"),
        (["o.onto", "new.onto"], "o.onto and new.onto are both ontologies"),
        (["o.json", "new.json"], "neither o.json nor new.json is an ontology"),
        (["o.json", "new.onto", "--from", "extreme1"], "did you mean 'xtreme1'?"),
        (["empty.json", "new.onto"], "can't tell the format of empty.json"),
    ],
)
def test_a_format_that_can_not_be_told_is_asked_for(linnaeus: Command, words: list[str], said: str):
    Path("empty.json").write_text("{}", encoding="utf-8")
    outcome = linnaeus("convert", *words)
    assert outcome.code == 1
    assert "error[E161]" in outcome.err
    assert said in outcome.err
    assert not Path("new.onto").exists()


@pytest.mark.usefixtures("here")
def test_the_formats_to_choose_from_are_listed(linnaeus: Command):
    said = linnaeus("convert", "o.onto", "x.json").err
    assert "--to labelbox" in said
    assert "label-studio" not in said  # its files end in .xml


@pytest.mark.usefixtures("here")
def test_a_broken_file_and_a_missing_one(linnaeus: Command):
    Path("o.json").write_text('{"classifications": [}', encoding="utf-8")
    broken = linnaeus("convert", "o.json", "new.onto")
    assert (broken.code, "error[E160]: not JSON" in broken.err) == (1, True)
    missing = linnaeus("convert", "none.json", "new.onto")
    assert (missing.code, "error[E001]: no such file: none.json" in missing.err) == (1, True)
    nowhere = linnaeus("convert", "o.onto", "o.json/x.json", "--to", "xtreme1")
    assert (nowhere.code, "error[E164]: can't write" in nowhere.err) == (1, True)
