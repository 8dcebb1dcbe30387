"""Raw annotations → evidence, and evidence → words.

A cell of a data set's column says something about one group: a class, an inner node (a coarse label), a set
`{a|b}`, a negative `!a`, yes or no, `n/a`, or nothing. Each becomes the set of states it allows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from .evidence import NO, YES, Evidence, decided_labels
from .names import Match, find_child, find_label
from .ontology import Group, Kind, Label
from .tables import Bools, Ints, Tables, Variable

Cell = str | int | float | bool | None | tuple[str, ...]
"""A raw annotation: `None` is missing, a tuple a multilabel list of names."""
Masks = dict[int, Bools]
"""Per variable index, which of its states (in order) a cell allows; a variable left out is unknown."""

YES_WORDS = frozenset({"yes", "true", "1"})
NO_WORDS = frozenset({"no", "false", "0"})
NOT_APPLICABLE = "n/a"
UNKNOWN_TEXT = "?"


class AnnotationError(ValueError):
    """A cell that says nothing its group understands. `near` lists the paths it may have meant."""

    def __init__(self, message: str, near: tuple[str, ...] = ()):
        super().__init__(message)
        self.near = near


def is_missing(cell: Cell, missing: frozenset[str]) -> bool:
    """Whether a cell is empty: None, not a number, or one of the study's words for missing."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return True
    return isinstance(cell, str) and cell.strip() in missing


def cell_text(cell: Cell) -> str:
    """A cell as the text that names are compared with: 3.0 reads 3, a Boolean true or false."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "|".join(cell) if isinstance(cell, tuple) else str(cell).strip()


@dataclass
class GroupReader:
    """Reads the cells of one group.

    `unlisted` says what a multilabel list leaves open: "no", or "unknown". `folded` collects the spellings found only
    after folding case, spaces and hyphens, with the path of the class they were taken for.
    """

    tables: Tables
    group: Group
    unlisted: Literal["no", "unknown"] = "unknown"
    folded: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.variables = self.tables.group_variables(self.group)

    def read(self, cell: Cell) -> Masks:
        """What one cell that is not missing allows.

        Raises:
            AnnotationError: the cell names no class of the group.
        """
        if self.group.kind is Kind.MULTILABEL:
            return self._list(cell)
        v = self.variables[0]
        if isinstance(cell, tuple):
            cell = cell[0] if len(cell) == 1 else "{" + "|".join(cell) + "}"
        return {v.index: self._choice(cell_text(cell), None)[0]}

    def read_path(self, cells: Sequence[Cell]) -> Masks:
        """What cells from coarse to fine say together (None where one is missing): each is looked for under the one
        before, and a cell that repeats its parent where there is no such child adds nothing. Cells that disagree allow
        no state at all.

        Raises:
            AnnotationError: a cell names no class of the group.
        """
        v = self.variables[0]
        mask, node = np.ones(v.stop - v.start, bool), None
        for cell in cells:
            if cell is not None:
                allowed, found = self._choice(cell_text(cell), node)
                mask &= allowed
                node = found or node
        return {v.index: mask}

    def read_class(self, label: Label, cell: Cell) -> Masks:
        """What a yes-or-no cell says about one class of a multilabel group.

        Raises:
            AnnotationError: the cell is neither yes nor no.
        """
        text = cell_text(cell).casefold()
        v = self.tables.variables[self.tables.label_variable[label.index]]
        if text in YES_WORDS:
            return {v.index: _mask(v, self.tables.label_states[label.index])}
        if text in NO_WORDS:
            return {v.index: _mask(v, [v.no])}
        if text == NOT_APPLICABLE:
            return {v.index: _mask(v, [v.na])}
        raise AnnotationError("neither yes nor no")

    # --- one choice ---------------------------------------------------------------------------------

    def _choice(self, text: str, under: Label | None) -> tuple[Bools, Label | None]:
        """The states of the group's one variable that `text` allows, and the class it names if it names just one."""
        v = self.variables[0]
        match = self._find(text, under)
        if match.item is not None:
            return _mask(v, self.tables.label_states[match.item.index]), match.item
        word = text.casefold()
        if word == NOT_APPLICABLE:
            return _mask(v, [v.na]), None
        if self.group.kind is Kind.BINARY and word in YES_WORDS:
            return _mask(v, [v.start]), None
        if self.group.kind is Kind.BINARY and word in NO_WORDS:
            return _mask(v, [v.no]), None
        if text.startswith("!"):
            return ~self._choice(text[1:].strip(), under)[0], None
        if text.startswith("{") and text.endswith("}"):
            parts = [p.strip() for p in text[1:-1].split("|")]
            return np.any([self._choice(p, under)[0] for p in parts], axis=0), None
        raise self._unknown(text, match)

    # --- a list of classes --------------------------------------------------------------------------

    def _list(self, cell: Cell) -> Masks:
        """Listed classes hold, with all above them; `!a` does not; the rest is as `unlisted` says."""
        listed: set[int] = set()
        denied: set[int] = set()
        for text in self._names(cell):
            name = text[1:].strip() if text.startswith("!") else text
            match = self._find(name, None)
            if match.item is None and text.casefold() == NOT_APPLICABLE:
                return {v.index: _mask(v, [v.na]) for v in self.variables}
            if match.item is None and text.startswith("{"):
                raise AnnotationError("a set of alternatives, which a multilabel group can't read: list what holds")
            if match.item is None:
                raise self._unknown(name, match)
            (denied if text.startswith("!") else listed).add(match.item.index)
        holding = {a for i in listed for a in self.tables.ontology.ancestors(i)}
        masks = {}
        for v in self.variables:
            mask = np.ones(v.stop - v.start, bool)
            if v.label in holding:
                mask &= _mask(v, [v.start])
            if v.label in denied or (v.label not in holding and self.unlisted == "no"):
                mask[0] = False
            if not mask.all():
                masks[v.index] = mask
        return masks

    def _names(self, cell: Cell) -> list[str]:
        if isinstance(cell, tuple):
            return [t.strip() for t in cell]
        text = cell_text(cell)
        if not text or self._find(text, None).item is not None:
            return [text] if text else []
        if text.casefold() in NO_WORDS:  # nothing of the group
            return [f"!{self.tables.ontology.labels[i].path}" for i in self.group.labels]
        sign = next((s for s in "|;," if s in text), None)
        if sign is None or text.startswith("{"):
            return [text]
        return [part.strip() for part in text.split(sign) if part.strip()]

    # --- names --------------------------------------------------------------------------------------

    def _find(self, text: str, under: Label | None) -> Match[Label]:
        match = self._nearest(text, under)
        if match.item is None and not match.ambiguous and re.search(r"[/>]", text):
            match = self._walk(re.split(r"\s*[/>]\s*", text.strip("/> "))) or match
        if match.item is None and match.ambiguous:
            match = self._same_states(match) or match
        if match.item is not None and match.folded:
            self.folded[text] = match.item.path
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

    def _walk(self, steps: list[str]) -> Match[Label] | None:
        """A path of names from the top of the group, such as Fruit/Apple."""
        node: Label | None = None
        folded = False
        for step in steps:
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

    def _unknown(self, text: str, match: Match[Label]) -> AnnotationError:
        if match.ambiguous:
            return AnnotationError(f"{text!r} may mean any of {', '.join(match.candidates)}", match.candidates)
        return AnnotationError(f"{text!r} is no class of {self.group.path}", match.candidates)


def _mask(v: Variable, states: Iterable[int]) -> Bools:
    mask = np.zeros(v.stop - v.start, bool)
    mask[[s - v.start for s in states if s >= 0]] = True
    return mask


# --- columns -----------------------------------------------------------------------------------------


@dataclass
class EvidenceBuilder:
    """Evidence of N records, gathered group by group. What a record is never told stays unknown."""

    tables: Tables
    n: int

    def __post_init__(self) -> None:
        self.codes: Ints = np.zeros((self.n, len(self.tables.variables)), np.int32)
        self.masks: list[Bools] = [np.ones((1, v.stop - v.start), bool) for v in self.tables.variables]

    def add(
        self, cells: Sequence[Hashable], read: Callable[[Hashable], Masks]
    ) -> dict[Hashable, tuple[list[int], AnnotationError]]:
        """Read one group's cells (None: missing), each distinct one once.

        Returns:
            Per cell that could not be read, the records that have it and why. They stay unknown here.
        """
        rows: dict[Hashable, list[int]] = {}
        for row, cell in enumerate(cells):
            if cell is not None:
                rows.setdefault((cell, cell.__class__), []).append(row)  # the class parts True from 1
        known: dict[int, dict[bytes, int]] = {}
        added: dict[int, list[Bools]] = {}
        failed: dict[Hashable, tuple[list[int], AnnotationError]] = {}
        for (cell, _), where in rows.items():  # type: ignore[misc]  # the keys are the pairs made above
            try:
                masks = read(cell)
            except AnnotationError as e:
                failed[cell] = (where, e)
                continue
            for index, mask in masks.items():
                codes = known.setdefault(index, {self.masks[index][0].tobytes(): 0})
                code = codes.setdefault(mask.tobytes(), len(codes))
                if code > len(added.setdefault(index, [])):
                    added[index].append(mask)
                self.codes[where, index] = code
        for index, extra in added.items():
            self.masks[index] = np.stack([self.masks[index][0], *extra])
        return failed

    def done(self) -> Evidence:
        """The evidence."""
        return Evidence(self.tables, self.codes, tuple(self.masks))


# --- back to words -----------------------------------------------------------------------------------


def describe(tables: Tables, possible: Bools) -> dict[str, str]:
    """One record's evidence in words, by group path.

    Args:
        possible: [S] a row of `Evidence.possible`; where no legal world agrees, every group reads "impossible".
    """
    if not possible.any():
        return dict.fromkeys((g.path for g in tables.ontology.groups), "impossible")
    labels = decided_labels(tables, possible[None])[0]
    return {group.path: _describe_group(tables, group, possible, labels) for group in tables.ontology.groups}


def _describe_group(tables: Tables, group: Group, possible: Bools, labels: Sequence[int]) -> str:
    ontology = tables.ontology
    variables = tables.group_variables(group)
    if all(v.na >= 0 and possible[v.na] and possible[v.start : v.stop].sum() == 1 for v in variables):
        return NOT_APPLICABLE
    if group.kind is Kind.MULTILABEL:
        holding = [ontology.labels[i].name for i in group.labels if labels[i] == YES]
        open_ = any(labels[i] not in (YES, NO) for i in group.labels)
        return ", ".join(holding + ["…?"] * open_) or "none"
    v = variables[0]
    allowed = [s for s in range(v.start, v.stop) if possible[s]]
    if len(allowed) == v.stop - v.start:
        return UNKNOWN_TEXT
    if group.kind is Kind.BINARY:
        return " or ".join({v.start: "yes", v.no: "no", v.na: NOT_APPLICABLE}[s] for s in allowed)
    deepest = [i for i in group.labels if set(tables.label_states[i]) == set(allowed)]
    if deepest:
        return ontology.labels[deepest[-1]].name
    names = [NOT_APPLICABLE if s == v.na else ontology.labels[int(tables.leaf[s])].name for s in allowed]
    if len(names) > 6:
        names = [*names[:6], "…"]
    return "{" + "|".join(names) + "}"
