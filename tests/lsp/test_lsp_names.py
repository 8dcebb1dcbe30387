"""What stands at a place: definitions, references, descriptions, on plain data."""

from __future__ import annotations

from pathlib import Path

import pytest

from linnaeus.dsl.parser import grammar
from linnaeus.lsp.describe import describe, describe_word
from linnaeus.lsp.documents import Documents
from linnaeus.lsp.findings import findings
from linnaeus.lsp.index import Index, Occurrence, key_of
from linnaeus.lsp.structure import folds, parts
from linnaeus.lsp.words import MEANINGS, keywords

FILES = ("capture", "hawthorn", "plant", "scene")


def find(path: Path, needle: str, shift: int = 0) -> tuple[int, int]:
    """Line and column, from 1, of a needle in a file."""
    text = path.read_text(encoding="utf-8")
    before = text[: text.index(needle) + shift]
    return before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1


def named(documents: Documents, path: Path, needle: str, shift: int = 0) -> tuple[Index, Occurrence]:
    index = documents.index(path)
    assert index is not None
    found = index.at(*find(path, needle, shift))
    assert found is not None, needle
    return index, found


def told(documents: Documents, path: Path, needle: str, shift: int = 0) -> str:
    index, found = named(documents, path, needle, shift)
    return describe(index, index.symbols[found.key], path.read_text(encoding="utf-8").split("\n"))


@pytest.mark.parametrize("name", FILES)
def test_where_a_name_is_declared_it_is_that_name(documents: Documents, folder: Path, name: str) -> None:
    index = documents.index(folder / f"{name}.onto")
    assert index is not None
    assert index.occurrences
    for occurrence in index.occurrences:
        source = index.symbols[occurrence.key].source
        there = documents.index(Path(source.file))
        assert there is not None
        declared = there.at(source.line, source.column)
        assert declared is not None
        assert declared.declares
        assert declared.span == source
        renamed = occurrence.key[0] == index.file and key_of(source)[0] != index.file
        assert declared.key == occurrence.key or renamed  # a group used under another name


@pytest.mark.parametrize("name", FILES)
def test_every_step_of_every_reference_is_known(documents: Documents, folder: Path, name: str) -> None:
    path = folder / f"{name}.onto"
    index = documents.index(path)
    assert index is not None
    rows = path.read_text(encoding="utf-8").split("\n")
    for resolved in index.outline.references:
        for step in resolved.reference.steps:
            found = index.at(step.span.line, step.span.column)
            assert found is not None
            assert rows[step.span.line - 1][step.span.column - 1 :].startswith(index.symbols[found.key].id)


def test_names_lead_across_imports(documents: Documents, folder: Path) -> None:
    path, capture = folder / "hawthorn.onto", folder / "capture.onto"
    for needle, shift, there, back in [
        ("environment.night => quality", 0, "environment", 0),
        ("environment.night => quality", 12, "night }", 0),
        ("quality <=", 0, "sharpness", 0),
        ("as quality", 3, "sharpness", 0),
        ("capture.sharpness", 8, "sharpness", 0),
        ('"capture.onto"', 1, "ontology capture", 9),
        ("as capture", 3, "ontology capture", 9),
    ]:
        index, found = named(documents, path, needle, shift)
        source = index.symbols[found.key].source
        assert (Path(source.file), source.line, source.column) == (capture, *find(capture, there, back)), needle


def test_uses_in_importing_files_are_found(documents: Documents, folder: Path) -> None:
    index, found = named(documents, folder / "capture.onto", "night")
    places = {
        (Path(i.file).name, o.span.line)
        for i in documents.indices(folder / "capture.onto")
        for o in i.places(found.key)
    }
    line = find(folder / "hawthorn.onto", "rule night")[0]
    assert places == {
        ("capture.onto", index.symbols[found.key].source.line),
        ("hawthorn.onto", line),
        ("hawthorn.onto", line + 2),
    }


def test_a_group_from_a_table_leads_to_its_row(documents: Documents, folder: Path) -> None:
    (folder / "taxa.csv").write_text("family,genus\nRosaceae,Crataegus\nRosaceae,Malus\n")
    path = folder / "species.onto"
    path.write_text('ontology s\nhierarchy h from "taxa.csv" levels family, genus\nbinary b\nrule r { b => malus }\n')
    index, found = named(documents, path, "malus")
    source = index.symbols[found.key].source
    assert (Path(source.file).name, source.line) == ("taxa.csv", 3)


def test_what_is_said_of_names(documents: Documents, folder: Path) -> None:
    path = folder / "hawthorn.onto"
    assert told(documents, path, "hierarchy variety", 10).startswith("hierarchy `variety`, open, 6 classes, 4 leaves")
    assert "Hawthorn variety" in told(documents, path, "hierarchy variety", 10)
    common = told(documents, path, "common ")
    assert "class `common` of the hierarchy `variety`" in common
    assert "also: C. monogyna, may" in common
    assert "`variety` › `english` › `common`" in common
    assert "2 classes under it" in told(documents, path, "english")
    assert "where it holds: ordinal `ripeness`" in told(documents, path, "chinese")
    assert "applies where `variety` › `chinese`" in told(documents, path, "ripeness")
    assert (
        told(documents, path, "green")
        == "level `green` of the ordinal `ripeness`\n\n`variety` › `chinese` › `ripeness` › `green`"
    )
    assert "from capture.onto, where it is `sharpness`" in told(documents, path, "as quality", 3)
    assert "rule sound { healthy => not any damage }" in told(documents, path, "rule sound", 5)
    assert told(documents, path, '"capture.onto"', 1) == "ontology `capture`, version 1.2"
    assert "implies `objects.vehicle.boat`" in told(documents, folder / "scene.onto", "model_boat")


def test_every_word_of_the_language_has_a_meaning() -> None:
    assert set(MEANINGS) == set(keywords().values())
    assert set(keywords()) <= {terminal.name for terminal in grammar().terminals}


def test_words_mean_nothing_in_strings_and_comments() -> None:
    row = 'multiclass a "when open" open  # open'
    assert describe_word(row, 3) == MEANINGS["multiclass"]
    assert describe_word(row, row.index("open") + 2) is None
    assert describe_word(row, row.index('" open') + 3) == MEANINGS["open"]
    assert describe_word(row, len(row)) is None
    assert describe_word("rule r { a.other }", 14) is not None
    assert describe_word("", 1) is None


def test_the_outline_is_the_tree(documents: Documents, folder: Path) -> None:
    index = documents.index(folder / "plant.onto")
    assert index is not None
    top = parts(index.outline.document)
    assert [(p.role, p.text) for p in top] == [
        ("ontology", "plant"),
        ("group", "crop"),
        ("group", "health"),
        ("rule", "hosts"),
        ("migration", "from 1.0"),
    ]
    assert [p.text for p in top[2].inner[1].inner] == ["disease", "severity"]
    assert [p.text for p in top[2].inner[1].inner[1].inner] == ["trace", "mild", "moderate", "severe"]
    assert folds(index.outline.document) == [(3, 8), (5, 7)]  # of health and diseased


def test_every_finding_is_shown_in_the_file_that_is_checked(documents: Documents, folder: Path) -> None:
    def shown(text: str) -> list[tuple[str, int, int, list[str]]]:
        documents.open[path] = text
        reading = documents.read(path)
        assert reading is not None
        found = findings(str(path), reading.checked)
        assert len(found) + sum(len(f.related) for f in found if f.found.code == "E122") == len(
            reading.checked.diagnostics
        )
        assert all(f.span.file == str(path) for f in found)
        return [(f.found.code, f.span.line, f.span.column, [d.code for d in f.related]) for f in found]

    path, bad, worse = folder / "new.onto", folder / "bad.onto", folder / "worse.onto"
    bad.write_text('ontology bad\nimport "worse.onto"\nuse worse\nmulticlass g { a, a }\n')
    worse.write_text("ontology worse\nordinal o { a }\n")
    start = 'ontology o\nimport "capture.onto" as c\nuse c\n'
    assert shown(f"{start}binary x, x\n") == [("E107", 4, 11, [])]
    wrong = shown('ontology o\nimport "bad.onto"\nuse bad\nbinary x\n')
    assert wrong[0][:3] == ("E122", 2, 8)
    assert sorted(wrong[0][3]) == ["E107", "E111", "E122"]
    ruled_out = shown(f"{start}rule r {{ not environment.night }}\n")
    assert ("W140", 2, 8, ["W140"]) in ruled_out  # `night` stands in the import
    (folder / "taxa.csv").write_text("family,genus\nRosaceae,\n,Malus\n")
    assert [row[0] for row in shown('ontology o\nhierarchy h from "taxa.csv" levels family, genus\n')] == ["E130"]
