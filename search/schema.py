"""Checking a tree of YAML nodes: typed keys with defaults, every mistake kept with its key and its place.

A check takes a `Node` and gives the value, or raises `LinnaeusError`; `Section.take` adds the place and goes on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from types import UnionType
from typing import Any, TypeVar

from ..errors import Diagnostic, LinnaeusError, Span, did_you_mean, fail
from ..plugins.hyperparameters import type_name
from .yaml12 import Node

T = TypeVar("T")
D = TypeVar("D")
Check = Callable[[Node], T]


class Findings:
    """The mistakes of one study, in the order of their places, and the texts they stand in."""

    def __init__(self, sources: dict[str, str]):
        self.sources = sources
        self.found: list[Diagnostic] = []

    def add(self, code: str, message: str, span: Span, where: str, help: str | None = None) -> None:
        """Keep one mistake."""
        self.found.append(Diagnostic(code, message, span=span, where=where or None, help=help))

    def keep(self, error: LinnaeusError) -> None:
        """Keep the mistakes of another part as they are, with their sources."""
        self.found.extend(error.diagnostics)
        self.sources.update(error.sources)

    def error(self) -> LinnaeusError:
        """Everything found, to raise."""
        files = list(self.sources)

        def place(d: Diagnostic) -> tuple[int, int, int]:
            if d.span is None or d.span.file not in files:
                return (len(files), 0, 0)
            return (files.index(d.span.file), d.span.line, d.span.column)

        return LinnaeusError(sorted(self.found, key=place), self.sources)


class Section:
    """One mapping of a study file. Keys are known by being taken; `close` reports the others."""

    def __init__(self, node: Node, findings: Findings):
        self.node = node
        self.findings = findings
        self.nodes: dict[str, Node] = {}
        self.known: list[str] = []
        if isinstance(node.value, dict):
            self.nodes = node.value
        elif node.value is not None:
            step = "write KEY: VALUE, a line each"
            findings.add("E305", f"a mapping expected, not {kind_of(node)}", node.span, node.path, step)

    def path(self, key: str) -> str:
        """The whole path of one of this section's keys."""
        return f"{self.node.path}.{key}" if self.node.path else key

    def take(self, key: str, check: Check[T], default: D) -> T | D:
        """The checked value of a key, or `default` where it is left out or wrong (the mistake is kept)."""
        self.known.append(key)
        node = self.nodes.get(key)
        if node is None:
            return default
        try:
            return check(node)
        except LinnaeusError as e:
            self.findings.keep(placed(e, node))
            return default

    def require(self, key: str, check: Check[T], default: D, meaning: str) -> T | D:
        """As `take`, for a key that must be there; `default` only stands in until the mistake is reported."""
        if key not in self.nodes and (self.node.value is None or isinstance(self.node.value, dict)):
            missing = f"the key {self.path(key)!r} is missing: {meaning}"
            self.findings.add("E307", missing, self.node.span, self.node.path, f"add '{key}: …'")
        return self.take(key, check, default)

    def section(self, key: str) -> Section:
        """The mapping under a key; an empty one where it is left out."""
        self.known.append(key)
        return Section(self.nodes.get(key) or Node(None, self.node.span, self.path(key)), self.findings)

    def close(self) -> None:
        """Report every key that nobody took."""
        known = list(dict.fromkeys(self.known))
        for key in self.nodes:
            if key not in known:
                help = did_you_mean(key, known, plural="keys here")
                self.findings.add("E304", f"unknown key {key!r}", self.node.keys[key], self.path(key), help)


def placed(error: LinnaeusError, node: Node) -> LinnaeusError:
    """The error with the node's place wherever it has none."""
    placed = (d if d.span else replace(d, span=node.span, where=node.path) for d in error.diagnostics)
    return LinnaeusError(placed, error.sources)


def kind_of(node: Node) -> str:
    """A node's type and value, in an author's words."""
    if node.value is None:
        return "nothing"
    if isinstance(node.value, dict | list):
        return type_name(type(node.value))
    return f"{type_name(type(node.value))} ({node.value!r})"


def wrong_type(expected: str, node: Node) -> LinnaeusError:
    """E305, to raise."""
    quoted = isinstance(node.value, int | float) and expected == "a text"
    return fail("E305", f"{expected} expected, not {kind_of(node)}", help="put it in quotes" if quoted else None)


def unsupported(what: str, help: str) -> LinnaeusError:
    """E308, to raise: a thing that studies will say one day and that this version would otherwise ignore."""
    return fail("E308", f"{what} is not supported in this version", help=help)


# --- checks ----------------------------------------------------------------------------------------


def text(node: Node) -> str:
    """A text that is not empty."""
    if not isinstance(node.value, str):
        raise wrong_type("a text", node)
    if not node.value:
        raise fail("E306", "an empty text")
    return node.value


def name(node: Node) -> str:
    """A column's or class's name or a raw value, which may look like a number: the text as written."""
    if isinstance(node.value, dict | list) or node.value is None:
        raise wrong_type("a text", node)
    return node.text


def whole(low: int, high: int | None = None) -> Check[int]:
    """A whole number of low … high."""

    def check(node: Node) -> int:
        if not isinstance(node.value, int) or isinstance(node.value, bool):
            raise wrong_type("a whole number", node)
        if node.value < low or (high is not None and node.value > high):
            law = f"at least {low}" if high is None else f"in {low} … {high}"
            raise fail("E306", f"{node.value} is not {law}")
        return node.value

    return check


def number(low: float, high: float = math.inf, *, ends: bool = False) -> Check[float]:
    """A number between low and high; `ends` says whether they belong."""

    def check(node: Node) -> float:
        if not isinstance(node.value, int | float) or isinstance(node.value, bool):
            raise wrong_type("a number", node)
        value = float(node.value)
        if not (low < value < high or (ends and value in (low, high) and math.isfinite(value))):
            law = f"above {low:g}" if high == math.inf else f"between {low:g} and {high:g}"
            raise fail("E306", f"{value:g} is not {law}")
        return value

    return check


def one_of(*values: str, later: tuple[str, ...] = ()) -> Check[Any]:
    """One of some texts; those in `later` are named as not supported yet."""

    def check(node: Node) -> str:
        if node.value in later and isinstance(node.value, str):
            raise unsupported(repr(node.value), "known: " + ", ".join(values))
        if not isinstance(node.value, str):
            raise wrong_type("one of " + ", ".join(values), node)
        if node.value not in values:
            step = did_you_mean(node.value, values, plural="values")
            raise fail("E306", f"{node.value!r} is not one of {', '.join(values)}", help=step)
        return node.value

    return check


def either(*checks: tuple[type | UnionType, Check[Any]], expected: str) -> Check[Any]:
    """The check of the first type that the value has: `either((str, …), (int, …), expected=…)`."""

    def check(node: Node) -> Any:
        for kind, inner in checks:
            if isinstance(node.value, kind) and not isinstance(node.value, bool):
                return inner(node)
        raise wrong_type(expected, node)

    return check


def optional(check: Check[T]) -> Check[T | None]:
    """`check`, or null."""
    return lambda node: None if node.value is None else check(node)


def list_of(check: Check[T], *, unique: bool = True) -> Check[tuple[T, ...]]:
    """A list, every item checked; each mistake has the item's place."""

    def whole_list(node: Node) -> tuple[T, ...]:
        if not isinstance(node.value, list):
            raise wrong_type("a list", node)
        found: list[T] = []
        wrong: list[Diagnostic] = []
        for item in node.value:
            try:
                value = check(item)
                if unique and value in found:
                    raise fail("E306", f"{item.text or value!r} stands twice")
                found.append(value)
            except LinnaeusError as e:
                wrong.extend(placed(e, item).diagnostics)
        if wrong:
            raise LinnaeusError(wrong)
        return tuple(found)

    return whole_list
