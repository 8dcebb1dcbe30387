"""The worker process against jobs that misbehave: every way to end gives a typed answer, and the next job runs."""

import os
import sys
import textwrap
import time

import pytest

from linnaeus.errors import LinnaeusError
from linnaeus.search.worker_process import WorkerProcess

JOBS = textwrap.dedent(
    """
    import errno, os, sys, time
    from linnaeus.search.worker import Channel, serve
    from linnaeus.search.worker_process import NotFiniteError

    class Jobs:
        def device(self):
            return {"pid": os.getpid()}

        def train(self, job, on_epoch):
            how = job["how"]
            print("hello from", how)
            os.write(2, b"native words\\n")
            epochs = 0
            for epoch in range(1, 4):
                epochs = epoch
                if not on_epoch(epoch, {"objective": epoch / 10}):
                    break
                if epoch == 2:
                    misbehave(how)
            return {"epochs": epochs, "pid": os.getpid()}

    def misbehave(how):
        if how == "raise":
            raise ValueError("a plugin's own mistake")
        if how == "exit":
            sys.exit(3)
        if how == "die":
            os._exit(7)
        if how == "kill":
            os.kill(os.getpid(), 9)
        if how == "nan":
            raise NotFiniteError("the loss is nan at epoch 2")
        if how == "memory":
            raise MemoryError
        if how == "xla":
            raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 byte")
        if how == "disk":
            raise OSError(errno.ENOSPC, "No space left on device")
        if how == "sleep":
            time.sleep(60)
        if how == "mute":
            os.closerange(3, 20)
            time.sleep(60)

    def open_jobs(setup):
        if setup.get("fails"):
            raise RuntimeError("no device")
        return Jobs()

    serve(Channel(), open_jobs)
    """
)


@pytest.fixture(scope="module")
def worker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worker")
    with WorkerProcess({"op": "start"}, folder / "worker.log", command=(sys.executable, "-P", "-c", JOBS)) as it:
        yield it


def train(worker, folder, how, seconds=30.0, go=lambda epoch, values: True):
    return worker.request({"op": "train", "how": how, "folder": str(folder)}, seconds=seconds, on_epoch=go)


@pytest.mark.parametrize(
    ("how", "state", "cause"),
    [
        ("raise", "error", "ValueError: a plugin's own mistake"),
        ("exit", "error", "SystemExit: 3"),
        ("die", "crashed", "the process died: exit code 7"),
        ("kill", "crashed", "the process died: signal 9 SIGKILL (often: out of memory)"),
        ("nan", "nan", "the loss is nan at epoch 2"),
        ("memory", "out-of-memory", "MemoryError"),
        ("xla", "out-of-memory", "RuntimeError: RESOURCE_EXHAUSTED: Out of memory allocating 1 byte"),
    ],
)
def test_each_end_is_typed_and_the_next_job_runs(worker, tmp_path, how, state, cause):
    found = train(worker, tmp_path, how)
    assert (found.state, found.cause) == (state, cause)
    after = train(worker, tmp_path / "after", "well")
    assert after.state == "complete"
    assert after.data["epochs"] == 3


def test_a_job_over_its_time_is_killed(worker, tmp_path):
    started = time.monotonic()
    found = train(worker, tmp_path, "sleep", seconds=1.0)
    assert found.state == "timeout"
    assert "1 s" in found.cause
    assert time.monotonic() - started < 15
    assert train(worker, tmp_path, "well").state == "complete"


def test_prints_and_tracebacks_go_to_the_log_of_the_job(worker, tmp_path):
    train(worker, tmp_path / "a", "raise")
    train(worker, tmp_path / "b", "well")
    first, second = (tmp_path / x / "log.txt" for x in "ab")
    assert "hello from raise" in first.read_text()
    assert "native words" in first.read_text()
    assert "Traceback" in first.read_text()
    assert second.read_text().split("\n")[:2] in (
        ["hello from well", "native words"],
        ["native words", "hello from well"],
    )


def test_the_supervisor_ends_a_job_at_an_epoch_and_the_process_lives_on(worker, tmp_path):
    pid = train(worker, tmp_path, "well").data["pid"]
    found = train(worker, tmp_path, "raise", go=lambda epoch, values: values["objective"] < 0.1)
    assert found.state == "complete"
    assert found.data == {"epochs": 1, "pid": pid}


def test_a_full_disk_stops_the_study_not_the_trial(worker, tmp_path):
    with pytest.raises(LinnaeusError, match="No space left") as e:
        train(worker, tmp_path, "disk")
    assert e.value.diagnostics[0].code == "E506"


def test_a_worker_that_falls_silent_for_good_is_replaced(worker, tmp_path):
    found = train(worker, tmp_path, "mute", seconds=20.0)
    assert found.state == "crashed"
    assert train(worker, tmp_path, "well").state == "complete"


def test_a_worker_that_can_not_start_says_why(tmp_path):
    with WorkerProcess({"op": "start", "fails": True}, tmp_path / "w.log", command=(sys.executable, "-c", JOBS)) as it:
        with pytest.raises(LinnaeusError, match="RuntimeError: no device") as e:
            train(it, tmp_path, "well")
        assert e.value.diagnostics[0].code == "E520"
    assert "Traceback" in (tmp_path / "w.log").read_text()


def test_closing_ends_a_busy_worker(tmp_path):
    it = WorkerProcess({"op": "start"}, tmp_path / "w.log", command=(sys.executable, "-P", "-c", JOBS))

    def interrupt(epoch, values):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(it, tmp_path, "sleep", go=interrupt)
    pid = it.environment["pid"]
    it.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
