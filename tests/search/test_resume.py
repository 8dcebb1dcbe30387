"""Whole studies on small images: typed failures, one look at the test split, resuming."""

import csv
import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from linnaeus.errors import LinnaeusError
from linnaeus.search.ledger import Ledger
from linnaeus.search.progress import Plain
from linnaeus.search.results import load, load_predictions
from linnaeus.search.run import run_study
from linnaeus.search.status import study_status
from linnaeus.search.study_file import load_study

PLUGINS = '''
"""A data set of coloured squares, and backbones that misbehave."""
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from linnaeus.plugins.contracts import Backbone, Dataset, Records
from linnaeus.plugins.hyperparameters import option, static


@dataclass(frozen=True)
class Squares(Dataset):
    """Noisy images whose brightness tells the class."""

    name = "squares"
    n: int = option("number of images", default=150)

    def load(self, image, base, cache):
        rng = np.random.default_rng(0)
        of = np.arange(self.n) % 3
        noise = rng.integers(0, 90, (self.n, 4, 4, 1))
        images = (of[:, None, None, None] * 80 + noise).clip(0, 255).astype(np.uint8)
        names = [f"square-{i}" for i in range(self.n)]
        columns = {"shade": [("dark", "grey", "bright")[k] for k in of]}
        return Records(images, names, columns, notes=("made up",))


@dataclass(frozen=True)
class Raises(Backbone):
    """Raises."""

    name = "raises"
    width: int = static(1, "searched", search=(1, 2))

    def build(self, shape, rngs):
        raise ValueError("no such width")


@dataclass(frozen=True)
class Dies(Backbone):
    """Kills its process."""

    name = "dies"

    def build(self, shape, rngs):
        os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class NotANumber(Backbone):
    """Computes nan."""

    name = "not-a-number"

    def build(self, shape, rngs):
        from flax import nnx

        class Module(nnx.Module):
            def __init__(self):
                self.features = int(np.prod(shape))

            def __call__(self, x, *, train):
                return x.reshape(len(x), -1) * float("nan")

        return Module()


@dataclass(frozen=True)
class Slow(Backbone):
    """A linear model that sleeps at the trial that a file names."""

    name = "slow"
    width: int = static(1, "searched, so that most trials build anew", search=(1, 2, 3, 4, 5, 6, 7, 8))

    def build(self, shape, rngs):
        from linnaeus.plugins.backbones.linear import Linear

        flag = os.environ.get("SLEEP_AT")
        if flag and Path(Path(flag).read_text()).exists():
            time.sleep(600)
        return Linear().build(shape, rngs)
'''

ONTOLOGY = "ontology squares\nhierarchy shade { dim { dark, grey }, bright }\n"

STUDY = """
linnaeus: 1
name: squares
ontology: squares.onto
seed: 3
plugins: [./mine.py]
data:
  source: squares
  bind: {shade: shade}
  split: {test: 0.3, validation: 0.3}
search:
  budget: {trials: 2, epochs: 2}
  pruner: none
  space:
    backbone: {BACKBONES}
    head: {conditional: {}}
    optimizer: {adamw: {learning_rate: {low: 1.0e-3, high: 0.1, log: true}}}
    augment: {}
    train: {batch_size: 32}
final: {seeds: 2}
baselines: BASELINES
run: {device: cpu, trial_seconds: 60}
"""


@pytest.fixture(scope="module", autouse=True)
def own_folders(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINNAEUS_CACHE", str(home / "cache"))
        patch.setenv("LINNAEUS_STATE", str(home / "state"))
        yield home


def write_study(folder, backbones, baselines="[prior, flat-risk]"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mine.py").write_text(PLUGINS)
    (folder / "squares.onto").write_text(ONTOLOGY)
    text = STUDY.replace("BACKBONES", ", ".join(f"{b}: {{}}" for b in backbones)).replace("BASELINES", baselines)
    (folder / "study.yaml").write_text(text)
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """One finished study of a backbone that works and three that do not; what it said; its folder."""
    folder = tmp_path_factory.mktemp("squares")
    path = write_study(folder, ["slow", "raises", "not-a-number", "dies"])
    study = load_study(path)
    said = (folder / "said.txt").open("w")
    with said:
        results, run = run_study(study, folder / "run", progress=Plain(said))
    return study, results, run, (folder / "said.txt").read_text()


def row(results, name):
    (found,) = [c for c in results.contenders if c.name == name]
    return found


def test_each_failing_plugin_leaves_typed_trials_and_a_row(finished):
    _, results, run, _ = finished
    assert [c.name for c in results.contenders] == [
        "slow", "raises", "not-a-number", "dies", "flat-risk", "prior",
    ]  # fmt: skip
    states = {c.name: c.search.states for c in results.contenders if c.search}
    assert states == {
        "slow": {"complete": 2},
        "raises": {"error": 2},
        "not-a-number": {"nan": 2},
        "dies": {"crashed": 2},
        "flat-risk": {"complete": 2},
    }
    assert row(results, "raises").failures[0]["cause"] == "ValueError: no such width"
    assert "SIGKILL" in row(results, "dies").failures[0]["cause"]
    assert "nan" in row(results, "not-a-number").failures[0]["cause"]
    assert row(results, "dies").seeds == []
    assert "Traceback" in (run / "trials/000002/log.txt").read_text()
    assert len(list((run / "trials").iterdir())) == 10


def test_the_best_configuration_is_retrained_with_each_seed_and_its_answers_kept(finished):
    _, results, run, _ = finished
    slow = row(results, "slow")
    assert [s.seed for s in slow.seeds] == [3, 4]
    assert slow.configuration == slow.search.rows[slow.search.best_trial]["configuration"]
    for s in slow.seeds:
        assert s.state == "complete"
        assert s.epochs == next(t["best_epoch"] for t in slow.search.rows if t["number"] == slow.search.best_trial)
        assert 0.5 < s.metrics["shade.accuracy"] <= 1
        saved = load_predictions(run / s.folder)
        assert len(saved.names) == results.data["counts"]["test"]
        with (run / s.folder / "predictions.csv").open() as f:
            rows = list(csv.DictReader(f))
        right = sum(r["shade.truth"] == r["shade.predicted"] for r in rows) / len(rows)
        assert right == pytest.approx(s.metrics["shade.accuracy"])
        assert (run / s.folder / "checkpoint" / "model.json").is_file()
        assert s.costs["parameters"] > 0
    assert set(slow.seeds[0].metrics) == set(results.metrics)
    assert results.objective in results.metrics
    assert slow.guarantees == {"normalised": True, "coherent": True, "obeys_rules": False}


def test_the_baselines_are_on_the_board(finished):
    _, results, _, _ = finished
    prior, flat = row(results, "prior"), row(results, "flat-risk")
    assert prior.baseline
    assert prior.deterministic
    assert prior.seeds[0].metrics["shade.accuracy"] == pytest.approx(1 / 3, abs=0.05)
    assert flat.baseline
    assert flat.configuration["backbone"]["name"] == "slow"
    assert flat.configuration["head"]["name"] == "flat"
    assert flat.configuration["decoder"] == "risk"


def test_the_test_split_is_opened_once_a_tested_contender_and_entered(finished):
    _, results, _, said = finished
    assert [o["by"] for o in results.test_opened] == ["slow", "flat-risk", "prior"]
    assert [o["count"] for o in results.test_opened] == [1, 2, 3]
    assert len(Ledger.of_user().openings(results.data["hashes"]["test"])) >= 3
    assert "opening 3 of this split" in said


def test_a_pipe_gets_few_plain_lines(finished):
    _, _, _, said = finished
    assert len(said.splitlines()) < 25
    assert "slow: search ended, best" in said
    assert "\x1b" not in said


def test_a_finished_study_is_read_back_without_a_worker(finished):
    study, results, run, _ = finished
    before = sorted((p, p.stat().st_mtime_ns) for p in run.rglob("*") if p.name not in (".lock",))
    again, _ = run_study(study, run)
    assert again.to_json() == results.to_json()
    assert sorted((p, p.stat().st_mtime_ns) for p in run.rglob("*") if p.name not in (".lock",)) == before


def test_lost_results_are_assembled_again_from_what_is_kept(finished):
    study, results, run, _ = finished
    (run / "results.json").unlink()
    again, _ = run_study(study, run)
    assert {**again.data, "seconds": 0} == {**results.data, "seconds": 0}
    assert replace(again, data={}).to_json() == replace(results, data={}).to_json()


def test_status_reads_the_files(finished):
    _, _, run, _ = finished
    status = study_status(run)
    assert status["phase"] == "finished"
    assert status["trials"]["done"] == status["trials"]["asked"] == 10
    assert status["contenders"]["dies"]["states"] == {"crashed": 2}
    assert status["seeds"] == {"done": 5, "asked": 11}
    assert "slow: 2 of 2 trials" in status["summary"]


def test_results_say_what_they_were_made_with(finished):
    _, results, _, _ = finished
    assert results.environment["device"]["platform"] == "cpu"
    assert len(results.environment["code"]) == 64
    assert results.environment["packages"]["jax"]
    assert list(results.study["plugins"]) == ["mine.py"]
    json.loads(results.to_json())


def test_the_command_of_a_row_gives_its_numbers_again(finished, tmp_path):
    _, results, _, _ = finished
    command = results.reproduce["slow"]
    assert command.startswith("linnaeus run ")
    words = shlex.split(command)
    overrides = [words[i + 1] for i, w in enumerate(words) if w == "--set"]
    alone = load_study(Path(words[2]), overrides)
    again, _ = run_study(alone, tmp_path / "run")
    assert [c.name for c in again.contenders] == ["slow"]
    same, slow = again.contenders[0], row(results, "slow")
    assert [s.metrics for s in same.seeds] == [s.metrics for s in slow.seeds]
    assert [r["value"] for r in same.search.rows] == [r["value"] for r in slow.search.rows]


def test_a_device_that_is_not_there_is_said_instead_of_going_without(tmp_path):
    study = load_study(write_study(tmp_path, ["slow"], "[]"), ["run.device=tpu"])
    with pytest.raises(LinnaeusError, match="can't start"):
        run_study(study, tmp_path / "run")


# --- interrupted -----------------------------------------------------------------------------------

RUN = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from linnaeus.search.run import run_study
    from linnaeus.search.study_file import load_study
    run_study(load_study(Path(sys.argv[1])), Path(sys.argv[2]), progress=True)
    if "jax" in sys.modules:  # plugins import it where they are defined; nothing may run on it here
        from jax._src import xla_bridge
        assert not xla_bridge.backends_are_initialized()
    """
)


def start(path, run, **environment):
    return subprocess.Popen(
        [sys.executable, "-P", "-c", RUN, str(path), str(run)],
        env=dict(os.environ, **environment),
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def values(run):
    found = [json.loads(p.read_text()) for p in sorted(run.glob("trials/*/result.json"))]
    keys = ("number", "contender", "state", "value", "best_epoch", "parameters", "configuration")
    return [{k: t[k] for k in keys} for t in found]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_study_cut_by_signals_ends_as_an_uncut_one(finished, tmp_path):
    _, whole, uncut, _ = finished
    path = write_study(tmp_path, ["slow"], "[]")
    study = load_study(path)
    run, flag = tmp_path / "cut", tmp_path / "flag"
    for trial, number in ((0, signal.SIGINT), (1, signal.SIGKILL)):
        flag.write_text(str(run / "trials" / f"{trial:06d}"))
        cut_short(start(path, run, SLEEP_AT=str(flag)), study, run, trial, number)
    with (run / "journal.log").open("ab") as f:
        f.write(b'{"op_code": 4, "wor')
    process = start(path, run)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert len(values(run)) == 2
    assert values(run) == [t for t in values(uncut) if t["contender"] == "slow"]
    (resumed,) = load(run).contenders
    assert [s.metrics for s in resumed.seeds] == [s.metrics for s in row(whole, "slow").seeds]


def cut_short(process, study, run, trial, number):
    """Send a signal to a supervisor while its worker sleeps in a trial."""
    wait_for(lambda: states(run).get(trial) == "running" and study_status(run)["running"] and asleep(run, trial))
    with pytest.raises(LinnaeusError, match="another run is at work"):
        run_study(study, run)
    workers = children(process.pid)
    assert workers
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode in (-number, 1)  # 1: Python's own answer to KeyboardInterrupt
    wait_for(lambda: not any(alive(w) for w in workers), 15)
    assert study_status(run)["phase"] == "interrupted"


def states(run):
    return {int(p.parent.name): json.loads(p.read_text())["state"] for p in run.glob("trials/*/result.json")}


def asleep(run, trial):
    """The log is made when the job starts; a trial that ends in this time was not asleep."""
    if not (run / "trials" / f"{trial:06d}" / "log.txt").exists():
        return False
    time.sleep(0.5)
    return states(run)[trial] == "running"


def children(pid):
    return [p.pid for p in psutil.Process(pid).children(recursive=True)]


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
