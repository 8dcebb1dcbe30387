from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cases() -> Path:
    """Text pairs: NAME.onto and NAME.txt, what the checker finds in it."""
    return Path(__file__).with_name("cases")


@pytest.fixture(scope="session")
def examples(root: Path) -> list[Path]:
    """The ontologies that the project ships."""
    return sorted((root / "examples").glob("*/*.onto"))
