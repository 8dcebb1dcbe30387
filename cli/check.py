"""`linnaeus check`: what is wrong with ontology files."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from ..dsl.load import Checked, check_file
from ..dsl.ontology import Ontology
from ..errors import Diagnostic, LinnaeusError

SHOWN = 12
"""Findings of one code about data that are shown as text; JSON has them all."""


@click.command(short_help="Say what is wrong with ontology files, and with data.")
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--data", "study", type=click.Path(path_type=Path), help="A study whose data is held against SPEC.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print (text).")
def check(specs: tuple[Path, ...], study: Path | None, form: str) -> None:
    """Check ontology files (.onto): every error and warning, with its place and the next step.

    With --data STUDY, also hold the data that a study file names and binds against the ontology, which need not be the
    study's own: unknown values, illegal records, classes without examples, and more. Nothing is trained.
    """
    if study is not None and len(specs) > 1:
        raise click.UsageError("--data takes one SPEC")
    results = [(path, _check(path)) for path in specs]
    report: dict[str, Any] | None = None
    about: tuple[Diagnostic, ...] = ()
    if study is not None and results[0][1].ontology is not None:
        report, about = _check_data(results[0][1].ontology, study)
    if form == "json":
        files = [_json(path, checked) for path, checked in results]
        if study is not None:
            files[0]["data"] = {"study": str(study), "report": report, "diagnostics": [asdict(d) for d in about]}
        click.echo(json.dumps(files, indent=2, ensure_ascii=False))
    else:
        for path, checked in results:
            for found in checked.diagnostics:
                click.echo(found.render(checked.sources.get(found.span.file) if found.span else None) + "\n", err=True)
            click.echo(f"{path}: {_summary(checked)}")
        if study is not None:
            _print_data(study, report, about)
    wrong = any(checked.ontology is None for _, checked in results)
    if wrong or any(d.severity == "error" for d in about):
        raise click.exceptions.Exit(1)


def _check_data(ontology: Ontology, study: Path) -> tuple[dict[str, Any] | None, tuple[Diagnostic, ...]]:
    """What a study's data is to an ontology, as plain data and as findings; None where the data can't be read."""
    from ..search.data_findings import findings
    from ..search.data_report import report_data
    from ..search.run_folder import cache_folder
    from ..search.study_file import load_data

    try:
        report = report_data(ontology, load_data(study), cache_folder())
    except LinnaeusError as e:
        return None, e.diagnostics
    return report.to_dict(), findings(report)


def _print_data(study: Path, report: dict[str, Any] | None, about: tuple[Diagnostic, ...]) -> None:
    shown: Counter[str] = Counter()
    for found in about:
        shown[found.code] += 1
        if shown[found.code] <= SHOWN:
            click.echo(found.render() + "\n", err=True)
    for code, n in shown.items():
        if n > SHOWN:
            click.echo(f"and {n - SHOWN} more of {code}: --format json lists all\n", err=True)
    if report is not None:
        bound = ", ".join(report["bound"])
        click.echo(f"{study}: {report['records']:,} images, bound: {bound}; {_problems(about) or 'nothing found'}")


def _check(path: Path) -> Checked:
    try:
        return check_file(path)
    except LinnaeusError as error:
        return Checked(None, error.diagnostics)


def counts(ontology: Ontology) -> dict[str, int]:
    """How many groups, classes (levels and binaries included, `other` too) and leaves."""
    leaves = sum(len(ontology.leaves(group)) for group in ontology.groups)
    return {"groups": len(ontology.groups), "classes": len(ontology.labels), "leaves": leaves}


def _problems(found: tuple[Diagnostic, ...]) -> str:
    said = {s: sum(d.severity == s for d in found) for s in ("error", "warning", "info")}
    return ", ".join(_count(n, word, "info" if word == "info" else f"{word}s") for word, n in said.items() if n)


def _summary(checked: Checked) -> str:
    ontology = checked.ontology
    problems = _problems(checked.diagnostics)
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
