"""`best-world`: the most probable world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...dsl.tables import Tables
from ..contracts import Decoder, HeadModule

if TYPE_CHECKING:
    import jax


@dataclass(frozen=True)
class BestWorld(Decoder):
    """The one world with the highest probability: it minimises the chance that anything at all is wrong."""

    name = "best-world"

    def decode(self, tables: Tables, head: HeadModule, scores: jax.Array) -> jax.Array:
        """The decoded world as labels [B, L] bool, from scores [B, K]."""
        return head.best_world(scores)
