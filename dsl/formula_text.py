"""Formulas as an `.onto` file writes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from .formula import COMPARISONS, COUNTS, Formula, Op
from .names import path_steps
from .ontology import Kind, Ontology
from .quoting import quote_path

_BINDS = {Op.IFF: 1, Op.IMPLIES: 2, Op.OR: 3, Op.AND: 4, Op.NOT: 5}
"""How tightly connectives bind; all else binds tighter."""
_TIGHT = 6


def formula_text(ontology: Ontology, formula: Formula) -> str:
    """A formula in its canonical spelling: the shortest names that are unique in the ontology, parentheses where they
    are needed. It parses to the same formula.
    """
    return _text(_names(ontology), formula, 0)


def label_text(ontology: Ontology, label: int) -> str:
    """The shortest name by which a formula of the ontology can call a class, a level or a binary."""
    return _names(ontology).label(label)


def group_text(ontology: Ontology, group: int) -> str:
    """The shortest name by which a formula of the ontology can call a group."""
    return _names(ontology).group(group)


def _text(names: _Names, formula: Formula, outer: int) -> str:
    """The text of a formula that stands in something that binds as tightly as `outer`."""
    op, args = formula.op, formula.args
    mine = _BINDS.get(op, _TIGHT)
    match op:
        case Op.HOLDS:
            text = names.label(formula.labels[0])
        case Op.APPLIES:
            text = f"applies {names.group(formula.group)}"
        case Op.ANY:
            text = f"any {names.collection(formula)}"
        case Op.IN:
            listed = ", ".join(names.within(formula.group, i) for i in formula.labels)
            text = f"{names.group(formula.group)} in {{{listed}}}"
        case Op.NOT:
            text = f"not {_text(names, args[0], mine)}"
        case Op.IMPLIES:
            text = f"{_text(names, args[0], mine + 1)} => {_text(names, args[1], mine)}"
        case _ if op in COMPARISONS:
            text = f"{names.group(formula.group)} {op} {names.within(formula.group, formula.labels[0])}"
        case _ if op in COUNTS:
            text = f"{op} {formula.count} of {{{', '.join(_text(names, arg, 0) for arg in args)}}}"
        case _:
            text = f" {op} ".join(_text(names, arg, mine + 1) for arg in args)
    return f"({text})" if mine < outer else text


class _Names:
    """What a reference in an ontology's file finds, the other way round: the shortest reference that finds a thing.

    A reference is a whole path, else an end of a path; a thing is a group (its index) or a label (~index).
    """

    def __init__(self, ontology: Ontology):
        self.ontology = ontology
        self.paths: dict[int, str] = {group.index: group.path for group in ontology.groups}
        for label in ontology.labels:
            if ontology.groups[label.group].kind is not Kind.BINARY:  # a binary has one name, its group's
                self.paths[~label.index] = label.path
        self.by_step: dict[str, list[int]] = {}
        for thing, path in self.paths.items():
            self.by_step.setdefault(path_steps(path)[-1], []).append(thing)

    def label(self, index: int) -> str:
        """A class, a level or a binary, where one of these is asked for."""
        group = self.ontology.labels[index].group
        thing = group if self.ontology.groups[group].kind is Kind.BINARY else ~index
        return self._shortest(thing, lambda t: t < 0 or self.ontology.groups[t].kind is Kind.BINARY)

    def group(self, index: int) -> str:
        """A group, where one is asked for."""
        return self._shortest(index, lambda t: t >= 0)

    def collection(self, formula: Formula) -> str:
        """The group or class of an `any`."""
        thing = ~formula.labels[0] if formula.labels else formula.group
        return self._shortest(thing, lambda t: True)

    def within(self, group: int, index: int) -> str:
        """A class of a group that is named beside it."""
        prefix = self.ontology.groups[group].path + "."

        def found(end: str, things: list[int]) -> list[int]:
            mine = [t for t in things if t < 0 and self.ontology.labels[~t].group == group]
            return [t for t in mine if self.paths[t] in (end, prefix + end)] or mine

        return self._name(~index, found)

    def _shortest(self, thing: int, fits: Callable[[int], bool]) -> str:
        def found(end: str, things: list[int]) -> list[int]:
            whole = [t for t in things if self.paths[t] == end]
            return [t for t in whole or things if fits(t)]

        return self._name(thing, found)

    def _name(self, thing: int, found: Callable[[str, list[int]], list[int]]) -> str:
        steps = path_steps(self.paths[thing])
        alike = self.by_step[steps[-1]]
        for k in range(len(steps) - 1, 0, -1):
            end = ".".join(steps[k:])
            if found(end, [t for t in alike if f".{self.paths[t]}".endswith(f".{end}")]) == [thing]:
                return quote_path(end)
        return quote_path(self.paths[thing])


@lru_cache(maxsize=8)
def _names(ontology: Ontology) -> _Names:
    return _Names(ontology)
