"""Formulas over labels: what `when` and rules say.

They are two-valued: what speaks of a group is false where the group does not apply.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .ontology import Ontology


class Op(StrEnum):
    """What a formula's node says, in the words of the language."""

    HOLDS = "holds"
    APPLIES = "applies"
    ANY = "any"
    IN = "in"
    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    NOT = "not"
    AND = "and"
    OR = "or"
    IMPLIES = "=>"
    IFF = "<=>"
    AT_MOST = "at most"
    AT_LEAST = "at least"
    EXACTLY = "exactly"


COMPARISONS = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)
"""`group OP label`; all but the first two ask for an ordinal."""
COUNTS = (Op.AT_MOST, Op.AT_LEAST, Op.EXACTLY)
"""`OP count of {args}`."""
CONNECTIVES = (Op.NOT, Op.AND, Op.OR, Op.IMPLIES, Op.IFF)


@dataclass(frozen=True, slots=True)
class Formula:
    """A node of a formula. Which fields count depends on `op`:

    - HOLDS: `labels` is the one class, level or binary.
    - APPLIES: `group`.
    - ANY: `group`, and `labels` empty (some class at the top of the group) or one class (some class directly under it).
      The implicit `other` is not listed, so it does not count.
    - IN: `group` and `labels`, some of which hold.
    - comparisons: `group` and `labels`, the one class or level it is compared with.
    - NOT (one), AND, OR (two or more), IMPLIES, IFF (two): `args`.
    - counts: `args` and `count`.
    """

    op: Op
    args: tuple[Formula, ...] = ()
    labels: tuple[int, ...] = ()
    group: int = -1
    count: int = 0

    def walk(self) -> Iterator[Formula]:
        """The node and all under it, outer ones first."""
        yield self
        for arg in self.args:
            yield from arg.walk()

    def mentioned_groups(self, ontology: Ontology) -> frozenset[int]:
        """The groups that the formula speaks of."""
        groups = {f.group for f in self.walk() if f.group >= 0}
        return frozenset(groups | {ontology.labels[i].group for f in self.walk() for i in f.labels})

    def to_list(self) -> list[Any]:
        """Plain data, for JSON and for the hash."""
        return [self.op.value, list(self.labels), self.group, self.count, [arg.to_list() for arg in self.args]]

    @classmethod
    def from_list(cls, data: list[Any]) -> Formula:
        """The inverse of `to_list`."""
        op, labels, group, count, args = data
        return cls(Op(op), tuple(cls.from_list(arg) for arg in args), tuple(labels), group, count)


def holds(label: int) -> Formula:
    """The formula that a label holds."""
    return Formula(Op.HOLDS, labels=(label,))


def conjunction(formulas: list[Formula]) -> Formula:
    """All of at least one formula."""
    return formulas[0] if len(formulas) == 1 else Formula(Op.AND, tuple(formulas))


def lower(ontology: Ontology, formula: Formula) -> Formula:
    """An equivalent formula of HOLDS, APPLIES, connectives and counts alone.

    An AND or OR of no arguments is true or false: `severity > severe` lowers to an empty OR.
    """
    match formula.op:
        case Op.HOLDS | Op.APPLIES:
            return formula
        case Op.ANY | Op.IN | Op.EQ | Op.LT | Op.LE | Op.GT | Op.GE:
            return Formula(Op.OR, tuple(holds(i) for i in meant(ontology, formula)))
        case Op.NE:
            rest = Formula(Op.NOT, (holds(formula.labels[0]),))
            return Formula(Op.AND, (Formula(Op.APPLIES, group=formula.group), rest))
        case _:
            args = tuple(lower(ontology, arg) for arg in formula.args)
            return Formula(formula.op, args, count=formula.count)


def meant(ontology: Ontology, formula: Formula) -> tuple[int, ...]:
    """The labels of which ANY, IN or a comparison (all but NE) says that one holds."""
    if formula.op in (Op.IN, Op.EQ):
        return formula.labels
    if formula.op is Op.ANY:
        under = ontology.children[formula.labels[0]] if formula.labels else ontology.groups[formula.group].labels
        top = () if formula.labels else None
        listed = (i for i in under if not ontology.labels[i].other)
        return tuple(i for i in listed if top is not None or not ontology.labels[i].parents)
    levels = ontology.groups[formula.group].labels
    at = levels.index(formula.labels[0])
    bounds = {Op.LT: (0, at), Op.LE: (0, at + 1), Op.GT: (at + 1, None), Op.GE: (at, None)}
    return levels[slice(*bounds[formula.op])]
