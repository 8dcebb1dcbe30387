"""`linnaeus diff`: what changed between two versions of an ontology."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import click

from ..dsl.change.diff import Diff, compare
from ..dsl.change.differences import Difference
from ..dsl.load import load_ontology

_COLOURS = {"added": "green", "removed": "red", "dropped": "red", "split": "yellow", "renamed": "cyan", "moved": "cyan"}
_SIGNS = {"added": "+", "removed": "-", "dropped": "-"}
_SECTIONS = {
    "ontology": "ontology",
    "import": "imports",
    "group": "groups",
    "levels": "groups",
    "classes": "groups",
    "class": "classes",
    "level": "classes",
    "rule": "rules",
}

_WORLDS: dict[tuple[bool | None, bool | None], str] = {
    (True, True): "some lost, some gained",
    (True, False): "tightened",
    (False, True): "loosened",
    (False, False): "the same",
}


@click.command(short_help="Say what changed between two versions of an ontology.")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print (text).")
def diff(old: Path, new: Path, form: str) -> None:
    """Compare two versions of an ontology (.onto) by what they mean, through the migrations in NEW.

    Says whether old annotations and old models still fit. Exits with 1 where they don't and the version was not raised.
    """
    found = compare(load_ontology(old), load_ontology(new))
    if form == "json":
        click.echo(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
    else:
        for line in _report(found):
            click.echo(line)
        for diagnostic in found.diagnostics:
            click.echo(diagnostic.render() + "\n", err=True)
    if any(d.severity == "error" for d in found.diagnostics):
        raise click.exceptions.Exit(1)


def _report(diff: Diff) -> Iterator[str]:
    """The differences by section, then the verdicts; nothing where nothing differs."""
    if diff.equal:
        return
    for section, items in groupby(diff.differences, lambda d: _SECTIONS[d.what.split()[0]]):
        yield click.style(section, bold=True)
        yield from map(_line, items)
    yield click.style("verdict", bold=True)
    yield from (f"  {line}" for line in _verdict(diff))


def _line(item: Difference) -> str:
    subject, deed = item.what.split(" ", 1)
    words = deed if subject not in ("level", "levels", "classes") else item.what
    text = f"{_SIGNS.get(deed, '~')} {item.path}: {words}"
    if deed in ("renamed", "moved"):
        text += f" from {item.old}"
    elif deed == "split":
        text += f" into {item.new}"
    elif item.old is not None and item.new is not None:
        text += f", from {item.old} to {item.new}"
    elif item.new is not None:
        text += f", {item.new}"
    elif item.old is not None:
        text += f", was {item.old}"
    return "  " + click.style(text, fg=_COLOURS.get(deed))


def _verdict(diff: Diff) -> Iterator[str]:
    change = (diff.worlds.tightened, diff.worlds.loosened)
    yield f"legal worlds, of what both can say: {_WORLDS.get(change, 'stayed open')}"
    for of_new, words in ((False, "was legal"), (True, "was illegal")):
        example = diff.world_text(of_new)
        if example is not None:
            yield f"  {words}: {example}"
    listed = ", ".join(diff.unread[:6]) + (" …" if len(diff.unread) > 6 else "")
    yield f"old annotations: {_fit(f'these can no longer be read: {listed}' if diff.unread else '')}"
    misfits = "; ".join(diff.misfits)
    yield f"old models: {_fit(misfits and f'do not fit: {misfits}')}"
    yield ("a breaking change" if diff.breaking else "no breaking change") + _raised(diff)


def _fit(problem: str) -> str:
    return click.style(problem, fg="red") if problem else click.style("fit", fg="green")


def _raised(diff: Diff) -> str:
    old, new = diff.old.version or "none", diff.new.version or "none"
    if diff.later is None or old == new:
        return f", version {old}" if old == new else f", version {old} → {new}"
    return f", {'a later' if diff.later else 'an earlier'} version: {old} → {new}"
