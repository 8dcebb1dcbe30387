"""The refusal of heads and decoders that are exact on a forest of variables and on nothing else."""

from __future__ import annotations

from ...dsl.ontology import Ontology
from ...dsl.tables import laws
from ...errors import fail

SHOWN = 4
WAY = "set search.space.head to independent, which promises nothing and whose violations the metric consistency counts"
"""The next step for a head that refuses."""


def beyond_forest(ontology: Ontology) -> str | None:
    """What of an ontology a forest of variables can't enforce, in words; None where it can enforce all."""
    found = list(dict.fromkeys(law.source for law in laws(ontology)))
    if not found:
        return None
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(found[:SHOWN]) + more


def require_forest(ontology: Ontology, code: str, what: str, way: str) -> None:
    """Refuse an ontology whose rules, second parents or `when` would go unheeded.

    Args:
        code: of the error.
        what: who refuses, such as "the head 'flat'".
        way: the next step.

    Raises:
        LinnaeusError: naming what can't be enforced.
    """
    beyond = beyond_forest(ontology)
    if beyond is None:
        return
    why = "it makes each choice within the one above, and these tie choices together across that"
    if any(g.when is not None for g in ontology.groups):
        way += "; or nest the group in one class in place of its `when`"
    raise fail(code, f"{what} can't obey {beyond} (ontology {ontology.name}): {why}", help=way)
