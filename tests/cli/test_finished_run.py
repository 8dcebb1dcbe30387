"""One run from its file to its report, and everything that can be asked of it afterwards."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image
from sklearn.datasets import load_digits

import linnaeus as package

from .conftest import QUICK, Command, Finished, overrides


@pytest.fixture(scope="module")
def five(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A handwritten five, as a PNG whose name is not ASCII."""
    path = tmp_path_factory.mktemp("images") / "fünf five.png"
    Image.fromarray((load_digits().images[5] * 15.9).astype("uint8")).save(path)
    return path


def test_the_run_ends_with_the_path_of_its_report(finished: Finished):
    lines = finished.out.splitlines()
    report = finished.folder / "report"
    assert lines[-2:] == [f"also: {report / 'report.md'}", f"report: {report / 'index.html'}"]
    board = lines[lines.index(next(line for line in lines if line.startswith("rank "))) + 1 :]
    assert board[0].split()[:2] == ["1", "linear"]
    assert "prior (baseline)" in board[1]
    assert "by a search of 1 trial of at most 2 epochs." in finished.out


def test_progress_in_a_pipe_is_a_few_plain_lines(finished: Finished):
    lines = finished.err.splitlines()
    assert lines[0] == f"study digits in {finished.folder}: preparing data"
    assert len(lines) < 10
    assert not any(word in finished.err for word in ("Warning", "\x1b", "jax", "absl"))


def test_the_same_command_again_trains_nothing(linnaeus: Command, finished: Finished):
    before = (finished.folder / "journal.log").read_bytes()
    outcome = linnaeus("run", finished.study, "--out", finished.folder, *overrides(QUICK))
    assert outcome.code == 0
    assert "finished already" in outcome.err
    assert outcome.out.splitlines()[-1].startswith("report: ")
    assert (finished.folder / "journal.log").read_bytes() == before


def test_another_study_in_the_same_folder_is_refused_with_the_difference(linnaeus: Command, finished: Finished):
    outcome = linnaeus("run", finished.study, "--out", finished.folder, *overrides(QUICK), "--set", "seed=1")
    assert outcome.code == 1
    assert "error[E504]" in outcome.err
    assert "-seed: 0\n    +seed: 1\n" in outcome.err
    assert "--fork" in outcome.err


def test_dry_run_shows_what_will_happen_and_trains_nothing(linnaeus: Command, finished: Finished, tmp_path: Path):
    out = tmp_path / "dry"
    outcome = linnaeus("run", finished.study, "--out", out, *overrides(QUICK), "--dry-run")
    assert (outcome.code, outcome.err) == (0, "")
    assert "Contenders, 2 epochs a trial at most, then 1 seed each" in outcome.out
    assert "1 trial in a continuous space" in outcome.out
    assert outcome.out.splitlines()[-1] == f"Contact sheet: {out / 'contact-sheet.png'}"
    assert [p.name for p in out.iterdir()] == ["contact-sheet.png"]


def test_status_of_a_finished_run(linnaeus: Command, finished: Finished):
    outcome = linnaeus("status", finished.folder)
    assert outcome.code == 0
    assert outcome.out.startswith(f"{finished.folder}: finished\n  linear: 1 of 1 trials (1 complete), best 0.")
    data = json.loads(linnaeus("status", finished.folder, "--format", "json").out)
    assert (data["phase"], data["running"], data["trials"]["done"]) == ("finished", False, 1)


# --- report ------------------------------------------------------------------------------------------


def test_report_in_chosen_formats(linnaeus: Command, finished: Finished, tmp_path: Path):
    words = ["--out", tmp_path, "--format", "latex", "--format", "csv"]
    outcome = linnaeus("report", finished.folder, *words)
    assert outcome.code == 0
    assert outcome.out.splitlines() == [f"wrote {tmp_path / n}" for n in ("leaderboard.tex", "leaderboard.csv")]
    rows = list(csv.DictReader((tmp_path / "leaderboard.csv").read_text("utf-8").splitlines()))
    assert {"linear", "prior"} <= {value for row in rows for value in row.values()}
    assert "\\toprule" in (tmp_path / "leaderboard.tex").read_text("utf-8")


def test_report_where_it_cant_be_written(linnaeus: Command, finished: Finished, tmp_path: Path):
    (tmp_path / "file").touch()
    outcome = linnaeus("report", finished.folder, "--out", tmp_path / "file" / "report")
    assert outcome.code == 1
    assert "error[E621]: can't write" in outcome.err
    assert "another --out" in outcome.err


def test_one_run_makes_no_board_with_itself(linnaeus: Command, finished: Finished, tmp_path: Path):
    again = finished.folder / ".." / finished.folder.name
    outcome = linnaeus("report", finished.folder, again, "--out", tmp_path)
    assert outcome.code == 1
    assert "error[E617]: one run is named twice" in outcome.err


def changed_copy(finished: Finished, folder: Path, split: str) -> Path:
    """What a report needs of a run, with another hash of the test split."""
    results = package.load_results(finished.folder)
    results.data["hashes"]["test"] = split
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(results.to_json(), "utf-8")
    return folder


def test_runs_on_different_test_splits_share_no_board(linnaeus: Command, finished: Finished, tmp_path: Path):
    other = changed_copy(finished, tmp_path / "other", "0" * 64)
    outcome = linnaeus("report", finished.folder, other, "--out", tmp_path / "board")
    assert outcome.code == 1
    assert "error[E616]" in outcome.err
    assert "their test split differs" in outcome.err
    assert not (tmp_path / "board").exists()


# --- predict -----------------------------------------------------------------------------------------


def test_predict_gives_a_json_object_a_line(linnaeus: Command, finished: Finished, five: Path):
    outcome = linnaeus("predict", finished.folder, five, five)
    assert (outcome.code, outcome.err) == (0, "")
    answers = [json.loads(line) for line in outcome.out.splitlines()]
    assert [a["image"] for a in answers] == [str(five)] * 2
    assert "fünf" in outcome.out
    world, p = answers[0]["world"], answers[0]["probabilities"]
    assert world["digit"] in p["digit"]
    assert world["loops"] in p["loops"]
    assert p["digit"]["digit.even"] + p["digit"]["digit.odd"] == pytest.approx(1, abs=1e-5)
    assert sum(p["loops"].values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--contender", "liner"], "E514", "did you mean 'linear'?"),
        (["--contender", "prior"], "E514", "known contenders with a model: linear"),
        (["--seed", "7"], "E514", "its seeds: 0"),
    ],
)
def test_predict_by_a_model_that_is_not_there(
    linnaeus: Command, finished: Finished, five: Path, words: list[str], code: str, said: str
):
    outcome = linnaeus("predict", finished.folder, five, *words)
    assert outcome.code == 1
    assert f"error[{code}]" in outcome.err
    assert said in outcome.err


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path, five: None, "no such file"),
        (lambda path, five: path.mkdir(), "is a directory"),
        (lambda path, five: path.write_text("hello"), "not an image"),
        (lambda path, five: path.write_bytes(five.read_bytes()[:60]), "truncated"),
    ],
    ids=["missing", "folder", "text", "truncated"],
)
def test_predict_of_what_is_no_image(linnaeus: Command, finished: Finished, five: Path, tmp_path: Path, spoil, reason):
    path = tmp_path / "it.png"
    spoil(path, five)
    outcome = linnaeus("predict", finished.folder, five, path)
    assert (outcome.code, outcome.out) == (1, "")
    assert f"error[E515]: {path} can't be read: " in outcome.err
    assert reason in outcome.err
    assert "PNG or JPEG" in outcome.err


# --- the same from Python ----------------------------------------------------------------------------


def test_the_package_has_the_commands_as_functions(finished: Finished, five: Path, tmp_path: Path):
    again = package.run_study(finished.study, out=finished.folder, overrides=QUICK)
    assert again.run == finished.folder
    assert "linear" in again.board
    assert len(repr(again)) < 1000
    assert again._repr_html_().startswith("<div")
    assert [c.name for c in package.load_results(finished.folder).contenders] == ["linear", "prior"]
    assert package.study_status(finished.folder)["phase"] == "finished"
    assert package.report(str(finished.folder), out=tmp_path, formats=["csv"]) == (tmp_path / "leaderboard.csv",)
    assert package.predict(finished.folder, str(five)) == package.predict(finished.folder, [five])
    onto = finished.study.with_name("digits.onto")
    assert package.load_ontology(onto).name == "digits"
    assert package.check(onto) == ()
    assert package.dry_run(finished.study, out=tmp_path / "dry", overrides=QUICK).startswith("digits: a dry run")


def test_every_public_name_loads():
    assert set(package.__all__) == set(dir(package))
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match="nonesuch"):
        _ = package.nonesuch


def test_no_run_makes_no_report():
    with pytest.raises(package.LinnaeusError, match="E618"):
        package.report([])


def test_mistakes_reach_python_as_data(tmp_path: Path):
    with pytest.raises(package.LinnaeusError) as e:
        package.load_ontology(tmp_path / "nonesuch.onto")
    assert e.value.diagnostics[0].code == "E001"
    assert e.value.diagnostics[0].help
