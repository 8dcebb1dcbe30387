"""`linnaeus show`: an ontology as a tree, as data or as a picture."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ..dsl.load import load_ontology
from ..errors import fail


@click.command(short_help="Show an ontology as a tree, a picture or data.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json", "svg"]), default="text", help="How (text).")
@click.option("--out", type=click.Path(path_type=Path), help="Write to this file, not to the terminal.")
@click.option("--depth", type=click.IntRange(min=1), help="Draw this many levels of the tree; the rest is counted.")
@click.option("--group", "path", metavar="PATH", help="Draw this group or class alone, with the rules that name it.")
def show(spec: Path, form: str, out: Path | None, depth: int | None, path: str | None) -> None:
    """Show the ontology in SPEC (.onto): groups, classes, titles, aliases, attributes, conditions and rules.

    As json, it is the normalised ontology with its hash and its formulas as text; as svg, a picture that stands by
    itself.
    """
    if form != "text" and (depth is not None or path is not None):
        raise click.UsageError(f"--depth and --group are for the tree of text, not for {form}")
    ontology = load_ontology(spec)
    if form == "svg":
        from ..dsl.picture.svg import render_svg

        text = render_svg(ontology)
    else:
        from ..dsl.show import normalised, render_tree

        if form == "json":
            text = json.dumps(normalised(ontology), indent=2, ensure_ascii=False)
        else:
            text = render_tree(ontology, depth=depth, path=path)
    if out is None:
        click.echo(text.removesuffix("\n"))
        return
    try:
        out.write_text(text.removesuffix("\n") + "\n", encoding="utf-8")
    except OSError as e:
        raise fail("E176", f"can't write {out}: {e.strerror}", help="name a file in a folder you may write to") from e
