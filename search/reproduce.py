"""How to make each row of a board again: one command a contender."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from ..errors import LinnaeusError
from .results import SearchResult
from .run_folder import default_run
from .study import Contender, Study
from .study_file import load_study


def commands(
    study: Study, searched: list[tuple[Contender, SearchResult]], baselines: tuple[str, ...]
) -> dict[str, str]:
    """By contender, the command that searches, retrains and tests it alone: the same numbers on the same device type.

    A search that seconds stopped is replayed by the number of its trials.
    """
    given = overrides(study)
    found = {}
    for contender, result in searched:
        own = {} if contender.baseline else _alone(study, contender)
        found[contender.name] = _command(study, contender.name, given | _budget(study, result) | own)
    if "prior" in baselines:
        alone = {"search.budget.trials": 1, "final.seeds": 1, "baselines": ["prior"]}
        found["prior"] = _command(study, "prior", given | alone)
    if "flat-risk" in found:  # its backbone is the winner's, so the contenders are searched before it
        found["flat-risk"] = _command(study, "flat-risk", given | {"baselines": ["flat-risk"]})
    return found


def _alone(study: Study, contender: Contender) -> dict[str, Any]:
    resolved = study.resolved or {}
    own: dict[str, Any] = {"baselines": []}
    for kind in study.compare:
        (name,) = contender.space.plugins[kind]
        own[f"search.space.{kind}"] = {name: resolved["search"]["space"][kind][name]}
    return own


def _budget(study: Study, result: SearchResult) -> dict[str, Any]:
    if study.search.budget.seconds is None:
        return {}
    return {"search.budget.trials": result.trials, "search.budget.seconds": None}


def overrides(study: Study) -> dict[str, Any]:
    """What `--set` must say for the study file to give this study again: each key that differs, with its value."""
    try:
        plain = load_study(study.file).resolved or {}
    except LinnaeusError:  # it needs its overrides to be whole
        plain = {}
    return dict(_differences(plain, study.resolved or {}, ""))


def _differences(before: Any, now: Any, path: str) -> list[tuple[str, Any]]:
    if before == now:
        return []
    if not (isinstance(before, Mapping) and isinstance(now, Mapping)) or (path and set(before) - set(now)):
        return [(path, now)]
    prefix = f"{path}." if path else ""
    return [row for key in now for row in _differences(before.get(key), now[key], prefix + key)]


def _command(study: Study, name: str, settings: Mapping[str, Any]) -> str:
    words = ["linnaeus", "run", str(study.file)]
    for key, value in settings.items():
        words += ["--set", f"{key}={json.dumps(value, ensure_ascii=False)}"]
    out = default_run(study)
    return shlex.join([*words, "--out", out.with_name(f"{out.name}-{name}").as_posix()])
