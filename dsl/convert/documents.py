"""JSON and XML files as others wrote them: read safely, every value with its place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from xml.parsers import expat

from ...errors import LinnaeusError, fail
from ..source import read_source

_DEEPEST = 100  # levels of nesting; the deepest taxonomies in use have some 20


class _Object(dict[str, Any]):
    """A JSON object that remembers a key written twice."""

    def __init__(self, pairs: list[tuple[str, Any]]):
        super().__init__(pairs)
        self.twice: str | None = None
        if len(self) < len(pairs):
            self.twice = Counter(key for key, _ in pairs).most_common(1)[0][0]


@dataclass(frozen=True, slots=True)
class Value:
    """A JSON value at its place: `where` is its pointer (RFC 6901), empty for the whole document."""

    data: Any
    file: str
    where: str = ""

    def wrong(self, message: str, help: str | None = None) -> LinnaeusError:
        """E162 at this value, to raise."""
        place = f"{self.file}, at {self.where}" if self.where else self.file
        return fail("E162", message, where=place, help=help)

    def keys(self) -> list[str]:
        """The keys of an object."""
        return list(self._as(dict, "an object"))

    def has(self, *keys: str) -> bool:
        """Whether it is an object with all these keys."""
        return isinstance(self.data, dict) and all(key in self.data for key in keys)

    def get(self, key: str) -> Value | None:
        """The value of a key of an object; None where it is missing or null."""
        found = self._as(dict, "an object").get(key)
        return None if found is None else Value(found, self.file, self.pointer(key))

    def need(self, key: str) -> Value:
        """The value of a key that an object must have."""
        found = self.get(key)
        if found is None:
            raise self.wrong(f"the key {key!r} is missing")
        return found

    def items(self) -> Iterator[Value]:
        """The values of a list."""
        for i, item in enumerate(self._as(list, "a list")):
            yield Value(item, self.file, f"{self.where}/{i}")

    def entries(self, *keys: str) -> list[Value]:
        """The values of the lists under some keys of an object, one after the other; a missing list is empty."""
        lists = [found for found in map(self.get, keys) if found is not None]
        return [item for found in lists for item in found.items()]

    def text_of(self, *keys: str) -> str | None:
        """The text of the first of some keys that an object has; None where it has none."""
        return next((found.text() for key in keys if (found := self.get(key)) is not None), None)

    def text(self) -> str:
        """A text that says something, or a number or truth value as text."""
        if isinstance(self.data, bool):
            return "true" if self.data else "false"
        if isinstance(self.data, int | float):
            return str(self.data)
        text: str = self._as(str, "a text")
        if not text.strip():
            raise self.wrong("an empty text")
        return text.strip()

    def flag(self) -> bool:
        """A truth value."""
        return bool(self._as(bool, "true or false"))

    def pointer(self, key: str) -> str:
        """The place of a key of an object."""
        return f"{self.where}/{key.replace('~', '~0').replace('/', '~1')}"

    def _as(self, kind: type, called: str) -> Any:
        if not isinstance(self.data, kind):
            raise self.wrong(f"expected {called}, found {_kind(self.data)}")
        return self.data


def _kind(data: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value", type(None): "null"}
    return next((name for kind, name in names.items() if isinstance(data, kind)), "a number")


def read_json(path: Path) -> Value:
    """A JSON file.

    Raises:
        LinnaeusError: E001 or E002 as for ontologies; E160 for what is not JSON, has a key twice or is too deep.
    """
    text = read_source(path).removeprefix("\ufeff")
    try:
        data = json.loads(text, object_pairs_hook=_Object, parse_constant=_no_constant)
    except json.JSONDecodeError as e:
        raise fail("E160", f"not JSON: {e.msg}", where=f"{path}, line {e.lineno}, column {e.colno}") from None
    except RecursionError:
        raise _too_deep(str(path)) from None
    except ValueError as e:  # a number that Python won't read, or NaN
        raise fail("E160", f"not JSON: {e}", where=str(path)) from None
    document = Value(data, str(path))
    _look_through(document)
    return document


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"the number {name}")


def _look_through(document: Value) -> None:
    queue = [(document, 0)]
    for value, depth in queue:  # grows as it is walked
        if depth > _DEEPEST:
            raise _too_deep(document.file)
        if isinstance(value.data, _Object):
            if value.data.twice is not None:
                step = "a reader would silently take one of the two: delete one"
                place = f"{value.file}, at {value.pointer(value.data.twice)}"
                raise fail("E160", f"the key {value.data.twice!r} stands twice", where=place, help=step)
            children = [Value(v, value.file, value.pointer(k)) for k, v in value.data.items()]
        elif isinstance(value.data, list):
            children = list(value.items())
        else:
            continue
        queue.extend((child, depth + 1) for child in children if isinstance(child.data, dict | list))


def _too_deep(file: str) -> LinnaeusError:
    return fail("E160", f"nested more than {_DEEPEST} deep", where=file, help="no ontology is: check the file")


@dataclass(slots=True)
class Tag:
    """An XML element and the line where it begins."""

    name: str
    attributes: dict[str, str]
    line: int
    file: str
    children: list[Tag] = field(default_factory=list)

    @property
    def where(self) -> str:
        """Its place, for losses."""
        return f"line {self.line}"

    def wrong(self, message: str, help: str | None = None) -> LinnaeusError:
        """E162 at this element, to raise."""
        return fail("E162", message, where=f"{self.file}, line {self.line}", help=help)

    def walk(self) -> Iterator[Tag]:
        """The element and all in it, in the order of the text."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_xml(path: Path) -> Tag:
    """The root element of an XML file. Text between tags is not kept.

    A document type is refused, and with it every entity that a file could define: no file is read and no text grows.

    Raises:
        LinnaeusError: E001 for a file that can't be read; E160 for what is not XML, has a document type or is too deep.
    """
    text = read_source(path).removeprefix("\ufeff")
    parser = expat.ParserCreate(encoding="utf-8")
    document = Tag("", {}, 0, str(path))
    stack = [document]

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(stack) > _DEEPEST:
            raise _too_deep(str(path))
        stack.append(Tag(name, attributes, parser.CurrentLineNumber, str(path)))
        stack[-2].children.append(stack[-1])

    def end(_: str) -> None:
        stack.pop()

    def doctype(*_: object) -> None:
        place = f"{path}, line {parser.CurrentLineNumber}"
        raise fail("E160", "a document type or entity in XML", where=place, help="delete the <!DOCTYPE …>")

    parser.StartElementHandler, parser.EndElementHandler, parser.StartDoctypeDeclHandler = start, end, doctype
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as e:
        message = f"not XML: {expat.ErrorString(e.code)}"
        raise fail("E160", message, where=f"{path}, line {e.lineno}, column {e.offset + 1}") from None
    return document.children[0]
