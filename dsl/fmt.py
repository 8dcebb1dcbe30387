"""The canonical layout of an `.onto` file, from its text alone: names are not looked up, imports not read.

What it means never changes, nor what its comments say and what they stand at. See docs/tools.md for the style.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from lark import Token, Tree

from ..errors import LinnaeusError
from .layout import INDENT, Comment, Doc, Line, Row, Word, glued, render, spaced
from .parser import parse_tokens
from .quoting import is_plain
from .source import clean
from .tokens import CLOSER

_COMMENT = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"|`[^`\n]+`|(#[^\n]*)')
_COMMAS = ("COMMA", "LIST_COMMA", "ALIAS_COMMA")
_ORDER = {"title": 2, "aka": 3, "open": 4, "is_": 5, "when": 5, "from_": 6, "levels": 7, "body": 8}
"""The order of a group's or class's parts, after its kind and its name."""
_FORMULAS = ("formula", "implication", "disjunction", "conjunction", "negation", "comparison")

Node = Tree[Token]


def format_text(text: str, file: str) -> str:
    """The text of an `.onto` file in the canonical layout. Formatting it again changes nothing.

    Args:
        text: the file's text.
        file: its name, for places.

    Raises:
        LinnaeusError: with what is wrong with the text where it can't be read.
    """
    tree, found = parse_tokens(text, file)
    text = clean(text, file)[0]
    if tree is None or any(d.severity == "error" for d in found):
        raise LinnaeusError((d for d in found if d.severity == "error"), {file: text})
    return "".join(_Layout(text.split("\n"), _attach(text, tree)).file(tree))


# --- comments --------------------------------------------------------------------------------------


@dataclass
class _Comments:
    """Comments by the position of the word they stand at; `end` are those after everything."""

    before: dict[int, list[tuple[int, str]]] = field(default_factory=dict)  # with their lines
    after: dict[int, str] = field(default_factory=dict)
    end: list[tuple[int, str]] = field(default_factory=list)


def _attach(text: str, tree: Node) -> _Comments:
    """Each comment goes to the last word on its line, else to the next word. Commas count only as ends of a line."""
    found = _Comments()
    comments = deque(_find_comments(text))
    if not comments:
        return found
    waiting: list[tuple[int, str]] = []
    last, end = -1, -1  # where the last word starts, and its line
    for token in _written(tree):
        start = _start(token)
        while comments and comments[0][0] < start:
            _, line, words = comments.popleft()
            if line == end and not waiting and last not in found.after:
                found.after[last] = words
            else:
                waiting.append((line, words))
        if token.type in _COMMAS:
            if last in found.after:
                found.after[start] = found.after.pop(last)
        elif waiting:
            found.before[start] = waiting
            waiting = []
        last, end = start, token.line or 0
    for _, line, words in comments:
        if line == end and not waiting and last not in found.after:
            found.after[last] = words
        else:
            waiting.append((line, words))
    found.end = waiting
    return found


def _find_comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Position, line and text of every comment."""
    line, position = 1, 0
    for match in _COMMENT.finditer(text) if "#" in text else ():
        if match[1]:
            line += text.count("\n", position, match.start())
            position = match.start()
            yield position, line, match[1].rstrip()


def _written(tree: Node) -> Iterator[Token]:
    """The tokens that are written again, in their order: all but separators and trailing commas."""
    stack: list[Node | Token] = [tree]
    while stack:
        top = stack.pop()
        if isinstance(top, Token):
            yield top
            continue
        skipped = {"SEP"} if top.data == "comparison" else {"SEP", "COMMA"}
        following = ""
        for child in reversed(top.children):
            type = child.type if isinstance(child, Token) else ""
            if type not in skipped and (type != "COMMA" or following != "RBRACE"):
                stack.append(child)
            following = type


def _start(token: Token) -> int:
    return token.start_pos or 0


# --- tree → layout ---------------------------------------------------------------------------------


@dataclass
class _Layout:
    """Recursion here is as deep as the brackets, which tokens.py limits."""

    lines: list[str]
    comments: _Comments

    def file(self, tree: Node) -> Iterator[str]:
        """The lines of a file; a declaration of several lines has a blank line on both sides."""
        begun, long = False, False
        for child in _trees(tree):
            first = _first(child)
            comments = self.comments.before.pop(_start(first), [])
            text = render(self.item(child))
            was_long, long = long, "\n" in text
            for i, (line, entry) in enumerate([*comments, (first.line or 1, text)]):
                apart = self.blank_before(line) or (i == 0 and (long or was_long))
                yield f"\n{entry}\n" if begun and apart else f"{entry}\n"
                begun = True
        for line, comment in self.comments.end:
            yield f"\n{comment}\n" if begun and self.blank_before(line) else f"{comment}\n"
            begun = True

    def blank_before(self, line: int) -> bool:
        """Whether the line before a line is blank."""
        return line > 1 and not self.lines[line - 2].strip()

    def word(self, token: Token) -> Word:
        text = str(token)
        if token.type == "QUOTED" and is_plain(text[1:-1]):
            text = text[1:-1]
        before = self.comments.before.get(_start(token))
        after = self.comments.after.get(_start(token))
        if before is None and after is None:
            return Word(text)
        return Word(text, tuple(Comment(words, self.blank_before(line + 2)) for line, words in before or ()), after)

    # --- declarations -------------------------------------------------------------------------------

    def item(self, tree: Node) -> Doc:
        """A declaration, or what stands in braces."""
        match tree.data:
            case "group" | "class_" | "binary":
                return self.named(tree)
            case "binaries":
                return spaced(self.word(_first(tree)), self.listed(tree.children[1:], broken=_tall(tree)))
            case "chain":
                return self.infix([self.named(part) for part in _trees(tree)], _tokens(tree))
            case "rule" | "migrate":
                at = next(i for i, child in enumerate(tree.children) if _type(child) == "LBRACE")
                head = [self.words(child) for child in tree.children[:at]]
                return spaced(*head, self.body(tree.children[at:]))
            case "split":
                return self.alternatives(tree)
            case data if data in _FORMULAS:
                return self.formula(tree)
            case _:  # the header, an import, a use, a rename, a drop
                return self.words(tree)

    def named(self, tree: Node) -> Doc:
        """A group, a class or a binary: its parts in their canonical order."""
        parts = sorted(_trees(tree), key=lambda part: _ORDER.get(part.data, 1))
        if self.comments.after and parts[-1].data != "body":  # the end of the line may now be another word
            comment = self.comments.after.pop(_start(_last(tree)), None)
            if comment is not None:
                self.comments.after[_start(_last(parts[-1]))] = comment
        return spaced(*(self.part(part) for part in parts))

    def part(self, tree: Node) -> Doc:
        match tree.data:
            case "body":
                return self.body(tree.children)
            case "aka" | "levels":
                return spaced(self.word(_first(tree)), self.listed(tree.children[1:], broken=False))
            case "is_":
                references = [self.words(part) for part in _trees(tree)]
                return spaced(self.word(_first(tree)), self.infix(references, _tokens(tree)[1:], 2 * INDENT))
            case "when":
                return spaced(self.word(_first(tree)), self.formula(_trees(tree)[0]))
            case _:  # kind, name, title, open, from
                return self.words(tree)

    def words(self, child: Node | Token) -> Doc:
        """Words on one line, with spaces between them but for the dots of a reference."""
        if isinstance(child, Token):
            return self.word(child)
        if len(child.children) == 1:
            return self.words(child.children[0])
        return (glued if child.data == "reference" else spaced)(*map(self.words, child.children))

    def listed(self, children: Sequence[Node | Token], *, broken: bool) -> Doc:
        """Things with commas between them: on one line, or each on its own."""
        return Row(self.commas(children), group=True, broken=broken, indent=2 * INDENT)

    def commas(self, children: Sequence[Node | Token]) -> list[Doc]:
        """Things with a comma and a place to break after all but the last."""
        parts: list[Doc] = []
        for child in children:
            if _type(child) in _COMMAS:
                parts[-1:] = [glued(parts[-1], self.words(child)), Line()]
            else:
                parts.append(self.words(child) if isinstance(child, Token) else self.item(child))
        return parts

    def body(self, children: list[Node | Token]) -> Doc:
        """Braces and what stands in them: on one line if it was written so, has room and no comments."""
        left, right = children[0], children[-1]
        assert isinstance(left, Token)
        assert isinstance(right, Token)
        items = [child for child in children if isinstance(child, Tree)]
        inside: list[Doc] = []
        for i, child in enumerate(items):
            gap = _gap(items[i - 1], child) if i else " "
            first = _first(child)
            above = self.comments.before.get(_start(first))
            inside += [
                Line(gap, i > 0 and self.blank_before(above[0][0] if above else first.line or 1)),
                self.item(child),
            ]
        above = self.comments.before.pop(_start(right), None)
        if above is not None:
            remarks = [Comment(words, self.blank_before(line + 2)) for line, words in above]
            remarks[-1] = Comment(remarks[-1].text, False)
            inside += [Line(" ", bool(items) and self.blank_before(above[0][0])), Word("", tuple(remarks))]
        if not inside:
            return glued(self.word(left), self.word(right))
        return Row(
            [self.word(left), Row(inside, indent=INDENT), Line(), self.word(right)], True, left.line != right.line
        )

    # --- formulas -----------------------------------------------------------------------------------

    def formula(self, tree: Node) -> Doc:
        """A formula, its parentheses as written; where it has no room it breaks before its weakest operators."""
        while len(tree.children) == 1 and tree.data in _FORMULAS:
            [child] = tree.children
            assert isinstance(child, Tree)
            tree = child
        match tree.data:
            case "negation":
                return self.negation(tree)
            case "comparison":
                return self.comparison(tree)
            case "implication":
                return self.implication(tree)
            case "reference":
                return self.words(tree)
            case _:
                return self.infix([self.formula(part) for part in _trees(tree)], _tokens(tree))

    def implication(self, tree: Node) -> Doc:
        """`a => b => c`, which the grammar nests."""
        parts, operators = [], []
        while len(tree.children) > 1:
            left, right = _trees(tree)
            parts.append(self.formula(left))
            operators += _tokens(tree)
            tree = right
        return self.infix([*parts, self.formula(tree)], operators)

    def negation(self, tree: Node) -> Doc:
        words: list[Doc] = []
        while len(tree.children) > 1:
            words.append(self.word(_first(tree)))
            tree = _trees(tree)[0]
        return spaced(*words, self.formula(tree))

    def comparison(self, tree: Node) -> Doc:
        at = next((i for i, child in enumerate(tree.children) if _type(child) in CLOSER), None)
        if at is None:
            return spaced(*map(self.words, tree.children))
        left, right = tree.children[at], tree.children[-1]
        assert isinstance(left, Token)
        assert isinstance(right, Token)
        inside = tree.children[at + 1 : -1]
        if _type(inside[-1]) == "COMMA":
            inside = inside[:-1]
        within = Row([Line(""), *self.commas(inside)], indent=INDENT)
        bracket = Row([self.word(left), within, Line(""), self.word(right)], group=True)
        return spaced(*map(self.words, tree.children[:at]), bracket)

    def alternatives(self, tree: Node) -> Doc:
        """`split a -> b | c`."""
        at = next((i for i, child in enumerate(tree.children) if _type(child) == "BAR"), len(tree.children))
        head = spaced(*map(self.words, tree.children[:at]))
        rest = tree.children[at:]
        return self.infix(
            [head, *(self.words(c) for c in rest if isinstance(c, Tree))], [c for c in rest if isinstance(c, Token)]
        )

    def infix(self, parts: list[Doc], operators: list[Token], indent: int = INDENT) -> Doc:
        """Parts with operators between them; broken, each operator begins a line."""
        if len(parts) == 1:
            return parts[0]
        rest: list[Doc] = []
        for operator, part in zip(operators, parts[1:], strict=True):
            rest += [Line(), spaced(self.word(operator), part)]
        return Row([parts[0], Row(rest, indent=indent)], group=True)


def _trees(tree: Node) -> list[Node]:
    return [child for child in tree.children if isinstance(child, Tree)]


def _tokens(tree: Node) -> list[Token]:
    return [child for child in tree.children if isinstance(child, Token)]


def _type(child: Node | Token) -> str:
    return child.type if isinstance(child, Token) else ""


def _first(child: Node | Token) -> Token:
    while isinstance(child, Tree):
        child = child.children[0]
    return child


def _last(child: Node | Token) -> Token:
    while isinstance(child, Tree):
        child = child.children[-1]
    return child


def _tall(tree: Node) -> bool:
    """Whether something was written over several lines."""
    return _first(tree).line != _last(tree).end_line


def _gap(left: Node, right: Node) -> str:
    """What parts two things on one line: a comma classes, a semicolon whatever else, and after a list of aliases."""
    last = left.children[-1] if left.data == "chain" else left
    aliases = isinstance(last, Tree) and any(isinstance(c, Tree) and c.data == "aka" for c in last.children)
    return "; " if aliases or {left.data, right.data} - {"class_", "chain"} else ", "
