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
from linnaeus.dsl.load import check_text, load_ontology
from linnaeus.dsl.ontology import Group, Kind, Label, Ontology
from linnaeus.dsl.show import normalised, render_tree
from linnaeus.errors import LinnaeusError

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


HAWTHORN = """\
hawthorn "Hawthorn images" version 1.0
├── imports
│   └── capture version 1.2, hash HASH
├── multiclass environment "Environmental condition" (from capture)
│   ├── sunny
│   ├── overcast
│   └── night
├── ordinal quality (from capture): blurry < fair < sharp
├── hierarchy variety "Hawthorn variety" open
│   ├── english … 2 classes
│   ├── chinese "Chinese hawthorn" … 5 classes, 2 groups
│   └── other (any class not listed)
├── multilabel damage
│   ├── leaf … 2 classes
│   └── fruit … 1 class
├── binary healthy
└── rules
    ├── night: night => quality <= fair
    ├── sound: healthy => not any damage
    └── usual, soft 2: chinese => not night
"""

WHOLE = """\
ontology all "All" version "2"
multilabel things { vehicle { car, boat }, toy, model is boat and toy }
hierarchy tree levels genus, species { g { s, t } }
multiclass when_two when car and not toy { a, b }
rule both { not (car and toy);  model => s }
migrate from "1" { rename auto -> car;  split x -> a | b;  drop y;  rename branch -> tree }
"""

WHOLE_TREE = """\
all "All" version 2
├── multilabel things
│   ├── vehicle
│   │   ├── car
│   │   └── boat
│   │       └── model (also is things.toy)
│   └── toy
│       └── model (in full under things.vehicle.boat)
├── hierarchy tree levels genus, species
│   └── g
│       ├── s
│       └── t
├── multiclass when_two when car and not toy
│   ├── a
│   └── b
├── rules
│   ├── both: not (car and toy)
│   └── both: model => s
└── migrate from 1
    ├── rename auto -> things.vehicle.car
    ├── split x -> when_two.a | when_two.b
    ├── drop y
    └── rename branch -> tree"""


@pytest.fixture(scope="module")
def whole() -> Ontology:
    return check_text(WHOLE, "all.onto").require()


def test_all_of_the_language_is_drawn(whole: Ontology) -> None:
    assert render_tree(whole) == WHOLE_TREE


def test_what_is_folded_away_is_counted(cases: Path) -> None:
    ontology = load_ontology(cases.parent / "language/hawthorn.onto")
    tree = HAWTHORN.replace("HASH", ontology.imports[0].hash[:12])
    assert render_tree(ontology, depth=2) + "\n" == tree
    shallow = render_tree(ontology, depth=1).splitlines()
    assert shallow[4] == '├── hierarchy variety "Hawthorn variety" open … 10 classes, 2 groups'
    assert shallow[-1] == "└── rules … 3 entries"


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("tree", ["hierarchy tree levels genus, species", "├── g", "│   ├── s", "│   └── t", "└── rules",
                  "    ├── both: not (car and toy)", "    └── both: model => s"]),
        ("boat", ["boat", "├── model (also is things.toy)", "└── rules",
                  "    ├── both: not (car and toy)", "    └── both: model => s"]),
        ("things.toy", ["toy", "├── model (in full under things.vehicle.boat)", "└── rules",
                        "    ├── both: not (car and toy)", "    └── both: model => s"]),
        ("when_two", ["multiclass when_two when car and not toy", "├── a", "└── b"]),
    ],
)  # fmt: skip
def test_a_part_is_drawn_with_its_rules(whole: Ontology, path: str, lines: list[str]) -> None:
    assert render_tree(whole, path=path).splitlines() == lines


def test_a_part_that_is_not_there(whole: Ontology) -> None:
    with pytest.raises(LinnaeusError, match=r"did you mean things\.vehicle") as error:
        render_tree(whole, path="vehicel")
    assert error.value.diagnostics[0].code == "E175"
    two = check_text("ontology t\nmulticlass x { a, b }\nmulticlass y { a, c }", "t.onto").require()
    with pytest.raises(LinnaeusError, match=r"x\.a, y\.a"):
        render_tree(two, path="a")


def test_data_read_back(whole: Ontology) -> None:
    data = json.loads(json.dumps(normalised(whole)))
    assert Ontology.from_dict(data) == whole
    assert data["hash"] == whole.hash
    assert data["texts"] == {
        "when": {"when_two": "car and not toy"},
        "rules": {"both": ["not (car and toy)", "model => s"]},
    }


def test_a_deep_tree_is_drawn() -> None:
    labels = tuple(Label(i, 0, f"c{i}", f"g.c{i}", (i - 1,) if i else ()) for i in range(3000))
    deep = Ontology("deep", (Group(0, Kind.MULTILABEL, "g", "g", tuple(range(3000))),), labels)
    assert len(render_tree(deep).splitlines()) == 3002
    assert render_tree(deep, depth=2).splitlines()[-1] == "    └── c0 … 2,999 classes"


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
