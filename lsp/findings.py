"""What was found in a file, each finding with its place in that file: an editor shows one file's findings at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..dsl.files import Files
from ..dsl.load import Checked
from ..dsl.outline import Outline
from ..dsl.syntax import From, ImportNode
from ..errors import Diagnostic, Span

MAX_RELATED = 20
"""How many mistakes of an imported file stand with the error at its import."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic and where to show it; `related` are those in other files that are its cause or its true place."""

    found: Diagnostic
    span: Span
    related: tuple[Diagnostic, ...] = ()


def findings(file: str, checked: Checked) -> list[Finding]:
    """The findings of a file, in the order of the text.

    Mistakes in an imported file go with the error at its import (E122). Another finding elsewhere, such as a row of a
    taxonomy, or an imported class that a rule of this file rules out, stands where that other file is named.
    """
    start = Span(file, 1, 1, 1, 1)
    named = dict(named_files(checked.outline)) if checked.outline else {}
    mine = [d for d in checked.diagnostics if d.span is None or d.span.file == file]
    causes: dict[Span | None, list[Diagnostic]] = {d.span: [] for d in mine if d.code == "E122"}
    shown = []
    for d in checked.diagnostics:
        if d.span is None or d.span.file == file:
            continue
        span = named.get(str(Path(d.span.file).resolve()), next(iter(named.values()), start))
        if d.severity == "error" and span in causes:
            causes[span].append(d)
        else:
            shown.append(Finding(d, span, (d,)))
    shown += [Finding(d, d.span or start, tuple(causes.get(d.span, ())[:MAX_RELATED])) for d in mine]
    return sorted(shown, key=lambda f: (f.span.line, f.span.column))


def named_files(outline: Outline) -> Iterator[tuple[str, Span]]:
    """The imports and taxonomies that a file names, by absolute path, with where it does."""
    file = outline.document.file
    for node in outline.document.declarations:
        if isinstance(node, ImportNode):
            yield str(Files.beside(file, node.path.value).resolve()), node.path.span
    for group in outline.own:
        for modifier in group.node.modifiers:
            if isinstance(modifier, From):
                yield str(Files.beside(file, modifier.path.value).resolve()), modifier.path.span
