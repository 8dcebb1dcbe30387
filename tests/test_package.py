"""What is declared is what is there: packages, entry points, public names, docs' house rules."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import linnaeus
from linnaeus.plugins.registry import KINDS, installed, load

SOURCES = ("cli", "dsl", "lsp", "plugins", "reports", "search")


@pytest.fixture(scope="module")
def pyproject(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def test_packages_are_the_folders_with_an_init(root: Path, pyproject: dict) -> None:
    folders = {
        ".".join(("linnaeus", *p.parent.relative_to(root).parts))
        for part in SOURCES
        for p in (root / part).rglob("__init__.py")
    }
    assert set(pyproject["tool"]["setuptools"]["packages"]) == folders | {"linnaeus"}


def test_installed_entry_points_are_the_declared_ones(pyproject: dict) -> None:
    declared = {
        (group, name, value)
        for group, rows in pyproject["project"]["entry-points"].items()
        for name, value in rows.items()
    }
    found = {
        (p.group, p.name, p.value)
        for group in ("pygments.lexers", *(f"linnaeus.{kind}s" for kind in KINDS))
        for p in entry_points(group=group)
        if p.dist.name == "linnaeus"
    }
    assert found == declared, "entry points freeze at install: run pip install -e . again"


@pytest.mark.parametrize("key", sorted(installed().entries), ids="-".join)
def test_every_builtin_plugin_loads(key: tuple[str, str]) -> None:
    assert load(installed().entries[key]).error is None


@pytest.mark.parametrize("name", [n for n in linnaeus.__all__ if n != "__version__"])
def test_public_names_resolve_and_say_what_they_are(name: str) -> None:
    assert getattr(linnaeus, name).__doc__


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nonesuch"):
        _ = linnaeus.nonesuch


def test_loading_the_package_imports_nothing_heavy() -> None:
    code = "import sys, linnaeus; print([m for m in ('jax', 'flax', 'numpy', 'optuna', 'lark') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_check_answers_without_jax(root: Path) -> None:
    code = (
        "import sys\nfrom linnaeus.cli.main import main\n"
        f"try: main(['check', {str(root / 'examples/digits/digits.onto')!r}])\n"
        "except SystemExit as e: assert not e.code\n"
        "print([m for m in ('jax', 'flax', 'optax', 'optuna', 'sklearn', 'scipy', 'PIL') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip().endswith("[]")


def test_files_stay_readable(root: Path) -> None:
    long = [
        f"{p.relative_to(root)}: {n}"
        for part in SOURCES
        for p in (root / part).rglob("*.py")
        if (n := len(p.read_text(encoding="utf-8").splitlines())) > 450
    ]
    assert not long
