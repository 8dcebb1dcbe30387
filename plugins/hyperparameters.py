"""Hyperparameters as typed fields: range, meaning and kind declared once.

A plugin is a frozen dataclass. Its fields, made by `static`, `traced` and `option`, give the search space, the
checks of a study file, `linnaeus plugins show` and the documentation.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
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

    `role`: `static` changes shapes or the program; `traced` is a number fed to the compiled program; `option` is a
    setting that is never searched. `legal` bounds what a study may say; `search` is the plugin's own range (None: fixed
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
    """`value` as the field's type (a list becomes a tuple where the field wants one).

    Raises:
        LinnaeusError: E420 not among the legal choices, E421 outside the legal range, E422 not finite, E423 wrong
            type; each states the law, the value and the place (`where`).
    """
    value = _coerce(field.type, value)
    if not _fits(field.type, value):
        raise fail("E423", f"{type_name(field.type)} expected, not {_shown(value)}", where=where, help=field.doc)
    if isinstance(value, float) and not math.isfinite(value):
        raise fail("E422", f"{value!r} is not a finite number", where=where, help=field.doc)
    legal = field.legal
    if isinstance(legal, Choices) and not _among(value, legal.values):
        known = [str(v) for v in legal.values]
        step = did_you_mean(str(value), known, plural="values")
        raise fail("E420", f"{value!r} is not one of {', '.join(known)}", where=where, help=step)
    if isinstance(legal, Range) and _is_number(value) and not legal.low <= value <= legal.high:
        raise fail("E421", f"{value!r} is outside {legal.low:g} … {legal.high:g}", where=where, help=field.doc)
    return value


def check_domain(field: Field, domain: Domain, where: str) -> Any:
    """`domain` in its plain form for this field, each value checked as `check_value` does.

    Whole-number fields get whole bounds; a `high` off the step's grid comes down to it; equal choices are merged, and a
    single one is that fixed value.

    Raises:
        LinnaeusError: as `check_value`, and E424 an option, which is never searched; E425 no choices; E426 a range of a
            field that is no number; E427 bounds, log or step that make no range.
    """
    if field.role == "option":
        raise fail("E424", f"{field.name!r} is a setting: it is never searched", where=where, help="give one value")
    if isinstance(domain, Choices):
        values: list[Any] = []
        for value in domain.values:
            checked = check_value(field, value, where)
            if not _among(checked, tuple(values)):
                values.append(checked)
        if not values:
            raise fail("E425", "there is nothing to choose from", where=where, help="list at least one value")
        return values[0] if len(values) == 1 else Choices(tuple(values))
    return _check_range(field, domain, where)


def _check_range(field: Field, domain: Range, where: str) -> Range:
    members = _members(field.type)
    if int not in members and float not in members:
        message = f"{field.name!r} is {type_name(field.type)}, which has no range"
        raise fail("E426", message, where=where, help="search it by {choices: [...]}")
    whole = float not in members
    number = replace(field, type=int if whole else float)
    low, high = (check_value(number, v, where) for v in (domain.low, domain.high))
    if low >= high:
        raise fail("E427", f"low {low:g} is not below high {high:g}", where=where)
    if domain.log and low <= 0:
        raise fail("E427", f"a log scale needs low above 0, not {low:g}", where=where)
    if domain.step is None:
        return Range(low, high, domain.log)
    step = check_value(replace(number, legal=None), domain.step, where)
    if domain.log or not 0 < step <= high - low:
        law = "a log scale takes no step" if domain.log else f"step {step:g} is not in 0 … high − low"
        raise fail("E427", law, where=where)
    count = int((Decimal(str(high)) - Decimal(str(low))) // Decimal(str(step)))
    top = Decimal(str(low)) + count * Decimal(str(step))
    return Range(low, int(top) if whole else float(top), step=step)


def _members(kind: Any) -> tuple[Any, ...]:
    return typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)


def takes_list(field: Field) -> bool:
    """Whether a field's values are lists."""
    return any((typing.get_origin(m) or m) in (tuple, list) for m in _members(field.type))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _among(value: Any, values: tuple[Any, ...]) -> bool:
    """Whether `value` is one of `values`, where True is not 1."""
    return any(value == v and isinstance(value, bool) == isinstance(v, bool) for v in values)


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"{type_name(type(value))} ({value!r})"


def _coerce(kind: Any, value: Any) -> Any:
    members = _members(kind)
    if isinstance(value, int) and not isinstance(value, bool) and float in members and int not in members:
        return float(value)
    if isinstance(value, list) and any((typing.get_origin(m) or m) is tuple for m in members):
        return tuple(value)
    return value


def _fits(kind: Any, value: Any) -> bool:
    if kind is Any:
        return True
    members, origin = _members(kind), typing.get_origin(kind)
    if len(members) > 1:
        return any(_fits(k, value) for k in members)
    if origin is Literal:
        return _among(value, typing.get_args(kind))
    if kind is None:
        return value is None
    if kind is float:
        return _is_number(value)
    if kind is int:
        return _is_number(value) and isinstance(value, int)
    return isinstance(value, origin or kind) and _items_fit(typing.get_args(kind), value)


def _items_fit(kinds: tuple[Any, ...], value: Any) -> bool:
    """Whether the items of a list, tuple or mapping have the types its annotation names."""
    if not kinds:
        return True
    if isinstance(value, Mapping):
        return all(_fits(kinds[0], k) and _fits(kinds[1], v) for k, v in value.items())
    if isinstance(value, tuple) and Ellipsis not in kinds:
        return len(value) == len(kinds) and all(map(_fits, kinds, value))
    return all(_fits(kinds[0], item) for item in value)


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
