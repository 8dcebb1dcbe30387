"""Places in a text: the language's code points from 1, and the protocol's units from 0."""

from __future__ import annotations

from typing import Literal, TypeAlias

Encoding: TypeAlias = Literal["utf-8", "utf-16", "utf-32"]
"""What a column of the protocol counts; UTF-16 code units unless client and server agree on another."""


class Lines:
    """The lines of a text as the language and the protocol both see them: they end at LF, CRLF or CR.

    A byte order mark is no column for the language, but is one for an editor that keeps it.
    """

    def __init__(self, text: str, encoding: Encoding = "utf-16"):
        self.rows = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.encoding: Encoding = encoding
        self._mark = int(text.startswith("\ufeff"))

    def to_protocol(self, line: int, column: int) -> tuple[int, int]:
        """Line and character from 0 for a line and column from 1; the column stops at the line's end."""
        if line > len(self.rows):
            return len(self.rows) - 1, self._units(self.rows[-1])
        row = self.rows[line - 1]
        return line - 1, self._units(row[: max(column - 1, 0) + (self._mark if line == 1 else 0)])

    def from_protocol(self, line: int, character: int) -> tuple[int, int]:
        """Line and column from 1 for a line and character from 0; past a line's end it is the end.

        A character inside a pair of code units is the one after it.
        """
        if line >= len(self.rows):
            line, character = len(self.rows) - 1, 1 << 60
        row = self.rows[line]
        if row.isascii() or self.encoding == "utf-32":
            column = min(character, len(row))
        else:
            units = column = 0
            while units < character and column < len(row):
                units += self._units(row[column])
                column += 1
        return line + 1, max(column - (self._mark if line == 0 else 0), 0) + 1

    def end(self) -> tuple[int, int]:
        """Line and character from 0 of the end of the text."""
        return len(self.rows) - 1, self._units(self.rows[-1])

    def _units(self, text: str) -> int:
        if self.encoding == "utf-32" or text.isascii():
            return len(text)
        if self.encoding == "utf-8":
            return len(text.encode("utf-8", "surrogatepass"))
        return len(text) + sum(c > "\uffff" for c in text)
