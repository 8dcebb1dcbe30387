"""Writing the reports of one set of results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..errors import did_you_mean, fail
from ..search.results import Results, write_text
from .html import render_html
from .text import render_csv, render_latex, render_markdown

FORMATS: dict[str, tuple[str, Callable[[Results], str]]] = {
    "html": ("index.html", render_html),
    "markdown": ("report.md", render_markdown),
    "csv": ("leaderboard.csv", render_csv),
    "latex": ("leaderboard.tex", render_latex),
}


def write_reports(results: Results, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write each format in `folder`, and return the files in the order asked.

    Raises:
        LinnaeusError: E620 no such format, E621 the folder can't be written.
    """
    for name in formats:
        if name not in FORMATS:
            step = did_you_mean(name, list(FORMATS), plural="formats")
            raise fail("E620", f"there is no report format {name!r}", where="report.formats", help=step)
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in dict.fromkeys(formats):
            file, render = FORMATS[name]
            write_text(folder / file, render(results))
            written.append(folder / file)
    except OSError as e:
        raise fail("E621", f"can't write {e.filename or folder}: {e.strerror}", help="choose another --out") from e
    return written
