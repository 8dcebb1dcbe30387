"""The ledger of test splits: how often each was opened by this user, across all studies.

A test split that is looked at often is no longer a test. The ledger can't forbid that; it counts, and results say.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import fail
from .run_folder import is_full


def state_folder() -> Path:
    """Where a user's lasting state is: $LINNAEUS_STATE, else the platform's folder for it."""
    given = os.environ.get("LINNAEUS_STATE")
    if given:
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "linnaeus"
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "linnaeus"


@dataclass(frozen=True)
class Ledger:
    """One JSON line an opening: test split hash, when, study, contender, run folder, code hash."""

    path: Path

    @staticmethod
    def of_user() -> Ledger:
        """The ledger of whoever runs this, writable.

        Raises:
            LinnaeusError: E530 its folder can't be written; said before any trial runs.
        """
        ledger = Ledger(state_folder() / "ledger.jsonl")
        try:
            ledger.path.parent.mkdir(parents=True, exist_ok=True)
            with ledger.path.open("a", encoding="utf-8"):
                pass
        except OSError as e:
            raise ledger._unwritable(e) from e
        return ledger

    def openings(self, test_hash: str) -> list[dict[str, Any]]:
        """Every opening of one test split, oldest first."""
        return [row for row in self._rows() if row.get("test") == test_hash]

    def opened(self, test_hash: str, *, study: str, by: str, run: str, code: str) -> dict[str, Any]:
        """Enter an opening, unless this run entered it before; it has `when`, `by`, and `count` up to and with it.

        Args:
            run: what identifies the run, wherever its folder is moved.
            code: hash of the code that opens.

        Raises:
            LinnaeusError: E530 the ledger can't be written.
        """
        from filelock import FileLock

        try:
            with FileLock(self.path.with_suffix(".lock")):
                before = self.openings(test_hash)
                for count, row in enumerate(before, start=1):
                    if (row["run"], row["by"]) == (run, by):
                        return {"when": row["when"], "by": by, "count": count}
                when = datetime.now(UTC).isoformat(timespec="seconds")
                row = {"test": test_hash, "when": when, "study": study, "by": by, "run": run, "code": code}
                self._append(row)
        except OSError as e:
            raise self._unwritable(e) from e
        return {"when": when, "by": by, "count": len(before) + 1}

    def _append(self, row: dict[str, Any]) -> None:
        torn = self.path.exists() and self.path.read_bytes()[-1:] not in (b"", b"\n")
        with self.path.open("a", encoding="utf-8") as f:
            f.write(("\n" if torn else "") + json.dumps(row) + "\n")
            f.flush()
            os.fsync(f.fileno())

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    rows.append(json.loads(line))
                except json.JSONDecodeError:
                    continue  # a line cut by a power failure counts for nothing; the others still do
        return [row for row in rows if isinstance(row, dict)]

    def _unwritable(self, e: OSError) -> Exception:
        why = "the disk is full" if is_full(e) else e.strerror
        step = "set LINNAEUS_STATE to a folder that you may write to"
        return fail("E530", f"the ledger of test openings can't be written: {why}", where=str(self.path), help=step)
