"""`linnaeus report`: make the report of one run again, or one board of several."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Write a run's report again, or one of several.")
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the report (default: RUN/report).",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["html", "markdown", "csv", "latex"]),
    help="May be repeated (default: the study's).",
)
def report(runs: tuple[Path, ...], out: Path | None, formats: tuple[str, ...]) -> None:
    """Write the report of RUN again from its results, or one leaderboard of several on the same test split."""
    from .. import api

    if len(runs) > 1 and out is None:
        raise click.UsageError("several runs make one board: say where with --out DIR")
    for path in api.report(runs, out=out, formats=formats or None):
        click.echo(f"wrote {path}")
