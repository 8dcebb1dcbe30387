"""Where the parts of a normalised ontology stand in the text; the ontology itself has no spans."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import Span


@dataclass
class Places:
    """Spans by the indices of an `Ontology`. Those of an imported group or rule name the imported file.

    Attributes:
        file: the file that was checked.
        start: its header, for findings about all of it.
        groups, labels: the names where they are declared; for the `other` of an open node, the node's name.
        whens: the condition of each group that has a `when`.
        rules: each rule's name; `formulas`: each rule's formulas, whole.
    """

    file: str
    start: Span
    groups: list[Span] = field(default_factory=list)
    labels: list[Span] = field(default_factory=list)
    whens: dict[int, Span] = field(default_factory=dict)
    rules: list[Span] = field(default_factory=list)
    formulas: list[list[Span]] = field(default_factory=list)
