"""How a run stands, read from its files without disturbing the supervisor at work."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from .progress import duration
from .results import write_text
from .run_folder import RunFolder


class StateFile:
    """`state.json`: what the supervisor is doing. Written by it alone, at once or not at all."""

    def __init__(self, folder: RunFolder, asked: dict[str, int], seeds: int):
        self._path = folder.state
        self._facts: dict[str, Any] = {
            "pid": os.getpid(),
            "process_started": psutil.Process().create_time(),
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
            "asked": asked,
            "seeds": seeds,
            "phase": "preparing data",
        }
        self.update()

    def update(self, **facts: Any) -> None:
        """Set facts (`phase`, `asked`) and write the file."""
        self._facts |= facts
        write_text(self._path, json.dumps(self._facts, indent=1) + "\n")


def study_status(run: Path) -> dict[str, Any]:
    """How a run stands: `phase`, `running`, `since`, `trials` {done, asked, states}, `contenders` by name {done, asked,
    states, best}, `seeds` {done, asked}, and all that as text in `summary`.

    Raises:
        LinnaeusError: E501 not a run folder.
    """
    folder = RunFolder(run)
    folder.identity()
    state = _read(folder.state) or {"asked": {}, "seeds": 0, "phase": "not started", "since": None}
    trials = [row for row in map(_read, sorted(run.glob("trials/*/result.json"))) if row is not None]
    seeds = [row for row in map(_read, sorted(run.glob("final/*/*/result.json"))) if row is not None]
    running = state["phase"] not in ("finished", "interrupted") and _alive(state)
    if not running:  # a trial that was cut off is asked for again
        trials = [row for row in trials if row["state"] != "running"]
    names = list(state["asked"]) + sorted({t["contender"] for t in trials} - set(state["asked"]))
    contenders = {name: _contender(name, trials, state["asked"].get(name)) for name in names}
    phase = state["phase"] if running or state["phase"] == "finished" else "interrupted"
    found: dict[str, Any] = {
        "run": str(run),
        "phase": phase,
        "running": running,
        "since": state["since"],
        "trials": _totals(contenders),
        "contenders": contenders,
        "seeds": {"done": len(seeds), "asked": state["seeds"]},
    }
    return found | {"summary": _summary(found)}


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def _alive(state: dict[str, Any]) -> bool:
    """Whether the supervisor that wrote the state still lives (its number may belong to another process by now)."""
    try:
        return bool(abs(psutil.Process(state["pid"]).create_time() - state["process_started"]) < 1)
    except (KeyError, psutil.Error):
        return False


def _contender(name: str, trials: list[dict[str, Any]], asked: int | None) -> dict[str, Any]:
    rows = [t for t in trials if t["contender"] == name]
    ended = [t for t in rows if t["state"] != "running"]
    values = [t["value"] for t in ended if t["value"] is not None and t["state"] != "pruned"]
    return {
        "done": len(ended),
        "asked": asked,
        "states": dict(Counter(t["state"] for t in rows)),
        "best": max(values, default=None),
    }


def _totals(contenders: dict[str, dict[str, Any]]) -> dict[str, Any]:
    states: Counter[str] = Counter()
    for row in contenders.values():
        states.update(row["states"])
    return {
        "done": sum(row["done"] for row in contenders.values()),
        "asked": sum(row["asked"] or row["done"] for row in contenders.values()),
        "states": dict(states),
    }


def _summary(found: dict[str, Any]) -> str:
    lines = [f"{found['run']}: {found['phase']}{_age(found)}"]
    for name, row in found["contenders"].items():
        states = ", ".join(f"{count} {state}" for state, count in row["states"].items())
        best = "" if row["best"] is None else f", best {row['best']:.4f}"
        lines.append(f"  {name}: {row['done']} of {row['asked'] or '?'} trials{f' ({states})' if states else ''}{best}")
    lines.append(f"  retraining: {found['seeds']['done']} of {found['seeds']['asked']} seeds")
    return "\n".join(lines)


def _age(found: dict[str, Any]) -> str:
    if not found["running"]:
        return "" if found["phase"] == "finished" else "; the command that started it resumes"
    seconds = (datetime.now(UTC) - datetime.fromisoformat(found["since"])).total_seconds()
    return f", running for {duration(seconds)}"
