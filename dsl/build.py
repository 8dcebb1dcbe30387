"""The grammar's tree of a file → its syntax nodes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, cast

from lark import Token, Tree

from ..errors import Span
from .formula import Op
from .ontology import Kind
from .syntax import (
    Aka,
    Bad,
    Body,
    Chain,
    ChangeNode,
    ClassNode,
    Declaration,
    Document,
    Expression,
    From,
    GroupNode,
    Header,
    ImportNode,
    Is,
    Item,
    Levels,
    MigrationNode,
    Modifier,
    Name,
    Open,
    Reference,
    RuleNode,
    Text,
    UseNode,
    When,
    token_span,
)


def build_document(tree: Tree[Token], file: str) -> Document:
    """The nodes of a parsed file."""
    return Document(file, tuple(_Builder(file).declarations(tree)))


class _Builder:
    """Recursion here is as deep as the braces, which tokens.py limits."""

    def __init__(self, file: str):
        self.file = file

    def declarations(self, tree: Tree[Token]) -> Iterator[Declaration]:
        for child in _trees(tree):
            match child.data:
                case "header":
                    yield self.header(child)
                case "import_":
                    yield self.import_(child)
                case "rule":
                    yield self.rule(child)
                case "migrate":
                    yield self.migration(child)
                case _:
                    yield from self.common(child)

    def body(self, tree: Tree[Token]) -> Body:
        items: list[Item] = []
        for child in _trees(tree):
            if child.data == "class_":
                items.append(self.class_(child))
            elif child.data == "chain":
                levels = tuple(self.class_(c) for c in _trees(child))
                items.append(Chain(levels, _join(levels[0].span, levels[-1].span)))
            else:
                items.extend(self.common(child))
        first, last = tree.children[0], tree.children[-1]
        assert isinstance(first, Token)
        assert isinstance(last, Token)
        return Body(tuple(items), _join(token_span(first, self.file), token_span(last, self.file)))

    def common(self, tree: Tree[Token]) -> Iterator[GroupNode | UseNode | Bad]:
        """What may stand at the top as well as in braces."""
        if tree.data == "group":
            yield self.group(tree)
        elif tree.data == "binaries":
            keyword = token_span(_token(tree), self.file)
            for i, part in enumerate(_trees(tree)):
                node = self.named(part, 0)
                span = node.span if i else _join(keyword, node.span)
                yield GroupNode(Kind.BINARY, node.name, node.title, node.modifiers, node.body, span)
        elif tree.data == "use":
            yield self.use(tree)
        else:
            yield Bad(token_span(_token(tree), self.file))

    def import_(self, tree: Tree[Token]) -> ImportNode:
        path = self.text(_token(tree, 1))
        alias = next((self.name(part) for part in _trees(tree)), None)
        return ImportNode(path, alias, _join(token_span(_token(tree), self.file), (alias or path).span))

    def use(self, tree: Tree[Token]) -> UseNode:
        target, *rest = _trees(tree)
        alias = self.name(rest[0]) if rest else None
        reference = self.reference(target)
        return UseNode(reference, alias, _join(token_span(_token(tree), self.file), (alias or reference).span))

    def rule(self, tree: Tree[Token]) -> RuleNode:
        name, *rest = _trees(tree)
        title, weight = None, None
        formulas: list[Expression] = []
        for part in rest:
            if part.data == "title":
                title = self.text(_token(part))
            elif part.data == "soft":
                weight = float(_token(part, 1))
            elif part.data != "bad":
                formulas.append(self.expression(part))
        span = _join(token_span(_token(tree), self.file), token_span(_token(tree, -1), self.file))
        partial = any(part.data == "bad" for part in rest)
        return RuleNode(self.name(name), title, weight, tuple(formulas), partial, span)

    def migration(self, tree: Tree[Token]) -> MigrationNode:
        version = next(c for c in tree.children if isinstance(c, Token) and c.type == "STRING")
        changes = tuple(self.change(part) for part in _trees(tree) if part.data != "bad")
        span = _join(token_span(_token(tree), self.file), token_span(_token(tree, -1), self.file))
        return MigrationNode(self.text(version), changes, span)

    def change(self, tree: Tree[Token]) -> ChangeNode:
        old, *new = [self.reference(part) for part in _trees(tree)]
        word = cast("Literal['rename', 'split', 'drop']", str(_token(tree)))  # the grammar has these three
        span = _join(token_span(_token(tree), self.file), (new[-1] if new else old).span)
        return ChangeNode(word, old, tuple(new), span)

    # --- formulas -----------------------------------------------------------------------------------

    def expression(self, tree: Tree[Token]) -> Expression:
        """Recursion here is as deep as the parentheses and chains of `not` and `=>`, which tokens.py limits."""
        parts = [part for part in _trees(tree) if part.data != "reference"]
        names = tuple(self.reference(part) for part in _trees(tree) if part.data == "reference")
        words = [c for c in tree.children if isinstance(c, Token)]
        if words and words[0].type == "LPAR":
            ends = _join(token_span(words[0], self.file), token_span(words[-1], self.file))
            return replace(self.expression(parts[0]), span=ends)
        if len(parts) == 1 and not words:
            return self.expression(parts[0])
        args = [self.expression(part) for part in parts]
        inner = [part.span for part in names] + [part.span for part in args]
        first = token_span(words[0], self.file) if isinstance(tree.children[0], Token) else inner[0]
        last = token_span(words[-1], self.file) if isinstance(tree.children[-1], Token) else inner[-1]
        span = _join(first, last)
        if not words:
            return Expression(Op.HOLDS, (), names, 0, span)
        op, count = self.operator(words)
        if op is Op.IFF:  # (a <=> b) <=> c
            left = args[0]
            for right in args[1:]:
                left = Expression(Op.IFF, (left, right), (), 0, _join(left.span, right.span))
            return left
        return Expression(op, tuple(args), names, count, span)

    def operator(self, words: list[Token]) -> tuple[Op, int]:
        """What an expression's own tokens say, and the number of a count (-1: no whole number)."""
        if words[0].type in ("AT", "EXACTLY"):
            number = next(str(w) for w in words if w.type == "NUMBER")
            count = int(number) if number.isdigit() and len(number) < 10 else -1
            return Op("exactly" if words[0].type == "EXACTLY" else f"at {words[1]}"), count
        return Op(str(words[0])), 0

    def reference(self, tree: Tree[Token]) -> Reference:
        steps = tuple(self.name(part) for part in _trees(tree))
        return Reference(steps, _join(steps[0].span, steps[-1].span))

    # --- groups and classes -------------------------------------------------------------------------

    def header(self, tree: Tree[Token]) -> Header:
        keyword = token_span(_token(tree), self.file)
        parts = _trees(tree)
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
        match tree.data:
            case "open":
                return Open(span)
            case "aka":
                tokens = [c for c in tree.children if isinstance(c, Token) and c.type == "STRING"]
                names = tuple(self.text(t) for t in tokens)
                return Aka(names, _join(span, names[-1].span))
            case "when":
                condition = self.expression(_trees(tree)[0])
                return When(condition, _join(span, condition.span))
            case "is_":
                parents = tuple(self.reference(part) for part in _trees(tree))
                return Is(parents, _join(span, parents[-1].span))
            case "from_":
                path = self.text(_token(tree, 1))
                return From(path, _join(span, path.span))
            case _:
                levels = tuple(self.name(part) for part in _trees(tree))
                return Levels(levels, _join(span, levels[-1].span))

    def name(self, tree: Tree[Token]) -> Name:
        token = _token(tree)
        return Name(_nfc(token.strip("`")), token_span(token, self.file))

    def text(self, token: Token) -> Text:
        value = re.sub(r"\\(.)", r"\1", token[1:-1])
        return Text(_nfc(value), token_span(token, self.file))


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in tree.children if isinstance(child, Tree)]


def _token(tree: Tree[Token], index: int = 0) -> Token:
    token = tree.children[index]
    assert isinstance(token, Token)
    return token


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _join(first: Span, last: Span) -> Span:
    return replace(first, end_line=last.end_line, end_column=last.end_column)
