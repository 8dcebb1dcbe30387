"""Optuna's journal on disk: one record a finished trial, so that nothing in it is ever half done.

A trial that runs is in memory only. It enters the journal whole, when it has ended; a supervisor that dies leaves
no trial RUNNING for good, and the next one asks for the same trial again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import fail

if TYPE_CHECKING:
    import optuna


def cut_torn_record(path: Path) -> int:
    """Cut a last record that was not written whole; the number of bytes cut.

    Optuna does not: it would append to the torn line and make the file unreadable for good.
    """
    if not path.is_file():
        return 0
    content = path.read_bytes()
    keep = content.rfind(b"\n") + 1
    last = content.rfind(b"\n", 0, max(keep - 1, 0)) + 1
    if keep and not _is_record(content[last:keep]):  # a line end may reach the disk before what stands before it
        keep = last
    if keep < len(content):
        with path.open("r+b") as f:
            f.truncate(keep)
            os.fsync(f.fileno())
    return len(content) - keep


def _is_record(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except ValueError:
        return False
    return isinstance(record, dict) and "op_code" in record


def check_journal(path: Path) -> None:
    """Hold every record of a journal against its form.

    Raises:
        LinnaeusError: E507 a record that can't be read, with its line.
    """
    if not path.is_file():
        return
    with path.open("rb") as f:
        for number, line in enumerate(f, start=1):
            if not _is_record(line):
                raise _corrupt(path, f"line {number} is not a record of Optuna's journal")


def _corrupt(path: Path, why: str) -> Exception:
    step = "restore the file from a copy, or start over in another folder with --out DIR"
    return fail("E507", f"the journal is corrupt: {why}", where=str(path), help=step)


def open_journal(path: Path) -> optuna.storages.JournalStorage:
    """The storage in a journal file, its torn last record cut. The caller holds the run folder's lock.

    Raises:
        LinnaeusError: E507 the journal is corrupt.
    """
    import optuna
    from optuna.storages.journal import JournalFileBackend, JournalStorage

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    cut_torn_record(path)
    check_journal(path)
    # Optuna's own lock would make a run that was killed wait half a minute; ours holds the whole folder.
    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    try:
        return JournalStorage(JournalFileBackend(str(path)))
    except OSError:
        raise
    except Exception as e:
        raise _corrupt(path, f"Optuna can't replay it ({type(e).__name__}: {e})") from e


def open_study(storage: optuna.storages.BaseStorage, name: str) -> optuna.Study:
    """The Optuna study of one search in the journal, made where there is none; values are maximised."""
    import optuna

    return optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
