"""`linnaeus init`: a starter study that runs as it stands."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Write a starter study that runs as it stands.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--example", default="digits", show_default=True, help="Which example to start from.")
def init(folder: Path, example: str) -> None:
    """Write a starter study (an ontology and a study file) into FOLDER."""
    from .. import api

    written = api.init_study(folder, example=example)
    for path in written:
        click.echo(f"wrote {path}")
    readme = folder / "README.md"
    first = f"get the data as {readme} says, then: " if readme in written else ""
    click.echo(f"next: {first}linnaeus run {folder / 'study.yaml'}")
