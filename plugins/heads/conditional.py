"""`conditional`: a softmax among the siblings of every node of a hierarchy, multiplied along the path."""

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
class Conditional(Head):
    """P(leaf) = Π P(node | parent) along its path, each factor a softmax among siblings.

    Coarse evidence trains the nodes it speaks of and leaves the deeper ones alone; nodes share what their leaves
    have in common. (Redmon and Farhadi 2017, "YOLO9000: better, faster, stronger", section 4.)
    """

    name = "conditional"
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
        return CoherentModule(lay_out(tables, flat=False), features, rngs)
