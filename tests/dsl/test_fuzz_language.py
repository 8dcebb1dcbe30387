"""Whatever the text: diagnostics with places, never a traceback, never long."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linnaeus.dsl.load import check_text, load_ontology
from linnaeus.dsl.parser import grammar
from linnaeus.errors import LinnaeusError

KEYWORDS = {t.pattern.value for t in grammar().terminals if t.pattern.value.isalpha()}
PIECES = [
    *"{}()<>,;.=|`\"'#\n \t\\%\0\u200b\u00a0\u2028é",
    *sorted(KEYWORDS),
    *("other", "a", "b", "c"),
    *("=>", "<=>", "->", "<=", "0", "2.0", '"a"', "`b c`", "# x\n", "x-y", "\r\n", "{ a, b }", "multiclass g { a, b }"),
]


def hold(text: str, file: str = "x.onto") -> bool:
    """The laws of checking any text; whether it is right."""
    checked = check_text(text, file)
    ontology, found = checked.ontology, checked.diagnostics
    assert (ontology is None) == any(d.severity == "error" for d in found)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for diagnostic in found:
        span = diagnostic.span
        assert span is not None
        if span.file != file:
            continue
        assert 1 <= span.line <= span.end_line <= len(lines)
        assert 1 <= span.column <= len(lines[span.line - 1]) + 2
        assert diagnostic.render(text).startswith(f"{diagnostic.severity}[{diagnostic.code}]: ")
    if ontology is not None:
        assert all(p < label.index for label in ontology.labels for p in label.parents)
        assert len(ontology.hash) == 64
    return ontology is not None


@given(st.lists(st.sampled_from(PIECES), max_size=40))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_words_of_the_language_in_any_order(pieces: list[str]) -> None:
    hold(" ".join(pieces))
    hold("ontology x\nbinary y\n" + "".join(pieces))


@given(st.text(max_size=200))
@settings(max_examples=100, deadline=None)
def test_any_text(text: str) -> None:
    hold(text)


@given(st.binary(max_size=200))
@settings(max_examples=50, deadline=None)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.onto"
    path.write_bytes(data)
    with contextlib.suppress(LinnaeusError):
        load_ontology(path)


def mutate(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 6)):
        at, to = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        to = min(to, at + rng.choice([1, 3, 30, 300]))
        match rng.randrange(5):
            case 0:
                text = text[:at] + text[to:]
            case 1:
                text = text[:at] + rng.choice(PIECES) + text[at:]
            case 2:
                text = text[:to] + text[at:]
            case 3:
                other = rng.randrange(len(text) + 1)
                text = text[:at] + text[other : other + 20] + text[to:]
            case _:
                text = text[:at] + chr(rng.choice([rng.randrange(128), rng.randrange(0xD800)])) + text[at + 1 :]
    return text


@pytest.mark.parametrize("name", ["digits", "fashion", "grocery", "correct", "hawthorn", "plant", "scene"])
def test_mutated_examples(root: Path, cases: Path, name: str) -> None:
    folders = (root / "examples" / name, cases, cases.with_name("language"))
    path = next(p for p in (folder / f"{name}.onto" for folder in folders) if p.exists())
    text = path.read_text(encoding="utf-8")
    rng = random.Random(name)
    broken = 0
    start = time.perf_counter()
    for _ in range(40):
        broken += not hold(mutate(text, rng), str(path.with_name("x.onto")))
    assert broken > 10
    assert time.perf_counter() - start < 60


def test_a_lost_bracket_costs_one_diagnostic(root: Path) -> None:
    """Taking out any one bracket that ends its line is reported once, in the place of its partner or near it."""
    text = (root / "examples/fashion/fashion.onto").read_text(encoding="utf-8")
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if line.strip() == "}":
            found = check_text("\n".join([*lines[:number], *lines[number + 1 :]]), "x.onto").diagnostics
            assert [d.code for d in found] == ["E008"]
            assert found[0].span is not None
            opener = lines[found[0].span.line - 1]
            assert len(opener) - len(opener.lstrip()) == len(line) - len(line.lstrip())
