"""What can stand at a place, and what a rename changes, on plain data."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnaeus.dsl.parser import grammar
from linnaeus.dsl.syntax import Reference
from linnaeus.errors import LinnaeusError
from linnaeus.lsp.complete import MAX_OFFERED, offers
from linnaeus.lsp.context import Context, context_at
from linnaeus.lsp.documents import Documents
from linnaeus.lsp.rename import apply, rename
from linnaeus.lsp.words import keywords

FILES = ("capture", "hawthorn", "plant", "scene")
START = "ontology o\nbinary night\nordinal q { low < high }\nmultilabel m { a { b }, c }\n"


def at_end(text: str) -> Context:
    rows = text.split("\n")
    return context_at(rows, len(rows), len(rows[-1]) + 1)


def offered(documents: Documents, text: str, path: Path) -> list[str]:
    """What is offered at the end of a text."""
    documents.open[path] = text
    return [offer.text for offer in offers(at_end(text), documents.index(path))[0]]


@pytest.mark.parametrize("name", FILES)
def test_every_word_of_a_right_file_is_offered_where_it_stands(folder: Path, name: str) -> None:
    text = (folder / f"{name}.onto").read_text(encoding="utf-8")
    rows, words = text.split("\n"), keywords()
    for token in grammar().lex(text):
        if token.type in words:
            assert str(token) in context_at(rows, token.line or 0, token.column or 0).keywords, token


@pytest.mark.parametrize("name", FILES)
def test_every_reference_of_a_right_file_is_offered_where_it_stands(
    documents: Documents, folder: Path, name: str
) -> None:
    path = folder / f"{name}.onto"
    index = documents.index(path)
    assert index is not None
    rows = path.read_text(encoding="utf-8").split("\n")
    for resolved in index.outline.references:
        reference: Reference = resolved.reference
        for at, step in enumerate(reference.steps):
            context = context_at(rows, step.span.line, step.span.column)
            assert len(context.steps) == at
            if at == len(reference.steps) - 1 and step.text != "other":
                texts = [offer.text for offer in offers(context, index)[0]]
                assert any(text.split(".")[-1] == step.text for text in texts), reference


@pytest.mark.parametrize(
    ("written", "role", "names"),
    [
        ("rule r { ni", "formula", ["night"]),
        ("rule r { night => q <= ", "compared", ["low", "high"]),
        ("rule r { night => q in { low, ", "compared", ["low", "high"]),
        ("rule r { m.", "formula", ["a", "c"]),
        ("rule r { m.a.", "formula", ["b"]),
        ("rule r { applies ", "group", ["night", "q", "m"]),
        ("rule r { any ", "counted", ["q", "m", "a"]),
        ("multiclass g when ni", "formula", ["night"]),
        ("multilabel n { x, y is ", "parent", ["x"]),
        ('migrate from "0" { rename lo -> hi', "target", ["high"]),
        ('migrate from "0" { split lo -> low | hi', "target", ["high"]),
        ('migrate from "0" { rename ni', None, []),
        ("binary ni", None, []),
        ('binary x "ni', None, []),
        ("binary x # ni", None, []),
        ("rule r { this is not read\n nig", "formula", ["night"]),
        ("rule r { `ni", "formula", ["night"]),
    ],
)
def test_names_are_those_that_fit(
    documents: Documents, folder: Path, written: str, role: str, names: list[str]
) -> None:
    assert at_end(START + written).role == role
    found = offered(documents, START + written, folder / "new.onto")
    assert [text for text in found if text not in keywords().values()] == names


def test_names_of_imports_are_offered_after_use(documents: Documents, folder: Path) -> None:
    start, path = 'ontology o\nimport "capture.onto" as pictures\nuse ', folder / "new.onto"
    assert offered(documents, start, path) == ["pictures"]
    assert offered(documents, f"{start}pictures.", path) == ["environment", "sharpness"]


def test_names_that_repeat_are_offered_by_their_shortest_path(documents: Documents, folder: Path) -> None:
    text = "ontology o\nhierarchy h { a { x, y }, b { x } }\nhierarchy k open { `p q` { z } }\nrule r { "
    found = offered(documents, text, folder / "new.onto")
    assert [name for name in found if name not in keywords().values()] == [
        *("h", "a", "a.x", "y", "b", "b.x"),
        *("k", "`p q`", "z"),
    ]
    assert "other" in offered(documents, f"{text}k.", folder / "new.onto")
    assert "other" not in offered(documents, f"{text}h.", folder / "new.onto")


def test_many_names_are_cut(documents: Documents, folder: Path) -> None:
    text = f"ontology o\nmulticlass g {{ {', '.join(f'c{i}' for i in range(2 * MAX_OFFERED))} }}\nrule r {{ "
    path = folder / "new.onto"
    documents.open[path] = text
    found, whole = offers(at_end(text), documents.index(path))
    assert len(found) == MAX_OFFERED
    assert not whole
    documents.open[path] = text + "c999"
    found, whole = offers(at_end(text + "c999"), documents.index(path))
    assert [offer.text for offer in found] == ["c999"]
    assert whole


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*'"`#{}()\n;.,<1é \\\u00a0\x00\ufeff\u2028', "=>"]), max_size=12), st.data())
def test_nothing_that_is_written_is_too_much(noise: list[str], data: st.DataObject) -> None:
    words = data.draw(st.lists(st.sampled_from(["a", "open", *keywords().values()]), max_size=8))
    pieces = data.draw(st.permutations([*words, *noise]))
    text = " ".join(pieces)
    rows = text.split("\n")
    line = data.draw(st.integers(1, len(rows)))
    context_at(rows, line, data.draw(st.integers(1, len(rows[line - 1]) + 1)))


# --- rename -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_a_rename_there_and_back_is_none(documents: Documents, folder: Path, name: str) -> None:
    path = folder / f"{name}.onto"
    index = documents.index(path)
    assert index is not None
    seen = set()
    for occurrence in index.occurrences:
        if occurrence.key in seen or not occurrence.literal:
            continue
        seen.add(occurrence.key)
        old = index.symbols[occurrence.key].id
        edits = rename(documents, path, occurrence.span.line, occurrence.span.column, "quite new")
        texts = {file: apply(file.read_text(encoding="utf-8"), made) for file, made in edits.items()}
        assert all("`quite new`" in text for text in texts.values())
        after = Documents(texts, [folder])
        for file in texts:
            reading = after.read(file)
            assert reading is not None
            assert not [d for d in reading.checked.diagnostics if d.severity == "error"]
        first = min((e.span for e in edits[path]), key=lambda s: (s.line, s.column))
        back = rename(after, path, first.line, first.column, old)
        assert {file: apply(texts[file], made) for file, made in back.items()} == {
            file: file.read_text(encoding="utf-8") for file in texts
        }


@pytest.mark.parametrize(
    ("written", "needle", "new", "reason"),
    [
        ("binary x, y", "x", "y", "duplicate group"),
        ("multiclass g { a, b }", "a,", "b", "duplicate class"),
        ("multiclass g { a, b }", "a,", "other", "open"),
        ("multiclass g { a, b }", "a,", "p`q", "no id"),
        ("multiclass g { a, b }", "a,", "", "no id"),
        ("multiclass g { a, b }", "a,", "p\nq", "no id"),
        ("multiclass g { a, b }\nmulticlass h { c, d }\nrule r { a => c }", "a,", "c", "may mean any"),
        ("multiclass g { a, b }\nbinary x\nrule r { a => not b }", "x", "b", "something else"),
        ("multiclass g { a, b }", "multiclass", "m", "no name"),
        ('import "capture.onto" as c\nuse c', "capture", "d", "no name"),
        ("rule r { a }\nrule s { a }\nbinary a", "r {", "s", "duplicate rule"),
    ],
)
def test_a_rename_that_would_do_harm_is_refused(
    documents: Documents, folder: Path, written: str, needle: str, new: str, reason: str
) -> None:
    text, path = f"ontology o\n{written}\n", folder / "new.onto"
    documents.open[path] = text
    before = text[: text.index(needle, 11)]
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    with pytest.raises(LinnaeusError, match=reason) as refused:
        rename(documents, path, line, column, new)
    assert refused.value.diagnostics[0].code == "E172"


def test_a_name_in_a_table_is_not_renamed_here(documents: Documents, folder: Path) -> None:
    (folder / "taxa.csv").write_text("family,genus\nRosaceae,Crataegus\nRosaceae,Malus\n")
    path = folder / "species.onto"
    path.write_text('ontology s\nhierarchy h from "taxa.csv" levels family, genus\nbinary b\nrule r { b => malus }\n')
    with pytest.raises(LinnaeusError, match=r"taxa\.csv"):
        rename(documents, path, 4, 16, "apple")


def test_a_rename_keeps_line_ends_and_a_mark(documents: Documents, folder: Path) -> None:
    path, text = folder / "new.onto", "\ufeffontology o\r\nbinary x\r\nrule r { not x }\r\n"
    documents.open[path] = text
    edits = rename(documents, path, 2, 8, "`y`")
    assert apply(text, edits[path]) == text.replace("x", "y")
    edits = rename(documents, path, 1, 10, "p")
    assert apply(text, edits[path]) == text.replace("ontology o", "ontology p")


def test_a_file_is_read_again_when_what_it_rests_on_changes(documents: Documents, folder: Path) -> None:
    """Open files stand in for those on disk, for imports too."""

    def codes() -> set[str]:
        reading = documents.read(path)
        assert reading is not None
        assert documents.read(path) is reading
        return {d.code for d in reading.checked.diagnostics if d.severity == "error"}

    path, capture = folder / "hawthorn.onto", folder / "capture.onto"
    text = capture.read_text(encoding="utf-8")
    assert codes() == set()
    documents.open[capture] = text.replace("night", "dark")
    assert codes() == {"E131"}
    del documents.open[capture]
    capture.unlink()
    assert "E120" in codes()
    documents.open[path] = path.read_text(encoding="utf-8")
    documents.read(path)
    assert list(documents.importers(capture)) == [path]  # it waits for the file
    documents.open[capture] = text
    assert codes() == set()
