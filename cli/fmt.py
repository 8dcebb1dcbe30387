"""`linnaeus fmt`: ontology files in their canonical layout."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from ..dsl.fmt import format_text
from ..dsl.source import decode, read_source, refuse_other_kinds
from ..errors import LinnaeusError, fail
from .writing import replace_file

STANDARD_INPUT = Path("-")


@click.command(short_help="Lay out ontology files in the canonical way.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
def fmt(files: tuple[Path, ...], check: bool, diff: bool) -> None:
    """Lay out ontology files (.onto) in the canonical way; a folder stands for all such files in it, - for the standard
    input, whose layout goes to the standard output.

    What a file means never changes, nor do its comments. A file that can't be read is left alone. Exit codes: 0 done;
    1 a file has errors or, with --check, would change.
    """
    results = [_format(path) for path in dict.fromkeys(_expand(files))]
    writes = not check and not diff
    for result in results:
        _tell(result, writes=writes, diff=diff)
    if files != (STANDARD_INPUT,):
        click.echo(_summary(results, writes=writes), err=True)
    if any(result.error for result in results) or (check and any(result.changed for result in results)):
        raise click.exceptions.Exit(1)


@dataclass
class _Result:
    path: Path
    before: str = ""
    after: str = ""
    error: LinnaeusError | None = None

    @property
    def name(self) -> str:
        return "<stdin>" if self.path == STANDARD_INPUT else str(self.path)

    @property
    def changed(self) -> bool:
        return self.before != self.after


def _expand(files: tuple[Path, ...]) -> Iterator[Path]:
    """The files, with those in folders in place of the folders."""
    for path in files:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(p for p in path.rglob("*.onto") if p.is_file() and not _hidden(p.relative_to(path)))
        if not inside:
            raise fail("E173", f"no .onto file is in the folder {path}", help="name another folder, or files")
        yield from inside


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _format(path: Path) -> _Result:
    result = _Result(path)
    try:
        if path == STANDARD_INPUT:
            result.before = decode(sys.stdin.buffer.read(), result.name)
        else:
            refuse_other_kinds(path)
            result.before = read_source(path)
        result.after = format_text(result.before, result.name)
    except LinnaeusError as error:
        result.error, result.after = error, result.before
    return result


def _tell(result: _Result, *, writes: bool, diff: bool) -> None:
    """Write one file, and say what was done, or would be."""
    if result.error is None and writes:
        try:
            _write(result)
        except LinnaeusError as error:
            result.error = error
    if result.error is not None:
        click.echo(f"{result.error.render()}\n\n{result.name}: left as it was", err=True)
    elif diff:
        click.echo(_diff(result), nl=False)
    elif result.changed and (result.path != STANDARD_INPUT or not writes):
        click.echo(f"{result.name}: {'formatted' if writes else 'would be formatted'}")


def _summary(results: list[_Result], *, writes: bool) -> str:
    wrong = sum(result.error is not None for result in results)
    changed = sum(result.error is None and result.changed for result in results)
    same = len(results) - wrong - changed
    counts = ((changed, "formatted" if writes else "to format"), (same, "in order"), (wrong, "not formatted"))
    return ", ".join(f"{n} file{'s'[: n != 1]} {what}" for n, what in counts if n)


def _write(result: _Result) -> None:
    if result.path == STANDARD_INPUT:
        click.echo(result.after.encode(), nl=False)
    elif result.changed:
        replace_file(result.path, result.after)


def _diff(result: _Result) -> str:
    """What would change, as patch reads it."""
    before, after = (text.splitlines(keepends=True) for text in (result.before, result.after))
    lines = difflib.unified_diff(before, after, result.name, f"{result.name} (formatted)")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
