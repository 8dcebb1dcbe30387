"""Laying out text in lines of limited width: where groups of words break, and what comments force.

A group stands on one line if it fits, else all its own line breaks are taken (after Wadler 2003, A prettier printer).
Comments belong to the words they stand at: those before a word get lines of their own, the one after it ends its line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

WIDTH = 100
"""Columns that a line may fill, comments apart."""
INDENT = 4
"""Columns of one step of indentation."""
_BROKEN = 1 << 30  # the width of what can't stand on one line


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on a line of its own; `blank` says that a blank line stands after it."""

    text: str
    blank: bool


@dataclass(frozen=True, slots=True)
class Word:
    """Text that is never broken, with the comments on the lines before it and the one that ends its line."""

    text: str
    before: tuple[Comment, ...] = ()
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A place to break: `flat` is written where the group stays on one line, a blank line too where it does not."""

    flat: str = " "
    blank: bool = False


@dataclass(slots=True)
class Row:
    """Parts one after the other, with nothing between them; `indent` columns further in where they break.

    A row with `group` decides for its own line breaks; others break as the group around them does. `broken` breaks a
    group that would fit.
    """

    parts: list[Doc]
    group: bool = False
    broken: bool = False
    indent: int = 0
    width: int = field(init=False)
    leads: bool = field(init=False, default=False)  # whether a comment stands before its first word
    trails: bool = field(init=False, default=False)  # whether one ends its last word's line

    def __post_init__(self) -> None:
        total, trails = 0, False
        for i, part in enumerate(self.parts):
            width, leads, ends = _measure(part)
            total += _BROKEN if trails or (leads and i) else width
            trails = ends
            self.leads = self.leads or (leads and not i)
        self.trails = trails
        self.width = _BROKEN if self.broken else min(total, _BROKEN)


Doc: TypeAlias = Word | Line | Row


def _measure(doc: Doc) -> tuple[int, bool, bool]:
    """Width on one line, whether a comment stands before it, whether one ends it."""
    if isinstance(doc, Word):
        return len(doc.text), bool(doc.before), doc.after is not None
    if isinstance(doc, Line):
        return len(doc.flat), False, False
    return doc.width, doc.leads, doc.trails


def spaced(*parts: Doc) -> Doc:
    """Parts with a space between them."""
    return _join(parts, " ")


def glued(*parts: Doc) -> Doc:
    """Parts with nothing between them."""
    return _join(parts, "")


def _join(parts: tuple[Doc, ...], gap: str) -> Doc:
    """Words without a comment between them become one word."""
    joined: list[Doc] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(last, Word) and isinstance(part, Word) and last.after is None and not part.before:
            joined[-1] = Word(f"{last.text}{gap}{part.text}", last.before, part.after)
        else:
            if joined and gap:
                joined.append(Word(gap))
            joined.append(part)
    return joined[0] if len(joined) == 1 else Row(joined)


def render(doc: Doc) -> str:
    """The text of a document: no blank at the end of a line, no new line at the end."""
    return _Printer().print(doc)


@dataclass
class _Printer:
    out: list[str] = field(default_factory=list)
    column: int = 0
    indent: int = 0  # of the line that is begun
    fresh: bool = True  # nothing stands on the line yet
    ended: bool = False  # a comment ended the line

    def print(self, doc: Doc) -> str:
        stack: list[tuple[int, bool, Doc]] = [(0, False, doc)]
        while stack:
            indent, flat, top = stack.pop()
            if isinstance(top, Word):
                self.word(top, indent)
            elif isinstance(top, Line):
                if flat:
                    self.word(Word(top.flat), indent)
                else:
                    self.line(indent, top.blank)
            else:
                if top.group and not flat:
                    flat = top.width < _BROKEN and self.fits(top.width, stack)
                inner = indent + top.indent
                stack += [(inner, flat, part) for part in reversed(top.parts)]
        return "".join(self.out)

    def line(self, indent: int, blank: bool = False) -> None:
        """Go to a new line, if this one is not new."""
        if not self.fresh:
            if self.out[-1] == " ":
                self.out.pop()
            self.out.append("\n\n" if blank else "\n")
        self.fresh, self.ended, self.indent = True, False, indent

    def word(self, word: Word, indent: int) -> None:
        for comment in word.before:
            if not self.fresh:
                self.line(indent)
            self.out.append(" " * self.indent + comment.text)
            self.fresh = False
            self.line(self.indent, comment.blank)
        if not word.text or (word.text == " " and (self.fresh or self.ended)):
            return
        if self.ended:
            self.line(indent)
        if self.fresh:
            self.out.append(" " * self.indent)
            self.column = self.indent
            self.fresh = False
        self.out.append(word.text)
        self.column += len(word.text)
        if word.after is not None:
            self.out.append(f"  {word.after}")
            self.ended = True

    def fits(self, width: int, rest: list[tuple[int, bool, Doc]]) -> bool:
        """Whether so many columns, and what follows up to the next line break, have room on this line."""
        room = WIDTH - width - (self.indent if self.fresh else self.column)
        at = len(rest)
        stack: list[tuple[bool, Doc]] = []
        while room >= 0:
            if stack:
                flat, doc = stack.pop()
            elif at:
                at -= 1
                _, flat, doc = rest[at]
            else:
                return True
            if isinstance(doc, Row):
                stack += [(flat, part) for part in reversed(doc.parts)]
                continue
            if isinstance(doc, Line):
                if not flat:
                    return True
                room -= len(doc.flat)
            else:
                if doc.before:
                    return True
                room -= len(doc.text)
                if doc.after is not None:
                    return True
        return False
