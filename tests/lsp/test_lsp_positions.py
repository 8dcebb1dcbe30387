from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnaeus.lsp.positions import Lines

ROWS = st.lists(st.text(st.sampled_from("ab é棕🌳\u2028\x0c\U0010ffff"), max_size=6), min_size=1, max_size=4)
CODECS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


@pytest.mark.parametrize("encoding", CODECS)
@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n", "\r"]))
def test_columns_are_those_of_the_codec_and_back(encoding, rows, end) -> None:
    codec, size = CODECS[encoding]
    lines = Lines(end.join(rows), encoding)
    for line, row in enumerate(rows, 1):
        for column in range(1, len(row) + 2):
            units = len(row[: column - 1].encode(codec)) // size
            assert lines.to_protocol(line, column) == (line - 1, units)
            assert lines.from_protocol(line - 1, units) == (line, column)


def test_beyond_the_text_is_its_end() -> None:
    lines = Lines("a\n🌳b")
    assert lines.from_protocol(0, 99) == (1, 2)
    assert lines.from_protocol(1, 99) == lines.from_protocol(7, 0) == (2, 3)
    assert lines.to_protocol(9, 1) == lines.to_protocol(2, 99) == lines.end() == (1, 3)


def test_inside_a_pair_of_code_units_is_after_it() -> None:
    assert Lines("🌳b").from_protocol(0, 1) == (1, 2)


def test_a_byte_order_mark_is_a_column_for_the_editor_alone() -> None:
    lines = Lines("\ufeffab\ncd")
    assert lines.to_protocol(1, 1) == (0, 1)
    assert lines.from_protocol(0, 1) == lines.from_protocol(0, 0) == (1, 1)
    assert lines.to_protocol(2, 1) == (1, 0)
