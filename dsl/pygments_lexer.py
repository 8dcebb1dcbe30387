"""Colours for `.onto` text wherever Pygments does the colouring: terminals, notebooks, Sphinx, MkDocs."""

from __future__ import annotations

from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Whitespace

DECLARATIONS = (
    *("ontology", "import", "use", "rule", "migrate"),
    *("binary", "multiclass", "hierarchy", "multilabel", "ordinal"),
)
MODIFIERS = ("version", "as", "open", "aka", "is", "when", "from", "levels", "soft", "rename", "split", "drop")
OPERATORS = ("not", "and", "or", "in", "any", "applies", "at", "most", "least", "exactly", "of")

_NAME = r"[A-Za-z_\u00aa-\U0010ffff](?:[A-Za-z0-9_\u00aa-\U0010ffff]|-+(?=[A-Za-z0-9_\u00aa-\U0010ffff]))*"
_QUOTED = r"`[^`\n]+`"
_END = r"(?!-*[A-Za-z0-9_\u00aa-\U0010ffff])"


class OntoLexer(RegexLexer):  # type: ignore[misc]  # Pygments says nothing of its types
    """For the ontology language."""

    name = "Linnaeus ontology"
    aliases: ClassVar[list[str]] = ["onto"]
    filenames: ClassVar[list[str]] = ["*.onto"]

    tokens: ClassVar[dict[str, list[object]]] = {
        "root": [
            (r"\s+", Whitespace),
            (r"#[^\n]*", Comment.Single),
            (r'"(?:[^"\\\n]|\\[^\n])*"', String.Double),
            (
                rf"(ontology|binary|multiclass|hierarchy|multilabel|ordinal|rule)([ \t]+)({_NAME}|{_QUOTED})",
                bygroups(Keyword.Declaration, Whitespace, Name.Class),
            ),
            (words(DECLARATIONS, suffix=_END), Keyword.Declaration),
            (words(MODIFIERS, suffix=_END), Keyword),
            (words(OPERATORS, suffix=_END), Operator.Word),
            (_NAME, Name),
            (_QUOTED, Name),
            (r"\d+(?:\.\d+)?", Number),
            (r"<=>|=>|->|[=!<>]=|[<>|]", Operator),
            (r"[{}().,;]", Punctuation),
        ]
    }
