"""`independent`: a sigmoid for every label. The baseline that knows nothing of the ontology and may contradict it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...dsl.tables import Tables
from ..contracts import Head, HeadModule

if TYPE_CHECKING:
    from flax import nnx


@dataclass(frozen=True)
class Independent(Head):
    """P(label holds | its group applies) is a sigmoid of its own, for inner nodes as for leaves.

    Trained by binary cross-entropy on the labels that a record's evidence decides. A class may get more probability
    than its parent, and a decoded world may break its hierarchy and its rules: the board counts how often.
    """

    name = "independent"
    normalised = False
    coherent = False
    obeys_rules = False

    def build(self, tables: Tables, features: int, rngs: nnx.Rngs) -> HeadModule:
        """The module for one ontology and one number of input features."""
        from .sigmoids import SigmoidModule

        return SigmoidModule(tables, features, rngs)
