"""The syntax tree of an ontology file: one frozen node for each construct, a span on every node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from lark import Token

from ..errors import Span
from .formula import Op
from .ontology import Kind


@dataclass(frozen=True, slots=True)
class Name:
    """An id as written, in Unicode NFC and without its backticks."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A string without its quotes, in Unicode NFC."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Open:
    """The modifier `open`."""

    span: Span


@dataclass(frozen=True, slots=True)
class Aka:
    """The modifier `aka`: other spellings."""

    names: tuple[Text, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Reference:
    """A name of a group, a class or a level: `a.b.c`."""

    steps: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Expression:
    """A formula as written. `op` says which fields count:

    - HOLDS, APPLIES, ANY: `names` is one reference.
    - comparisons: `names` are both sides. IN: `names` is the left side, then the listed ones.
    - NOT, AND, OR, IMPLIES, IFF and counts: `args`; a count has its `count`, -1 if it is no whole number.
    """

    op: Op
    args: tuple[Expression, ...]
    names: tuple[Reference, ...]
    count: int
    span: Span


@dataclass(frozen=True, slots=True)
class When:
    """The modifier `when EXPR`."""

    condition: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Is:
    """The modifier `is p and q`: more parents."""

    parents: tuple[Reference, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class From:
    """The modifier `from "taxa.csv"`."""

    path: Text
    span: Span


@dataclass(frozen=True, slots=True)
class Levels:
    """The modifier `levels order, family`: names of a hierarchy's levels, coarsest first."""

    names: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Bad:
    """What could not be read; it has been reported."""

    span: Span


Modifier: TypeAlias = Open | Aka | When | Is | From | Levels


@dataclass(frozen=True, slots=True)
class Body:
    """What stands in braces."""

    items: tuple[Item, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ClassNode:
    """A class or a level."""

    name: Name
    title: Text | None
    modifiers: tuple[Modifier, ...]
    body: Body | None
    span: Span


@dataclass(frozen=True, slots=True)
class Chain:
    """Levels in order: `a < b < c`."""

    levels: tuple[ClassNode, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class GroupNode:
    """A group; `binary a, b` gives two."""

    kind: Kind
    name: Name
    title: Text | None
    modifiers: tuple[Modifier, ...]
    body: Body | None
    span: Span


@dataclass(frozen=True, slots=True)
class Header:
    """`ontology NAME "Title" version "1.0"`."""

    name: Name
    title: Text | None
    version: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class ImportNode:
    """`import "capture.onto" as capture`."""

    path: Text
    alias: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class UseNode:
    """`use capture.sharpness as quality`."""

    target: Reference
    alias: Name | None
    span: Span


@dataclass(frozen=True, slots=True)
class RuleNode:
    """`rule NAME "Title" soft 2.0 { … }`; `weight` is None for a hard rule; `partial`: some of it was not read."""

    name: Name
    title: Text | None
    weight: float | None
    formulas: tuple[Expression, ...]
    partial: bool
    span: Span


@dataclass(frozen=True, slots=True)
class ChangeNode:
    """One line of a migration: `rename a -> b`, `split a -> b | c` or `drop a`."""

    word: Literal["rename", "split", "drop"]
    old: Reference
    new: tuple[Reference, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class MigrationNode:
    """`migrate from "1.0" { … }`."""

    version: Text
    changes: tuple[ChangeNode, ...]
    span: Span


Item: TypeAlias = ClassNode | Chain | GroupNode | UseNode | Bad
Declaration: TypeAlias = Header | ImportNode | UseNode | GroupNode | RuleNode | MigrationNode | Bad


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file."""

    file: str
    declarations: tuple[Declaration, ...]


def token_span(token: Token, file: str) -> Span:
    """Where a token stands."""
    start = (token.line or 1, token.column or 1)
    return Span(file, *start, token.end_line or start[0], token.end_column or start[1] + 1)
