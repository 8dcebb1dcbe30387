"""`linnaeus infer`: a first ontology from a data set that has none."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import fail


@click.command(short_help="Draft an ontology from a study's data.")
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The .onto file to write; by default the terminal.")
@click.option("--force", is_flag=True, help="Write over the file that is there.")
def infer(study: Path, out: Path | None, force: bool) -> None:
    """Draft an ontology (.onto) from the columns of a study's data: a start to read and correct, not the last word.

    STUDY needs its `data:` part alone, without `bind`. What it should say for the draft stands in comments at the head.
    """
    from ..search.infer import infer as draft
    from ..search.run_folder import cache_folder, writing
    from ..search.study_file import load_data

    if out is not None and out.exists() and not force:
        raise fail("E261", f"{out} is there already", help="give another --out, or --force to write over it")
    made = draft(load_data(study), cache_folder())
    if out is None:
        click.echo(made.text, nl=False)
        return
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(made.text, encoding="utf-8")
    click.echo(f"{out}: {len(made.data['bind'])} columns or paths bound; what the study should say stands at its head")
