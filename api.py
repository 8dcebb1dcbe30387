"""The same verbs as the command line, for notebooks and scripts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import Diagnostic, did_you_mean, fail

if TYPE_CHECKING:
    from .dsl.ontology import Ontology
    from .search.results import Results

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class FinishedStudy:
    """A finished study: its run folder, results and report files; `board` is the leaderboard as text."""

    run: Path
    results: Results = field(repr=False)
    reports: tuple[Path, ...]
    board: str = field(repr=False)

    def _repr_html_(self) -> str:
        from .reports.html import render_leaderboard

        return render_leaderboard(self.results)


def load_ontology(path: PathLike) -> Ontology:
    """Read, check and normalise an ontology file.

    Raises:
        LinnaeusError: every mistake found in it, with line and caret.
    """
    from .dsl.load import load_ontology

    return load_ontology(Path(path))


def check(path: PathLike) -> tuple[Diagnostic, ...]:
    """Every finding about an ontology file, warnings included; no error among them means it is valid.

    Raises:
        LinnaeusError: the file can't be read at all.
    """
    from .dsl.load import check_file

    return check_file(Path(path)).diagnostics


def init_study(folder: PathLike, *, example: str = "digits") -> tuple[Path, ...]:
    """Write a starter study into `folder`; nothing that is there already is overwritten.

    A `README.md` among the files says how to get the data.

    Raises:
        LinnaeusError: E340 no such example, E341 a file is there already, E342 the folder can't be written.
    """
    source = Path(__file__).parent / "examples" / example
    if not (source / "study.yaml").is_file():
        known = sorted(p.parent.name for p in source.parent.glob("*/study.yaml"))
        raise fail("E340", f"there is no example {example!r}", help=did_you_mean(example, known, plural="examples"))
    target = Path(folder)
    files = sorted(p for p in source.iterdir() if p.suffix in (".onto", ".yaml", ".md"))
    taken = [target / p.name for p in files if (target / p.name).exists()]
    if taken:
        raise fail("E341", f"{taken[0]} exists already", help="choose another folder")
    try:
        target.mkdir(parents=True, exist_ok=True)
        for p in files:
            (target / p.name).write_bytes(p.read_bytes())
    except OSError as e:
        why = "there is a file of that name" if target.is_file() else e.strerror
        raise fail("E342", f"can't write to {target}: {why}", help="choose a folder you may write to") from e
    return tuple(target / p.name for p in files)


def dry_run(study: PathLike, *, out: PathLike | None = None, overrides: Sequence[str] = ()) -> str:
    """What running `study` would do, as text; puts a contact sheet of labelled training images in the run folder.

    Raises:
        LinnaeusError: as `run_study` does before it trains.
    """
    from .search.data import prepare
    from .search.dry_run import dry_run
    from .search.run_folder import cache_folder, default_run
    from .search.study_file import load_study

    loaded = load_study(Path(study), overrides)
    folder = Path(out) if out is not None else default_run(loaded)
    return dry_run(loaded, prepare(loaded, cache_folder()), folder).text()


def run_study(
    study: PathLike,
    *,
    out: PathLike | None = None,
    overrides: Sequence[str] = (),
    fork: bool = False,
    progress: bool = False,
) -> FinishedStudy:
    """Run a study file to its report; the same call resumes an interrupted one.

    Args:
        study: path of the YAML file.
        out: the run folder (default: runs/NAME in the current folder).
        overrides: "key.path=value" texts, as `--set` takes them.
        fork: where `out` holds a different study, start a new folder beside it.
        progress: show progress on the terminal.

    Raises:
        LinnaeusError: something is wrong with the ontology, the study, the data or the run folder.
        KeyboardInterrupt: interrupted; what was done is kept.
    """
    from .reports.statistics import summarise
    from .search import run
    from .search.results import save
    from .search.run_folder import writing
    from .search.study_file import load_study

    loaded = load_study(Path(study), overrides)
    measured, folder = run.run_study(loaded, None if out is None else Path(out), fork=fork, progress=progress)
    results = summarise(measured, folder)
    with writing(folder):
        save(results, folder)
    return _finish(results, folder, folder / "report", loaded.report.formats)


def report(
    runs: Sequence[PathLike] | PathLike, *, out: PathLike | None = None, formats: Sequence[str] | None = None
) -> tuple[Path, ...]:
    """Write the report of a finished run again, or one board of several runs on the same test split.

    Raises:
        LinnaeusError: E611 a run has no results, E616 the runs can't share a board, E617 a run is named twice,
            E618 none is, E62x a report can't be written.
    """
    from .reports.statistics import merge
    from .search.results import load

    folders = _paths(runs)
    if not folders:
        raise fail("E618", "no run is named", help="give the folder of a finished run")
    results = load(folders[0]) if len(folders) == 1 else merge(folders)
    target = Path(out) if out is not None else folders[0] / "report"
    return _finish(results, folders[0], target, tuple(formats or results.report["formats"])).reports


def _finish(results: Results, run: Path, target: Path, formats: tuple[str, ...]) -> FinishedStudy:
    from .reports.leaderboard import as_text
    from .reports.write import write_reports

    return FinishedStudy(run, results, tuple(write_reports(results, target, formats)), as_text(results))


def study_status(run: PathLike) -> dict[str, Any]:
    """How a run stands: trials done and asked for, by state, the best so far; `summary` says it in words.

    Raises:
        LinnaeusError: E501 not a run folder.
    """
    from .search.status import study_status

    return study_status(Path(run))


def load_results(run: PathLike) -> Results:
    """The results of a finished run.

    Raises:
        LinnaeusError: E611 there are none yet.
    """
    from .search.results import load

    return load(Path(run))


def predict(
    run: PathLike, images: Sequence[PathLike] | PathLike, *, contender: str | None = None, seed: int | None = None
) -> list[dict[str, Any]]:
    """Classify image files with a model of a finished run.

    Returns:
        One dict an image: "image", "world" (group path → class path, list, bool or None for not applicable) and
        "probabilities" (group path → class path → probability).

    Raises:
        LinnaeusError: no such run or contender, or an image that can't be read.
    """
    from .search.prediction import predict_images

    return predict_images(Path(run), _paths(images), contender=contender, seed=seed)


def _paths(given: Sequence[PathLike] | PathLike) -> list[Path]:
    """One path or several, as a list: a text is one path, not a sequence of letters."""
    return [Path(given)] if isinstance(given, str | os.PathLike) else [Path(p) for p in given]
