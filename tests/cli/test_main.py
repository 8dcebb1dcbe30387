"""The command itself: its commands, its exit codes, and what it says of installed plugins."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from linnaeus.cli import report
from linnaeus.cli.main import COMMANDS
from linnaeus.cli.plugins import first_sentence
from linnaeus.plugins.registry import KINDS, installed
from linnaeus.reports.write import FORMATS

from .conftest import Command


def test_help_names_every_command_in_whole_sentences(linnaeus: Command):
    outcome = linnaeus("--help")
    assert outcome.code == 0
    listed = outcome.out.partition("Commands:")[2].splitlines()[1:]
    assert [line.split()[0] for line in listed] == list(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


def test_no_command_shows_help_as_usage_error(linnaeus: Command):
    outcome = linnaeus()
    assert outcome.code == 2
    assert "Commands:" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chek"], "no command 'chek': did you mean 'check'?"),
        (["plugins", "shwo"], "no command 'shwo': did you mean 'show'?"),
        (["frobnicate"], "known commands: check"),
        (["check"], "Missing argument"),
        (["run"], "Missing argument"),
        (["run", "a.yaml", "b.yaml"], "unexpected extra argument"),
        (["run", "a.yaml", "--dry"], "--dry-run"),
        (["report", "a", "b"], "--out DIR"),
        (["report", "a", "--format", "pdf"], "'latex'"),
        (["predict", "a"], "Missing argument"),
        (["predict", "a", "b.png", "--seed", "x"], "not a valid integer"),
        (["plugins", "list", "--kind", "head s"], "'backbone'"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_right(linnaeus: Command, words: list[str], said: str):
    outcome = linnaeus(*words)
    assert outcome.code == 2
    assert said in outcome.err
    assert "Usage: " in outcome.err
    assert outcome.out == ""


def test_an_interrupt_exits_with_130_and_says_how_to_go_on(linnaeus: Command, monkeypatch: pytest.MonkeyPatch):
    def interrupted(*args: object, **kwargs: object):
        raise KeyboardInterrupt

    monkeypatch.setattr("linnaeus.api.run_study", interrupted)
    outcome = linnaeus("run", "study.yaml")
    assert outcome.code == 130
    assert "the same command resumes" in outcome.err


def test_formats_of_the_command_are_those_of_reports():
    option = next(p for p in report.report.params if p.name == "formats")
    assert list(option.type.choices) == list(FORMATS)


def test_module_is_the_command(root: Path):
    onto = root / "examples" / "digits" / "digits.onto"
    done = subprocess.run([sys.executable, "-m", "linnaeus", "check", str(onto)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{onto}: ok, ")


# --- check and show ----------------------------------------------------------------------------------


def test_check_exits_with_1_if_any_file_is_wrong(linnaeus: Command, tmp_path: Path, root: Path):
    wrong = tmp_path / "wrong.onto"
    wrong.write_text("ontology a\nmulticlas kind { x, y }\nmulticlass one { x }\n", "utf-8")
    right = root / "examples" / "digits" / "digits.onto"
    assert linnaeus("check", right).code == 0
    outcome = linnaeus("check", wrong, right)
    assert outcome.code == 1
    assert f"--> {wrong}:2:1" in outcome.err
    assert f"--> {wrong}:3:12" in outcome.err
    assert f"{wrong}: 2 errors" in outcome.out
    assert f"{right}: ok, 2 groups, 15 classes, 13 leaves" in outcome.out


def test_check_as_json_says_the_same(linnaeus: Command, tmp_path: Path, root: Path):
    wrong = tmp_path / "wrong.onto"
    wrong.write_text("ontology a\n", "utf-8")
    right = root / "examples" / "digits" / "digits.onto"
    outcome = linnaeus("check", wrong, right, "--format", "json")
    assert outcome.code == 1
    files = json.loads(outcome.out)
    assert [f["ok"] for f in files] == [False, True]
    assert [d["code"] for d in files[0]["diagnostics"]] == ["E103"]
    assert files[1]["ontology"]["groups"] == 2


def test_show_draws_the_tree(linnaeus: Command, root: Path):
    outcome = linnaeus("show", root / "examples" / "digits" / "digits.onto")
    assert outcome.code == 0
    assert all(word in outcome.out for word in ("even", "odd", "eight", "Closed loops"))


# --- plugins -----------------------------------------------------------------------------------------


def test_every_plugin_is_listed_with_one_sentence(linnaeus: Command):
    outcome = linnaeus("plugins", "list")
    assert outcome.code == 0
    assert "can't be used" not in outcome.out
    rows = [line.split(maxsplit=1) for line in outcome.out.splitlines() if line.startswith("  ")]
    assert sorted(name for name, _ in rows) == sorted(name for _, name in installed().entries)
    assert all(said.endswith(".") for _, said in rows)


@pytest.mark.parametrize("name", sorted({name for _, name in installed().entries}))
def test_every_plugin_shows_what_it_is(linnaeus: Command, name: str):
    outcome = linnaeus("plugins", "show", name)
    assert outcome.code == 0
    assert outcome.out.split()[0] in KINDS
    assert all(line == line.rstrip() for line in outcome.out.splitlines())


def test_shown_fields_explain_their_roles(linnaeus: Command):
    shown = linnaeus("plugins", "show", "lenet").out
    assert "width    channels of the first convolution (static, a whole number, default 16; searched over" in shown
    assert "static: " in shown
    assert "traced: " in shown
    assert "option: " not in shown


def test_kinds_can_be_listed_alone(linnaeus: Command):
    assert linnaeus("plugins", "list", "--kind", "head").out.splitlines()[0] == "heads"


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("A net.", "A net."),
        ("A net. It is deep.", "A net."),
        ("A long\n    line. Then more.", "A long line."),
        ("Risk (Karthik et al. 2021, in a book).\n\n    More.", "Risk (Karthik et al. 2021, in a book)."),
        ("Two lines\n    without an end\n\n    More.", "Two lines without an end"),
    ],
)
def test_a_docstring_is_cut_after_its_first_sentence(docstring: str, sentence: str):
    assert first_sentence(docstring) == sentence


def test_commands_load_on_demand():
    code = (
        "import sys; from linnaeus.cli.main import main\n"
        "try: main(['check', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'jax', 'optuna', 'sklearn', 'matplotlib', 'PIL', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
