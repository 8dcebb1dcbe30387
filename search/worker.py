"""The worker process: `python -P -m linnaeus.search.worker`, started by `search.worker_process`.

It takes its standard input and output for the conversation with the supervisor and sends whatever plugins print to
the log of the job at hand. When the supervisor is gone, so is the worker.

    → {"op": "start", …}     ← {"state": "ready", "data": …}
    → {"op": "train", …}     ← {"epoch": 1, "values": …}   → {"go": true} …   ← {"state": "complete", "data": …}
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from ..errors import LinnaeusError
from .run_folder import is_full
from .worker_process import NotFiniteError, OnEpoch


class Jobs(Protocol):
    """What a worker can do for one study. Each job gives plain data, as JSON."""

    def device(self) -> dict[str, Any]:
        """What the jobs run on."""
        ...

    def train(self, job: dict[str, Any], on_epoch: OnEpoch) -> dict[str, Any]:
        """Train and validate one configuration."""
        ...

    def final(self, job: dict[str, Any], on_epoch: OnEpoch) -> dict[str, Any]:
        """Retrain one configuration and predict the test split."""
        ...

    def prior(self, job: dict[str, Any]) -> dict[str, Any]:
        """Fit the class prior and predict the test split."""
        ...


class Channel:
    """The conversation with the supervisor, on pipes that nothing else can write to."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        commands = os.fdopen(os.dup(0), encoding="utf-8")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(2, 1)  # prints go where errors go
        self._inbox: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._listen, args=(commands,), daemon=True).start()

    def _listen(self, commands: IO[str]) -> None:
        for line in commands:
            self._inbox.put(json.loads(line))
        os._exit(0)  # the supervisor is gone or done; the thread that computes may not look for hours

    def receive(self) -> dict[str, Any]:
        """The next message."""
        return self._inbox.get()

    def send(self, message: dict[str, Any]) -> None:
        """Say something."""
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Send standard output and error, those of native code too, to a file while the block runs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    saved = os.dup(1), os.dup(2)
    with path.open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in zip((1, 2), saved, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)


def failure(error: BaseException) -> dict[str, str]:
    """The typed state of a job that raised, and its cause in a line."""
    if isinstance(error, LinnaeusError):
        return {"state": "error", "cause": error.diagnostics[0].message}
    words = str(error).strip().splitlines()
    cause = f"{type(error).__name__}: {words[0][:300]}" if words else type(error).__name__
    if isinstance(error, NotFiniteError):
        return {"state": "nan", "cause": words[0]}
    if isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error):
        return {"state": "out-of-memory", "cause": cause}
    if isinstance(error, OSError) and is_full(error):
        return {"state": "machine", "cause": cause}
    return {"state": "error", "cause": cause}


def serve(channel: Channel, open_jobs: Callable[[dict[str, Any]], Jobs]) -> None:
    """Do what the supervisor asks until it is gone."""
    try:
        jobs = open_jobs(channel.receive())
        device = jobs.device()
    except Exception as e:  # noqa: BLE001  # whatever stops the start is told to the supervisor, which stops the study
        traceback.print_exc()
        channel.send(failure(e))
        return
    channel.send({"state": "ready", "data": device})

    def on_epoch(epoch: int, values: dict[str, float]) -> bool:
        channel.send({"epoch": epoch, "values": values})
        return bool(channel.receive()["go"])

    while True:
        channel.send(answer(jobs, channel.receive(), on_epoch))


def answer(jobs: Jobs, job: dict[str, Any], on_epoch: OnEpoch) -> dict[str, Any]:
    """Do one job, whatever comes of it. The traceback of an exception goes to the job's log only."""
    try:
        with logged(Path(job["folder"]) / "log.txt"):
            try:
                return {"state": "complete", "data": _do(jobs, job, on_epoch)}
            except (Exception, SystemExit) as e:  # noqa: BLE001  # a plugin may raise anything; it ends its trial only
                traceback.print_exc()
                return failure(e)
    except OSError as e:  # the log itself can't be written
        return {"state": "machine", "cause": str(e)}


def _do(jobs: Jobs, job: dict[str, Any], on_epoch: OnEpoch) -> dict[str, Any]:
    if job["op"] == "train":
        return jobs.train(job, on_epoch)
    if job["op"] == "final":
        return jobs.final(job, on_epoch)
    return jobs.prior(job)


def main() -> None:
    """Serve one supervisor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor decides what an interrupt means
    channel = Channel()
    from .jobs import open_jobs

    serve(channel, open_jobs)


if __name__ == "__main__":
    main()
