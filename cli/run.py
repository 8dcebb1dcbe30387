"""`linnaeus run`: a study from its file to its report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


@click.command(short_help="Run a study to its report, or resume it.")
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The run folder (default: runs/NAME).")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a key: search.budget.trials=8.")
@click.option("--dry-run", is_flag=True, help="Show what would happen, with a contact sheet; train nothing.")
@click.option("--fork", is_flag=True, help="Where the folder holds another study, start one beside it.")
def run(study: Path, out: Path | None, overrides: tuple[str, ...], dry_run: bool, fork: bool) -> None:
    """Run STUDY (a YAML file). The same command again resumes it."""
    from .. import api

    if dry_run:
        click.echo(api.dry_run(study, out=out, overrides=overrides))
        return
    finished = api.run_study(study, out=out, overrides=overrides, fork=fork, progress=True)
    click.echo(_closing(finished))


def _closing(finished: Any) -> str:
    lines = [finished.board]
    lines += [f"also: {path}" for path in finished.reports[1:]]
    lines.append(f"report: {finished.reports[0]}" if finished.reports else f"results: {finished.run / 'results.json'}")
    return "\n".join(lines)
