"""Linnaeus: AutoML and benchmarks for image classification around a declarative ontology language."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import check, dry_run, init_study, load_ontology, load_results, predict, report, run_study, study_status
    from .errors import Diagnostic, LinnaeusError

__version__ = "0.1.0"

_PUBLIC = {
    "check": "api",
    "dry_run": "api",
    "init_study": "api",
    "load_ontology": "api",
    "load_results": "api",
    "predict": "api",
    "report": "api",
    "run_study": "api",
    "study_status": "api",
    "Diagnostic": "errors",
    "LinnaeusError": "errors",
}

__all__ = [
    "Diagnostic",
    "LinnaeusError",
    "__version__",
    "check",
    "dry_run",
    "init_study",
    "load_ontology",
    "load_results",
    "predict",
    "report",
    "run_study",
    "study_status",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module on first use (PEP 562)."""
    if name in _PUBLIC:
        return getattr(importlib.import_module(f".{_PUBLIC[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
