"""Every test has its own cache and state folders, so that nothing of the user's is read or written."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _own_folders(tmp_path_factory: pytest.TempPathFactory):
    home = tmp_path_factory.mktemp("linnaeus")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINNAEUS_CACHE", str(home / "cache"))
        patch.setenv("LINNAEUS_STATE", str(home / "state"))
        yield


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder that holds pyproject.toml."""
    return Path(__file__).resolve().parents[1]
