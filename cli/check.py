"""`linnaeus check`: what is wrong with ontology files."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..dsl.load import check_text
from ..dsl.ontology import Ontology
from ..dsl.source import clean, read_source
from ..errors import Diagnostic, LinnaeusError


@click.command(short_help="Say what is wrong with ontology files.")
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print (text).")
def check(specs: tuple[Path, ...], form: str) -> None:
    """Check ontology files (.onto): every error and warning, with its place and the next step."""
    results = [_check(path) for path in specs]
    wrong = any(ontology is None for _, ontology, _, _ in results)
    if form == "json":
        files = [_json(path, ontology, found) for path, ontology, found, _ in results]
        click.echo(json.dumps(files, indent=2, ensure_ascii=False))
    else:
        for path, ontology, found, source in results:
            for diagnostic in found:
                click.echo(diagnostic.render(source) + "\n", err=True)
            click.echo(f"{path}: {_summary(ontology, found)}")
    if wrong:
        raise click.exceptions.Exit(1)


def _check(path: Path) -> tuple[Path, Ontology | None, tuple[Diagnostic, ...], str]:
    if path.suffix in (".yaml", ".yml"):
        step = f"linnaeus run {path} --dry-run checks a study"
        return path, None, (Diagnostic("E001", f"{path} is a study, not an ontology", help=step),), ""
    try:
        text = read_source(path)
    except LinnaeusError as error:
        return path, None, error.diagnostics, ""
    ontology, found = check_text(text, str(path))
    return path, ontology, found, clean(text, str(path))[0]


def counts(ontology: Ontology) -> dict[str, int]:
    """How many groups, classes (levels and binaries included, `other` too) and leaves."""
    leaves = sum(len(ontology.leaves(group)) for group in ontology.groups)
    return {"groups": len(ontology.groups), "classes": len(ontology.labels), "leaves": leaves}


def _summary(ontology: Ontology | None, found: tuple[Diagnostic, ...]) -> str:
    said = {s: sum(d.severity == s for d in found) for s in ("error", "warning")}
    problems = ", ".join(_count(n, word, f"{word}s") for word, n in said.items() if n)
    if ontology is None:
        return problems
    n = counts(ontology)
    parts = [_count(n["groups"], "group", "groups"), _count(n["classes"], "class", "classes")]
    parts.append(_count(n["leaves"], "leaf", "leaves"))
    return f"ok, {', '.join(parts)}, hash {ontology.hash[:12]}" + (f"; {problems}" if problems else "")


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _json(path: Path, ontology: Ontology | None, found: tuple[Diagnostic, ...]) -> dict[str, Any]:
    about = None
    if ontology is not None:
        about = {"name": ontology.name, "version": ontology.version, "hash": ontology.hash, **counts(ontology)}
    return {"file": str(path), "ok": ontology is not None, "ontology": about, "diagnostics": [asdict(d) for d in found]}
