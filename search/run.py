"""A whole study, from its first trial to its results: search, retraining, one look at the test split."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from . import space as spaces
from .assembly import Row, assemble, report_part
from .data import PreparedData, prepare
from .environment import code_hash, environment
from .final import PRIOR, fit_prior, retrain
from .journal import open_journal
from .ledger import Ledger
from .progress import Listener, note, shown, silent
from .results import ONTOLOGY, Results, load, save, write_text
from .run_folder import RunFolder, cache_folder, claim, default_run, plugin_copies
from .status import StateFile
from .study import Contender, Study
from .suitability import notes
from .supervisor import ContenderSearch
from .worker_process import WorkerProcess


def run_study(
    study: Study, out: Path | None = None, *, fork: bool = False, progress: bool | Listener = False
) -> tuple[Results, Path]:
    """Run a study, or go on with it, or read it back where it is finished; and its run folder.

    The results have no intervals and no ranks yet (`reports.statistics.summarise`).

    Args:
        out: the run folder; `runs/NAME` by default.
        fork: where `out` holds another study, start a new folder beside it.
        progress: whether to show it on the terminal, or who is told.

    Raises:
        LinnaeusError: E50x the run folder, E507 its journal, E520 the worker can't start, E530 the ledger; and what
            data and plugins have to say.
        KeyboardInterrupt: what has ended is kept; the same call goes on.
    """
    with _listener(progress) as listen, claim(study, out or default_run(study), fork=fork) as folder:
        finished = _finished(study, folder)
        if finished is not None:
            listen(note(f"{folder.path} is finished already; making its report again"))
            return finished, folder.path
        run = _Run(study, folder, listen)
        try:
            return run.run(), folder.path
        except BaseException:
            with suppress(OSError):  # what ended the run says more
                run.state.update(phase="interrupted")  # a notebook's process lives on
            raise


@contextmanager
def _listener(progress: bool | Listener) -> Iterator[Listener]:
    if progress is True:
        with shown() as listen:
            yield listen
    else:
        yield progress or silent


def _finished(study: Study, folder: RunFolder) -> Results | None:
    """The results of a run that came to its end, with what its report needs brought up to date."""
    if not (folder.path / "results.json").is_file():
        return None
    results = load(folder.path)
    results.report = results.report | report_part(study)
    return results


class _Run:
    """One run of a study, holding its folder's lock."""

    def __init__(self, study: Study, folder: RunFolder, listen: Listener):
        self.study = study
        self.folder = folder
        self.listen = listen
        self.ledger = Ledger.of_user()
        contenders = spaces.contenders(study)
        names = [c.name for c in contenders] + [b for b in study.baselines if b != PRIOR]
        self.contenders = contenders
        seeds = study.final.seeds * len(names) + (PRIOR in study.baselines)
        self.state = StateFile(folder, dict.fromkeys(names, study.search.budget.trials), seeds)
        self.opened: list[dict[str, Any]] = []

    def run(self) -> Results:
        """Search every contender, then retrain and test each; what an earlier run did is not done again."""
        for said in notes(self.study):
            self.listen(note(said))
        data = self._prepare()
        rows = []
        with self._worker(data) as worker:
            self.state.update(phase="search")
            rows = self._search(worker, int((data.split == 1).sum()))
            self._note_environment(worker)
            self.state.update(phase="retraining")
            for row in rows:
                self._test(row, worker, data)
            if PRIOR in self.study.baselines:
                self._open_test(PRIOR, data)
                rows.append(Row(PRIOR, seeds=fit_prior(self.study, worker, self.folder)))
            self._note_environment(worker)
        results = assemble(
            self.study,
            rows,
            identity=self.folder.identity(),
            data=data.report,
            test_opened=self.opened,
            environment=self._environment(),
        )
        save(results, self.folder.path)
        self.state.update(phase="finished")
        return results

    def _search(self, worker: WorkerProcess, images: int) -> list[Row]:
        storage = open_journal(self.folder.journal)
        ended = sum(len(storage.get_all_trials(s._study_id)) for s in storage.get_all_studies())
        numbers = itertools.count(ended)

        def search(contender: Contender) -> Row:
            it = ContenderSearch(self.study, contender, storage, self.folder, numbers, self.listen, images)
            it.run(worker)
            return Row(contender.name, contender, it.result(), it.selected())

        rows = [search(c) for c in self.contenders]
        best = max((r.selected for r in rows if r.selected is not None), key=lambda s: s.value, default=None)
        if "flat-risk" in self.study.baselines:
            if best is None:
                self.listen(note("flat-risk is left out: no contender has a backbone that works"))
            else:
                rows.append(search(spaces.baseline_flat_risk(self.study, best.configuration["backbone"]["name"])))
        return rows

    def _test(self, row: Row, worker: WorkerProcess, data: PreparedData) -> None:
        if row.selected is None:
            self.listen(note(f"{row.name}: no trial ended with a value, so nothing is retrained or tested"))
            return
        self._open_test(row.name, data)
        row.seeds = retrain(self.study, row.name, row.selected, worker, self.folder, self.listen)

    def _open_test(self, by: str, data: PreparedData) -> None:
        """Enter the one look at the test split that this contender gets."""
        run = self.folder.identity()["id"]
        entry = self.ledger.opened(
            data.report["hashes"]["test"], study=self.study.name, by=by, run=run, code=code_hash()
        )
        self.opened.append(entry)
        self.listen(note(f"{by}: test split opened (opening {entry['count']} of this split by you, over all studies)"))

    def _prepare(self) -> PreparedData:
        self.listen(note(f"study {self.study.name} in {self.folder.path}: preparing data"))
        data = prepare(self.study, cache_folder())
        self.folder.check_data(data.report["hashes"]["split"])
        data.keep(self._data_folder(data))
        return data

    def _data_folder(self, data: PreparedData) -> Path:
        """Where the worker finds the data: named by all that it holds, so that studies can share it."""
        digest = hashlib.sha256(data.report["hashes"]["split"].encode() + data.clusters.tobytes()).hexdigest()
        return cache_folder() / "prepared" / digest

    @contextmanager
    def _worker(self, data: PreparedData) -> Iterator[WorkerProcess]:
        objective, copies = self.study.objective, self.folder.path.absolute()
        setup = {
            "op": "start",
            "device": self.study.run.device,
            "ontology": str(copies / ONTOLOGY),
            "plugins": [str(copies / "plugins" / name) for name in plugin_copies(self.study)],
            "data": str(self._data_folder(data).absolute()),
            "objective": {"metric": objective.metric, "of": objective.of},
            "cache": str(cache_folder().absolute()),
        }
        with WorkerProcess(setup, self.folder.worker_log, self.study.run.device) as worker:
            yield worker

    def _note_environment(self, worker: WorkerProcess) -> None:
        if worker.environment:
            found = environment(worker.environment)
            write_text(self.folder.path / "environment.json", json.dumps(found, indent=1) + "\n")

    def _environment(self) -> dict[str, Any]:
        """Where the worker ran; it may have been in an earlier run that was cut after the last retraining."""
        path = self.folder.path / "environment.json"
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else environment({})
        return found
