"""The `search.space` part of a study file: plugins and fields of YAML to a `Space`, and back."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..errors import LinnaeusError, did_you_mean, fail
from ..plugins import contracts
from ..plugins.hyperparameters import Choices, Field, Range, check_domain, check_value, fields_of, takes_list
from ..plugins.registry import Registry
from .schema import Section, placed, wrong_type
from .space import CHOSEN, own_domain, starts
from .study import Space
from .train_settings import TrainSettings
from .yaml12 import Node

DEFAULTS = {"backbone": ("linear", "mlp", "lenet"), "head": ("conditional",), "optimizer": ("adamw",), "augment": ()}
"""The plugins of each kind where a study names none, each with its own ranges."""

KINDS: dict[str, type[contracts.Plugin]] = {**CHOSEN, "augment": contracts.Augmentation}
RANGE_KEYS = ("low", "high", "log", "step")


def read_space(section: Section, registry: Registry) -> Space:
    """The space of a study; mistakes go to the section's findings."""
    plugins: dict[str, dict[str, dict[str, Any]]] = {}
    defaults: dict[str, Any] = {}
    for kind, contract in KINDS.items():
        plugins[kind] = {}
        for name, fields in _named(section, kind).items():
            try:
                plugin = registry.get(contract, name)
            except LinnaeusError as e:
                place = section.nodes.get(kind, section.node)
                key = Node(None, place.keys.get(name, place.span), fields.node.path)
                section.findings.keep(placed(e, key))
                continue
            plugins[kind][name] = _read_fields(plugin, fields)
            defaults |= starts(plugin, plugins[kind][name], f"{kind}.{name}")
    train = _read_fields(TrainSettings, section.section("train"))
    defaults |= starts(TrainSettings, train, "train")
    section.close()
    return Space(plugins, train, defaults)


def _named(section: Section, kind: str) -> dict[str, Section]:
    """The fields of each plugin that a study names for a kind: a mapping, or one name alone."""
    node = section.nodes.get(kind)
    names: tuple[str, ...] = DEFAULTS[kind]
    if node is not None and isinstance(node.value, str):
        names = (node.value,)
    if node is None or node.value is None or isinstance(node.value, str):
        section.known.append(kind)
        empty = node or section.node
        path = section.path(kind)
        return {n: Section(Node(None, empty.span, f"{path}.{n}"), section.findings) for n in names}
    under = section.section(kind)
    if not under.nodes and kind in CHOSEN and isinstance(node.value, dict):
        section.findings.add("E313", f"no {kind} to choose from", node.span, node.path, "name at least one")
    return {n: under.section(n) for n in under.nodes}


def _read_fields(plugin: type, section: Section) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields_of(plugin):
        where = section.path(field.name)
        default = None
        if section.nodes.get(field.name, Node(None, section.node.span, where)).value is None:
            try:
                default = own_domain(field, where)
            except LinnaeusError as e:
                section.findings.keep(placed(e, section.node))
        found[field.name] = section.take(field.name, partial(_read_field, field, default), default)
    section.close()
    return found


def _read_field(field: Field, own: Any, node: Node) -> Any:
    if node.value is None:
        return own
    if isinstance(node.value, list) and not takes_list(field):
        raise fail("E311", f"{field.name!r} takes one value", help="to search several: {choices: [...]}")
    if not isinstance(node.value, dict):
        return check_value(field, node.plain, node.path)
    for key in node.value:
        if key not in ("choices", *RANGE_KEYS):
            step = did_you_mean(key, ("choices", *RANGE_KEYS), plural="keys of a domain")
            at = Node(None, node.keys[key], f"{node.path}.{key}")
            raise placed(fail("E304", f"unknown key {key!r}", help=step), at)
    return check_domain(field, _read_domain(node), node.path)


def _read_domain(node: Node) -> Choices | Range:
    values = node.value
    if "choices" in values:
        if len(values) > 1:
            raise fail("E311", "either choices, or low and high", help="keep one of the two")
        if not isinstance(values["choices"].value, list):
            raise placed(wrong_type("a list", values["choices"]), values["choices"])
        return Choices(tuple(values["choices"].plain))
    missing = [key for key in ("low", "high") if key not in values]
    if missing:
        raise fail("E307", f"a range needs {' and '.join(missing)}", help="write {low: …, high: …, log: true}")
    log = values["log"].value if "log" in values else False
    if not isinstance(log, bool):
        raise placed(wrong_type("true or false", values["log"]), values["log"])
    step = values["step"].value if "step" in values else None
    return Range(values["low"].value, values["high"].value, log, step)


def write_space(space: Space) -> dict[str, Any]:
    """A space as a study file would say it in full."""
    found: dict[str, Any] = {
        kind: {name: {f: write_domain(d) for f, d in fields.items()} for name, fields in plugins.items()}
        for kind, plugins in space.plugins.items()
    }
    return {**found, "train": {f: write_domain(d) for f, d in space.train.items()}}


def write_domain(domain: Any) -> Any:
    """A field's domain as YAML says it."""
    if isinstance(domain, Choices):
        return {"choices": [write_domain(v) for v in domain.values]}
    if isinstance(domain, Range):
        found: dict[str, Any] = {"low": domain.low, "high": domain.high}
        return found | ({"log": True} if domain.log else {} if domain.step is None else {"step": domain.step})
    if domain is None:
        return {"choices": [None]}  # a bare null would mean the plugin's own range
    return list(domain) if isinstance(domain, tuple) else domain
