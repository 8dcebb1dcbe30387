"""What a name in an annotation means: a class of one group, by its names today, else by those of earlier versions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .names import Match, find_child, find_former, find_group, find_label, path_steps
from .ontology import Group, Kind, Label
from .tables import Tables

Meant = tuple[Label, ...]
"""The class that a name means; several, of which one holds, after a split; none where the class was dropped."""

SHOWN = 5


@dataclass
class ClassNames:
    """Finds the classes of one group. `folded` collects spellings found only after folding case, spaces and hyphens,
    with the path they were taken for; `former` names of earlier versions, with what they are read as.
    """

    tables: Tables
    group: Group
    folded: dict[str, str] = field(default_factory=dict)
    former: dict[str, str] = field(default_factory=dict)

    def find(self, text: str, under: Label | None = None) -> Match[Meant]:
        """What `text` means: best under a class that is known to hold. A name spelled exactly wins over a folded one,
        and a name of today over an old one.
        """
        match = self._today(text, under)
        if self.tables.ontology.migrations and (match.item is None or match.folded):
            former = self._before(text)
            if former.item is not None and (match.item is None or not former.folded):
                self.former[text] = " or ".join(label.path for label in former.item) or "unknown"
                return former
            if former.ambiguous and match.item is None:
                return former
        if match.item is None:
            return Match(None, match.folded, match.ambiguous, match.candidates)
        if match.folded:
            self.folded[text] = match.item.path
        return Match((match.item,), match.folded)

    def notices(self) -> list[str]:
        """What the reader of a data set should know of how names were read."""
        found = []
        if self.folded:
            found.append(f"read without regard to case, spaces and hyphens: {_listed(self.folded)}")
        if self.former:
            found.append(f"old names, read as `migrate` says: {_listed(self.former)}")
        return [f"{self.group.path}: {notice}" for notice in found]

    # --- names of today -----------------------------------------------------------------------------

    def _today(self, text: str, under: Label | None) -> Match[Label]:
        match = self._nearest(text, under)
        if match.item is None and not match.ambiguous and re.search(r"[/>]", text):
            match = self._walk(text) or match
        if match.item is None and match.ambiguous:
            match = self._same_states(match) or match
        return match

    def _nearest(self, text: str, under: Label | None) -> Match[Label]:
        """A child of `under`, else `under` itself, else a class anywhere in the group."""
        ontology = self.tables.ontology
        if under is not None:
            match = find_child(ontology, self.group, under, text)
            if match.item is not None or match.ambiguous:
                return match
            above = ontology.labels[under.parents[0]] if under.parents else None
            match = find_child(ontology, self.group, above, text)
            if match.item is not None and match.item.index == under.index:
                return match
        return find_label(ontology, self.group, text)

    def _walk(self, text: str) -> Match[Label] | None:
        """A path of names from the top of the group, such as Fruit/Apple."""
        node: Label | None = None
        folded = False
        for step in _steps(text):
            match = self._nearest(step, node) if node else find_child(self.tables.ontology, self.group, None, step)
            if match.item is None or (node and node.index not in self.tables.ontology.ancestors(match.item.index)):
                return None
            node, folded = match.item, folded or match.folded
        return Match(node, folded=folded)

    def _same_states(self, match: Match[Label]) -> Match[Label] | None:
        """An ambiguous name whose candidates mean the same (an only child named as its parent) is not ambiguous."""
        found = [self.tables.ontology.labels[i] for i in self.group.labels]
        found = [label for label in found if label.path in match.candidates]
        meant = {tuple(sorted(self.tables.label_states[label.index])) for label in found}
        single = self.group.kind is not Kind.MULTILABEL and len(meant) == 1
        return Match(found[-1], folded=match.folded) if single else None

    # --- names of earlier versions ------------------------------------------------------------------

    def _before(self, text: str) -> Match[Meant]:
        """An old name, or a path with old names in it. A path says no more than what is above a dropped class."""
        match, steps = self._former(text), _steps(text)
        if match.item is not None or match.ambiguous or len(steps) == 1:
            return match
        ontology = self.tables.ontology
        if find_group(ontology, steps[0]).item == self.group:
            steps = steps[1:]
        nodes: Meant = ()
        folded = False
        for step in steps:
            node = nodes[0] if len(nodes) == 1 else None
            today = self._nearest(step, node)
            below = today.item is not None and (not node or node.index in ontology.ancestors(today.item.index))
            found = Match((today.item,), today.folded) if today.item and below else self._former(step)
            if found.item is None:
                return Match(None)
            if not found.item:
                break
            nodes, folded = found.item, folded or found.folded
        return Match(nodes, folded=folded, former=True)

    def _former(self, text: str) -> Match[Meant]:
        match = find_former(self.tables.ontology, self.group, text)
        if match.item is None:
            return Match(None, match.folded, match.ambiguous, match.candidates, former=True)
        return Match(tuple(self.tables.ontology.labels[i] for i in match.item), match.folded, former=True)


def _steps(text: str) -> list[str]:
    """A path's steps, parted by `/` or `>`, else by dots."""
    return re.split(r"\s*[/>]\s*", text.strip("/> ")) if re.search(r"[/>]", text) else path_steps(text)


def _listed(read: dict[str, str]) -> str:
    more = f" and {len(read) - SHOWN} more" if len(read) > SHOWN else ""
    return ", ".join(f"{k!r} as {v}" for k, v in list(read.items())[:SHOWN]) + more
