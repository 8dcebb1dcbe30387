"""Seeded defects: one file for each diagnostic, its first line says what is found where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from linnaeus.dsl.load import check_file
from linnaeus.errors import Diagnostic, LinnaeusError

DEFECTS = sorted(Path(__file__).with_name("defects").glob("*.onto"))
NO_FILE = {"E001", "I141"}  # a file that is not there, and one of thousands of rules: test_logic.py makes it


def findings(name: str) -> tuple[Diagnostic, ...]:
    try:
        return check_file(name).diagnostics
    except LinnaeusError as error:
        return error.diagnostics


@pytest.mark.parametrize("path", DEFECTS, ids=lambda path: path.stem)
def test_exact_code_line_and_column(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    found = findings(path.name)
    places = [(d, d.span) for d in found if d.span]
    said = [f"{'' if s.file == path.name else s.file + ' '}{s.line}:{s.column} {d.code}" for d, s in places]
    first = path.read_bytes().split(b"\n")[0].decode()
    assert f"# {', '.join(said)}" == first
    assert path.stem in {d.code for d in found}
    assert path.stem in {d.code for d in found if d.help or d.code == "E011"}
    assert {"E": "error", "W": "warning", "I": "info"}[path.stem[0]] in {
        d.severity for d in found if d.code == path.stem
    }


def test_every_code_has_a_defect(root: Path) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (root / "dsl").rglob("*.py"))
    codes = set(re.findall(r'"([EWI][01][0-4]\d)"', source))
    assert codes - {path.stem for path in DEFECTS} == NO_FILE


def test_valid_files_have_none(root: Path) -> None:
    valid = [*Path(__file__).with_name("language").glob("*.onto"), *(root / "examples").glob("*/*.onto")]
    assert len(valid) >= 7
    for path in valid:
        assert findings(str(path)) == ()
