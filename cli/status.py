"""`linnaeus status`: how a run stands, from another terminal."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Say how a run stands.")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def status(run: Path, form: str) -> None:
    """Say how RUN stands: trials done and asked for, their states, the best so far."""
    import json

    from .. import api

    found = api.study_status(run)
    if form == "json":
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    click.echo(found["summary"])
