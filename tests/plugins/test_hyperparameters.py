from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnaeus.errors import LinnaeusError
from linnaeus.plugins.hyperparameters import (
    Choices,
    Range,
    check_domain,
    check_value,
    fields_of,
    option,
    static,
    traced,
)


@dataclass(frozen=True)
class Net:
    path: str = option("where")
    width: int = static(16, "channels", search=(8, 16), legal=Range(1, 512))
    rate: float = traced(0.1, "learning rate", search=Range(1e-4, 1.0, log=True), legal=Range(0, 10))
    act: str = static("relu", "activation", legal=Choices(("relu", "gelu")))
    stem: Literal["small", "large"] = static("small", "the first layers")
    widths: tuple[int, ...] = static((64,), "units")
    limit: int | None = static(None, "a bound", legal=Range(1, 9))
    bias: bool = static(True, "whether")
    names: dict[str, int] = option("a mapping", default={"a": 1})  # noqa: RUF009  # it makes a field, not a value
    anything: Any = option("anything", default=None)  # noqa: RUF009  # it makes a field, not a value


F = {f.name: f for f in fields_of(Net)}


def test_fields_say_what_was_declared_in_order():
    assert list(F) == ["path", "width", "rate", "act", "stem", "widths", "limit", "bias", "names", "anything"]
    assert (F["width"].role, F["width"].default, F["width"].search) == ("static", 16, Choices((8, 16)))
    assert F["rate"].search == Range(1e-4, 1.0, log=True)
    assert [n for n in F if F[n].required] == ["path"]
    assert F["names"].default == {"a": 1}


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("width", 8, 8), ("rate", 1, 1.0), ("rate", 0.5, 0.5), ("act", "gelu", "gelu"), ("stem", "large", "large"),
        ("widths", [1, 2], (1, 2)), ("widths", [], ()), ("limit", None, None), ("limit", 9, 9), ("bias", False, False),
        ("names", {"x": 2}, {"x": 2}), ("anything", [1, {"a": None}], [1, {"a": None}]), ("path", "", ""),
    ],
)  # fmt: skip
def test_a_legal_value_comes_back_as_the_fields_type(field, value, expected):
    found = check_value(F[field], value, "here")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("width", 8.0, "E423"), ("width", True, "E423"), ("width", "8", "E423"), ("width", None, "E423"),
        ("width", 0, "E421"), ("width", 513, "E421"), ("rate", float("nan"), "E422"), ("rate", float("inf"), "E422"),
        ("rate", True, "E423"), ("rate", "1e-4", "E423"), ("rate", 10.5, "E421"), ("act", "rely", "E420"),
        ("act", 3, "E423"), ("stem", "smal", "E423"), ("widths", 3, "E423"), ("widths", [1, "2"], "E423"),
        ("limit", 10, "E421"), ("limit", 1.5, "E423"), ("bias", 1, "E423"), ("bias", "no", "E423"),
        ("names", {"x": "y"}, "E423"), ("path", 5, "E423"),
    ],
)  # fmt: skip
def test_an_illegal_value_is_refused_with_its_law_and_place(field, value, code):
    with pytest.raises(LinnaeusError) as e:
        check_value(F[field], value, "search.space.x")
    (found,) = e.value.diagnostics
    assert (found.code, found.where) == (code, "search.space.x")
    assert repr(value) in found.message or value is None or isinstance(value, list | dict)


def test_a_near_choice_is_named():
    with pytest.raises(LinnaeusError, match="did you mean 'relu'"):
        check_value(F["act"], "rely", "here")


@pytest.mark.parametrize(
    ("field", "domain", "expected"),
    [
        ("width", Range(1, 10), Range(1, 10)),
        ("width", Range(1, 10, step=4), Range(1, 9, step=4)),
        ("rate", Range(1, 2), Range(1.0, 2.0)),
        ("rate", Range(0.1, 1.0, step=0.3), Range(0.1, 1.0, step=0.3)),
        ("rate", Range(0.0, 1.0, step=0.3), Range(0.0, 0.9, step=0.3)),
        ("limit", Range(2, 4, log=True), Range(2, 4, log=True)),
        ("width", Choices((8, 16, 8)), Choices((8, 16))),
        ("width", Choices((8,)), 8),
        ("bias", Choices((True, False)), Choices((True, False))),
        ("widths", Choices(([8], [8, 8])), Choices(((8,), (8, 8)))),
    ],
)
def test_a_domain_comes_back_in_its_plain_form(field, domain, expected):
    found = check_domain(F[field], domain, "here")
    assert found == expected
    if isinstance(expected, Range):
        assert type(found.low) is type(expected.low)
        assert type(found.high) is type(expected.high)


@pytest.mark.parametrize(
    ("field", "domain", "code"),
    [
        ("width", Range(8, 8), "E427"), ("width", Range(9, 8), "E427"), ("rate", Range(0.0, 1.0, log=True), "E427"),
        ("rate", Range(0.1, 1.0, log=True, step=0.1), "E427"), ("rate", Range(0.0, 1.0, step=0.0), "E427"),
        ("width", Range(1, 5, step=9), "E427"), ("width", Range(1.5, 5), "E423"), ("width", Range(0, 5), "E421"),
        ("width", Range(1, 5, step=0.5), "E423"), ("rate", Range(0.0, 11.0), "E421"), ("rate", Range(None, 1), "E423"),
        ("act", Range(1, 2), "E426"), ("bias", Range(0, 1), "E426"), ("act", Choices(("relu", "x")), "E420"),
        ("width", Choices(()), "E425"), ("path", Choices(("a", "b")), "E424"), ("path", Range(1, 2), "E424"),
    ],
)  # fmt: skip
def test_a_domain_that_makes_no_sense_is_refused(field, domain, code):
    with pytest.raises(LinnaeusError) as e:
        check_domain(F[field], domain, "here")
    assert e.value.diagnostics[0].code == code


@given(st.floats(-100, 100), st.floats(0.001, 100), st.integers(1, 40))
def test_a_steps_last_value_is_the_highest_on_the_grid(low, step, count):
    field = fields_of(_Free)[0]
    high = low + step * (count + 0.5)
    found = check_domain(field, Range(low, high, step=step), "here")
    assert found.high <= high
    assert found.high > high - 1.001 * step


@dataclass(frozen=True)
class _Free:
    x: float = traced(0.0, "any number")
