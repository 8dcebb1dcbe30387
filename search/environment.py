"""What results were made with: versions, platform, device, and a hash of this package's code."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__

PACKAGES = (
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "optuna",
    "numpy",
    "scipy",
    "scikit-learn",
    "pillow",
    "tensorflow-datasets",
)
PARTS = ("cli", "dsl", "plugins", "reports", "search")


@lru_cache(maxsize=1)
def code_hash() -> str:
    """SHA-256 over the names and contents of this package's source files."""
    root = Path(__file__).parent.parent
    sources = [*root.glob("*.py")]
    for part in PARTS:
        sources += (root / part).rglob("*.py")
        sources += (root / part).rglob("*.lark")
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def environment(worker: dict[str, Any]) -> dict[str, Any]:
    """The environment of results.

    Args:
        worker: what the worker said of its device: "platform", "device", "count".
    """
    packages = {name: _version(name) for name in PACKAGES}
    return {
        "linnaeus": __version__,
        "code": code_hash(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "packages": {name: found for name, found in packages.items() if found is not None},
        "device": worker,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
