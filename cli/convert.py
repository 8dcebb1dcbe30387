"""`linnaeus convert`: ontologies from and to other formats."""

from __future__ import annotations

import os
from pathlib import Path

import click

from ..dsl.convert.conversion import read_as_text, write_as
from ..dsl.convert.formats import FORMATS, Format, Loss, Written, find_format, guess_destination, guess_source
from ..errors import fail

ONTO = "onto"
NAMES = [ONTO, *FORMATS]


@click.command(short_help="Convert an ontology from or to another format.", epilog=f"Formats: {', '.join(NAMES)}.")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("dest", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--from", "source_format", metavar="FORMAT", help="The format of SOURCE (by its name and content).")
@click.option("--to", "dest_format", metavar="FORMAT", help="The format of DEST (by its name).")
@click.option("--strict", is_flag=True, help="Write nothing, and exit with 1, where something would be lost.")
@click.option("--force", is_flag=True, help="Write over existing files.")
def convert(
    source: Path, dest: Path, source_format: str | None, dest_format: str | None, strict: bool, force: bool
) -> None:
    """Convert SOURCE to DEST; one of the two is an ontology file (.onto), the other is in another format.

    DEST may be - for the standard output. What the other side can't say is listed on the standard error.
    """
    read_format, write_format = _formats(source, dest, source_format, dest_format)
    if read_format is not None:
        text, losses = read_as_text(source, read_format, str(dest))
        written = Written(text, losses)
    else:
        assert write_format is not None  # one of the two is
        written = write_as(source, write_format)
    _tell(written.losses, source)
    if strict and written.losses:
        click.echo(f"nothing is written to {dest}: --strict", err=True)
        raise click.exceptions.Exit(1)
    _put(written.text, dest, force)


def _formats(
    source: Path, dest: Path, source_format: str | None, dest_format: str | None
) -> tuple[Format | None, Format | None]:
    """The format of the side that is no ontology file; None for the other side."""
    reads = source_format == ONTO or (source_format is None and source.suffix == ".onto")
    writes = dest_format == ONTO or (dest_format is None and dest.suffix == ".onto")
    if not reads and not writes and dest_format is None and str(dest) == "-":
        writes = True
    if reads and writes:
        step = "`linnaeus fmt` writes an ontology in its canonical form; name the other format with --to"
        raise fail("E161", f"{source} and {dest} are both ontologies", help=step)
    if not reads and not writes:
        step = "one side of a conversion is an ontology: convert to a .onto file first, then from it"
        raise fail("E161", f"neither {source} nor {dest} is an ontology", help=step)
    if writes:
        return (guess_source(source) if source_format is None else find_format(source_format)), None
    return None, (guess_destination(dest) if dest_format is None else find_format(dest_format))


def _tell(losses: list[Loss], source: Path) -> None:
    """Say what is lost: each kind of thing once, with all its places."""
    if not losses:
        return
    places: dict[str, list[str]] = {}
    for loss in losses:
        places.setdefault(loss.what, []).append(loss.where)
    things = "1 thing is" if len(losses) == 1 else f"{len(losses):,} things are"
    click.echo(f"{source}: {things} not said in the result", err=True)
    for what, where in places.items():
        click.echo(f"  {what}", err=True)
        for place in where:
            click.echo(f"    {place}", err=True)


def _put(text: str | dict[str, str], dest: Path, force: bool) -> None:
    """Write a text, or the files of a folder; E164, and nothing written, for what exists already."""
    if str(dest) == "-":
        for name, part in {"": text}.items() if isinstance(text, str) else text.items():
            click.echo(f"{name}\n" * bool(name) + part, nl=False)
        return
    files = {dest: text} if isinstance(text, str) else {dest / name: part for name, part in text.items()}
    there = [path for path in files if path.exists() and not (path.is_dir() and not files[path])]
    if there and not force:
        more = f", and {len(there) - 1} more files" if len(there) > 1 else ""
        raise fail("E164", f"{there[0]} exists{more}", help="choose another name, or write over it with --force")
    folders = [dest / name for name in text if name.endswith("/")] if isinstance(text, dict) else []
    try:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        for path, part in files.items():
            if path not in folders:
                path.parent.mkdir(parents=True, exist_ok=True)
                _replace(path, part)
    except OSError as e:
        raise fail("E164", f"can't write {e.filename or dest}: {e.strerror}", help="check the path") from None


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
