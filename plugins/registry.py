"""Finding plugins: entry points and a study's local files. A broken plugin is a line in a list, never a crash."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import inspect
import os
import sys
import traceback
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

from ..errors import LinnaeusError, did_you_mean, fail
from . import contracts
from .hyperparameters import check_domain, check_value, fields_of

KINDS: dict[str, type[contracts.Plugin]] = {
    "backbone": contracts.Backbone,
    "head": contracts.Head,
    "decoder": contracts.Decoder,
    "optimizer": contracts.Optimizer,
    "augmentation": contracts.Augmentation,
    "dataset": contracts.Dataset,
    "metric": contracts.Metric,
}

DATA_KEYS = ("source", "image", "bind", "missing", "unlisted", "split", "bad", "hide")
"""The keys of a study's `data:`, beside which a data set's own fields stand."""

P = TypeVar("P", bound=contracts.Plugin)


@dataclass(frozen=True)
class Entry:
    """A plugin by name, loaded on demand. `error` says why it could not be."""

    kind: str
    name: str
    origin: str
    point: EntryPoint | None = None
    plugin: type[contracts.Plugin] | None = None
    error: str | None = None


@dataclass(frozen=True)
class Registry:
    """The plugins at hand: installed ones, then those of a study's local files (which may not take a taken name)."""

    entries: dict[tuple[str, str], Entry]
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 by file, of the local plugin files."""

    def names(self, kind: str) -> list[str]:
        """The names of one kind, sorted."""
        return sorted(name for k, name in self.entries if k == kind)

    def get(self, kind: type[P], name: str, where: str | None = None) -> type[P]:
        """The plugin class.

        Raises:
            LinnaeusError: E410 unknown name (with the nearest), E411 it fails to import or breaks its contract.
        """
        entry = self.entries.get((kind.kind, name))
        if entry is None:
            known = self.names(kind.kind)
            step = did_you_mean(name, known, plural=f"{kind.kind}s")
            raise fail("E410", f"there is no {kind.kind} named {name!r}", where=where, help=step)
        loaded = load(entry)
        if loaded.plugin is None:
            raise fail("E411", f"the {kind.kind} {name!r} ({entry.origin}) can't be used: {loaded.error}", where=where)
        return loaded.plugin  # type: ignore[return-value]  # check_contract held it against KINDS[kind]


def load(entry: Entry) -> Entry:
    """The entry with its class imported and checked, or with the reason why not."""
    if entry.plugin is not None or entry.error is not None or entry.point is None:
        return entry
    try:
        plugin = entry.point.load()
        check_contract(entry.kind, entry.name, plugin)
    except LinnaeusError as e:
        first = e.diagnostics[0]
        place = "" if first.where is None else f" ({first.where})"
        return dataclasses.replace(entry, error=first.message + place)
    except (Exception, SystemExit) as e:  # noqa: BLE001  # anyone's code may raise anything: a line in the list
        return dataclasses.replace(entry, error=f"{type(e).__name__}: {e}")
    return dataclasses.replace(entry, plugin=plugin)


def check_contract(kind: str, name: str, plugin: Any) -> None:
    """Hold a class against the contract of its kind, at registration.

    Raises:
        LinnaeusError: E412, naming what is missing.
    """
    where = f"plugin {name}"
    base = KINDS[kind]
    if not (inspect.isclass(plugin) and issubclass(plugin, base)):
        raise fail("E412", f"{name} is not a subclass of {base.__name__}", where=where)
    if inspect.isabstract(plugin):
        missing = ", ".join(sorted(plugin.__abstractmethods__))
        raise fail(
            "E412", f"{plugin.__name__} lacks {missing}", where=where, help="implement what the contract asks for"
        )
    written = getattr(plugin, "name", None)
    if written != name:
        message = f"{plugin.__name__}.name is {written!r}, not {name!r}"
        raise fail("E412", message, where=where, help=f'write name = "{name}" in the class')
    if not dataclasses.is_dataclass(plugin) or not plugin.__dataclass_params__.frozen:
        raise fail(
            "E412", f"{plugin.__name__} is not a frozen dataclass", where=where, help="add @dataclass(frozen=True)"
        )
    flags = [f for f in getattr(base, "__annotations__", {}) if f not in ("kind", "license") and not hasattr(plugin, f)]
    if flags:
        raise fail("E412", f"{plugin.__name__} does not set {', '.join(flags)}", where=where)
    _check_fields(kind, name, plugin)


def _check_fields(kind: str, name: str, plugin: type[contracts.Plugin]) -> None:
    """Hold each field's default and own range against its type and its legal bounds."""
    fields = dataclasses.fields(plugin)  # type: ignore[arg-type]  # check_contract saw that it is a dataclass
    bare = [f.name for f in fields if "role" not in f.metadata]
    if bare:
        message = f"fields {', '.join(bare)} are not declared"
        raise fail("E412", message, where=f"plugin {name}", help="use static(), traced() or option()")
    try:
        declared = fields_of(plugin)
    except (NameError, TypeError) as e:
        step = "annotate hyperparameters with types that can be looked up when the module runs"
        raise fail("E412", f"the types of {name}'s fields can't be read: {e}", where=f"plugin {name}", help=step) from e
    for f in declared:
        where = f"plugin {name}, field {f.name}"
        if kind == "dataset" and f.name in DATA_KEYS:
            message = f"{f.name!r} is a key of every study's data"
            raise fail("E412", message, where=where, help="choose another name")
        if not f.required:
            check_value(f, f.default, where)
        if f.search is not None:
            check_domain(f, f.search, where)


@lru_cache(maxsize=1)
def installed() -> Registry:
    """Everything that entry points name. Nothing is imported yet."""
    entries: dict[tuple[str, str], Entry] = {}
    for kind in KINDS:
        for point in sorted(entry_points(group=f"linnaeus.{kind}s"), key=lambda p: p.name):
            origin = point.dist.name if point.dist else "?"
            entries.setdefault((kind, point.name), Entry(kind, point.name, origin, point))
    if not entries:
        raise fail("E413", "no plugin is installed, not even the built-in ones", help="run: pip install -e .")
    return Registry(entries)


def with_files(registry: Registry, files: list[Path], where: str = "plugins") -> Registry:
    """The registry and the plugins defined in local Python files.

    Raises:
        LinnaeusError: E414 missing file, E415 its code fails, E416 it defines no plugin, E417 a name already taken.
    """
    entries, hashes = dict(registry.entries), dict(registry.files)
    for path in files:
        found, digest = _plugins_of(path, where)
        hashes[path.name if path.name not in hashes else f"{path.parent.name}/{path.name}"] = digest
        for plugin in found:
            key = (_kind(plugin), plugin.name)
            if key in entries:
                message = f"{path.name}: a {key[0]} named {plugin.name!r} exists already ({entries[key].origin})"
                raise fail("E417", message, where=where, help="give yours another name")
            entries[key] = Entry(*key, path.name, plugin=plugin)
    return Registry(entries, hashes)


def _plugins_of(path: Path, where: str) -> tuple[list[type[contracts.Plugin]], str]:
    if not path.is_file():
        step = "paths start at the study's folder"
        raise fail("E414", f"there is no plugin file {path}", where=where, help=step)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    module_name = f"linnaeus_local_{path.stem}_{digest[:12]}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise fail("E415", f"{path} is not a Python file", where=where)
    module = sys.modules.get(module_name)
    if module is None:
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module  # dataclasses look their module up there
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as e:
            del sys.modules[module_name]
            raise fail("E415", f"{_failing(path, e)} fails to import: {type(e).__name__}: {e}", where=where) from e
    bases = tuple(KINDS.values())
    classes = [c for c in vars(module).values() if inspect.isclass(c) and c.__module__ == module_name]
    found = [c for c in classes if issubclass(c, bases) and not c.__name__.startswith("_")]
    if not found:
        step = "subclass a contract of linnaeus.plugins.contracts"
        raise fail("E416", f"{path} defines no plugin", where=where, help=step)
    for c in found:
        if c.kind != _kind(c):
            raise fail("E412", f"{c.__name__}.kind is {c.kind!r}, not {_kind(c)!r}", where=where, help="don't set kind")
        check_contract(_kind(c), getattr(c, "name", c.__name__), c)
    return found, digest


def _failing(path: Path, error: BaseException) -> str:
    """The file, with the last of its lines that the error went through (a syntax error names its own)."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == os.path.abspath(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _kind(plugin: type[contracts.Plugin]) -> str:
    return next(kind for kind, base in KINDS.items() if issubclass(plugin, base))
