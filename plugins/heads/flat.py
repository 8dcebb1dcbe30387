"""`flat`: one softmax over all leaves of a hierarchy, marginalised upwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...dsl.ontology import Ontology
from ...dsl.tables import Tables
from ..contracts import Head, HeadModule
from .forest_only import WAY, require_forest

if TYPE_CHECKING:
    from flax import nnx


@dataclass(frozen=True)
class Flat(Head):
    """P(leaf) is a softmax over the leaves; an inner node is the sum of its leaves.

    The usual classifier, made to read coarse labels and nested groups. Every leaf has weights of its own, so rare
    leaves learn nothing from their siblings.
    """

    name = "flat"
    normalised = True
    coherent = True
    obeys_rules = False

    @classmethod
    def check(cls, ontology: Ontology) -> None:
        """Refuse rules, second parents and `when`: the forest of variables is all that it is exact about (E418)."""
        require_forest(ontology, "E418", f"the head {cls.name!r}", WAY)

    def build(self, tables: Tables, features: int, rngs: nnx.Rngs) -> HeadModule:
        """The module for one ontology and one number of input features."""
        from .coherent import CoherentModule
        from .layout import lay_out

        self.check(tables.ontology)
        return CoherentModule(lay_out(tables, flat=True), features, rngs)
