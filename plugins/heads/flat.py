"""`flat`: one softmax over all leaves of a hierarchy, marginalised upwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...dsl.tables import Tables
from ..contracts import Head, HeadModule

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

    def build(self, tables: Tables, features: int, rngs: nnx.Rngs) -> HeadModule:
        """The module for one ontology and one number of input features."""
        from .coherent import CoherentModule
        from .layout import lay_out

        return CoherentModule(lay_out(tables, flat=True), features, rngs)
