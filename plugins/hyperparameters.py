"""Hyperparameters as typed fields: range, meaning and kind declared once.

A plugin is a frozen dataclass. Its fields, made by `static`, `traced` and `option`, give the search space, the
checks of a study file, `linnaeus plugins show` and the documentation.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import did_you_mean, fail

Role = Literal["static", "traced", "option"]


@dataclass(frozen=True, slots=True)
class Range:
    """An interval to search, both ends included; `log` for a log scale, `step` for a grid."""

    low: float
    high: float
    log: bool = False
    step: float | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """A finite set to search."""

    values: tuple[Any, ...]


Domain = Range | Choices


@dataclass(frozen=True, slots=True)
class Field:
    """One hyperparameter as declared.

    `role`: `static` changes shapes or the program; `traced` is a number fed to the compiled program; `option`
    is a setting that is never searched. `legal` bounds what a study may say; `search` is the plugin's own range
    (None: fixed
    at its default unless a study says otherwise).
    """

    name: str
    type: Any
    role: Role
    default: Any
    doc: str
    legal: Domain | None
    search: Domain | None

    @property
    def required(self) -> bool:
        """Whether a study must give it."""
        return self.default is dataclasses.MISSING


def static(
    default: Any, doc: str, *, search: tuple[Any, ...] | Range | None = None, legal: Domain | None = None
) -> Any:
    """A field that changes shapes or the program (depth, width). `search` is its own range."""
    return _declare("static", default, doc, search, legal)


def traced(
    default: float, doc: str, *, search: tuple[Any, ...] | Range | None = None, legal: Domain | None = None
) -> Any:
    """A number fed to the compiled program (learning rate, weight decay): one program serves all its values."""
    return _declare("traced", default, doc, search, legal)


def option(doc: str, *, default: Any = dataclasses.MISSING, legal: Domain | None = None) -> Any:
    """A setting that is never searched, such as a data set's path; required when it has no default."""
    return _declare("option", default, doc, None, legal)


def _declare(role: Role, default: Any, doc: str, search: Any, legal: Domain | None) -> Any:
    domain = Choices(tuple(search)) if isinstance(search, tuple | list) else search
    metadata = {"role": role, "doc": doc, "search": domain, "legal": legal}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    if isinstance(default, dict | list):
        made = default
        return dataclasses.field(default_factory=lambda: type(made)(made), metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def fields_of(plugin: type) -> tuple[Field, ...]:
    """The declared hyperparameters of a plugin class, in order."""
    hints = typing.get_type_hints(plugin)
    found = []
    for f in dataclasses.fields(plugin):
        default = f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default
        m = f.metadata
        found.append(Field(f.name, hints[f.name], m["role"], default, m["doc"], m["legal"], m["search"]))
    return tuple(found)


def check_value(field: Field, value: Any, where: str) -> Any:
    """`value` as the field's type, or a `LinnaeusError` that states the law, the value and the place (`where`)."""
    value = _coerce(field.type, value, where)
    legal = field.legal
    if isinstance(legal, Choices) and value not in legal.values:
        known = [str(v) for v in legal.values]
        raise fail(
            "E420", f"{value!r} is not one of {', '.join(known)}", where=where, help=did_you_mean(str(value), known)
        )
    if isinstance(legal, Range) and not (legal.low <= value <= legal.high):
        raise fail("E421", f"{value!r} is outside {legal.low:g} … {legal.high:g}", where=where, help=field.doc)
    return value


def _coerce(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is float and isinstance(value, float) and not math.isfinite(value):
        raise fail("E422", f"{value!r} is not a finite number", where=where)
    if _fits(kind, value):
        return value
    raise fail("E423", f"{type_name(kind)} expected, not {type_name(type(value))} ({value!r})", where=where)


def _fits(kind: Any, value: Any) -> bool:
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(k, value) for k in typing.get_args(kind))
    if origin is Literal:
        return value in typing.get_args(kind)
    if kind is type(None) or kind is None:
        return value is None
    base = origin or kind
    if base is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if base is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, base)


def type_name(kind: Any) -> str:
    """A type in the words of a study file's author."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return " or ".join(type_name(k) for k in typing.get_args(kind))
    if typing.get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, typing.get_args(kind)))
    names: dict[Any, str] = {
        int: "a whole number", float: "a number", str: "a text", bool: "true or false",
        dict: "a mapping", list: "a list", tuple: "a list", type(None): "nothing",
    }  # fmt: skip
    return names.get(typing.get_origin(kind) or kind, getattr(kind, "__name__", str(kind)))
