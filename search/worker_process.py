"""The supervisor's handle on its worker: jobs go in, answers come out, and nothing the worker does harms the study.

The worker is one persistent subprocess. Jobs and answers are JSON lines over its standard input and output, which it
takes for itself at the start; whatever plugins print goes to log files.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from ..errors import fail

START_SECONDS = 600.0
"""How long a worker may take to import JAX and read its data."""

PLATFORMS = {"cpu": "cpu", "gpu": "cuda,cpu", "tpu": "tpu,cpu"}
"""JAX's platforms by the device that a study names; "auto" leaves the choice to JAX."""

WORKER_COMMAND = (sys.executable, "-P", "-m", "linnaeus.search.worker")

OnEpoch = Callable[[int, dict[str, float]], bool]
"""(epoch from 1, values) → whether to go on."""


class NotFiniteError(Exception):
    """A loss or an objective that is not a finite number. Not in `worker`, which as a program is another module."""


@dataclass(frozen=True)
class Answer:
    """How one job ended. `state` is "complete", "nan", "error", "out-of-memory", "crashed" or "timeout"."""

    state: str
    cause: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


class WorkerProcess:
    """One worker, started at the first job and again after each death.

    Args:
        setup: the first message: what the worker needs to know of the study (see `search.worker`).
        log: where the worker's output outside jobs goes.
        device: the study's `run.device`.
        command: what starts it. `-P` keeps a folder named `search` in the current directory from shadowing ours.
    """

    def __init__(self, setup: dict[str, Any], log: Path, device: str = "auto", command: Sequence[str] = WORKER_COMMAND):
        self.command = list(command)
        self.setup = setup
        self.log = log
        self.device = device
        self.environment: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | None = None
        self._replies: queue.Queue[str | None] = queue.Queue()

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def request(self, job: dict[str, Any], *, seconds: float, on_epoch: OnEpoch | None = None) -> Answer:
        """Run one job. The clock starts when the worker is ready, and counts compilation.

        Args:
            job: {"op": "train" | "final" | "prior", …}, with "folder" for its log.
            seconds: the worker is killed when the job has not ended by then.
            on_epoch: called at every epoch's end; False ends the job there.

        Raises:
            LinnaeusError: E520 the worker can't start, E506 the machine (not the method) failed.
        """
        self._start()
        deadline = time.monotonic() + seconds
        if not self._send(job):
            return self._died()
        while True:
            try:
                reply = self._receive(deadline)
            except TimeoutError:
                self._kill()
                return Answer("timeout", f"not ended after {seconds:g} s (run.trial_seconds)")
            if reply is None:
                return self._died()
            if "epoch" in reply:
                go = on_epoch is None or on_epoch(reply["epoch"], reply["values"])
                if not self._send({"go": go}):
                    return self._died()
            elif reply["state"] == "machine":
                step = "put it right; the same command resumes where it stopped"
                raise fail("E506", f"the machine failed: {reply['cause']}", where=str(job.get("folder")), help=step)
            else:
                return Answer(reply["state"], reply.get("cause"), reply.get("data", {}))

    def close(self) -> None:
        """End the worker, whatever it is doing."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None and not process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # it is gone already
                process.stdin.close()  # the worker ends itself when its input does
        with contextlib.suppress(subprocess.TimeoutExpired):  # stuck; it is killed below
            process.wait(timeout=3)
        self._kill()

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        environment = dict(os.environ, PYTHONFAULTHANDLER="1", PYTHONUNBUFFERED="1")
        if self.device in PLATFORMS:
            environment["JAX_PLATFORMS"] = PLATFORMS[self.device]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is the supervisor's to handle
            )
        self._replies = queue.Queue()
        threading.Thread(target=_pump, args=(self._process, self._replies), daemon=True).start()
        self._greet()

    def _greet(self) -> None:
        self._send(self.setup)
        try:
            reply = self._receive(time.monotonic() + START_SECONDS)
        except TimeoutError:
            reply = {"state": "timeout", "cause": f"not ready after {START_SECONDS:g} s"}
        if reply is None:
            reply = {"state": "crashed", "cause": self._died().cause}
        if reply["state"] != "ready":
            self._kill()
            step = f"its own words are in {self.log}"
            raise fail("E520", f"the worker process can't start: {reply['cause']}", where="run.device", help=step)
        self.environment = reply["data"]

    def _send(self, message: dict[str, Any]) -> bool:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def _receive(self, deadline: float) -> dict[str, Any] | None:
        try:
            line = self._replies.get(timeout=max(deadline - time.monotonic(), 0.0))
        except queue.Empty:
            raise TimeoutError from None
        if line is None:
            return None
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _died(self) -> Answer:
        assert self._process is not None
        try:
            code = self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:  # its output is closed, so it is of no more use
            self._kill()
            return Answer("crashed", "the process closed its output")
        self._kill()
        return Answer("crashed", f"the process died: {_exit_reason(code)}")

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):  # what was left to say has no reader
                    pipe.close()


def _pump(process: subprocess.Popen[str], replies: queue.Queue[str | None]) -> None:
    """Move the worker's lines into a queue, which unlike a pipe can be waited on with a deadline on every system."""
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if not line.endswith("\n"):
                break  # it died in the middle of a line
            replies.put(line)
    except (ValueError, OSError):
        pass  # closed by us
    replies.put(None)


def _exit_reason(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    memory = " (often: out of memory)" if name == "SIGKILL" else ""
    return f"signal {-code} {name}{memory}"
