"""`linnaeus check`: what is wrong with ontology files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..dsl.load import Checked, check_file
from ..dsl.ontology import Ontology
from ..errors import Diagnostic, LinnaeusError


@click.command(short_help="Say what is wrong with ontology files.")
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print (text).")
def check(specs: tuple[Path, ...], form: str) -> None:
    """Check ontology files (.onto): every error and warning, with its place and the next step."""
    results = [(path, _check(path)) for path in specs]
    if form == "json":
        click.echo(json.dumps([_json(path, checked) for path, checked in results], indent=2, ensure_ascii=False))
    else:
        for path, checked in results:
            for found in checked.diagnostics:
                click.echo(found.render(checked.sources.get(found.span.file) if found.span else None) + "\n", err=True)
            click.echo(f"{path}: {_summary(checked)}")
    if any(checked.ontology is None for _, checked in results):
        raise click.exceptions.Exit(1)


def _check(path: Path) -> Checked:
    if path.suffix in (".yaml", ".yml"):
        step = f"linnaeus run {path} --dry-run checks a study"
        return Checked(None, (Diagnostic("E001", f"{path} is a study, not an ontology", help=step),))
    try:
        return check_file(path)
    except LinnaeusError as error:
        return Checked(None, error.diagnostics)


def counts(ontology: Ontology) -> dict[str, int]:
    """How many groups, classes (levels and binaries included, `other` too) and leaves."""
    leaves = sum(len(ontology.leaves(group)) for group in ontology.groups)
    return {"groups": len(ontology.groups), "classes": len(ontology.labels), "leaves": leaves}


def _summary(checked: Checked) -> str:
    ontology = checked.ontology
    said = {s: sum(d.severity == s for d in checked.diagnostics) for s in ("error", "warning", "info")}
    problems = ", ".join(_count(n, word, "info" if word == "info" else f"{word}s") for word, n in said.items() if n)
    if ontology is None:
        return problems
    n = counts(ontology)
    parts = [_count(n["groups"], "group", "groups"), _count(n["classes"], "class", "classes")]
    parts.append(_count(n["leaves"], "leaf", "leaves"))
    return f"ok, {', '.join(parts)}, hash {ontology.hash[:12]}" + (f"; {problems}" if problems else "")


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _json(path: Path, checked: Checked) -> dict[str, Any]:
    ontology, about = checked.ontology, None
    if ontology is not None:
        about = {"name": ontology.name, "version": ontology.version, "hash": ontology.hash, **counts(ontology)}
    found = [asdict(d) for d in checked.diagnostics]
    return {"file": str(path), "ok": ontology is not None, "ontology": about, "diagnostics": found}
