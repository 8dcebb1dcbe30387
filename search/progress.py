"""What a run tells while it works: events, and two ways to show them: live on a terminal, few lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@dataclass(frozen=True)
class Event:
    """One step of a run.

    `kind`: "note" (`facts["text"]`), "search-started", "trial-ended", "search-ended", "final-started", "seed-ended",
    "final-ended". `done` of `total` trials or seeds; `best` objective so far; `seconds_left` of this step, estimated.
    `facts`: the result of the trial or seed that ended.
    """

    kind: str
    contender: str = ""
    done: int = 0
    total: int = 0
    best: float | None = None
    seconds_left: float | None = None
    facts: dict[str, Any] = field(default_factory=dict)


Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """Show nothing."""


def note(text: str) -> Event:
    """A plain line for people."""
    return Event("note", facts={"text": text})


@contextmanager
def shown(stream: TextIO | None = None) -> Iterator[Listener]:
    """A listener for `stream` (standard error by default): live on a terminal, plain lines elsewhere."""
    out = sys.stderr if stream is None else stream
    if not out.isatty():
        yield Plain(out)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[facts]}"),
    )
    with Progress(*columns, console=Console(file=out)) as progress:
        yield Live(progress)


class Plain:
    """The beginning and the end of each step, as lines of text."""

    def __init__(self, out: TextIO):
        self.out = out

    def __call__(self, event: Event) -> None:
        """Write a line where the event ends a step."""
        text = _line(event)
        if text is not None:
            self.out.write(text + "\n")
            self.out.flush()


class Live:
    """A bar a step, with the best value so far and the time left."""

    def __init__(self, progress: Progress):
        self.progress = progress
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, event: Event) -> None:
        """Bring the bars up to date."""
        if event.kind == "note":
            self.progress.console.print(event.facts["text"], markup=False, highlight=False)
            return
        step = "retraining" if event.kind in ("final-started", "seed-ended", "final-ended") else "search"
        name = f"{event.contender}: {step}"
        if name not in self.tasks:
            self.tasks[name] = self.progress.add_task(name, total=event.total, facts="")
        self.progress.update(self.tasks[name], completed=event.done, facts=_facts(event))


def _line(event: Event) -> str | None:
    if event.kind == "note":
        return str(event.facts["text"])
    if event.kind == "search-started":
        return f"{event.contender}: search, {event.done} of {event.total} trials done"
    if event.kind == "search-ended":
        return f"{event.contender}: search ended, {_facts(event)}"
    if event.kind == "final-ended":
        return f"{event.contender}: {event.done} of {event.total} seeds retrained"
    return None


def _facts(event: Event) -> str:
    parts = []
    if event.kind in ("search-started", "trial-ended", "search-ended"):
        parts.append("no trial has a value yet" if event.best is None else f"best {event.best:.4f}")
    if event.kind == "search-ended":
        parts.append("1 trial" if event.done == 1 else f"{event.done} trials")
    elif event.seconds_left:
        parts.append(f"{duration(event.seconds_left)} left")
    state = event.facts.get("state", "complete")
    if state != "complete":
        parts.append(f"last: {state}")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """Seconds as people say them: "45 s", "12 min", "3 h 20 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
