"""`linnaeus check` and `linnaeus show`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from linnaeus.cli.check import check
from linnaeus.cli.main import main
from linnaeus.cli.show import show
from linnaeus.dsl.load import load_ontology

TREE = """\
hawthorn "Hawthorn images" version 1.0
├── hierarchy variety "Hawthorn variety" open
│   ├── english open
│   │   ├── common "Common hawthorn" (also C. monogyna, may)
│   │   ├── midland "Midland hawthorn"
│   │   └── other (any class not listed)
│   ├── chinese
│   │   ├── major
│   │   ├── minor
│   │   └── ordinal ripeness: green < turning < ripe < overripe
│   └── other (any class not listed)
├── multilabel damage
│   ├── leaf
│   │   ├── spots
│   │   └── mildew
│   └── fruit
│       └── borer
│           ├── binary fresh
│           └── binary deep "Deep"
├── binary young
├── binary bangs
├── binary eyeglasses
├── binary binary
└── multiclass hair
    ├── T-shirt/top
    ├── größe
    ├── 棕色
    └── हिन्दी
"""


def test_show_draws_the_tree(cases: Path) -> None:
    result = CliRunner().invoke(show, [str(cases / "correct.onto")])
    assert (result.exit_code, result.output) == (0, TREE)


def test_check_says_what_is_in_the_files(examples: list[Path], cases: Path) -> None:
    result = CliRunner().invoke(check, [*map(str, examples), str(cases / "lookalikes.onto")])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert len(lines) == 4
    digest = load_ontology(examples[0]).hash[:12]
    assert lines[0] == f"{examples[0]}: ok, 2 groups, 15 classes, 13 leaves, hash {digest}"
    assert lines[3].endswith("; 8 warnings")
    assert "warning[W101]: `Red` looks like `red`" in result.stderr


def test_check_prints_every_finding_with_its_line(cases: Path, tmp_path: Path) -> None:
    missing = tmp_path / "no.onto"
    result = CliRunner().invoke(check, [str(cases / "five_mistakes.onto"), str(missing)])
    assert result.exit_code == 1
    assert result.stdout == f"{cases / 'five_mistakes.onto'}: 5 errors\n{missing}: 1 error\n"
    assert result.stderr.count("error[E") == 6
    assert '10 | binary healthy "Healthy, thorny\n    |                ^^^^^^^^' in result.stderr


def test_a_study_is_no_ontology() -> None:
    result = CliRunner().invoke(check, ["study.yaml"])
    assert result.exit_code == 1
    assert "linnaeus run study.yaml --dry-run" in result.stderr


def test_check_as_json(cases: Path) -> None:
    result = CliRunner().invoke(check, ["--format", "json", str(cases / "correct.onto"), str(cases / "no_header.onto")])
    assert result.exit_code == 1
    right, wrong = json.loads(result.stdout)
    assert right["ok"]
    assert right["ontology"]["name"] == "hawthorn"
    assert right["ontology"]["leaves"] == 23
    assert not wrong["ok"]
    assert wrong["ontology"] is None
    assert [(d["code"], d["span"]["line"]) for d in wrong["diagnostics"]] == [("E101", 1)]


@pytest.mark.parametrize(("args", "code"), [(["check"], 2), (["show", "no.onto"], 1), (["show"], 2)])
def test_exit_codes(args: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(args)
    assert exit_.value.code == code
    assert "Traceback" not in capsys.readouterr().err


def test_the_language_starts_without_the_machine_learning(examples: list[Path]) -> None:
    program = (
        "import sys\nfrom linnaeus.cli.main import main\n"
        "try: main(['check', *sys.argv[1:]])\nexcept SystemExit as e: assert not e.code\n"
        "print(sorted({'jax', 'flax', 'optuna', 'numpy', 'sklearn', 'matplotlib', 'PIL', 'yaml'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, examples)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
