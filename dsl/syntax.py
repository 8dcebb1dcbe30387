"""The syntax tree of an ontology file: one frozen node for each construct, a span on every node."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from lark import Token, Tree

from ..errors import Span
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
class Unsupported:
    """A declaration or modifier of the language that this version refuses; the span is its keyword's."""

    word: str
    span: Span


@dataclass(frozen=True, slots=True)
class Bad:
    """What could not be read; it has been reported."""

    span: Span


Modifier: TypeAlias = Open | Aka | Unsupported


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


Item: TypeAlias = ClassNode | Chain | GroupNode | Unsupported | Bad
Declaration: TypeAlias = Header | GroupNode | Unsupported | Bad


@dataclass(frozen=True, slots=True)
class Document:
    """A whole file."""

    file: str
    declarations: tuple[Declaration, ...]


UNSUPPORTED_RULES = {
    "import_": "import",
    "use": "use",
    "rule": "rule",
    "migrate": "migrate",
    "is_": "is",
    "when": "when",
    "from_": "from",
    "levels": "levels",
}
"""Grammar rules of constructs that this version refuses, and their keywords."""


def token_span(token: Token, file: str) -> Span:
    """Where a token stands."""
    start = (token.line or 1, token.column or 1)
    return Span(file, *start, token.end_line or start[0], token.end_column or start[1] + 1)


def build_document(tree: Tree[Token], file: str) -> Document:
    """The nodes of a parsed file."""
    return Document(file, tuple(_Builder(file).declarations(tree)))


class _Builder:
    """Recursion here is as deep as the braces, which tokens.py limits."""

    def __init__(self, file: str):
        self.file = file

    def declarations(self, tree: Tree[Token]) -> Iterator[Declaration]:
        for child in tree.children:
            if isinstance(child, Tree):
                if child.data == "header":
                    yield self.header(child)
                else:
                    yield from self.common(child)

    def body(self, tree: Tree[Token]) -> Body:
        items: list[Item] = []
        for child in tree.children:
            if not isinstance(child, Tree):
                continue
            if child.data == "class_":
                items.append(self.class_(child))
            elif child.data == "chain":
                levels = tuple(self.class_(c) for c in child.children if isinstance(c, Tree))
                items.append(Chain(levels, _join(levels[0].span, levels[-1].span)))
            else:
                items.extend(self.common(child))
        first, last = tree.children[0], tree.children[-1]
        assert isinstance(first, Token)
        assert isinstance(last, Token)
        return Body(tuple(items), _join(token_span(first, self.file), token_span(last, self.file)))

    def common(self, tree: Tree[Token]) -> Iterator[GroupNode | Unsupported | Bad]:
        """What may stand at the top as well as in braces."""
        if tree.data == "group":
            yield self.group(tree)
        elif tree.data == "binaries":
            keyword = token_span(_token(tree), self.file)
            parts = [c for c in tree.children if isinstance(c, Tree)]
            for i, part in enumerate(parts):
                node = self.named(part, 0)
                span = node.span if i else _join(keyword, node.span)
                yield GroupNode(Kind.BINARY, node.name, node.title, node.modifiers, node.body, span)
        elif tree.data == "bad":
            yield Bad(token_span(_token(tree), self.file))
        else:
            yield self.unsupported(tree)

    def unsupported(self, tree: Tree[Token]) -> Unsupported:
        return Unsupported(UNSUPPORTED_RULES[tree.data], token_span(_token(tree), self.file))

    def header(self, tree: Tree[Token]) -> Header:
        keyword = token_span(_token(tree), self.file)
        parts = [c for c in tree.children if isinstance(c, Tree)]
        name, title, version = self.name(parts[0]), None, None
        for part in parts[1:]:
            if part.data == "title":
                title = self.text(_token(part))
            else:
                version = self.text(_token(part, 1))
        last = version or title or name
        return Header(name, title, version, _join(keyword, last.span))

    def group(self, tree: Tree[Token]) -> GroupNode:
        kind_tree = tree.children[0]
        assert isinstance(kind_tree, Tree)
        keyword = _token(kind_tree)
        node = self.named(tree, 1)
        span = _join(token_span(keyword, self.file), node.span)
        return GroupNode(Kind(str(keyword)), node.name, node.title, node.modifiers, node.body, span)

    def class_(self, tree: Tree[Token]) -> ClassNode:
        return self.named(tree, 0)

    def named(self, tree: Tree[Token], start: int) -> ClassNode:
        """What classes and groups share, from child `start` on: name, title, modifiers, body."""
        parts = [c for c in tree.children[start:] if isinstance(c, Tree)]
        name = self.name(parts[0])
        title: Text | None = None
        body: Body | None = None
        modifiers: list[Modifier] = []
        end = name.span
        for part in parts[1:]:
            if part.data == "title":
                title = self.text(_token(part))
                end = title.span
            elif part.data == "body":
                body = self.body(part)
                end = body.span
            else:
                modifiers.append(self.modifier(part))
                end = modifiers[-1].span
        return ClassNode(name, title, tuple(modifiers), body, _join(name.span, end))

    def modifier(self, tree: Tree[Token]) -> Modifier:
        span = token_span(_token(tree), self.file)
        if tree.data == "open":
            return Open(span)
        if tree.data == "aka":
            tokens = [c for c in tree.children if isinstance(c, Token) and c.type == "STRING"]
            names = tuple(self.text(t) for t in tokens)
            return Aka(names, _join(span, names[-1].span))
        return self.unsupported(tree)

    def name(self, tree: Tree[Token]) -> Name:
        token = _token(tree)
        return Name(_nfc(token.strip("`")), token_span(token, self.file))

    def text(self, token: Token) -> Text:
        value = re.sub(r"\\(.)", r"\1", token[1:-1])
        return Text(_nfc(value), token_span(token, self.file))


def _token(tree: Tree[Token], index: int = 0) -> Token:
    token = tree.children[index]
    assert isinstance(token, Token)
    return token


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _join(first: Span, last: Span) -> Span:
    return replace(first, end_line=last.end_line, end_column=last.end_column)
