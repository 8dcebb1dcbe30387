"""The command in this process, a small data set of image files, and one finished run that several files look at."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from linnaeus.cli.main import main

QUICK = (
    "search.budget.trials=1",
    "search.budget.epochs=2",
    "search.space.backbone={linear: {}}",
    "final.seeds=1",
    "baselines=[prior]",
)
"""Overrides that make of the starter study the smallest one that has everything."""

STUDY = """\
ontology: animals.onto
data:
  source: csv
  path: animals.csv
  bind: {kind: kind}
  split: {test: .25, validation: .25}
search:
  budget: {trials: 1, epochs: 1}
  space:
    backbone: {linear: {}}
"""


@dataclass(frozen=True)
class Outcome:
    """What a command did: its exit code, and what it wrote where."""

    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


def overrides(settings: Sequence[str]) -> list[str]:
    """`--set` before each."""
    return [word for setting in settings for word in ("--set", setting)]


@pytest.fixture
def linnaeus(capfd: pytest.CaptureFixture[str]) -> Command:
    """Call the command as a shell would; a traceback fails the test."""

    def call(*words: object) -> Outcome:
        with pytest.raises(SystemExit) as exit:
            main([str(word) for word in words])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        code = exit.value.code
        assert code is None or isinstance(code, int)
        return Outcome(code or 0, out, err)

    return call


@pytest.fixture
def animals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: `study.yaml`, `animals.onto` and `animals.csv` with 16 small images of cats and dogs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for i in range(16):
        name = f"images/{i}.png"
        Image.fromarray(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)).save(tmp_path / name)
        rows.append([name, ("cat", "dog")[i % 2]])
    write_csv(tmp_path / "animals.csv", rows)
    (tmp_path / "animals.onto").write_text('ontology animals "Animals"\nmulticlass kind { cat, dog }\n', "utf-8")
    (tmp_path / "study.yaml").write_text(STUDY, "utf-8")
    return tmp_path


def write_csv(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """A manifest with the columns `image` and `kind`."""
    with path.open("w", encoding="utf-8", newline="") as f:
        csv.writer(f).writerows([("image", "kind"), *rows])


@dataclass(frozen=True)
class Finished:
    """A finished run, the study it is of, and what was said at the time."""

    folder: Path
    study: Path
    out: str
    err: str


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The starter study, at its smallest, run from its file to its report."""
    home = tmp_path_factory.mktemp("finished")
    study, folder = home / "digits" / "study.yaml", home / "run"
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for words in (["init", str(study.parent)], ["run", str(study), "--out", str(folder), *overrides(QUICK)]):
            with pytest.raises(SystemExit) as exit:
                main(words)
            assert not exit.value.code, err.getvalue()
    return Finished(folder, study, out.getvalue(), err.getvalue())
