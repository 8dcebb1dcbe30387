"""Raw annotations → evidence, and evidence → words.

A cell of a data set's column says something about one group: a class, an inner node (a coarse label), a set
`{a|b}`, a negative `!a`, yes or no, `n/a`, or nothing. Each becomes the set of states it allows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .class_names import ClassNames, Meant
from .evidence import NO, YES, Evidence, decided_labels
from .names import Match, find_child
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

    `unlisted` says what a multilabel list leaves open: "no", or "unknown". `names` finds its classes, and knows what to
    say of how names were read.
    """

    tables: Tables
    group: Group
    unlisted: Literal["no", "unknown"] = "unknown"

    def __post_init__(self) -> None:
        self.variables = self.tables.group_variables(self.group)
        self.names = ClassNames(self.tables, self.group)

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
        mask, _ = self._choice(cell_text(cell), None)
        return {} if mask is None else {v.index: mask}

    def read_path(self, cells: Sequence[Cell]) -> Masks:
        """What cells from coarse to fine say together (None where one is missing): the first is looked for at the top,
        each other under the one before, and a cell that repeats its parent where there is no such child adds nothing.
        Cells that disagree allow no state at all.

        Raises:
            AnnotationError: a cell names no class of the group.
        """
        v = self.variables[0]
        mask, node = np.ones(v.stop - v.start, bool), None
        for place, cell in enumerate(cells):
            if cell is not None:
                text = cell_text(cell)
                allowed, found = self._choice(text if place else self._at_top(text), node)
                mask &= True if allowed is None else allowed
                node = found or node
        return {v.index: mask}

    def _at_top(self, text: str) -> str:
        """A name as the whole path of the class at the top that is spelled so, if there is one."""
        match = find_child(self.tables.ontology, self.group, None, text)
        return text if match.item is None or match.folded else match.item.path

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

    def _choice(self, text: str, under: Label | None) -> tuple[Bools | None, Label | None]:
        """The states of the group's one variable that `text` allows, and the class it names if it names just one.

        No states but None: it says nothing, since it is an old name that has been dropped.
        """
        v = self.variables[0]
        match = self.names.find(text, under)
        if match.item is not None:
            return self._any_of(text, match.item), match.item[0] if len(match.item) == 1 else None
        word = text.casefold()
        if word == NOT_APPLICABLE:
            return _mask(v, [v.na]), None
        if self.group.kind is Kind.BINARY and word in YES_WORDS:
            return _mask(v, [v.start]), None
        if self.group.kind is Kind.BINARY and word in NO_WORDS:
            return _mask(v, [v.no]), None
        if text.startswith("!"):
            denied = self._choice(text[1:].strip(), under)[0]
            return None if denied is None else ~denied, None
        if text.startswith("{") and text.endswith("}"):
            parts = [self._choice(p.strip(), under)[0] for p in text[1:-1].split("|")]
            said = [p for p in parts if p is not None]
            return np.any(said, axis=0) if len(said) == len(parts) else None, None
        raise self._unknown(text, match)

    def _any_of(self, text: str, classes: Meant) -> Bools | None:
        if not classes:
            return None
        self._own(text, classes)
        return _mask(self.variables[0], [s for c in classes for s in self.tables.label_states[c.index]])

    def _own(self, text: str, classes: Meant) -> None:
        """Refuse an old name that was split over several groups."""
        if any(c.group != self.group.index for c in classes):
            meant = " or ".join(c.path for c in classes)
            raise AnnotationError(
                f"{text!r} is now {meant}, which no one group can say", tuple(c.path for c in classes)
            )

    # --- a list of classes --------------------------------------------------------------------------

    def _list(self, cell: Cell) -> Masks:
        """Listed classes hold, with all above them; `!a` does not; the rest is as `unlisted` says."""
        names = self._listed(cell)
        if any(t.casefold() == NOT_APPLICABLE and self.names.find(t).item is None for t in names):
            return {v.index: _mask(v, [v.na]) for v in self.variables}
        listed: set[int] = set()
        split: dict[str, Meant] = {}
        for text in (t for t in names if not t.startswith("!")):
            meant = self._meant(text)
            if len(meant) > 1:
                split[text] = meant
            listed |= {c.index for c in meant if len(meant) == 1}
        denied = {c.index for t in names if t.startswith("!") for c in self._meant(t[1:].strip())}
        maybe = self._settle(split, listed, denied)
        holding = self._with_ancestors(listed)
        masks = {}
        for v in self.variables:
            mask = np.ones(v.stop - v.start, bool)
            if v.label in holding:
                mask &= _mask(v, [v.start])
            if v.label in denied or (v.label not in holding | maybe and self.unlisted == "no"):
                mask[0] = False
            if not mask.all():
                masks[v.index] = mask
        return masks

    def _meant(self, text: str) -> Meant:
        """The classes that one name in a list means."""
        match = self.names.find(text)
        if match.item is None and text.startswith("{"):
            raise AnnotationError("a set of alternatives, which a multilabel group can't read: list what holds")
        if match.item is None:
            raise self._unknown(text, match)
        self._own(text, match.item)
        return match.item

    def _settle(self, split: dict[str, Meant], listed: set[int], denied: set[int]) -> set[int]:
        """Add to `listed` what the alternatives of old, split names come to, and return what they leave open.

        Evidence is a set of states for each class by itself, so "at least one of them" is said only where one is known
        to hold, or just one of them can be the least that holds.

        Raises:
            AnnotationError: the alternatives stay alternatives.
        """
        ontology = self.tables.ontology
        maybe: set[int] = set()
        for text, classes in split.items():
            found = {c.index for c in classes}
            maybe |= self._with_ancestors(found)
            if found & self._with_ancestors(listed):
                continue
            able = {i for i in found if not denied.intersection(ontology.ancestors(i))} or found
            least = [i for i in able if able.isdisjoint(a for a in ontology.ancestors(i) if a != i)]
            if len(least) > 1:
                meant = " or ".join(c.path for c in classes)
                message = f"{text!r} is now {meant}, and evidence about a multilabel can't say 'at least one of them'"
                raise AnnotationError(message, tuple(c.path for c in classes))
            listed.update(least)
        return maybe

    def _with_ancestors(self, labels: set[int]) -> set[int]:
        return {a for i in labels for a in self.tables.ontology.ancestors(i)}

    def _listed(self, cell: Cell) -> list[str]:
        if isinstance(cell, tuple):
            return [t.strip() for t in cell]
        text = cell_text(cell)
        if not text or self.names.find(text).item is not None:
            return [text] if text else []
        if text.casefold() in NO_WORDS:  # nothing of the group
            return [f"!{self.tables.ontology.labels[i].path}" for i in self.group.labels]
        sign = next((s for s in "|;," if s in text), None)
        if sign is None or text.startswith("{"):
            return [text]
        return [part.strip() for part in text.split(sign) if part.strip()]

    def _unknown(self, text: str, match: Match[Meant]) -> AnnotationError:
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
