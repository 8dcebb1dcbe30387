"""What can stand at a place in a text that is still being written: read from the text before it, by the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from lark import Token
from lark.parsers.lalr_analysis import Shift

from ..dsl.parser import grammar
from ..dsl.source import clean
from ..dsl.tokens import CLOSER, OPENER, arrange, lex
from .words import NAME, keywords

Role: TypeAlias = Literal["formula", "group", "counted", "compared", "used", "parent", "target"]
"""What a name at a place refers to: anything in a formula; a group after `applies`; a group or class after `any`; a
class of the group on the left of a comparison; what `use` takes; what `is` adds; what an old name is now."""

_DECLARATION = re.compile(
    r"(?:ontology|import|use|binary|multiclass|hierarchy|multilabel|ordinal|rule|migrate)(?![\w-])"
)
READ = re.compile(r'(?:[^"`#]|"(?:\\.|[^"\\])*"|`[^`]*`)*')
"""A line up to a comment, or to a string or a name in backticks that is still open."""

_PARTIAL = re.compile(rf"{NAME}$")
_COMPARATORS = ("EQ", "NE", "LT", "LE", "GT", "GE")
_ROLES: dict[str, Role] = {"USE": "used", "ANY": "counted", "APPLIES": "group", "ARROW": "target", "BAR": "target"}


@dataclass(frozen=True, slots=True)
class Context:
    """What can stand at a place.

    Attributes:
        partial: what is already written of the name there, with an opening backtick.
        steps: the names before it, each followed by a dot.
        keywords: the words of the language that can stand there.
        role: what a name there refers to; None where a new name, or no name, stands.
        left: for `compared`, the reference on the left; for `parent`, the multilabel around it.
    """

    partial: str = ""
    steps: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    role: Role | None = None
    left: tuple[str, ...] = ()


def context_at(rows: list[str], line: int, column: int) -> Context:
    """What can stand at a line and column, from 1, of the lines of a text."""
    row = rows[line - 1][: column - 1]
    rest = READ.sub("", row, count=1)
    if rest.startswith(('"', "#")):
        return Context()
    name = _PARTIAL.search(row)
    partial = rest or (name[0] if name else "")
    first = line - 1
    while first and not _DECLARATION.match(rows[first]):
        first -= 1
    text = "\n".join([*rows[first : line - 1], row[: len(row) - len(partial)]])
    tokens, _ = lex(grammar(), clean(text, "")[0], "")
    steps: list[str] = []
    while len(tokens) > 1 and tokens[-1].type == "DOT" and tokens[-2].type in ("NAME", "QUOTED"):
        steps.insert(0, tokens[-2].strip("`"))
        tokens = tokens[:-2]
    reader = _Recogniser()
    for token in list(arrange([*_opened(tokens), Token("NAME", "_")]))[:-1]:
        reader.read(token.type)
    tokens = [token for token in tokens if token.type != "SEP"]
    words = () if steps or partial.startswith("`") else tuple(w for t, w in keywords().items() if reader.takes(t))
    role = _role(tokens, reader)
    left: tuple[str, ...] = ()
    if role == "compared":
        left = _left(tokens)
    elif role == "parent":
        left = _multilabel(tokens)
    return Context(partial, tuple(steps), words, role, left)


def _opened(tokens: list[Token]) -> Iterator[Token]:
    """The tokens without brackets that close nothing."""
    depth = 0
    for token in tokens:
        depth += (token.type in CLOSER) - (token.type in OPENER)
        if depth >= 0:
            yield token
        depth = max(depth, 0)


def _role(tokens: list[Token], reader: _Recogniser) -> Role | None:
    expected = reader.before_name()
    if "reference" not in expected or not tokens:
        return None
    last = tokens[-1].type
    if "comparison" in expected:
        return "formula"
    if last in ("RENAME", "SPLIT", "DROP"):  # old names are those of another version
        return None
    return _ROLES.get(last, "parent" if last in ("IS", "AND") else "compared")


def _left(tokens: list[Token]) -> tuple[str, ...]:
    """The reference on the left of the comparison, or of the list, that the tokens end in."""
    at = len(tokens) - 1
    if tokens[at].type not in _COMPARATORS:
        while at and tokens[at].type != "LBRACE":
            at -= 1
        at -= 1  # `in`
    steps: list[str] = []
    while at > 0 and tokens[at - 1].type in ("NAME", "QUOTED"):
        steps.insert(0, tokens[at - 1].strip("`"))
        at -= 2
        if at < 0 or tokens[at].type != "DOT":
            break
    return tuple(steps)


def _multilabel(tokens: list[Token]) -> tuple[str, ...]:
    """The name of the last multilabel."""
    names = [after.strip("`") for kind, after in pairwise(tokens) if kind.type == "MULTILABEL"]
    return tuple(names[-1:])


class _Recogniser:
    """Reads token types by the grammar's LALR table, with no tree; what it can't read costs the item it stands in.

    Aho, Sethi and Ullman 1986, sections 4.7 and 4.8.
    """

    def __init__(self) -> None:
        conf = grammar().parse_interactive("").parser_state.parse_conf
        self._table: dict[Any, dict[str, Any]] = conf.parse_table.states  # Any: Lark leaves this untyped
        self._stack: list[Any] = [conf.start_state]
        self._items = [list(self._stack)]  # for each open bracket, the state where its present item began
        self._lost: int | None = None  # how many brackets were open where an item stopped making sense

    def read(self, type_: str) -> None:
        """Take a token."""
        ends = type_ in OPENER or type_ in ("SEP", "COMMA")
        if self._lost is None and not self._shift(self._stack, type_):
            self._lost = len(self._items)
        elif self._lost is None and ends and type_ not in OPENER:
            self._items[-1] = list(self._stack)
        if self._lost == len(self._items) and ends:
            stack = [*self._items[-1]]
            if self._shift(stack, "BAD") and self._shift(stack, type_):
                self._stack, self._lost = stack, None
        if type_ in CLOSER:
            self._items.append(list(self._stack))
        elif type_ in OPENER:
            self._items.pop()
            if self._lost is not None:
                self._lost = min(self._lost, len(self._items))

    def takes(self, type_: str) -> bool:
        """Whether a token can stand next."""
        return self._lost is None and self._shift(list(self._stack), type_)

    def before_name(self) -> set[str]:
        """The parts of the grammar that can begin with a name that stands next."""
        stack = list(self._stack)
        if self._lost is not None or not self._shift(stack, "NAME"):
            return set()
        return set(self._table[stack[-2]])

    def _shift(self, stack: list[Any], type_: str) -> bool:
        """Reduce as far as the token asks, and shift it; on failure what was reduced stays reduced."""
        while (found := self._table[stack[-1]].get(type_)) is not None:
            action, argument = found
            if action is Shift:
                stack.append(argument)
                return True
            del stack[len(stack) - len(argument.expansion) :]
            stack.append(self._table[stack[-1]][argument.origin.name][1])
        return False
