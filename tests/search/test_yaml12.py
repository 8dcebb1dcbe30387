import contextlib
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from linnaeus.errors import LinnaeusError
from linnaeus.search.yaml12 import Node, dump, parse

# YAML 1.2.2, section 10.3.2, and its neighbours in 1.1
SCALARS = [
    ("", None),
    ("~", None),
    ("null", None),
    ("Null", None),
    ("NULL", None),
    ("nULL", "nULL"),
    ("true", True),
    ("True", True),
    ("FALSE", False),
    ("yes", "yes"),
    ("no", "no"),
    ("on", "on"),
    ("off", "off"),
    ("y", "y"),
    ("0", 0),
    ("-19", -19),
    ("+1", 1),
    ("010", 10),
    ("0o17", 15),
    ("0x3A", 58),
    ("0b11", "0b11"),
    ("1_000", "1_000"),
    ("12:30", "12:30"),
    ("0.", 0.0),
    ("-0.0", -0.0),
    (".5", 0.5),
    ("1e-4", 1e-4),
    ("+12e03", 12000.0),
    ("-2E+05", -200000.0),
    (".inf", math.inf),
    ("-.Inf", -math.inf),
    ("+.INF", math.inf),
    ("inf", "inf"),
    (".", "."),
    ("e5", "e5"),
    ("2001-01-01", "2001-01-01"),
    ("=", "="),
    ("'1'", "1"),
    ('"null"', "null"),
    ("a # comment", "a"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_a_scalar_has_the_value_of_the_core_schema(text, value):
    found = parse(f"k: {text}\n", "f").value["k"].value
    assert found == value
    assert type(found) is type(value)


def test_nan_is_a_number():
    assert all(math.isnan(parse(text, "f").value) for text in (".nan", ".NaN", ".NAN"))


def test_a_number_of_very_many_digits_is_refused_by_no_traceback():
    assert isinstance(parse("9" * 10_000, "f").value, int | float | str)


def test_keys_are_texts_as_written():
    assert parse("{0: a, 1e-4: b, true: c, no: d, null: e, '': f}", "f").plain == {
        "0": "a", "1e-4": "b", "true": "c", "no": "d", "null": "e", "": "f",
    }  # fmt: skip


def test_every_value_has_its_place_and_path():
    tree = parse("a:\n  b: [x, {c: 1}]\n'd e': |\n  text\n", "f")
    found = {}

    def walk(node: Node):
        found[node.path] = (node.span.line, node.span.column)
        children = node.value.values() if isinstance(node.value, dict) else node.value
        for child in children if isinstance(node.value, dict | list) else ():
            walk(child)

    walk(tree)
    assert found == {
        "": (1, 1), "a": (2, 3), "a.b": (2, 6), "a.b[0]": (2, 7), "a.b[1]": (2, 10), "a.b[1].c": (2, 14), "d e": (3, 8),
    }  # fmt: skip
    assert tree.keys["d e"].line == 3


def test_anchors_share_values_at_paths_of_their_own():
    tree = parse("a: &x {n: 1}\nb: *x\n", "f")
    assert tree.plain == {"a": {"n": 1}, "b": {"n": 1}}
    assert tree.value["b"].value["n"].path == "b.n"


BOMB = "a: &a [1,1,1,1,1,1,1,1,1,1]\n" + "\n".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]" for i in range(7)
)

REFUSED = [
    ("a: 1\nb: {c: 1, c: 2}\na: 2\n", [("E302", 2, 11, "b.c"), ("E302", 3, 1, "a")]),
    ("a: !!str 5", [("E303", 1, 4, None)]),
    ("a: !mine 5", [("E303", 1, 4, None)]),
    ("a: &x [*x]", [("E303", 1, 4, "a[0]")]),
    (BOMB, [("E303", 1, 26, None)]),
    ("[" * 3000, [("E303", 1, 65, None)]),
    ("a: b: c", [("E301", 1, 5, None)]),
    ("a:\n\t- b", [("E301", 2, 1, None)]),
    ("ok: 1\nx: \x01", [("E301", 2, 4, None)]),
    ("a: [1, 2", [("E301", 1, 9, None)]),
    ("a: 'x", [("E301", 1, 6, None)]),
    ("a: *nowhere", [("E301", 1, 4, None)]),
    ("--- 1\n--- 2", [("E301", 2, 1, None)]),
    ("? [a]\n: 2", [("E301", 1, 3, None)]),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_what_is_refused_is_refused_at_its_place(text, expected):
    with pytest.raises(LinnaeusError) as e:
        parse(text, "f.yaml")
    found = [(d.code, d.span.line, d.span.column, d.where) for d in e.value.diagnostics]
    for (code, line, column, where), got in zip(expected, found, strict=True):
        assert got[:3] == (code, line, column)
        assert where is None or got[3] == where
    assert "^" in e.value.render()


def test_an_empty_text_is_a_null():
    assert parse("# nothing\n", "f").value is None


DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(
        [text for text, _ in SCALARS]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(DATA)
def test_what_is_written_reads_back_here_and_in_readers_of_yaml_11(data):
    text = dump(data)
    assert _same(parse(text, "f").plain, data)
    assert _same(yaml.safe_load(text), data)


def _same(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return type(a) is type(b) and a == b


@given(st.text(alphabet="ab:-[]{},&*!|>'\"%@#? \n\t0.e~", max_size=60))
def test_no_text_gives_a_traceback(text):
    with contextlib.suppress(LinnaeusError):
        assert dump(parse(text, "f").plain)
