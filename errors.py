"""What can go wrong, said once: a diagnostic with its place and its next step.

Ontology files, study files, data and runs all report through `Diagnostic`;
the terminal, JSON output and editors render the same objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source file. Lines and columns count from 1; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: the law and the value (`message`), the place, the next step (`help`).

    `code` is stable: `E…` for errors, `W…` for warnings, `I…` for what is worth knowing.
    `where` names a place that has no text span, such as a record or a YAML key path.
    """

    code: str
    message: str
    severity: Severity = "error"
    span: Span | None = None
    where: str | None = None
    help: str | None = None

    def render(self, source: str | None = None) -> str:
        """The diagnostic as text, with the source line and a caret where `source` is given."""
        lines = [f"{self.severity}[{self.code}]: {self.message}"]
        if self.span is not None:
            lines.append(f"  --> {self.span.file}:{self.span.line}:{self.span.column}")
            lines.extend(_excerpt(self.span, source))
        if self.where is not None:
            lines.append(f"  in {self.where}")
        if self.help is not None:
            lines.append(f"  help: {self.help}")
        return "\n".join(lines)


def _excerpt(span: Span, source: str | None) -> list[str]:
    rows = [] if source is None else source.splitlines()
    if not 1 <= span.line <= len(rows):
        return []
    row = rows[span.line - 1].expandtabs(1)
    if len(row) > 160:
        row = row[:157] + "..."
    last = span.end_column if span.end_line == span.line else len(row) + 1
    caret = " " * (span.column - 1) + "^" * max(1, min(last, len(row) + 1) - span.column)
    margin = " " * len(str(span.line))
    return [f" {margin} |", f" {span.line} | {row}", f" {margin} | {caret[:200]}"]


class LinnaeusError(Exception):
    """A mistake in what the user gave: an ontology, a study, data, a run or a plugin.

    The command line prints its diagnostics and exits with 1; it is never shown as a traceback.
    """

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic], sources: dict[str, str] | None = None):
        found = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = found
        self.sources: dict[str, str] = sources or {}
        super().__init__(self.render())

    def render(self) -> str:
        """All diagnostics as text, in order."""
        texts = (d.render(self.sources.get(d.span.file) if d.span else None) for d in self.diagnostics)
        return "\n\n".join(texts)


def fail(code: str, message: str, *, where: str | None = None, help: str | None = None) -> LinnaeusError:
    """A `LinnaeusError` of one diagnostic, to raise."""
    return LinnaeusError(Diagnostic(code, message, where=where, help=help))


def did_you_mean(name: str, known: Sequence[str], *, plural: str = "names") -> str:
    """The next step after an unknown name: the nearest known ones, else all of them, cut at 12."""
    folded = {k.casefold(): k for k in known}
    near = [folded[k] for k in get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.6)]
    if near:
        return f"did you mean {' or '.join(repr(k) for k in near)}?"
    if not known:
        return f"there are no {plural}"
    listed = ", ".join(sorted(known)[:12])
    more = f" and {len(known) - 12} more" if len(known) > 12 else ""
    return f"known {plural}: {listed}{more}"
