"""YAML 1.2's core schema with a place for every value, on PyYAML's parser.

PyYAML resolves by YAML 1.1, where `1e-4` is a text and `no` a Boolean. Here the rules are those of YAML 1.2.2, section
10.3; duplicate keys, tags and aliases that would grow without bound are refused. Keys are always texts, as written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..errors import Diagnostic, LinnaeusError, Span

MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_DIGITS = 400

NULL = re.compile(r"~|null|Null|NULL|")
BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Node:
    """One value and where it stands.

    `value` is a scalar, a list of nodes or a mapping from key to node; `path` the keys to it ("search.budget.trials",
    "plugins[0]"); `text` a scalar as written; `keys` where each key of a mapping stands.
    """

    value: Any
    span: Span
    path: str
    text: str = ""
    keys: dict[str, Span] = field(default_factory=dict)

    @property
    def plain(self) -> Any:
        """The data alone."""
        if isinstance(self.value, dict):
            return {k: v.plain for k, v in self.value.items()}
        return [v.plain for v in self.value] if isinstance(self.value, list) else self.value


def parse(text: str, file: str, path: str = "") -> Node:
    """The tree of one YAML document; an empty one is a null. `path` is the key path of the document itself.

    Raises:
        LinnaeusError: E301 syntax, E302 duplicate keys, E303 a tag, a second document, or nesting or aliases beyond
            bounds.
    """
    try:
        root = _Loader(text).get_single_node()
    except yaml.MarkedYAMLError as e:
        code, message = ("E303", e.problem) if isinstance(e, _RefusedError) else ("E301", _syntax(e))
        mark = e.problem_mark or e.context_mark
        span = None if mark is None else _span(file, mark, None)
        step = None if code == "E303" else "check indentation, colons, and that brackets and quotes are closed"
        raise LinnaeusError(Diagnostic(code, message or "not YAML", span=span, help=step), {file: text}) from e
    except yaml.reader.ReaderError as e:
        before = text[: e.position].split("\n")
        line, column = len(before), len(before[-1]) + 1
        message = f"the character U+{ord(text[e.position]):04X} may not stand in YAML"
        span = Span(file, line, column, line, column + 1)
        raise LinnaeusError(Diagnostic("E301", message, span=span), {file: text}) from e
    if root is None:
        return Node(None, Span(file, 1, 1, 1, 2), path)
    builder = _Builder(file)
    tree = builder.build(root, path, ())
    if builder.found:
        raise LinnaeusError(builder.found, {file: text})
    return tree


class _RefusedError(yaml.MarkedYAMLError):
    """Something YAML allows and this reader does not."""


class _Loader(yaml.SafeLoader):
    """PyYAML's parser and composer; what it makes of scalars is not used."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # PyYAML's stubs leave the parser untyped
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _RefusedError(None, None, f"the tag {tag!r} has no meaning in a study", event.start_mark)
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _RefusedError(None, None, f"values nest more than {MAX_DEPTH} deep", event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _syntax(e: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (e.context, e.problem) if part)


def _span(file: str, start: yaml.Mark, end: yaml.Mark | None) -> Span:
    if end is None or (end.line, end.column) <= (start.line, start.column):
        return Span(file, start.line + 1, start.column + 1, start.line + 1, start.column + 2)
    return Span(file, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


class _Builder:
    """From PyYAML's nodes to ours: scalars resolved, paths added, duplicate keys and endless aliases found."""

    def __init__(self, file: str):
        self.file = file
        self.found: list[Diagnostic] = []
        self.count = 0
        self.full = False

    def build(self, node: yaml.Node, path: str, above: tuple[int, ...]) -> Node:
        span = _span(self.file, node.start_mark, node.end_mark)
        self.count += 1
        if id(node) in above or self.count > MAX_NODES or len(above) > MAX_DEPTH:
            if not self.full:
                law = "an alias may not hold itself" if id(node) in above else f"aliases grow beyond {MAX_NODES} values"
                self.found.append(Diagnostic("E303", law, span=span, where=path or None))
            self.full = True
            return Node(None, span, path)
        above = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, span, path, above)
        if isinstance(node, yaml.SequenceNode):
            items = [self.build(item, f"{path}[{i}]", above) for i, item in enumerate(node.value)]
            return Node(items, span, path)
        return Node(
            resolve(node.value, plain=isinstance(node, yaml.ScalarNode) and node.style is None), span, path, node.value
        )

    def mapping(self, node: yaml.MappingNode, span: Span, path: str, above: tuple[int, ...]) -> Node:
        values: dict[str, Node] = {}
        keys: dict[str, Span] = {}
        for key, value in node.value:
            place = _span(self.file, key.start_mark, key.end_mark)
            if not isinstance(key, yaml.ScalarNode):
                self.found.append(Diagnostic("E301", "a key must be a text", span=place, where=path or None))
                continue
            child = f"{path}.{key.value}" if path else key.value
            if key.value in values:
                message = f"the key {key.value!r} stands twice, first on line {keys[key.value].line}"
                self.found.append(Diagnostic("E302", message, span=place, where=child, help="keep one of them"))
                continue
            values[key.value], keys[key.value] = self.build(value, child, above), place
        return Node(values, span, path, keys=keys)


def resolve(text: str, *, plain: bool = True) -> Any:
    """A scalar's value by the core schema; quoted and block scalars (not `plain`) are texts."""
    if not plain:
        return text
    if NULL.fullmatch(text):
        return None
    if BOOL.fullmatch(text):
        return text in ("true", "True", "TRUE")
    if INT.fullmatch(text) and len(text) <= MAX_DIGITS:
        return int(text[2:], {"0o": 8, "0x": 16}[text[:2]]) if text[:2] in ("0o", "0x") else int(text)
    if FLOAT.fullmatch(text):
        return float(text.replace(".", "") if text[-1] in "fFnN" else text)
    return text


# --- writing ---------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Quotes what either version of YAML would not read as a text; writes no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        """Double quotes, which escape, for what is not printable: PyYAML's other styles lose some line breaks."""
        style = None if data.isprintable() else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style)


_Dumper.add_representer(str, _Dumper.represent_str)
for _tag, _pattern in (("null", NULL), ("bool", BOOL), ("int", INT), ("float", FLOAT)):
    _whole = re.compile(f"(?:{_pattern.pattern})\\Z")
    _Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _whole, None)


def dump(data: Any) -> str:
    """YAML text that `parse` reads back as the same data (keys as texts), here and in readers of YAML 1.1."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, default_flow_style=None, width=110, allow_unicode=True)
    return text
