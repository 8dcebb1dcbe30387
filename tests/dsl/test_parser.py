"""Text → syntax tree: spans, layout, and one diagnostic for one mistake."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import lark
import pytest

import linnaeus.dsl
from linnaeus.dsl.load import check_text, load_ontology
from linnaeus.dsl.parser import MAX_ERRORS, parse
from linnaeus.dsl.syntax import Chain, ClassNode, GroupNode, Name, Text
from linnaeus.dsl.tokens import MAX_DEPTH
from linnaeus.errors import LinnaeusError, Span


def codes(text: str) -> list[str]:
    return [d.code for d in check_text(text, "x.onto").diagnostics]


def labels(text: str) -> list[str]:
    checked = check_text(text, "x.onto")
    ontology, found = checked.ontology, checked.diagnostics
    assert ontology is not None, found
    return [label.path for label in ontology.labels]


def test_the_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    text = (Path(linnaeus.dsl.__file__).parent / "grammar.lark").read_text(encoding="utf-8")
    with caplog.at_level(logging.DEBUG, logger=lark.logger.name):
        lark.Lark(text, parser="lalr", lexer="basic", debug=True)
        assert "Reduce conflict" not in caplog.text
        lark.Lark('start: start "a" start | "b"', parser="lalr", debug=True)
        assert "Reduce conflict" in caplog.text  # so that the first line can fail


def nodes(node: object) -> Iterator[object]:
    if isinstance(node, tuple):
        for part in node:
            yield from nodes(part)
    elif is_dataclass(node) and not isinstance(node, Span):
        yield node
        for field in fields(node):
            yield from nodes(getattr(node, field.name))


def cut(text: str, span: Span) -> str:
    lines = text.split("\n")[span.line - 1 : span.end_line]
    lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def test_every_span_covers_what_its_node_says(cases: Path) -> None:
    text = (cases / "correct.onto").read_text(encoding="utf-8")
    document, found = parse(text, "correct.onto")
    assert not found
    seen = list(nodes(document.declarations))
    assert len(seen) > 60
    for node in seen:
        source = cut(text, node.span)  # type: ignore[attr-defined]  # every node has one, which is tested here
        match node:
            case Name(name):
                assert source in (name, f"`{name}`")
            case Text(value):
                assert source == f'"{value}"'
            case ClassNode() | Chain():
                assert source[0].isalpha() or source[0] == "`"
                assert source.count("{") == source.count("}")
            case GroupNode(kind):
                assert source.startswith(kind) or kind == "binary"
                assert source.count("{") == source.count("}")


@pytest.mark.parametrize(
    "body",
    [
        "a, b, c",
        "a\nb\nc",
        "a; b; c",
        "\n\n a,\n\n b,\nc,\n",
        "a\n, b # x\n# y\n, c\n",
        ";;a;;b;\n;c;;",
    ],
)
def test_commas_new_lines_and_semicolons_part_classes(body: str) -> None:
    assert labels(f"ontology x\nmulticlass g {{{body}}}") == ["g.a", "g.b", "g.c"]


@pytest.mark.parametrize("levels", ["a < b < c", "a <\n b\n < c", "\na <\n\n b < # low\nc\n"])
def test_an_ordinal_goes_on_around_its_operator(levels: str) -> None:
    assert labels(f"ontology x; ordinal o {{{levels}}}") == ["o.a", "o.b", "o.c"]


def test_the_three_commas() -> None:
    text = 'ontology x\nhierarchy g { a aka "1", "2", b { binary p "P" aka "3",\n "4", q\n c } }'
    checked = check_text(text, "x.onto")
    ontology, found = checked.ontology, checked.diagnostics
    assert ontology is not None, found
    assert [g.path for g in ontology.groups] == ["g", "g.b.p", "g.b.q"]
    assert [label.path for label in ontology.labels] == ["g.a", "g.b", "g.b.c", "g.b.p", "g.b.q"]
    assert ontology.labels[0].aka == ("1", "2")
    assert ontology.groups[1].aka == ontology.labels[3].aka == ("3", "4")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_byte_order_mark_change_nothing(end: str) -> None:
    text = 'ontology x "X"\nmulticlass g {\n  a\n  b b\n}\n'
    plain = check_text(text, "x.onto").diagnostics
    assert [(d.span.line, d.span.column) for d in plain if d.span] == [(4, 5)]
    assert check_text("\ufeff" + text.replace("\n", end), "x.onto").diagnostics == plain


def test_names_are_normalised_and_compared_in_nfc() -> None:
    assert labels("ontology x\nmulticlass g { cafe\u0301, b }")[0] == "g.caf\u00e9"
    assert codes("ontology x\nmulticlass g { cafe\u0301, caf\u00e9 }") == ["E107"]


def test_strings_know_two_escapes() -> None:
    ontology = check_text(r'ontology x "a \"b\" \\ c"; binary y', "x.onto").ontology
    assert ontology is not None
    assert ontology.title == r'a "b" \ c'


def test_keywords_are_free_in_backticks_and_inside_longer_names() -> None:
    words = ["open", "rule", "binary", "other2", "open-air", "rules"]
    text = "ontology x\nmulticlass g { " + ", ".join(f"`{w}`" if w in ("open", "rule", "binary") else w for w in words)
    assert labels(text + "}") == [f"g.{w}" for w in words]


def test_five_mistakes_five_diagnostics(cases: Path) -> None:
    with pytest.raises(LinnaeusError) as caught:
        load_ontology(cases / "five_mistakes.onto")
    found = caught.value.diagnostics
    assert [d.span.line for d in found if d.span] == [3, 5, 8, 9, 10]
    assert all(d.help for d in found)
    text = str(caught.value)
    assert " 5 |     english { common, midland\n   |             ^\n" in text
    assert "did you mean 'multiclass'" in text
    assert "before `chinese` in line 6" in text


def test_depth_is_limited_not_the_stack() -> None:
    def nested(depth: int) -> str:
        return "ontology x\nhierarchy h {" + "a {" * (depth - 1) + "a, b" + "}" * depth

    assert check_text(nested(MAX_DEPTH), "x.onto").ontology is not None
    assert codes(nested(MAX_DEPTH + 1)) == ["E010"]
    assert codes("{" * 20_000) == ["E010"]
    for deep in (
        "not " * 10_000 + "b",
        "b => " * 10_000 + "b",
        "not\n" * 10_000 + "b",
        "b => b <=> (" * 50 + "b" + ")" * 50,
    ):
        assert codes(f"ontology x\nbinary b\nrule r {{ {deep} }}") == ["E010"]
    wide = " and ".join(["not b"] * 2_000)
    assert "E010" not in codes(f"ontology x\nbinary b\nrule r {{ {wide} }}")


@pytest.mark.parametrize("text", ["}" * 5_000, "a b\n" * 2_000, "ontology x\nmulticlass g {\n" + "a b\n" * 2_000 + "}"])
def test_no_more_errors_than_one_reads(text: str) -> None:
    assert len(codes(text)) <= MAX_ERRORS + 1


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "E001"), (b"ontology x\n\xff\xfe", "E002"), (b"", "E103"), (b"ontology x\nbinary y\x00z", "E003")],
)
def test_files_that_hold_no_ontology(tmp_path: Path, content: bytes | None, code: str) -> None:
    path = tmp_path / "x.onto"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LinnaeusError) as caught:
        load_ontology(path)
    assert [d.code for d in caught.value.diagnostics] == [code]
    assert "x.onto" in str(caught.value)


def test_a_folder_is_no_ontology(tmp_path: Path) -> None:
    with pytest.raises(LinnaeusError, match="is a folder"):
        load_ontology(tmp_path)
    with pytest.raises(LinnaeusError, match="can't read"):
        load_ontology("a\0b")
    (tmp_path / "file").touch()
    with pytest.raises(LinnaeusError, match="can't read"):
        load_ontology(tmp_path / "file" / "x.onto")


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("rule r { a && wet }", "write `and`"),
        ("rule r { !wet }", "write `not`"),
        ("rule r { a | wet }", "write `or`"),
        ("rule r { a -> wet }", "write `=>`"),
        ("rule r { a implies wet }", "write `=>`"),
        ("rule r { a AND wet }", "write `and`"),
        ("rule r { if a then wet }", "a => b"),
        ("rule r { a => wet, b => wet }", "part them with `;`"),
        ('rule r { "a" => wet }', "without quotes"),
        ("rule { a => wet }", "rule NAME"),
        ("rule r: a => wet", "delete it"),
        ("rule r soft { a => wet }", "soft 1.5"),
        ("rule r soft -2 { a => wet }", "no sign"),
        ("rule r { at most one of {a, wet} }", "in digits"),
        ("ordinal o { x > y }", "from the lowest"),
        ('multilabel "Crop kind" { x, y }', 'crop_kind "Crop kind"'),
        ("multiclass m [x, y]", "braces: { … }"),
    ],
)
def test_habits_of_other_languages_are_told_how_it_is_said_here(line: str, step: str) -> None:
    found = check_text(f"ontology x\nmulticlass g {{ a, b }}\nbinary wet\n{line}\n", "x.onto").diagnostics
    assert [d.span.line for d in found if d.span] == [4]
    assert step in (found[0].help or "")
