"""Text → syntax tree. Errors cost the item they stand in; reading goes on after it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, cast

from lark import Lark, Token, Tree, UnexpectedToken

from ..errors import Diagnostic, did_you_mean
from .build import build_document
from .names import slug
from .source import clean
from .syntax import Document, token_span
from .tokens import CLOSER, OPENER, arrange, balance, lex, too_deep, too_nested

MAX_ERRORS = 50
"""Past this many errors in the text of one file, no more are reported."""

_KINDS = ("binary", "multiclass", "hierarchy", "multilabel", "ordinal")
_READABLE = {
    "NAME": "a name",
    "STRING": "a string in double quotes",
    "SEP": "a new line",
    "COMMA": "a comma",
    "NUMBER": "a number",
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "LT": "`<`",
    "OPEN": "`open`",
    "AKA": "`aka`",
    "VERSION": "`version`",
    "FROM": "`from`",
    "AS": "`as`",
    "OF": "`of`",
    "AND": "an operator (and, or, =>, <=>)",
    "EQ": "a comparison (==, !=, <, <=, >, >=, in)",
    "RENAME": "rename, split or drop",
    "ARROW": "`->`",
    "BAR": "`|`",
    "DOT": "`.`",
    "RPAR": "`)`",
    "NOT": "a formula",
}
_IMPLIED = {  # what a word in _READABLE says already
    *("OR", "IMPLIES", "IFF", "NE", "LE", "GT", "GE", "IN", "SPLIT", "DROP", "ANY", "APPLIES", "AT", "EXACTLY", "LPAR"),
    *("$END", "BAD", "OPEN_STRING", "OPEN_QUOTE", "MISNAMED", "STRAY", "QUOTED", "ALIAS_COMMA", "LIST_COMMA"),
}
_MISSING = {
    "ARROW": "write an arrow: rename old -> new, split old -> a | b",
    "AS": "another name for it stands after `as`",
}
_MISSING_AFTER = {"NAME", "QUOTED", "STRING"}
_AFTER = {  # what the word before asks for
    "RULE": "a rule has a name: rule NAME { … }",
    "SOFT": "its weight stands after it: soft 1.5",
    **dict.fromkeys(("MOST", "LEAST", "EXACTLY"), "write the number in digits: at most 1 of {…}"),
}
_ELSEWHERE = {  # how other languages write operators, and how this one does
    "->": "=>",
    "implies": "=>",
    "then": "=>",
    "iff": "<=>",
    "|": "or",
    "or": "or",
    "and": "and",
}
_FORMULA_STARTS = {"NAME", "QUOTED", "NOT", "ANY", "APPLIES", "AT", "EXACTLY", "LPAR"}


@cache
def grammar() -> Lark:
    """The compiled grammar."""
    text = files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="basic", keep_all_tokens=True, maybe_placeholders=False)


def parse(text: str, file: str) -> tuple[Document, tuple[Diagnostic, ...]]:
    """The syntax tree of a text and what was wrong with it; what could not be read is a `Bad` node.

    Args:
        text: the file's text, in any of the usual line ends.
        file: its name, for places.
    """
    tree, found = parse_tokens(text, file)
    return Document(file, ()) if tree is None else build_document(tree, file), found


def parse_tokens(text: str, file: str) -> tuple[Tree[Token] | None, tuple[Diagnostic, ...]]:
    """The grammar's tree of a text, with every token that the grammar saw, and what was wrong with it.

    There is no tree where brackets or formulas nest too deep.
    """
    text, found = clean(text, file)
    tokens, strange = lex(grammar(), text, file)
    found += strange[:MAX_ERRORS]
    deep = too_deep(tokens, file)
    if deep is not None:
        return None, (*found, deep)
    tokens, unbalanced = balance(tokens, file)
    found += unbalanced[:MAX_ERRORS]
    arranged = list(arrange(tokens))
    deep = too_nested(arranged, file)
    if deep is not None:
        return None, (*found, deep)
    reader = _Reader(file, arranged, {d.span.line for d in found if d.span and d.severity == "error"})
    tree = reader.read()
    return tree, tuple(sorted(found + reader.found, key=place))


def place(found: Diagnostic) -> tuple[int, int]:
    """Line and column, to sort findings by."""
    return (found.span.line, found.span.column) if found.span else (0, 0)


class _Reader:
    """Feeds tokens to the LALR parser; after an error, panic mode with the grammar's BAD token.

    Aho, Sethi and Ullman 1986, section 4.8: states are popped until one where BAD can stand, then tokens
    are skipped until one that can follow it.
    """

    def __init__(self, file: str, tokens: list[Token], reported: set[int]):
        self.file = file
        self.tokens = tokens
        self.reported = reported  # lines: a second error in a line is most often the first one's echo
        self.found: list[Diagnostic] = []
        self.parser: Any = grammar().parse_interactive("")  # Any: Lark leaves half of its interface untyped

    def read(self) -> Tree[Token]:
        tokens = [*self.tokens, _end(self.tokens)]
        at = 0
        while True:
            token = tokens[at]
            if token.type == "SEP" and tokens[at + 1].type == "LBRACE":  # not skipped, it would cost the group its body
                self._say(tokens[at + 1], "E011", "a `{` can't begin a line", "put it at the end of the line before")
                at += 1
                continue
            try:
                tree = self.parser.feed_token(token)
            except UnexpectedToken:
                self._report(tokens, at)
                at = self._recover(tokens, at)
                continue
            if token.type == "$END":
                return cast("Tree[Token]", tree)
            at += 1

    def _recover(self, tokens: list[Token], at: int) -> int:
        """Put BAD in place of the item around token `at`; where reading goes on."""
        states, values = self.parser.parser_state.state_stack, self.parser.parser_state.value_stack
        depth = 0  # brackets that stay open; below zero: in a pair that is closed already
        while depth < 0 or "BAD" not in self.parser.choices():
            states.pop()
            value = values.pop()
            if isinstance(value, Token):
                depth += (value.type in CLOSER) - (value.type in OPENER)
        self.parser.feed_token(Token.new_borrow_pos("BAD", "", tokens[at]))
        follow = self.parser.accepts()  # exact, where choices() also lists what may follow BAD elsewhere
        while depth > 0 or tokens[at].type not in follow:
            depth += (tokens[at].type in CLOSER) - (tokens[at].type in OPENER)
            at += 1
        return at

    def _report(self, tokens: list[Token], at: int) -> None:
        token = tokens[at]
        if token.line not in self.reported and len(self.found) < MAX_ERRORS:
            message, step, code = _explain(token, tokens[at - 1] if at else None, self.parser.accepts())
            self._say(token, code, message, step)

    def _say(self, token: Token, code: str, message: str, step: str | None) -> None:
        if len(self.found) < MAX_ERRORS:
            self.reported.add(token.line or 0)
            self.found.append(Diagnostic(code, message, span=token_span(token, self.file), help=step))


def _end(tokens: list[Token]) -> Token:
    if not tokens:
        return Token("$END", "", 0, 1, 1, 1, 2)
    last = tokens[-1]
    line, column = last.end_line or 1, last.end_column or 1
    return Token("$END", "", last.end_pos, line, column, line, column + 1)


def _explain(token: Token, previous: Token | None, accepts: set[str]) -> tuple[str, str | None, str]:
    """What a token does wrong where `accepts` are right: message, next step, code."""
    text = f"`{token}`"
    before = "NONE" if previous is None else previous.type
    if token.isalpha() and token.type not in ("NAME", "QUOTED") and "NAME" in accepts:
        return f"{text} is a word of the language", f"as a name it stands in backticks: `{token}`", "E012"
    if token.type == "NUMBER" and "NAME" in accepts:
        return f"a name can't begin with a digit: {token}", f"write it in backticks: `{token}`", "E006"
    if token.type in ("NAME", "QUOTED") and "MULTICLASS" in accepts and "NAME" not in accepts:
        return (
            f"a declaration can't begin with {text}",
            did_you_mean(str(token), [*_KINDS, "ontology", "import", "use", "rule", "migrate"], plural="declarations"),
            "E011",
        )
    if "IMPLIES" in accepts and token.lower() in _ELSEWHERE:
        return f"{text} is no operator", f"write `{_ELSEWHERE[token.lower()]}`", "E011"
    if before in ("NAME", "QUOTED", "RPAR", "RBRACE") and "IMPLIES" in accepts and token.type in _FORMULA_STARTS:
        step = "join them by and, or, =>, <=>, or write each on a line of its own"
        if previous is not None and previous.lower() == "if":
            step = "what holds if a holds is written a => b"
        return f"two formulas side by side: {previous} {token}".replace("`", ""), step, "E013"
    missing = _missing(token, before, accepts)
    if token.type in ("NAME", "QUOTED") and previous is not None and before in ("NAME", "QUOTED") and missing is None:
        return _side_by_side(token, previous)
    if token.type == "STRING" and before == "STRING":
        return "a second title", 'other spellings stand after `aka`: aka "…", "…"', "E013"
    found = {"$END": "the end of the file", "SEP": "the end of the line"}.get(token.type, text)
    if accepts == {"STRING"}:
        missing = "a path or a version stands in double quotes"
    return f"expected {_list(accepts)}, found {found}", missing, "E011"


def _missing(token: Token, before: str, accepts: set[str]) -> str | None:
    """The next step where a token is not what was expected; `before` is the type of the one before it."""
    if before in _AFTER:
        return _AFTER[before]
    if token.type == "STRING" and accepts == {"NAME", "QUOTED"}:
        return f"an id stands before the title: {slug(token[1:-1])} {token}"
    if token.type == "STRING" and "NOT" in accepts:
        return "formulas name things by id or path, without quotes"
    if token.type == "GT" and "LT" in accepts:
        return "levels stand from the lowest to the highest: a < b < c"
    if "COMMA" in token.type and accepts <= {"SEP", "RBRACE"}:
        return "part them with `;`, or write each on a line of its own"
    return next((_MISSING[name] for name in _MISSING if name in accepts and before in _MISSING_AFTER), None)


def _side_by_side(token: Token, previous: Token) -> tuple[str, str | None, str]:
    near = did_you_mean(str(previous), _KINDS)
    if near.startswith("did you mean"):
        return f"unknown kind of group `{previous}`", near, "E011"
    step = f'part them with a comma or a new line; a title stands in quotes: {previous} "{previous} {token}"'
    return f"two names side by side: {previous} {token}".replace("`", ""), step.replace("`", ""), "E013"


def _list(accepts: set[str]) -> str:
    """The terminals that would do, for people."""
    parts = [text for name, text in _READABLE.items() if name in accepts]
    if "MULTICLASS" in accepts:
        parts.append("a group (binary, multiclass, hierarchy, multilabel, ordinal)")
    if "NOT" in accepts and "NAME" in accepts:
        parts.remove("a name")
    if "EQ" in accepts:
        parts.remove("`<`")
    if not parts:
        parts = sorted(f"`{name.lower()}`" for name in accepts - _IMPLIED)[:6] or ["the end of the file"]
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
