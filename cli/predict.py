"""`linnaeus predict`: a trained model's answers in the ontology's terms."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(short_help="Classify images with a run's model.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--contender", help="Which row of the leaderboard (default: the best on validation).")
@click.option("--seed", type=int, help="Which of its retrainings (default: the first).")
def predict(run: Path, images: tuple[Path, ...], contender: str | None, seed: int | None) -> None:
    """Classify IMAGES with a model of the finished RUN: one JSON object a line."""
    from .. import api

    for answer in api.predict(run, images, contender=contender, seed=seed):
        click.echo(json.dumps(answer, ensure_ascii=False))
