"""`linnaeus show` and `linnaeus diff`: what is printed, what is written, and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from linnaeus.cli.diff import diff
from linnaeus.dsl.load import load_ontology
from linnaeus.dsl.ontology import Ontology
from linnaeus.dsl.picture.svg import render_svg

OLD = 'ontology a version "1"\nmulticlass x { p, q, r }\nbinary wet\nrule dry { p => not wet }\n'
NEW = (
    'ontology a version "2"\nmulticlass x { p, q2, s }\nbinary wet\nrule dry { p or q2 => not wet }\n'
    'migrate from "1" { rename q -> q2 }\n'
)

REPORT = """\
ontology
  ~ a: version, from 1 to 2
classes
  ~ x.q2: renamed from x.q
  - x.r: removed
  + x.s: added
rules
  ~ dry: changed, from p => not wet to p or q2 => not wet
verdict
  legal worlds, of what both can say: tightened
    was legal: x.q and wet
  old annotations: these can no longer be read: x.r
  old models: do not fit: 1 class is new to it; 1 class that it scores is gone; worlds that it may predict are illegal \
now
  a breaking change, a later version: 1 → 2
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in {"old": OLD, "new": NEW, "same": OLD.replace("q, r", "q")}.items():
        (tmp_path / f"{name}.onto").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_report_of_what_changed(linnaeus, files: Path) -> None:
    done = linnaeus("diff", "old.onto", "new.onto")
    assert (done.code, done.out) == (0, REPORT)
    assert done.err.count("warning[W152]") == 1
    assert "help: say what became of each" in done.err


def test_a_breaking_change_needs_a_later_version(linnaeus, files: Path) -> None:
    done = linnaeus("diff", "old.onto", "same.onto")
    assert done.code == 1
    assert 'error[E150]: a breaking change within version "1"' in done.err
    assert "help: raise the version" in done.err


def test_nothing_is_said_of_equal_files(linnaeus, files: Path) -> None:
    (files / "again.onto").write_text("# by hand\n" + OLD.replace("{ p, q", "{\n  p\n  q"), encoding="utf-8")
    done = linnaeus("diff", "old.onto", "again.onto")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_diff_as_data(linnaeus, files: Path) -> None:
    done = linnaeus("diff", "old.onto", "same.onto", "--format", "json")
    assert done.code == 1
    data = json.loads(done.out)
    assert data["breaking"]
    assert not data["equal"]
    assert data["annotations"] == {"fit": False, "unread": ["x.r"]}
    assert {d["code"] for d in data["diagnostics"]} >= {"E150", "W152"}


def test_colours_on_a_terminal(files: Path) -> None:
    result = CliRunner().invoke(diff, ["old.onto", "new.onto"], color=True)
    assert "\x1b[32m+ x.s: added\x1b[0m" in result.stdout
    assert "\x1b[31m- x.r: removed\x1b[0m" in result.stdout


def test_a_broken_file_is_named(linnaeus, files: Path) -> None:
    (files / "bad.onto").write_text("ontology a\nbinary", encoding="utf-8")
    done = linnaeus("diff", "old.onto", "bad.onto")
    assert done.code == 1
    assert "bad.onto:2" in done.err
    assert linnaeus("diff", "old.onto").code == 2


def test_show_writes_pictures_and_data(linnaeus, files: Path) -> None:
    ontology = load_ontology("old.onto")
    done = linnaeus("show", "old.onto", "--format", "svg", "--out", "old.svg")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert (files / "old.svg").read_text(encoding="utf-8") == render_svg(ontology)
    assert linnaeus("show", "old.onto", "--format", "svg").out == render_svg(ontology)
    data = json.loads(linnaeus("show", "old.onto", "--format", "json").out)
    assert Ontology.from_dict(data) == ontology


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (["--group", "y"], 1, "E175"),
        (["--out", "no/such/folder.txt"], 1, "E176"),
        (["--depth", "0"], 2, "--depth"),
        (["--depth", "2", "--format", "svg"], 2, "tree of text"),
        (["--group", "x", "--depth", "1"], 0, ""),
    ],
)
def test_what_show_refuses(linnaeus, files: Path, args: list[str], code: int, said: str) -> None:
    done = linnaeus("show", "old.onto", *args)
    assert done.code == code
    assert said in done.err
