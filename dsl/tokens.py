"""From text to the tokens that the grammar reads: what can't be a token, brackets, new lines, commas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lark import Lark, Token

from ..errors import Diagnostic
from .syntax import token_span

MAX_DEPTH = 64
"""How deep brackets may nest. Deeper taxonomies are unknown, and what walks the tree may recurse."""

CLOSER = {"LBRACE": "RBRACE", "LPAR": "RPAR"}
_TEXT = {"RBRACE": "}", "RPAR": ")"}
OPENER = {closer: opener for opener, closer in CLOSER.items()}

_OPERATORS = {"BAR", "LT", "LE", "GT", "GE", "EQ", "NE", "ARROW", "IMPLIES", "IFF", "AND", "OR", "IN"}
_GOES_ON_AFTER = _OPERATORS | set(CLOSER) | {"COMMA", "NOT", "DOT"}
_GOES_ON_BEFORE = _OPERATORS | set(OPENER) | {"COMMA"}
_TOP_ONLY = {"ONTOLOGY", "IMPORT", "RULE", "MIGRATE"}
_GROUPS = {"BINARY", "MULTICLASS", "HIERARCHY", "MULTILABEL", "ORDINAL"}


def lex(lark: Lark, text: str, file: str) -> tuple[list[Token], list[Diagnostic]]:
    """The tokens of a text; what can't be one is reported, and replaced by what was likely meant."""
    found: list[Diagnostic] = []
    tokens: list[Token] = []
    stray: int | None = None  # the last line with a stray character: one report a line
    for token in lark.lex(text):
        if token.type == "STRAY" and token.line == stray:
            continue
        problem = _problem(token, text, file)
        if problem is not None:
            found.append(problem)
        if token.type == "STRAY":
            stray = token.line
            continue
        tokens.append(_repaired(token))
    return tokens, found


def _repaired(token: Token) -> Token:
    if token.type == "OPEN_STRING":
        return Token.new_borrow_pos("STRING", token.rstrip() + '"', token)
    if token.type in ("OPEN_QUOTE", "MISNAMED"):
        return Token.new_borrow_pos("NAME", token, token)
    return token


def _problem(token: Token, text: str, file: str) -> Diagnostic | None:
    kind, span = token.type, token_span(token, file)
    if kind == "STRING":
        escape = re.search(r'\\[^"\\]', token.replace("\\\\", "  "))
        if escape:
            return Diagnostic(
                "E007",
                f'unknown escape `{escape[0]}`; a string knows `\\"` and `\\\\`',
                span=span,
                help=r"write `\\` for a backslash",
            )
    elif kind == "OPEN_STRING":
        return Diagnostic("E005", "this string is never closed", span=span, help='end it with `"` on the same line')
    elif kind == "OPEN_QUOTE":
        step = "end it with a backtick on the same line"
        return Diagnostic("E005", "this name in backticks is empty or never closed", span=span, help=step)
    elif kind == "MISNAMED":
        step = f"write it in backticks: `{token}`"
        return Diagnostic("E006", f"a name can't begin with a digit: {token}", span=span, help=step)
    elif kind == "NAME" and not token.isascii() and not token.replace("-", "_").isidentifier():
        return _strange_name(token, file)
    elif kind == "STRAY":
        return _stray(token, text, file)
    return None


def _strange_name(token: Token, file: str) -> Diagnostic:
    plain = token.replace("-", "_")
    bad = next(c for i, c in enumerate(plain) if not ("_" + c if i else c).isidentifier())
    span = token_span(token, file)
    if bad in "“”„‟«»‘’":
        return Diagnostic("E006", f"curly quote `{bad}`", span=span, help='strings stand in straight quotes: "…"')
    return Diagnostic(
        "E006", f"`{bad}` can't stand in a plain name", span=span, help=f"write the name in backticks: `{token}`"
    )


_FOREIGN = {
    "=": "two values are compared with `==`",
    "&": "write `and`",
    "!": "write `not`, or `!=` between two values",
    "[": "classes and formulas stand in braces: { … }",
}
"""Characters of other languages, and what stands for them here."""


def _stray(token: Token, text: str, file: str) -> Diagnostic:
    span = token_span(token, file)
    position = token.start_pos or 0
    before = re.search(r"[^\s{}(),;\"`]*$", text[max(0, position - 80) : position])
    after = re.match(r"[^\s{}(),;\"`]*", text[position : position + 80])
    chunk = (before[0] if before else "") + (after[0] if after else "")
    if token in _FOREIGN:
        step = _FOREIGN[token]
    elif token == "-" and re.fullmatch(r"-[\d.]+", chunk):
        step = f"numbers have no sign: {chunk[1:]}"
    elif token == ":" and chunk.endswith(":"):
        step = "delete it"
    elif token == "'" and chunk.startswith("'"):
        step = 'strings stand in double quotes: "…"'
    elif chunk != str(token) and any(c.isalnum() for c in chunk):
        step = (
            f"a name with other characters than letters, digits, `_` and inner hyphens stands in backticks: `{chunk}`"
        )
    else:
        step = "delete it"
    return Diagnostic("E004", f"`{token}` means nothing here", span=span, help=step)


@dataclass
class _Brackets:
    """Balances brackets, so that one that is missing costs one diagnostic and the rest is still read."""

    file: str
    missing: int = 0
    out: list[Token] = field(default_factory=list)
    stack: list[tuple[Token, int]] = field(default_factory=list)
    found: list[Diagnostic] = field(default_factory=list)

    def read(self, tokens: Iterable[Token]) -> None:
        line, indent = 0, 0
        for token in tokens:
            if token.type != "SEP" and token.line != line:
                line, indent = token.line or 0, token.column or 0
                while self.missing and self.stack and self._ends(token):
                    self._close(token)
            self._take(token, indent)
        while self.stack:
            self._close(None)

    def _take(self, token: Token, indent: int) -> None:
        if token.type in CLOSER:
            self.stack.append((token, indent))
        elif token.type in OPENER:
            opener = OPENER[token.type]
            if all(open_.type != opener for open_, _ in self.stack):
                self._stray(token)
                return
            while self.stack[-1][0].type != opener:
                self._close(token)
            self.stack.pop()
        self.out.append(token)

    def _stray(self, token: Token) -> None:
        """A closing bracket without its opening one; it closes the innermost bracket, if there is one."""
        message, step = f"this `{token}` closes nothing", "delete it, or add the bracket that it should close"
        if self.stack:
            opener = self.stack.pop()[0]
            right = CLOSER[opener.type]
            message = f"this `{token}` can't close the `{opener}` in line {opener.line}"
            step = f"write `{_TEXT[right]}`"
            self.out.append(Token.new_borrow_pos(right, _TEXT[right], token))
        self.found.append(Diagnostic("E009", message, span=token_span(token, self.file), help=step))

    def _ends(self, token: Token) -> bool:
        """Whether a line's first token stands outside the innermost open bracket, by its keyword or indentation."""
        column, indent = token.column or 0, self.stack[-1][1]
        if token.type in _TOP_ONLY:
            return True
        if token.type in OPENER:
            return column < indent
        return column <= indent and (token.type in _GROUPS or indent > self.stack[0][1])

    def _close(self, before: Token | None) -> None:
        """Close the innermost bracket in its writer's place."""
        opener, _ = self.stack.pop()
        self.missing -= 1
        closer = _TEXT[CLOSER[opener.type]]
        place = "at the end of the file" if before is None else f"before `{before}` in line {before.line}"
        span = token_span(opener, self.file)
        self.found.append(
            Diagnostic("E008", f"this `{opener}` is never closed", span=span, help=f"put a `{closer}` {place}")
        )
        at = len(self.out)
        while self.out[at - 1].type == "SEP":
            at -= 1
        self.out.insert(at, Token.new_borrow_pos(CLOSER[opener.type], closer, self.out[at - 1]))


def balance(tokens: list[Token], file: str) -> tuple[list[Token], list[Diagnostic]]:
    """Tokens whose brackets match: a missing one is put where the layout says, one too many is left out."""
    first = _Brackets(file)
    first.read(tokens)
    unclosed = sum(d.code == "E008" for d in first.found)
    if not unclosed:
        return first.out, first.found
    second = _Brackets(file, missing=unclosed)
    second.read(tokens)
    return second.out, second.found


def too_deep(tokens: list[Token], file: str) -> Diagnostic | None:
    """The first bracket past `MAX_DEPTH`, as a diagnostic."""
    depth = 0
    for token in tokens:
        depth += (token.type in CLOSER) - (token.type in OPENER)
        if depth > MAX_DEPTH:
            return Diagnostic(
                "E010", f"brackets nest deeper than {MAX_DEPTH}", span=token_span(token, file), help="use fewer levels"
            )
    return None


def too_nested(tokens: Iterable[Token], file: str) -> Diagnostic | None:
    """The first operator of a formula that stands too deep in others: brackets, `not` and arrows count.

    Args:
        tokens: as `arrange` leaves them.
    """
    nested = [0]  # for each open bracket, how deep the formula is in it
    nots = 0
    for token in tokens:
        if token.type in CLOSER:
            nested.append(1 + nots)
            nots = 0
        elif token.type in OPENER and len(nested) > 1:
            nested.pop()
        elif token.type in ("IMPLIES", "IFF"):
            nested[-1] += 1
        elif token.type in ("SEP", "COMMA", "LIST_COMMA", "ALIAS_COMMA"):
            nested[-1] = min(nested[-1], 1)
        nots = nots + 1 if token.type == "NOT" else 0
        if sum(nested) + nots > 2 * MAX_DEPTH:
            span = token_span(token, file)
            message = f"this formula is nested deeper than {2 * MAX_DEPTH}"
            return Diagnostic("E010", message, span=span, help="write several formulas")
    return None


def arrange(tokens: list[Token]) -> Iterator[Token]:
    """Drop the new lines that end nothing, and tell the three commas apart (see grammar.lark)."""
    lists: list[str | None] = [None]  # for each open bracket, the keyword whose names the commas part
    previous: Token | None = None
    pending: Token | None = None
    for index, token in enumerate(tokens):
        if token.type == "SEP":
            pending = pending or token
            continue
        ends = previous is not None and previous.type not in _GOES_ON_AFTER and token.type not in _GOES_ON_BEFORE
        if pending is not None and ends:
            lists[-1] = None
            yield pending
        pending = None
        if token.type in CLOSER:
            if lists[-1] == "LEVELS":
                lists[-1] = None
            lists.append(None)
        elif token.type in OPENER:
            lists.pop()
        elif token.type in ("BINARY", "LEVELS"):
            lists[-1] = token.type
        previous = token
        yield _comma(tokens, index, lists[-1]) if token.type == "COMMA" else token


def _comma(tokens: list[Token], index: int, listing: str | None) -> Token:
    after = index + 1
    while after < len(tokens) and tokens[after].type == "SEP":
        after += 1
    if after < len(tokens) and tokens[after].type == "STRING":
        return Token.new_borrow_pos("ALIAS_COMMA", ",", tokens[index])
    return Token.new_borrow_pos("LIST_COMMA", ",", tokens[index]) if listing else tokens[index]
