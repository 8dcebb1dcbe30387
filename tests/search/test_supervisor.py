"""The ask-and-tell loop against a worker that only pretends: laws of budgets, states, pruning and resuming."""

import itertools
import json
import math
from types import SimpleNamespace

import pytest

from linnaeus.errors import LinnaeusError
from linnaeus.plugins.hyperparameters import Choices, Range
from linnaeus.search.journal import open_journal
from linnaeus.search.progress import silent
from linnaeus.search.run_folder import RunFolder
from linnaeus.search.study import Budget, Contender, RunSpec, SearchSpec, Space
from linnaeus.search.supervisor import ContenderSearch
from linnaeus.search.worker_process import Answer

SPACE = Space(
    {
        "backbone": {"small": {"width": Choices((4, 8, 16))}, "large": {"depth": Range(1, 4)}},
        "head": {"flat": {}},
        "optimizer": {"adamw": {"learning_rate": Range(1e-4, 1e-1, log=True)}},
        "augment": {},
    },
    {"batch_size": 64},
    {
        "backbone.small.width": 8,
        "backbone.large.depth": 2,
        "optimizer.adamw.learning_rate": 1e-3,
    },
)
CONTENDER = Contender("all", SPACE, "best-world")


def a_study(trials=8, epochs=3, seconds=None, pruner="none", sampler="tpe"):
    search = SearchSpec(SPACE, sampler=sampler, pruner=pruner, budget=Budget(trials, epochs, seconds))
    return SimpleNamespace(seed=1, search=search, run=RunSpec())


class Pretender:
    """A worker whose objective is a known function of the configuration; `ends` gives other answers by trial."""

    def __init__(self, ends=None, interrupt_at=None):
        self.ends = ends or {}
        self.interrupt_at = interrupt_at
        self.jobs = []

    def request(self, job, *, seconds, on_epoch=None):
        number = len(self.jobs)
        self.jobs.append(job)
        rate = job["configuration"]["optimizer"]["fields"]["learning_rate"]
        for epoch in range(1, job["epochs"] + 1):
            if number in self.ends and epoch == 2:
                return self.ends[number]
            value = -abs(math.log10(rate) + 2) + 0.01 * epoch
            go = on_epoch(epoch, {"objective": value})
            if number == self.interrupt_at:
                raise KeyboardInterrupt
            if not go:
                break
        return Answer("complete", data={"compile_seconds": 0.0})


def search_in(folder, study, worker, contender=CONTENDER):
    storage = open_journal(folder / "journal.log")
    search = ContenderSearch(
        study, contender, storage, RunFolder(folder), itertools.count(count_trials(storage)), silent, images=100
    )
    search.run(worker)
    return search


def count_trials(storage):
    return sum(len(storage.get_all_trials(s._study_id)) for s in storage.get_all_studies())


def outcome(search):
    keys = ("number", "state", "cause", "value", "best_epoch", "epochs", "parameters", "configuration")
    return [{k: t[k] for k in keys} for t in search.rows]


def test_the_first_trial_is_the_default_configuration_and_the_budget_is_kept(tmp_path):
    worker = Pretender()
    search = search_in(tmp_path, a_study(trials=5), worker)
    assert len(worker.jobs) == len(search.rows) == 5
    first = worker.jobs[0]["configuration"]
    assert first["backbone"] == {"name": "small", "fields": {"width": 8}}
    assert first["optimizer"]["fields"] == {"learning_rate": 1e-3}
    assert len({j["seed"] for j in worker.jobs}) == 5


@pytest.mark.parametrize("sampler", ["tpe", "random"])
@pytest.mark.parametrize("pruner", ["none", "halving", "hyperband", "median"])
def test_an_interrupted_search_ends_as_an_uninterrupted_one(tmp_path, sampler, pruner):
    study = a_study(trials=12, epochs=6, pruner=pruner, sampler=sampler)
    ends = {3: Answer("nan", "loss"), 7: Answer("crashed", "signal 9")}
    cut, uncut = tmp_path / "cut", tmp_path / "uncut"
    cut.mkdir()
    uncut.mkdir()
    whole = search_in(uncut, study, Pretender(ends))
    at = 0
    for stop in (0, 1, 4, 2):  # in the middle of a trial each time
        worker = Pretender({k - at: v for k, v in ends.items()}, interrupt_at=stop)
        with pytest.raises(KeyboardInterrupt):
            search_in(cut, study, worker)
        at += stop
    resumed = search_in(cut, study, Pretender({k - at: v for k, v in ends.items()}))
    assert outcome(resumed) == outcome(whole)
    assert [t["number"] for t in outcome(resumed)] == list(range(12))
    assert len(list((cut / "trials").iterdir())) == 12


def test_each_way_to_fail_is_a_typed_trial_and_the_search_goes_on(tmp_path):
    states = ["nan", "error", "out-of-memory", "crashed", "timeout"]
    worker = Pretender({i: Answer(s, f"because {s}") for i, s in enumerate(states)})
    search = search_in(tmp_path, a_study(trials=7), worker)
    result = search.result()
    assert [r["state"] for r in result.rows] == [*states, "complete", "complete"]
    assert [r["cause"] for r in result.rows][:5] == [f"because {s}" for s in states]
    assert result.best_so_far[:5] == [None] * 5
    assert result.states == {**dict.fromkeys(states, 1), "complete": 2}
    saved = json.loads((tmp_path / "trials/000003/result.json").read_text())
    assert saved["state"] == "crashed"


def test_a_search_whose_trials_all_fail_ends_without_a_choice(tmp_path):
    search = search_in(tmp_path, a_study(trials=3), Pretender({i: Answer("error", "no") for i in range(3)}))
    assert search.selected() is None
    assert search.result().best_value is None
    assert search.ended


def test_pruning_follows_the_validation_curve(tmp_path):
    search = search_in(tmp_path, a_study(trials=20, epochs=9, pruner="halving"), Pretender())
    states = search.result().states
    assert states["pruned"] >= 5
    assert states["complete"] >= 1
    pruned = [t for t in search.rows if t["state"] == "pruned"]
    assert all(t["epochs"] < 9 for t in pruned)
    selected = search.selected()
    assert selected.value == max(t["value"] for t in search.rows if t["state"] == "complete")
    assert selected.best_epoch == 9


def test_seconds_stop_a_trial_at_its_next_epoch_and_count_over_resumes(tmp_path, monkeypatch):
    clock = itertools.count(0.0, 1.0)
    monkeypatch.setattr("linnaeus.search.supervisor.time.monotonic", lambda: next(clock))
    study = a_study(trials=50, epochs=10, seconds=15.0)
    search = search_in(tmp_path, study, Pretender())
    assert len(search.rows) < 5
    assert search.rows[-1]["state"] == "stopped"
    again = Pretender()
    search_in(tmp_path, study, again)
    assert again.jobs == []


def test_a_longer_journal_is_not_asked_for_again(tmp_path):
    search_in(tmp_path, a_study(trials=4), Pretender())
    again = Pretender()
    search_in(tmp_path, a_study(trials=4), again)
    assert again.jobs == []


def test_contenders_share_the_numbering_and_keep_their_own_history(tmp_path):
    other = Contender("other", SPACE, "risk")
    search_in(tmp_path, a_study(trials=3), Pretender())
    second = search_in(tmp_path, a_study(trials=3), Pretender(), other)
    assert [t["number"] for t in second.rows] == [3, 4, 5]
    alone = tmp_path / "alone"
    alone.mkdir()
    same = search_in(alone, a_study(trials=3), Pretender(), other)
    assert [t["parameters"] for t in same.rows] == [t["parameters"] for t in second.rows]


def test_a_machine_failure_stops_the_study(tmp_path):
    class Broken(Pretender):
        def request(self, job, *, seconds, on_epoch=None):
            from linnaeus.errors import fail

            raise fail("E506", "the disk is full")

    with pytest.raises(LinnaeusError, match="E506"):
        search_in(tmp_path, a_study(), Broken())
    assert len(search_in(tmp_path, a_study(trials=2), Pretender()).rows) == 2
