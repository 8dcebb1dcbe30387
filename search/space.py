"""The search space: what each contender may choose, and how a sampler chooses it.

Parameter names are those of the sampler and of results: "backbone" (only where there is more than one),
"backbone.lenet.width", "augment.shift.pixels", "train.batch_size".
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ..errors import fail
from ..plugins import contracts
from ..plugins.hyperparameters import Choices, Domain, Field, Range, check_domain, fields_of
from .study import Configuration, Contender, Space, Study

CHOSEN: dict[str, type[contracts.Plugin]] = {
    "backbone": contracts.Backbone,
    "head": contracts.Head,
    "optimizer": contracts.Optimizer,
}
"""The kinds of which a configuration has exactly one."""

Fields = Mapping[str, Any]
"""Field → a `Domain` to search or a fixed value."""


class Trial(Protocol):
    """What suggesting needs of an Optuna trial."""

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """One of `choices`."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """A whole number, both ends included."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """A number, both ends included."""


def own_domain(field: Field, where: str) -> Any:
    """What a plugin says of its field where a study says nothing: its own range, else its default as a fixed value.

    Raises:
        LinnaeusError: E307 the field has no default, so that a study must give it.
    """
    if field.search is not None:
        return check_domain(field, field.search, where)
    if field.required:
        raise fail("E307", f"{field.name!r} must be given: {field.doc}", where=where)
    return field.default


def nearest(domain: Domain, default: Any) -> Any:
    """The value of `domain` nearest to a field's default: where a search starts."""
    number = isinstance(default, int | float) and not isinstance(default, bool)
    if isinstance(domain, Choices):
        if default in domain.values or not number:
            return default if default in domain.values else domain.values[0]
        numbers = [v for v in domain.values if isinstance(v, int | float)]
        return min(numbers, key=lambda v: abs(v - default), default=domain.values[0])
    if not number:
        return domain.low
    clipped = min(max(default, domain.low), domain.high)
    if domain.step is None:
        return round(clipped) if isinstance(domain.low, int) else clipped
    return _grid(domain)[round((clipped - domain.low) / domain.step)]


def _grid(domain: Range) -> Sequence[float]:
    assert domain.step is not None
    count = round((domain.high - domain.low) / domain.step) + 1
    return [min(domain.low + i * domain.step, domain.high) for i in range(count)]


# --- contenders ------------------------------------------------------------------------------------


def contenders(study: Study) -> tuple[Contender, ...]:
    """The rows that a study compares: one for each combination of what `compare` names, in the study's order."""
    space = study.search.space
    if not study.compare:
        return (Contender(study.name, space, study.decoder),)
    names = [tuple(space.plugins[kind]) for kind in study.compare]
    return tuple(
        Contender("+".join(chosen), _narrow(space, dict(zip(study.compare, chosen, strict=True))), study.decoder)
        for chosen in itertools.product(*names)
    )


def baseline_flat_risk(study: Study, backbone: str) -> Contender:
    """The flat head with conditional-risk decoding on one backbone and that backbone's space, at the same budget."""
    space = study.search.space
    heads = space.plugins["head"]
    defaults = dict(space.defaults)
    if "flat" not in heads:
        head: type[contracts.Plugin] = contracts.Head
        plugin = study.registry.get(head, "flat", "baselines")
        flat, started = own_fields(plugin, "head.flat")
        heads, defaults = {"flat": flat}, defaults | started
    space = Space({**space.plugins, "head": heads}, space.train, defaults)
    return Contender("flat-risk", _narrow(space, {"backbone": backbone, "head": "flat"}), "risk", baseline=True)


def own_fields(plugin: type, prefix: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A plugin's (or settings class's) own ranges by field, and the starting value of each searched parameter."""
    fields = {f.name: own_domain(f, f"{prefix}.{f.name}") for f in fields_of(plugin)}
    return fields, starts(plugin, fields, prefix)


def starts(plugin: type, fields: Fields, prefix: str) -> dict[str, Any]:
    """The starting value of each searched parameter of a plugin: its field's default, brought into the domain."""
    found = {}
    for f in fields_of(plugin):
        domain = fields[f.name]
        if isinstance(domain, Choices | Range):
            found[f"{prefix}.{f.name}"] = nearest(domain, f.default)
    return found


def _narrow(space: Space, chosen: Mapping[str, str]) -> Space:
    plugins = {k: {chosen[k]: v[chosen[k]]} if k in chosen else v for k, v in space.plugins.items()}
    return replace(space, plugins=plugins)


# --- suggestions -----------------------------------------------------------------------------------


def suggest(space: Space, trial: Trial, decoder: str) -> Configuration:
    """One configuration, asked of a sampler's trial. Fields of plugins that were not chosen are not asked."""
    found: Configuration = {}
    for kind in CHOSEN:
        names = list(space.plugins[kind])
        name = trial.suggest_categorical(kind, names) if len(names) > 1 else names[0]
        found[kind] = {"name": name, "fields": _ask(trial, f"{kind}.{name}", space.plugins[kind][name])}
    found["augment"] = {n: _ask(trial, f"augment.{n}", f) for n, f in space.plugins["augment"].items()}
    found["train"] = _ask(trial, "train", space.train)
    found["decoder"] = decoder
    return found


def _ask(trial: Trial, prefix: str, fields: Fields) -> dict[str, Any]:
    return {name: _ask_one(trial, f"{prefix}.{name}", domain) for name, domain in fields.items()}


def _ask_one(trial: Trial, name: str, domain: Any) -> Any:
    if isinstance(domain, Choices):
        written = _written(domain)
        return _plain(domain.values[written.index(trial.suggest_categorical(name, written))])
    if isinstance(domain, Range):
        if isinstance(domain.low, int) and isinstance(domain.high, int):
            return trial.suggest_int(name, domain.low, domain.high, step=int(domain.step or 1), log=domain.log)
        return trial.suggest_float(name, domain.low, domain.high, step=domain.step, log=domain.log)
    return _plain(domain)


def _written(domain: Choices) -> list[Any]:
    """The choices as a sampler keeps them: as they are, or all as JSON where one is a list or a mapping."""
    if all(v is None or isinstance(v, bool | int | float | str) for v in domain.values):
        return list(domain.values)
    return [json.dumps(v) for v in domain.values]


def _plain(value: Any) -> Any:
    return [_plain(v) for v in value] if isinstance(value, tuple | list) else value


def default_parameters(space: Space) -> dict[str, Any]:
    """The parameters of trial 0: each field's default brought into its domain, the first plugin of each kind.

    In the sampler's terms, for `study.enqueue_trial`: only the parameters that this choice asks for.
    """
    found: dict[str, Any] = {}
    for kind in CHOSEN:
        names = list(space.plugins[kind])
        if len(names) > 1:
            found[kind] = names[0]
    for name, domain in _domains(space, first=True):
        if isinstance(domain, Choices):
            found[name] = _written(domain)[domain.values.index(space.defaults[name])]
        elif isinstance(domain, Range):
            found[name] = space.defaults[name]
    return found


def _domains(space: Space, *, first: bool = False) -> Iterator[tuple[str, Any]]:
    """Every field by parameter name; with `first`, only the first plugin of each kind that is chosen."""
    for kind, plugins in space.plugins.items():
        for name, fields in list(plugins.items())[: 1 if first and kind in CHOSEN else None]:
            yield from ((f"{kind}.{name}.{field}", domain) for field, domain in fields.items())
    yield from ((f"train.{field}", domain) for field, domain in space.train.items())


# --- what a space holds ----------------------------------------------------------------------------


def size(space: Space) -> int | None:
    """How many configurations there are; None where a field is continuous."""
    if any(count_values(domain) is None for _, domain in _domains(space)):
        return None

    def product(fields: Fields) -> int:
        return math.prod(count_values(domain) or 1 for domain in fields.values())

    total = product(space.train)
    for kind, plugins in space.plugins.items():
        counts = [product(fields) for fields in plugins.values()]
        total *= sum(counts) if kind in CHOSEN else math.prod(counts)
    return total


def count_values(domain: Any) -> int | None:
    """How many values a domain holds; None where it is continuous."""
    if isinstance(domain, Choices):
        return len(domain.values)
    if not isinstance(domain, Range):
        return 1
    if isinstance(domain.low, int) and isinstance(domain.high, int):
        return (domain.high - domain.low) // int(domain.step or 1) + 1
    return None if domain.step is None else len(_grid(domain))


def describe(space: Space) -> dict[str, str]:
    """The space as text by hyperparameter, fixed ones too."""
    found = {kind: ", ".join(space.plugins[kind]) for kind in CHOSEN if len(space.plugins[kind]) > 1}
    return found | {name: describe_domain(domain) for name, domain in _domains(space)}


def describe_domain(domain: Any) -> str:
    """One hyperparameter's domain as text: "8, 16", "0.0001 … 0.1 (log)" or "64 (fixed)"."""
    if isinstance(domain, Choices):
        return ", ".join(map(str, domain.values))
    if isinstance(domain, Range):
        extra = " (log)" if domain.log else f" by {domain.step:g}" if domain.step is not None else ""
        return f"{domain.low:g} … {domain.high:g}{extra}"
    return f"{domain} (fixed)"
