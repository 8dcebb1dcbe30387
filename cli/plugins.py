"""`linnaeus plugins`: what is installed, and what each has to say."""

from __future__ import annotations

import inspect
import re

import click

from ..errors import did_you_mean, fail
from ..plugins.contracts import Plugin
from ..plugins.hyperparameters import Choices, Field, Range, fields_of, type_name
from ..plugins.registry import KINDS, Entry, installed, load
from .groups import CommandGroup

ROLES = {
    "static": "another value is another program, compiled anew",
    "traced": "one program serves every value",
    "option": "said once in a study, never searched",
}
"""What the roles of fields mean to whoever chooses values."""


@click.group(cls=CommandGroup, short_help="List and show plugins.")
def plugins() -> None:
    """List and show plugins: backbones, heads, decoders, optimizers, augmentations, data sets, metrics."""


@plugins.command("list")
@click.option("--kind", type=click.Choice(list(KINDS)), help="Only this kind.")
def list_plugins(kind: str | None) -> None:
    """Every plugin with its first line; one that fails to import says why."""
    registry = installed()
    for each in [kind] if kind else list(KINDS):
        click.echo(f"{each}s")
        for name in registry.names(each):
            click.echo(f"  {name:20} {_summary(load(registry.entries[each, name]))}")


@plugins.command()
@click.argument("name")
def show(name: str) -> None:
    """What NAME is, what it guarantees, its fields with types, defaults and ranges."""
    registry = installed()
    found = [load(entry) for (_, n), entry in registry.entries.items() if n == name]
    if not found:
        known = sorted({n for _, n in registry.entries})
        raise fail("E410", f"there is no plugin named {name!r}", help=did_you_mean(name, known, plural="plugins"))
    click.echo("\n\n".join(_describe(entry) for entry in found))


def _summary(entry: Entry) -> str:
    if entry.plugin is None:
        return f"[can't be used: {entry.error}]"
    return first_sentence(entry.plugin.__doc__ or "")


def first_sentence(docstring: str) -> str:
    """The first sentence of a docstring, on one line; "et al. 2021" or "e.g. this" end none."""
    paragraph = " ".join(docstring.strip().partition("\n\n")[0].split())
    return re.split(r"(?<=[.:]) (?=[A-Z`])", paragraph, maxsplit=1)[0].rstrip(":")


def _describe(entry: Entry) -> str:
    if entry.plugin is None:
        return f"{entry.kind} {entry.name} ({entry.origin}) can't be used: {entry.error}"
    plugin = entry.plugin
    lines = [f"{entry.kind} {entry.name}   ({entry.origin}; code: {plugin.license})", ""]
    lines += [f"  {row}".rstrip() for row in inspect.cleandoc(plugin.__doc__ or "").splitlines()]
    lines += _flags(plugin)
    declared = fields_of(plugin)
    if declared:
        lines += ["", "  fields"]
        width = max(len(f.name) for f in declared)
        lines += [f"    {f.name:{width}}  {_field(f)}" for f in declared]
        lines += [f"  {role}: {meaning}" for role, meaning in ROLES.items() if any(f.role == role for f in declared)]
    return "\n".join(lines)


def _flags(plugin: type[Plugin]) -> list[str]:
    names = [n for n in ("normalised", "coherent", "obeys_rules") if isinstance(getattr(plugin, n, None), bool)]
    if not names:
        return []
    return ["", "  " + ", ".join(f"{n.replace('_', ' ')}: {'yes' if getattr(plugin, n) else 'no'}" for n in names)]


def _field(f: Field) -> str:
    default = "required" if f.required else f"default {f.default!r}"
    searched = f"; searched over {_domain(f.search)}" if f.search else ""
    return f"{f.doc} ({f.role}, {type_name(f.type)}, {default}{searched})"


def _domain(domain: Choices | Range) -> str:
    if isinstance(domain, Choices):
        return ", ".join(map(str, domain.values))
    scale = " on a log scale" if domain.log else ""
    return f"{domain.low:g} … {domain.high:g}{scale}"
