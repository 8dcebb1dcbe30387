"""Reading a study file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .study import Study


def load_study(path: Path, overrides: Sequence[str] = ()) -> Study:
    """The study of a YAML file, every key checked; `overrides` are `--set` texts ("search.budget.trials=8").

    Raises:
        LinnaeusError: every mistake found, with its key and line (E3xx), and those of the ontology and the plugins.
    """
    return parse_study(path.read_text(encoding="utf-8"), path, overrides)


def parse_study(text: str, file: Path, overrides: Sequence[str] = ()) -> Study:
    """As `load_study`, from text; relative paths start at the folder of `file`."""
    raise NotImplementedError
