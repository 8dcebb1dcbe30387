"""The run folder: where everything about one study is kept, and who may write there.

study.yaml  ontology/  plugins/  identity.json     resolved copies, with hashes
ontology/ontology.json                             the ontology by itself; beside it the files it was made from
journal.log                                        Optuna's, finished trials only
state.json                                         what the supervisor is doing, for `linnaeus status`
environment.json  worker.log                       where the worker ran, and what it says outside jobs
trials/000017/                                     result.json, metrics.jsonl, log.txt
final/CONTENDER/SEED/                              the same, checkpoint/, predictions.npz, predictions.csv
results.json  report/
"""

from __future__ import annotations

import difflib
import errno
import hashlib
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..errors import LinnaeusError, fail
from .results import ONTOLOGY, write_text
from .study import Study
from .yaml12 import dump

IDENTITY = "identity.json"
CONTACT_SHEET = "contact-sheet.png"
"""What a dry run writes."""

_IDENTIFIED = frozenset({"id", "study", "ontology", "plugins", "data", "text"})
"""What a run's identity says, for the least."""

_VIEWS = ("report",)
"""Keys of a study that only say how results are shown: they may change between two runs of a study."""


@dataclass(frozen=True)
class RunFolder:
    """The paths of one study's run."""

    path: Path

    @property
    def journal(self) -> Path:
        """Optuna's journal."""
        return self.path / "journal.log"

    @property
    def begun(self) -> bool:
        """Whether a search has begun here. Until then nothing would be mixed if the study changed."""
        return self.journal.exists()

    @property
    def state(self) -> Path:
        """What the supervisor is doing."""
        return self.path / "state.json"

    @property
    def worker_log(self) -> Path:
        """What the worker process says outside trials."""
        return self.path / "worker.log"

    def trial(self, number: int) -> Path:
        """The folder of a trial, numbered through the study."""
        return self.path / "trials" / f"{number:06d}"

    def seed(self, contender: str, seed: int) -> Path:
        """The folder of one retraining of a contender's best configuration."""
        return self.path / "final" / contender / str(seed)

    def identity(self) -> dict[str, Any]:
        """What the run was started with: study, ontology, plugins and data, by hash.

        Raises:
            LinnaeusError: E501 the folder holds no run of ours.
        """
        try:
            found: dict[str, Any] = json.loads((self.path / IDENTITY).read_text(encoding="utf-8"))
            if not isinstance(found, dict) or not found.keys() >= _IDENTIFIED:
                raise ValueError
        except (OSError, ValueError) as e:
            why = f"{IDENTITY} is missing or unreadable" if self.path.exists() else "there is nothing there"
            step = "name the folder that `linnaeus run` made, by default runs/NAME"
            raise fail("E501", f"{self.path} is not a run folder: {why}", help=step) from e
        return found

    def check_data(self, digest: str) -> None:
        """Hold the prepared data against what the run was started with, and note it the first time.

        Raises:
            LinnaeusError: E505 the data changed since.
        """
        identity = self.identity()
        if identity["data"] is None or not self.begun:
            write_text(self.path / IDENTITY, json.dumps(identity | {"data": digest}, indent=1) + "\n")
        elif identity["data"] != digest:
            raise fail(
                "E505",
                f"the data changed since this run started: hash {digest[:12]}, it was {identity['data'][:12]}",
                where=str(self.path),
                help="trials on different data can't share a study: add --fork, or give another --out",
            )


def default_run(study: Study) -> Path:
    """Where a study runs when nobody says: `runs/NAME` in the current folder."""
    return Path("runs") / study.name


def cache_folder() -> Path:
    """Where a user's studies share what can be made again: $LINNAEUS_CACHE, else the platform's cache folder."""
    given = os.environ.get("LINNAEUS_CACHE")
    if given:
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "linnaeus" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "linnaeus"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "linnaeus"


def empty_folder(folder: Path) -> Path:
    """`folder`, made anew: what an earlier, interrupted attempt left is gone."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


@contextmanager
def claim(study: Study, out: Path, *, fork: bool = False) -> Iterator[RunFolder]:
    """The run folder of a study, made or found again, and locked against a second supervisor while the block runs.

    Args:
        out: the folder asked for.
        fork: where `out` holds a run of another specification, use the first of `out-2`, `out-3` … that is free or
            holds a run of this one.

    Raises:
        LinnaeusError: E501 not a run folder, E502 another supervisor is at work, E503 can't be written,
            E504 the specification changed (with the difference).
    """
    from filelock import FileLock, Timeout

    with writing(out):
        folder, fresh = _choose(study, out, fork)
        folder.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as e:
            step = "wait for it, watch it with `linnaeus status`, or give another --out"
            raise fail("E502", f"another run is at work in {folder.path}", help=step) from e
    try:
        with writing(folder.path):
            if fresh:
                identity = {"id": uuid.uuid4().hex, **_identity(study)}
                write_text(folder.path / IDENTITY, json.dumps(identity, indent=1, ensure_ascii=False) + "\n")
            if fresh or not (folder.path / "study.yaml").is_file():
                _write_copies(study, folder)
            yield folder
    finally:
        lock.release()


_REFUSALS = (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError, FileNotFoundError)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals inside the block into clear errors.

    Raises:
        LinnaeusError: E503 no permission (or no folder can be there), E506 the disk is full.
    """
    try:
        yield
    except OSError as e:
        if is_full(e):
            step = "free some space; the same command resumes where it stopped"
            raise fail("E506", f"the disk is full ({e.strerror})", where=str(path), help=step) from e
        if isinstance(e, _REFUSALS) or e.errno in (errno.EROFS, errno.ENAMETOOLONG):
            step = "choose a folder that you may write to with --out DIR"
            raise fail("E503", f"can't write {e.filename or path}: {e.strerror}", where=str(path), help=step) from e
        raise


def is_full(error: OSError) -> bool:
    """Whether the machine, not the method, is at fault: no space left, or the quota is used up."""
    return error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def _choose(study: Study, out: Path, fork: bool) -> tuple[RunFolder, bool]:
    """The folder to work in, and whether it is new (or might as well be)."""
    number = 1
    while True:
        folder = RunFolder(out if number == 1 else out.with_name(f"{out.name}-{number}"))
        if not folder.path.exists() or _is_bare(folder.path):
            return folder, True
        difference = _difference(study, folder)
        if difference is None:
            return folder, False
        if difference.diagnostics[0].code == "E504" and not folder.begun:
            return folder, True
        if not fork or difference.diagnostics[0].code != "E504":
            raise LinnaeusError(difference.diagnostics)
        number += 1


def _is_bare(path: Path) -> bool:
    """Whether a folder is empty but for what a dry run, or a start that was cut short, leaves there."""
    return path.is_dir() and all(p.name in (".lock", CONTACT_SHEET, IDENTITY + ".part") for p in path.iterdir())


def _difference(study: Study, folder: RunFolder) -> LinnaeusError | None:
    """None where the folder holds a run of this very study, else the error that says how it differs."""
    if not (folder.path / IDENTITY).is_file():
        step = "give another folder with --out DIR"
        return fail("E501", f"{folder.path} exists and is not a run folder", help=step)
    before, now = folder.identity(), _identity(study)
    lines = list(difflib.unified_diff(before["text"].splitlines(), now["text"].splitlines(), "run", "now", lineterm=""))
    if before["ontology"]["hash"] != now["ontology"]["hash"]:
        lines.append(f"ontology: {before['ontology']['hash'][:12]} → {now['ontology']['hash'][:12]}")
    lines += [
        f"plugin {name}: {str(before['plugins'].get(name))[:12]} → {str(now['plugins'].get(name))[:12]}"
        for name in sorted({*before["plugins"], *now["plugins"]})
        if before["plugins"].get(name) != now["plugins"].get(name)
    ]
    if not lines:
        return None
    shown = "\n".join(f"    {line}" for line in lines)
    step = "add --fork to start a new study beside it, or give another --out"
    return fail("E504", f"the study changed since this run started:\n{shown}", where=str(folder.path), help=step)


def specification_text(study: Study) -> str:
    """The study as YAML, every key resolved, without what only says how results are shown."""
    resolved = {k: v for k, v in (study.resolved or {}).items() if k not in _VIEWS}
    return yaml.safe_dump(resolved, sort_keys=False, allow_unicode=True, width=1000)


def _identity(study: Study) -> dict[str, Any]:
    text = specification_text(study)
    return {
        "schema": 1,
        "study": hashlib.sha256(text.encode()).hexdigest(),
        "ontology": {"name": study.ontology.name, "version": study.ontology.version, "hash": study.ontology.hash},
        "plugins": dict(study.registry.files),
        "data": None,
        "file": os.path.abspath(study.file),
        "text": text,
    }


def plugin_copies(study: Study) -> list[str]:
    """Where under `plugins/` the copy of each plugin file stands: files of one name have folders of their own."""
    names = [file.name for file in study.plugin_files]
    return [name if names.count(name) == 1 else f"{i}/{name}" for i, name in enumerate(names)]


def ontology_copies(study: Study) -> dict[Path, str]:
    """Where under `ontology/` the copy of each file stands that the ontology was read from: as they stand to each
    other, so that the copies can be read as the files were.
    """
    files = [Path(os.path.abspath(file)) for file in study.ontology_sources]
    try:
        base = Path(os.path.commonpath([file.parent for file in files]))
    except ValueError:  # they are on several drives
        return {file: f"{i}/{file.name}" for i, file in enumerate(files)}
    return {file: file.relative_to(base).as_posix() for file in files}


def _write_copies(study: Study, folder: RunFolder) -> None:
    """Resolved copies, and none of a study that never began; `study.yaml` comes last, so that a start that was cut
    short is made good by the next.
    """
    ontology, plugins = (empty_folder(folder.path / name) for name in ("ontology", "plugins"))
    for file, name in ontology_copies(study).items():
        (ontology / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, ontology / name)
    write_text(folder.path / ONTOLOGY, json.dumps(study.ontology.to_dict(), indent=1, ensure_ascii=False) + "\n")
    for name, file in zip(plugin_copies(study), study.plugin_files, strict=True):
        (plugins / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(file, plugins / name)
    head = f"# {os.path.abspath(study.file)}, every key resolved; relative paths start at that file\n"
    write_text(folder.path / "study.yaml", head + dump(dict(study.resolved or {})))
