"""Whether a study's heads, decoder and baselines can be right about its ontology."""

from __future__ import annotations

from collections.abc import Iterable

from ..dsl.ontology import Ontology
from ..errors import LinnaeusError
from ..plugins.contracts import Decoder, Head, Plugin
from ..plugins.heads.forest_only import beyond_forest, require_forest
from ..plugins.registry import Registry
from .schema import Section, list_of, one_of, placed
from .study import Study
from .yaml12 import Node

BASELINES = ("prior", "flat-risk")


def check_suited(top: Section, ontology: Ontology, registry: Registry, heads: Iterable[str], decoder: str) -> None:
    """Ask each head and the decoder whether the ontology suits them; refusals go to the findings, at their keys."""
    kinds: list[tuple[type[Plugin], str, Node]] = [(Head, name, _head_node(top, name)) for name in heads]
    kinds.append((Decoder, decoder, top.nodes.get("decoder", top.node)))
    for kind, name, node in kinds:
        try:
            plugin = registry.get(kind, name)
        except LinnaeusError:  # told where the name is read
            continue
        assert issubclass(plugin, Head | Decoder)
        try:
            plugin.check(ontology)
        except LinnaeusError as e:
            top.findings.keep(placed(e, node))


def _head_node(top: Section, name: str) -> Node:
    """The place of a head in the file: its key, else the nearest thing above it."""
    node, path = top.node, "search.space.head"
    for key in path.split("."):
        if not isinstance(node.value, dict) or key not in node.value:
            return Node(None, node.span, path)
        node = node.value[key]
    return Node(None, node.keys[name], f"{path}.{name}") if name in node.keys else node


def read_baselines(top: Section, ontology: Ontology | None) -> tuple[str, ...]:
    """The study's baselines. Where the ontology does not suit them: none, and E418 for those that are asked for."""
    given = top.take("baselines", list_of(one_of(*BASELINES)), None)
    if ontology is None or beyond_forest(ontology) is None:
        return Study.baselines if given is None else given
    for name, node in zip(given or (), top.nodes["baselines"].value if given else (), strict=True):
        try:
            require_forest(ontology, "E418", f"the baseline {name!r} rests on the head 'flat', which", "take it out")
        except LinnaeusError as e:
            top.findings.keep(placed(e, node))
    return given or ()


def notes(study: Study) -> list[str]:
    """What a study's models do not do of its ontology: printed before it runs, and kept in its results."""
    beyond = beyond_forest(study.ontology)
    if beyond is None:
        return []
    kind: type[Plugin] = Head
    heads = {name: study.registry.get(kind, name) for name in study.search.space.plugins["head"]}
    loose = [name for name, head in heads.items() if not getattr(head, "obeys_rules", False)]
    counted = "the metric consistency counts the worlds that break it"
    found = [f"The head {name} does not obey {beyond}; {counted}." for name in loose]
    if not study.baselines:
        found.append("There is no baseline: prior and flat-risk rest on the head flat, which can't obey it either.")
    return found
