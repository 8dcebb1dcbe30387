"""What a file imports: other ontologies, read and checked as they are, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..errors import Diagnostic, LinnaeusError, Span
from .files import Files, absolute
from .ontology import Import, Ontology
from .source import refuse_other_kinds
from .syntax import Document, ImportNode

if TYPE_CHECKING:
    from .outline import Outline


MAX_IMPORTS = 32
"""How many files may stand in a row of which each imports the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """An imported file. `ontology` and `outline` are what it says by itself; `alias` is what it is called here."""

    alias: str
    path: Path
    ontology: Ontology
    outline: Outline
    node: ImportNode


CheckModule: TypeAlias = Callable[[str, str], tuple[Ontology | None, "Outline | None", tuple[Diagnostic, ...]]]
"""From a text and its file's name to what it denotes and what was found in it."""


def load_modules(
    document: Document, files: Files, check: CheckModule, importing: tuple[Path, ...]
) -> tuple[tuple[Module, ...], list[Diagnostic]]:
    """The ontologies that a document imports, in order, and what is wrong with its imports.

    Args:
        check: reads an imported text; what it imports itself is its matter.
        importing: the files, absolute, that are being read because the first imports the second and so on.
    """
    modules: list[Module] = []
    found: list[Diagnostic] = []
    for node in document.declarations:
        if isinstance(node, ImportNode):
            loaded, problems = _load(node, files, check, importing)
            found += problems
            if loaded is not None:
                modules.append(loaded)
    return tuple(modules), found + list(_clashes(modules))


def _load(
    node: ImportNode, files: Files, check: CheckModule, importing: tuple[Path, ...]
) -> tuple[Module | None, list[Diagnostic]]:
    span = node.path.span
    path = files.beside(span.file, node.path.value)
    identity = absolute(path)
    if identity in importing:
        cycle = [*importing[importing.index(identity) :], identity]
        message = f"imports go in a circle: {' → '.join(p.name for p in cycle)}"
        step = "move what the files share to one that imports neither"
        return None, [Diagnostic("E121", message, span=span, help=step)]
    if len(importing) > MAX_IMPORTS:
        message = f"{len(importing)} files in a row import one another"
        return None, [Diagnostic("E120", message, span=span, help=f"import at most {MAX_IMPORTS} deep")]
    try:
        refuse_other_kinds(path)
    except LinnaeusError as error:
        [found] = error.diagnostics
        return None, [Diagnostic("E120", found.message, span=span, help=found.help)]
    try:
        text = files.read(path)
    except LinnaeusError as error:
        step = f"the path is relative to {span.file}"
        return None, [Diagnostic("E120", error.diagnostics[0].message, span=span, help=step)]
    ontology, outline, findings = check(text, str(path))
    if ontology is None or outline is None:
        errors = [d for d in findings if d.severity == "error"]
        message = f"{node.path.value} has {len(errors)} error{'s' if len(errors) > 1 else ''}"
        return None, [*errors, Diagnostic("E122", message, span=span, help=f"linnaeus check {path}")]
    alias = node.alias.text if node.alias else ontology.name
    return Module(alias, path, ontology, outline, node), []


def _clashes(modules: Iterable[Module]) -> Iterable[Diagnostic]:
    """E123 an alias that two imports share; E124 two versions of one ontology, here or in what is imported."""
    aliases: dict[str, Span] = {}
    versions: dict[str, tuple[str, str, str]] = {}
    for module in modules:
        span = module.node.alias.span if module.node.alias else module.node.span
        if module.alias in aliases:
            message = f"line {aliases[module.alias].line} imports another file as `{module.alias}`"
            yield Diagnostic("E123", message, span=span, help="choose another name after `as`")
        aliases.setdefault(module.alias, span)
        o = module.ontology
        inside = [(i.name, i.version, i.hash, f"{i.alias} in {file}") for i, file in _inside(module)]
        for name, version, hash_, where in [(o.name, o.version, o.hash, module.path.name), *inside]:
            said = f"version {version}" if version else "without a version"
            first = versions.setdefault(name, (hash_, said, where))
            if first[0] != hash_:
                message = f"two versions of the ontology {name}: {first[2]} ({first[1]}) and {where} ({said})"
                yield Diagnostic("E124", message, span=module.node.span, help="import one of them everywhere")


def _inside(module: Module) -> Iterator[tuple[Import, str]]:
    """What a module uses of others, and what they do, each with the name of the file that imports it."""
    stack, seen = [module], {module.path}
    while stack:
        outer = stack.pop()
        used = {i.alias: i for i in outer.ontology.imports}
        for inner in outer.outline.modules:
            if inner.alias in used:
                yield used[inner.alias], outer.path.name
                if inner.path not in seen:
                    stack.append(inner)
                    seen.add(inner.path)
