"""Every diagnostic: a text pair shows it, and the language reference explains it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from linnaeus.dsl.load import check_text, load_ontology
from linnaeus.dsl.testing import enumerate_worlds
from linnaeus.errors import Diagnostic

CASES = sorted(path.stem for path in Path(__file__).with_name("cases").glob("*.onto"))


def line(found: Diagnostic) -> str:
    assert found.span is not None
    return f"{found.span.line}:{found.span.column} {found.code} {found.message}"


@pytest.mark.parametrize("name", CASES)
def test_text_pair(cases: Path, name: str) -> None:
    text = (cases / f"{name}.onto").read_text(encoding="utf-8")
    checked = check_text(text, f"{name}.onto")
    ontology, found = checked.ontology, checked.diagnostics
    assert [line(d) for d in found] == (cases / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    assert (ontology is None) == any(d.severity == "error" for d in found)
    for diagnostic in found:
        assert diagnostic.span is not None
        assert diagnostic.span.line <= len(text.splitlines())


def test_every_code_has_a_word_in_the_reference(root: Path) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (root / "dsl").rglob("*.py"))
    codes = set(re.findall(r'"([EWI][01]\d\d)"', source))
    explained = set(re.findall(r"^\| ([EWI]\d{3}) \|", (root / "docs/language.md").read_text(encoding="utf-8"), re.M))
    assert codes == explained


def test_the_reference_shows_what_works(root: Path, cases: Path) -> None:
    page = (root / "docs/language.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```onto(?: worlds=(\d+))?\n(.*?)```", page, re.S)
    assert len(blocks) >= 10
    for worlds, block in blocks:
        text = block if re.search("^ontology ", block, re.M) else f"ontology example\n{block}"
        checked = check_text(text, str(cases.with_name("language") / "page.onto"))
        ontology, found = checked.ontology, checked.diagnostics
        assert ontology is not None, found
        assert not found
        if worlds:
            assert len(enumerate_worlds(ontology)) == int(worlds), block


def test_the_examples_are_right_and_match_their_data(examples: list[Path]) -> None:
    ontologies = {path.stem: load_ontology(path) for path in examples}
    for path in examples:
        assert check_text(path.read_text(encoding="utf-8"), path.name).diagnostics == ()
    leaves = {name: [len(o.leaves(g)) for g in o.groups] for name, o in ontologies.items()}
    assert leaves == {"digits": [10, 3], "fashion": [10], "grocery": [81]}
    fashion = ontologies["fashion"]
    names = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
    assert {fashion.labels[i].name for i in fashion.leaves(fashion.groups[0])} == set(names)
    assert sorted(fashion.depth) == [0] * 2 + [1] * 6 + [2] * 10
    digits = ontologies["digits"]
    assert {digits.labels[i].name for i in digits.leaves(digits.groups[0])} == set("0123456789")


def test_ten_thousand_classes() -> None:
    families = "\n".join(
        f"f{i} {{\n" + "\n".join(f'  c{i}_{j} "Class {i} {j}" aka "{i}/{j}"' for j in range(100)) + "\n}"
        for i in range(100)
    )
    start = time.perf_counter()
    checked = check_text(f"ontology big\nhierarchy h {{\n{families}\n}}", "big.onto")
    ontology, found = checked.ontology, checked.diagnostics
    assert time.perf_counter() - start < 60  # some 1.5 s on an idle core; a quadratic pass takes minutes
    assert found == ()
    assert ontology is not None
    assert len(ontology.labels) == 10_100
