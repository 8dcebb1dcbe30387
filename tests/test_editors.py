"""Colours: the TextMate grammar and the Pygments lexer agree with the language's grammar."""

from __future__ import annotations

import json
import plistlib
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lark.lexer import PatternStr
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.token import Comment, Error, Keyword, Literal, Name, Operator

from linnaeus.dsl.parser import grammar
from linnaeus.dsl.pygments_lexer import DECLARATIONS, MODIFIERS, OPERATORS, OntoLexer

WORDS = {
    t.name: t.pattern.value
    for t in grammar().terminals
    if isinstance(t.pattern, PatternStr) and t.pattern.value.isalpha()
}
SIGNS = [
    t.pattern.value for t in grammar().terminals if isinstance(t.pattern, PatternStr) and not t.pattern.value.isalpha()
]


@pytest.fixture(scope="module")
def texts(root: Path) -> list[str]:
    """Right files: the examples, those of the whole language, and the trickiest of names."""
    paths = [
        *root.glob("examples/*/*.onto"),
        *root.glob("tests/dsl/language/*.onto"),
        root / "tests/dsl/cases/correct.onto",
    ]
    return [path.read_text(encoding="utf-8") for path in paths]


@pytest.fixture(scope="module")
def textmate(root: Path) -> dict[str, Any]:
    return json.loads((root / "editors/vscode/onto.tmLanguage.json").read_text(encoding="utf-8"))


def expressions(node: Any) -> list[str]:
    """Every regular expression of a TextMate grammar."""
    if isinstance(node, dict):
        own = [node[key] for key in ("match", "begin", "end") if key in node]
        return own + [found for value in node.values() for found in expressions(value)]
    return [found for value in node for found in expressions(value)] if isinstance(node, list) else []


# --- Pygments ---------------------------------------------------------------------------------------


def test_the_lexer_is_found_by_name_and_by_file() -> None:
    assert isinstance(get_lexer_by_name("onto"), OntoLexer)
    assert isinstance(get_lexer_for_filename("plant.onto"), OntoLexer)


def test_its_words_are_those_of_the_language() -> None:
    listed = [*DECLARATIONS, *MODIFIERS, *OPERATORS]
    assert sorted(listed) == sorted(WORDS.values())


def test_tokens_join_to_the_text_and_none_is_an_error(texts: list[str]) -> None:
    for text in texts:
        tokens = list(OntoLexer(stripnl=False, ensurenl=False).get_tokens(text))
        assert "".join(value for _, value in tokens) == text
        assert [value for kind, value in tokens if kind in Error] == []


def test_each_token_is_coloured_as_what_it_is(texts: list[str]) -> None:
    """The language's own lexer says what stands where."""
    kinds = {"NAME": Name, "QUOTED": Name, "STRING": Literal.String, "NUMBER": Literal.Number}
    for text in texts:
        at, coloured = 0, {}
        for kind, value in OntoLexer(stripnl=False, ensurenl=False).get_tokens(text):
            coloured[at] = (kind, value)
            at += len(value)
        for token in grammar().lex(text):
            if token.type in kinds:
                kind, value = coloured[token.start_pos]
                assert value == str(token)
                assert kind in kinds[token.type], token
            elif token.type in WORDS:
                kind, value = coloured[token.start_pos]
                assert value == str(token)
                assert kind in Keyword or kind in Operator.Word, token


def test_names_that_begin_like_words_are_names() -> None:
    text = "openness in-door anyü `open` # open"
    found = [(kind, value) for kind, value in OntoLexer().get_tokens(text) if value.strip()]
    assert [kind in Name for kind, _ in found] == [True, True, True, True, False]
    assert found[-1][0] in Comment


# --- TextMate ---------------------------------------------------------------------------------------


def test_its_expressions_are_valid(textmate: dict[str, Any]) -> None:
    found = expressions(textmate)
    assert len(found) >= 10
    for expression in found:
        re.compile(expression)
        assert not re.search(r"\\[hHpPKGZz]|\(\?<[^=!]", expression), "what Oniguruma and Python read alike"


def test_every_include_is_there(textmate: dict[str, Any]) -> None:
    assert {pattern["include"][1:] for pattern in textmate["patterns"]} == set(textmate["repository"])


def matched(textmate: dict[str, Any], text: str) -> list[tuple[str, str]]:
    """The text's pieces and their scopes, by the flat rules of the grammar in their order."""
    rules: list[tuple[re.Pattern[str], dict[str, Any]]] = []
    for include in textmate["patterns"]:
        entry = textmate["repository"][include["include"][1:]]
        flat = entry.get("patterns", [entry]) if "begin" not in entry else []
        rules += [(re.compile(rule["match"], re.MULTILINE), rule) for rule in flat]
    pieces, at = [], 0
    while at < len(text):
        found = [(m, rule) for expression, rule in rules if (m := expression.match(text, at))]
        if not found:
            at += 1
            continue
        match, rule = found[0]
        if "captures" in rule:
            pieces += [(match[int(n)], capture["name"]) for n, capture in rule["captures"].items()]
        else:
            pieces.append((match[0], rule["name"]))
        at = match.end()
    return pieces


def test_every_word_and_sign_of_the_language_has_a_scope(textmate: dict[str, Any]) -> None:
    for word in WORDS.values():
        [(piece, scope)] = matched(textmate, word)
        assert piece == word
        assert scope.startswith(("keyword.", "storage.")), word
        for name in (f"{word}x", f"{word}-x", f"{word}é", f"x{word}", f"x-{word}", f"`{word}`"):
            [(piece, scope)] = matched(textmate, name)
            assert piece == name
            assert scope.startswith("variable."), name
    for sign in SIGNS:
        [(piece, scope)] = matched(textmate, sign)
        assert piece == sign
        assert scope.startswith(("keyword.operator.", "punctuation.")), sign


def test_declarations_name_what_they_declare(textmate: dict[str, Any]) -> None:
    assert matched(textmate, "multiclass `T-shirt/top` open")[:2] == [
        ("multiclass", "storage.type.onto"),
        ("`T-shirt/top`", "entity.name.type.onto"),
    ]


# --- the extension ----------------------------------------------------------------------------------


def test_the_extension_names_files_that_are_there(root: Path) -> None:
    folder = root / "editors/vscode"
    package = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    [language], [colours] = package["contributes"]["languages"], package["contributes"]["grammars"]
    for name in (package["main"], language["configuration"], colours["path"]):
        assert (folder / name).is_file(), name
    assert colours["scopeName"] == json.loads((folder / colours["path"]).read_text(encoding="utf-8"))["scopeName"]
    settings = json.loads((folder / language["configuration"]).read_text(encoding="utf-8"))
    assert settings["comments"] == {"lineComment": "#"}
    for expression in (settings["wordPattern"], *settings["indentationRules"].values()):
        re.compile(expression)
    assert re.fullmatch(settings["wordPattern"], "`T-shirt/top`")


# --- the page ---------------------------------------------------------------------------------------


def test_the_page_has_the_codes_and_names_what_is_there(root: Path) -> None:
    page = (root / "docs/editors.md").read_text(encoding="utf-8")
    source = "".join(path.read_text(encoding="utf-8") for path in [*(root / "lsp").glob("*.py"), root / "cli/lsp.py"])
    assert set(re.findall(r'"(E17\d)"', source)) == set(re.findall(r"^\| (E\d+) \|", page, re.M))
    package = json.loads((root / "editors/vscode/package.json").read_text(encoding="utf-8"))
    assert f"{package['name']}-{package['version']}.vsix" in page
    assert all(key in page for key in package["contributes"]["configuration"]["properties"])


def test_the_command_for_sublime_works(root: Path, tmp_path: Path) -> None:
    page = (root / "docs/editors.md").read_text(encoding="utf-8")
    [command] = re.findall(r"^python -c '(.*)' (editors/\S+)", page, re.M)
    made = tmp_path / "Onto.tmLanguage"
    subprocess.run([sys.executable, "-c", command[0], str(root / command[1]), str(made)], check=True)
    assert plistlib.loads(made.read_bytes())["scopeName"] == "source.onto"
