"""The `data` part of a study file, to a `DataSpec` and back."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from ..errors import did_you_mean, fail
from ..plugins.contracts import Dataset, ImageSpec, Plugin
from ..plugins.hyperparameters import Field, check_value, fields_of
from ..plugins.registry import Registry
from .schema import (
    Check,
    Findings,
    Section,
    either,
    list_of,
    name,
    number,
    one_of,
    optional,
    placed,
    text,
    unsupported,
    whole,
    wrong_type,
)
from .study import BadSpec, Binding, DataSpec, SplitSpec
from .yaml12 import Node

SHARE = "official, or a share between 0 and 1,"


def read_data(section: Section, registry: Registry) -> DataSpec | None:
    """The data part; None where the data set could not be made. Mistakes go to the section's findings."""
    source = section.require("source", text, "", "the data set plugin")
    image = _read_image(section.section("image"))
    bind = section.section("bind")
    bindings = tuple(b for key in bind.nodes for b in [bind.take(key, _binding(key), None)] if b is not None)
    missing = section.take("missing", list_of(raw_value), DataSpec.missing)
    unlisted = section.take("unlisted", optional(one_of("no", "unknown")), None)
    split = _read_split(section.section("split"))
    bad = _read_bad(section.section("bad"))
    section.take("hide", _no_hiding, None)
    dataset = _read_dataset(section, source, registry)
    return None if dataset is None else DataSpec(source, dataset, image, bindings, missing, unlisted, split, bad)


def raw_value(node: Node) -> str:
    """A raw value as text, which may be empty."""
    return "" if node.value == "" else name(node)


def _no_hiding(node: Node) -> None:
    if node.value is not None:
        raise unsupported("hiding labels", "leave 'hide' out")


def _read_image(section: Section) -> ImageSpec:
    plain = ImageSpec()
    spec = ImageSpec(
        section.take("size", optional(whole(1, 4096)), plain.size),
        section.take("channels", optional(one_of("grey", "rgb")), plain.channels),
        section.take("resize", one_of("fit", "pad", "stretch"), plain.resize),
    )
    section.close()
    return spec


def _read_split(section: Section) -> SplitSpec:
    share: Check[Any] = either((str, one_of("official")), (int | float, number(0, 1)), expected=SHARE)
    plain = SplitSpec()
    spec = SplitSpec(
        section.take("test", share, plain.test),
        section.take("validation", share, plain.validation),
        section.take("stratify", optional(list_of(name)), plain.stratify),
        section.take("group", optional(name), plain.group),
        section.take("duplicates", one_of("drop", "keep"), plain.duplicates),
        section.take("from", optional(name), plain.column),
    )
    section.close()
    for key in ("test", "validation", "stratify"):
        if spec.column is not None and key in section.nodes:
            message = f"'from' and {key!r} contradict each other: the column says which split each image is in"
            section.findings.add("E306", message, section.node.keys[key], section.path(key), "keep one of them")
    if isinstance(spec.test, float) and isinstance(spec.validation, float) and spec.test + spec.validation >= 1:
        message = f"test {spec.test:g} and validation {spec.validation:g} leave nothing to train on"
        section.findings.add("E306", message, section.node.span, section.node.path)
    return spec


def _read_bad(section: Section) -> BadSpec:
    policy = one_of("error", "drop", later=("soften",))
    plain = BadSpec()
    spec = BadSpec(
        section.take("unreadable", policy, plain.unreadable),
        section.take("unknown_value", policy, plain.unknown_value),
        section.take("illegal", policy, plain.illegal),
    )
    section.close()
    return spec


def _read_dataset(section: Section, source: str, registry: Registry) -> Dataset | None:
    """The data set plugin, made of its own fields, which stand beside the keys that all data sets have."""
    found: list[Any] = []

    def make(node: Node) -> str:
        contract: type[Plugin] = Dataset
        plugin = registry.get(contract, source)
        values = {}
        for field in fields_of(plugin):
            check = _field(field)
            if field.required:
                values[field.name] = section.require(field.name, check, None, field.doc)
            else:
                values[field.name] = section.take(field.name, check, field.default)
        section.close()
        if not section.findings.found:
            found.append(plugin(**values))
        return source

    if source:
        section.take("source", make, source)
    return found[0] if found else None


def _field(field: Field) -> Check[Any]:
    return lambda node: check_value(field, node.plain, node.path)


# --- bindings --------------------------------------------------------------------------------------


def _binding(group: str) -> Check[Binding | None]:
    def check(node: Node) -> Binding:
        if not isinstance(node.value, dict):
            if node.value is None or isinstance(node.value, list):
                raise wrong_type("a column, or {from: …}, {path: […]} or {pattern: …}", node)
            return Binding(group, name(node), where=node.path)
        return _binding_of_keys(group, node)

    return check


def _binding_of_keys(group: str, node: Node) -> Binding:
    findings = Findings({})
    section = Section(node, findings)
    column = section.take("from", name, None)
    values = section.take("values", _values, None)
    path = section.take("path", list_of(name), ())
    pattern = section.take("pattern", _pattern, None)
    capture = section.take("capture", text, None)
    section.close()
    if column is None and not path and pattern is None and not findings.found:
        findings.add("E307", f"the binding of {group!r} names no column", node.span, node.path, "write {from: COLUMN}")
    if path and (column is not None or pattern is not None):
        message = "'path' lists the columns itself: it stands without 'from' and 'pattern'"
        findings.add("E306", message, node.span, node.path)
    if values is not None and (path or pattern is not None):
        message = "'values' maps the raw values of a column: it stands without 'path' and 'pattern'"
        findings.add("E306", message, node.span, node.path, "give the class an alias (aka) in the ontology")
    if pattern is not None:
        capture = _capture(group, pattern, capture, node, findings)
    elif capture is not None:
        findings.add("E306", "'capture' names a part of a 'pattern', and there is none", node.span, node.path)
    if findings.found:
        raise findings.error()
    return Binding(group, column, values, path, pattern, capture, node.path)


def _values(node: Node) -> Mapping[str, Any]:
    if not isinstance(node.value, dict):
        raise wrong_type("a mapping from raw value to class", node)
    for inner in node.value.values():
        if isinstance(inner.value, dict):
            raise placed(wrong_type("a class, yes, no or null", inner), inner)
    return {raw: inner.text if _is_number(inner.value) else inner.plain for raw, inner in node.value.items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _pattern(node: Node) -> str:
    pattern = text(node)
    try:
        names = re.compile(pattern).groupindex
    except re.error as e:
        raise fail("E306", f"not a regular expression: {e}") from e
    if not names:
        raise fail("E306", "the pattern names no part", help="write (?P<NAME>…) around what names the class")
    return pattern


def _capture(group: str, pattern: str, capture: str | None, node: Node, findings: Findings) -> str | None:
    """The named part of a pattern that a group reads: the one asked for, the one of its own name, or the only one."""
    names = list(re.compile(pattern).groupindex)
    if capture is None and len(names) == 1:
        return names[0]
    wanted = capture if capture is not None else group.rpartition(".")[2]
    if wanted not in names:
        listed = ", ".join(names)
        step = did_you_mean(wanted, names, plural="parts") if capture else "write capture: NAME"
        findings.add("E306", f"the pattern has no part named {wanted!r}, only {listed}", node.span, node.path, step)
    return wanted


# --- back to plain data ----------------------------------------------------------------------------


def write_data(data: DataSpec) -> dict[str, Any]:
    """The data part as a study file would say it in full."""
    split: dict[str, Any] = dataclasses.asdict(data.split)
    column = split.pop("column")
    if column is not None:
        split = {"from": column, "group": split["group"], "duplicates": split["duplicates"]}
    split = {k: list(v) if isinstance(v, tuple) else v for k, v in split.items()}
    own = {f.name: _listed(getattr(data.dataset, f.name)) for f in fields_of(type(data.dataset))}
    return {
        "source": data.source,
        **own,
        "image": dataclasses.asdict(data.image),
        "bind": {b.group: _write_binding(b) for b in data.bind},
        "missing": list(data.missing),
        "unlisted": data.unlisted,
        "split": split,
        "bad": dataclasses.asdict(data.bad),
        "hide": None,
    }


def _write_binding(b: Binding) -> Any:
    keys = {
        "from": b.column,
        "values": None if b.values is None else dict(b.values),
        "path": list(b.path) or None,
        "pattern": b.pattern,
        "capture": b.capture,
    }
    written = {k: v for k, v in keys.items() if v is not None}
    return b.column if list(written) == ["from"] else written


def _listed(value: Any) -> Any:
    return [_listed(v) for v in value] if isinstance(value, tuple | list) else value
