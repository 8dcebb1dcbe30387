"""Mistakes of a new user: each gets its law, value, place and next step, exit code 1, and a clean way to try again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Command, Outcome, write_csv


def says(outcome: Outcome, code: str, *words: str) -> None:
    """The outcome is the one mistake `code`, in words that name the value and the next step."""
    assert outcome.code == 1
    assert outcome.err.count("error[") == 1, outcome.err
    assert f"error[{code}]: " in outcome.err
    for word in (*words, "help: "):
        assert word in outcome.err, outcome.err


# --- files that are not what they should be ----------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, "E300", ["it.yaml: No such file", "linnaeus init"]),
        (b"\x89PNG\r\n\x1a\n", "E300", ["not UTF-8 text"]),
        (b"a: [1", "E301", ["it.yaml:1:", "brackets"]),
        (b"hello", "E305", ["a mapping expected, not a text ('hello')", "KEY: VALUE"]),
        (b"- 1", "E305", ["a mapping expected, not a list"]),
    ],
)
def test_files_that_are_no_study(linnaeus: Command, animals: Path, content: bytes | None, code: str, words: list[str]):
    if content is not None:
        (animals / "it.yaml").write_bytes(content)
    says(linnaeus("run", "it.yaml"), code, *words)


def test_an_empty_study_lacks_both_required_keys(linnaeus: Command, animals: Path):
    (animals / "it.yaml").write_bytes(b"")
    outcome = linnaeus("run", "it.yaml")
    assert outcome.code == 1
    assert all(f"the key '{key}' is missing" in outcome.err for key in ("ontology", "data"))


def test_a_folder_is_no_study(linnaeus: Command, animals: Path):
    says(linnaeus("run", "images"), "E300", "can't read the study file images")


@pytest.mark.parametrize("command", ["check", "show"])
@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (None, "E001", ["no such file: it.onto"]),
        (b"", "E103", ["it.onto:1:1", "ontology NAME"]),
        (bytes(range(128, 256)), "E002", ["not UTF-8 text", "it.onto:1:1"]),
        (b"ontology a\n", "E103", ["no group"]),
        (b"ontology a\nmulticlass kind { cat }\n", "E110", ["it.onto:2:12", "one class"]),
    ],
)
def test_files_that_are_no_ontology(
    linnaeus: Command, animals: Path, command: str, content: bytes | None, code: str, words: list[str]
):
    if content is not None:
        (animals / "it.onto").write_bytes(content)
    says(linnaeus(command, "it.onto"), code, *words)


def test_a_study_or_table_in_place_of_an_ontology_is_named_as_such(linnaeus: Command, animals: Path):
    says(linnaeus("check", "study.yaml"), "E001", "is a study", "--dry-run")
    says(linnaeus("fmt", "study.yaml"), "E001", "is a study", "--dry-run")
    says(linnaeus("show", "taxa.csv"), "E001", "is a table", "levels")
    (animals / "using.onto").write_text('ontology using\nimport "study.yaml" as s\nbinary b\n', encoding="utf-8")
    says(linnaeus("check", "using.onto"), "E120", "study.yaml is a study", "using.onto:2:8")


# --- keys and values ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "code", "words"),
    [
        ("serach.budget.trials=1", "E304", ["unknown key 'serach'", "did you mean 'search'?"]),
        ("search.budget.trails=1", "E304", ["unknown key 'trails'", "did you mean 'trials'?", "in search.budget"]),
        ("search.space.backbone={lennet: {}}", "E410", ["no backbone named 'lennet'", "'lenet' or 'resnet'"]),
        ("search.space.backbone={lenet: {widht: 3}}", "E304", ["'widht'", "did you mean 'width'?"]),
        ("search.space.backbone={lenet: {width: wide}}", "E423", ["a whole number expected", "channels"]),
        ("data.source=cvs", "E410", ["no dataset named 'cvs'", "did you mean 'csv'?"]),
        ("decoder=best", "E410", ["no decoder named 'best'", "best-world"]),
        ("objective.metric=acuracy", "E331", ["did you mean 'accuracy'?"]),
        ("objective.of=knd", "E330", ["did you mean 'kind'?"]),
        ("ontology=animal.onto", "E314", ["did you mean 'animals.onto'?"]),
        ("plugins=[my_net.py]", "E414", ["no plugin file my_net.py", "in plugins[0]"]),
        ("nonsense", "E310", ["'nonsense' is not KEY=VALUE", "search.budget.trials=8"]),
        ("=", "E310", ["is not KEY=VALUE"]),
        ("data.path=animal.csv", "E201", ["no manifest animal.csv", "in data.path"]),
        ("data.bind={kin: kind}", "E220", ["no group 'kin'", "did you mean 'kind'?"]),
        ("data.bind={kind: knd}", "E222", ["no column 'knd'", "did you mean 'kind'?"]),
        ("data.split.test=official", "E230", ["no official test split", "fraction"]),
    ],
)
def test_a_wrong_key_or_value(linnaeus: Command, animals: Path, setting: str, code: str, words: list[str]):
    outcome = linnaeus("run", "study.yaml", "--dry-run", "--set", setting)
    says(outcome, code, *words)
    assert not (animals / "runs").exists()


def test_a_wrong_type_names_its_line(linnaeus: Command, animals: Path):
    study = animals / "study.yaml"
    study.write_text(study.read_text("utf-8").replace("trials: 1", "trials: many"), "utf-8")
    outcome = linnaeus("run", "study.yaml")
    assert outcome.code == 1
    assert "error[E305]: a whole number expected, not a text ('many')\n  --> study.yaml:8:20" in outcome.err
    assert "in search.budget.trials" in outcome.err


# --- data --------------------------------------------------------------------------------------------


def manifest(animals: Path, change: Callable[[list[list[str]]], object]) -> None:
    rows = [[f"images/{i}.png", ("cat", "dog")[i % 2]] for i in range(16)]
    write_csv(animals / "animals.csv", change(rows))


def corrupt(animals: Path) -> None:
    image = animals / "images" / "3.png"
    image.write_bytes(image.read_bytes()[:40])


def missing(animals: Path) -> None:
    (animals / "images" / "3.png").unlink()


BAD_DATA = [
    ("no-images", lambda a: manifest(a, lambda rows: []), "E200", ["animals.csv lists no images"]),
    ("one-class", lambda a: manifest(a, lambda rows: [[r[0], "cat"] for r in rows]), "E233", ["kind: cat"]),
    (
        "unmapped",
        lambda a: manifest(a, lambda rows: [*rows[:-1], [rows[-1][0], "wolf"]]),
        "E223",
        ["'wolf'", "values:"],
    ),
    ("few", lambda a: manifest(a, lambda rows: rows[:2]), "E232", ["validation split is empty"]),
    ("corrupt", corrupt, "E210", ["1 of 16 images", "images/3.png", "unreadable: drop"]),
    ("missing", missing, "E210", ["1 of 16 images", "images/3.png: no such file"]),
    ("empty", lambda a: (a / "animals.csv").write_bytes(b""), "E202", ["no header line"]),
]


@pytest.mark.parametrize("dry", [["--dry-run"], []], ids=["dry", "run"])
@pytest.mark.parametrize(("spoil", "code", "words"), [b[1:] for b in BAD_DATA], ids=[b[0] for b in BAD_DATA])
def test_bad_data(
    linnaeus: Command, animals: Path, dry: list[str], spoil: Callable[[Path], object], code: str, words: list[str]
):
    spoil(animals)
    says(linnaeus("run", "study.yaml", *dry), code, *words)
    assert not list((animals / "runs").glob("*/journal.log"))


def test_the_corrected_study_runs_in_the_folder_of_the_failed_one(linnaeus: Command, animals: Path):
    missing(animals)
    assert linnaeus("run", "study.yaml").code == 1
    outcome = linnaeus("run", "study.yaml", "--dry-run", "--set", "data.bad.unreadable=drop")
    assert outcome.code == 0
    assert "left out: 1" in outcome.out
    assert "images/3.png" in outcome.out
    status = linnaeus("status", "runs/study")
    assert status.code == 0
    assert status.out.startswith("runs/study: interrupted; the command that started it resumes")


# --- plugin files ------------------------------------------------------------------------------------

BACKBONE = """
from dataclasses import dataclass
from linnaeus.plugins.contracts import Backbone

@dataclass(frozen=True)
class Mine(Backbone):
    name = "{name}"
    def build(self, shape, rngs): ...
"""


@pytest.mark.parametrize(
    ("code", "expected", "words"),
    [
        ("\n1 / 0", "E415", ["mine.py:2 fails to import: ZeroDivisionError"]),
        ("def f(:", "E415", ["SyntaxError", "line 1"]),
        ("import nonesuch_package", "E415", ["No module named 'nonesuch_package'"]),
        ("x = 1", "E416", ["mine.py defines no plugin"]),
        (BACKBONE.format(name="linear"), "E417", ["a backbone named 'linear' exists already (linnaeus)"]),
        (BACKBONE.format(name="mine").replace("    def", "    #"), "E412", ["Mine lacks build"]),
    ],
)
def test_bad_plugin_files(linnaeus: Command, animals: Path, code: str, expected: str, words: list[str]):
    (animals / "mine.py").write_text(code, "utf-8")
    outcome = linnaeus("run", "study.yaml", "--dry-run", "--set", "plugins=[mine.py]")
    assert outcome.code == 1
    assert f"error[{expected}]: " in outcome.err
    for word in (*words, "in plugins[0]"):
        assert word in outcome.err, outcome.err


def test_an_unknown_plugin_names_the_nearest(linnaeus: Command):
    says(linnaeus("plugins", "show", "lenett"), "E410", "no plugin named 'lenett'", "'lenet'")


# --- places that can't be written --------------------------------------------------------------------


@pytest.mark.parametrize("words", [["--dry-run"], []], ids=["dry", "run"])
@pytest.mark.parametrize("out", ["animals.csv/run", "n" * 300], ids=["under a file", "too long"])
def test_a_run_folder_that_cant_be(linnaeus: Command, animals: Path, words: list[str], out: str):
    says(linnaeus("run", "study.yaml", *words, "--out", out), "E503", f"can't write {out}", "--out DIR")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that nobody may write to")
@pytest.mark.parametrize("words", [["--dry-run"], []], ids=["dry", "run"])
def test_a_run_folder_that_nobody_may_make(linnaeus: Command, animals: Path, words: list[str]):
    says(linnaeus("run", "study.yaml", *words, "--out", "/proc/linnaeus/run"), "E503", "can't write /proc/linnaeus")


@pytest.mark.parametrize("out", ["images", "animals.csv"])
def test_a_run_folder_that_holds_something_else(linnaeus: Command, animals: Path, out: str):
    before = sorted(animals.rglob("*"))
    says(linnaeus("run", "study.yaml", "--out", out), "E501", f"{out} exists and is not a run folder", "--out DIR")
    assert sorted(animals.rglob("*")) == before


@pytest.mark.parametrize(("variable", "code"), [("LINNAEUS_CACHE", "E212"), ("LINNAEUS_STATE", "E530")])
def test_shared_folders_that_cant_be_written(
    linnaeus: Command, animals: Path, monkeypatch: pytest.MonkeyPatch, variable: str, code: str
):
    monkeypatch.setenv(variable, str(animals / "animals.csv"))
    says(linnaeus("run", "study.yaml"), code, "animals.csv", f"set {variable} to a folder")


# --- init --------------------------------------------------------------------------------------------


def test_init_overwrites_nothing(linnaeus: Command, tmp_path: Path):
    folder = tmp_path / "mine"
    first = linnaeus("init", folder)
    assert first.code == 0
    assert first.out.splitlines()[-1] == f"next: linnaeus run {folder / 'study.yaml'}"
    (folder / "study.yaml").write_text("mine", "utf-8")
    (folder / "digits.onto").unlink()
    says(linnaeus("init", folder), "E341", "study.yaml exists already", "another folder")
    assert (folder / "study.yaml").read_text("utf-8") == "mine"
    assert not (folder / "digits.onto").exists()


def test_init_of_an_example_without_its_data_says_how_to_get_them(linnaeus: Command, tmp_path: Path):
    outcome = linnaeus("init", tmp_path, "--example", "grocery")
    readme, study = tmp_path / "README.md", tmp_path / "study.yaml"
    assert outcome.out.splitlines()[-1] == f"next: get the data as {readme} says, then: linnaeus run {study}"
    assert "manifest.csv" in readme.read_text("utf-8")
    says(linnaeus("run", study), "E201", "no manifest", "in data.path")


def test_init_of_an_unknown_example_names_the_known(linnaeus: Command, tmp_path: Path):
    says(linnaeus("init", tmp_path / "x", "--example", "nonesuch"), "E340", "digits, fashion, grocery")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("place", ["file", "file/sub"])
def test_init_where_a_file_is(linnaeus: Command, tmp_path: Path, place: str):
    (tmp_path / "file").touch()
    says(linnaeus("init", tmp_path / place), "E342", str(tmp_path / place), "you may write to")


# --- folders that are no run -------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["images", "nonesuch", "animals.csv"])
@pytest.mark.parametrize(
    ("words", "code"), [(["status"], "E501"), (["report"], "E611"), (["predict"], "E611")], ids=lambda w: str(w)
)
def test_a_folder_that_is_no_run(linnaeus: Command, animals: Path, folder: str, words: list[str], code: str):
    images = ["images/0.png"] if words == ["predict"] else []
    says(linnaeus(*words, folder, *images), code, folder)


@pytest.mark.parametrize("identity", ["{}", "[]", "null", "{", '{"id": 1}'])
@pytest.mark.parametrize("words", [["status", "it"], ["run", "study.yaml", "--out", "it"]], ids=["status", "run"])
def test_a_spoilt_identity(linnaeus: Command, animals: Path, words: list[str], identity: str):
    (animals / "it").mkdir()
    (animals / "it" / "identity.json").write_text(identity, "utf-8")
    says(linnaeus(*words), "E501", "identity.json is missing or unreadable")


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("{", "E612", "is not JSON"),
        ("{}", "E612", "holds no results"),
        ("[]", "E612", "holds no results"),
        ('{"schema": 1}', "E612", "holds no results"),
        ('{"schema": 99}', "E610", "schema 99; this version reads 1"),
    ],
)
def test_spoilt_results(linnaeus: Command, animals: Path, text: str, code: str, word: str):
    (animals / "results.json").write_text(text, "utf-8")
    says(linnaeus("report", animals), code, word)


def test_no_traceback_through_the_shell_either(animals: Path):
    words = [sys.executable, "-m", "linnaeus", "run", "nonesuch.yaml"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error[E300]: ")
