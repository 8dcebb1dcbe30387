"""`--set search.budget.trials=8`: one key of a study, given on the command line."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ..errors import Diagnostic, LinnaeusError, Span
from .yaml12 import Node, parse


def apply_overrides(root: Node, overrides: Sequence[str]) -> tuple[Node, dict[str, str]]:
    """The tree with each override in place, missing keys made, and the overrides' texts by their names as files.

    The value is YAML; its spans stand in the override's own text.

    Raises:
        LinnaeusError: E310 no `KEY=VALUE`, or a key that leads through something that is no mapping; E30x the value is
            not YAML.
    """
    sources: dict[str, str] = {}
    for given in overrides:
        key, equals, value = given.partition("=")
        steps = key.strip().split(".")
        file = f"--set {key.strip()}"
        sources[file] = given
        if not equals or not all(steps):
            help = "write --set KEY=VALUE, such as --set search.budget.trials=8"
            raise _refused(f"{given!r} is not KEY=VALUE", file, given, help)
        try:
            node = parse(" " * (len(key) + 1) + value, file, key.strip())
        except LinnaeusError as e:
            raise LinnaeusError(e.diagnostics, {file: given}) from e
        root = _put(root, steps, node, Span(file, 1, 1, 1, len(key) + 1), given)
    return root, sources


def _refused(message: str, file: str, given: str, help: str | None = None) -> LinnaeusError:
    span = Span(file, 1, 1, 1, len(given) + 1)
    return LinnaeusError(Diagnostic("E310", message, span=span, help=help), {file: given})


def _put(node: Node, steps: Sequence[str], value: Node, key: Span, given: str) -> Node:
    if not steps:
        return value
    if node.value is not None and not isinstance(node.value, dict):
        message = f"{node.path} is no mapping, so it has no key {steps[0]!r}"
        raise _refused(message, key.file, given, f"set {node.path} itself")
    path = f"{node.path}.{steps[0]}" if node.path else steps[0]
    under = (node.value or {}).get(steps[0], Node(None, key, path))
    return dataclasses.replace(
        node,
        value={**(node.value or {}), steps[0]: _put(under, steps[1:], value, key, given)},
        keys={**node.keys, steps[0]: key},
    )
