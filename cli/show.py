"""`linnaeus show`: an ontology as a tree."""

from __future__ import annotations

from pathlib import Path

import click

from ..dsl.load import load_ontology
from ..dsl.show import render_tree


@click.command(short_help="Show an ontology as a tree.")
@click.argument("spec", type=click.Path(path_type=Path))
def show(spec: Path) -> None:
    """Show the ontology in SPEC (.onto) as a tree: groups, classes, titles, aliases, attributes."""
    click.echo(render_tree(load_ontology(spec)))
