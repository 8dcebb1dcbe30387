"""Classes that every formula treats alike, so that what is found of one is true of all."""

from __future__ import annotations

from collections.abc import Iterable

from ..formula import COUNTS, Formula, Op, meant
from ..ontology import Ontology

_SYMMETRIC = (Op.AND, Op.OR, *COUNTS)


def representatives(ontology: Ontology, formulas: Iterable[Formula]) -> dict[int, int]:
    """For each class of a multilabel that has twins, the first of them.

    Two classes are twins where exchanging them changes nothing: they have the same parents and nothing of their own,
    and formulas speak of them only side by side, such as in `at most 3 of {…}` and `any …`.
    """
    said: dict[int, list[int]] = {}
    nodes = 0
    stack = list(formulas)
    while stack:
        formula = stack.pop()
        nodes += 1
        symmetric = formula.op in _SYMMETRIC or formula.op is Op.ANY
        beside = meant(ontology, formula) if formula.op in (Op.ANY, Op.IN) else formula.labels
        for number, label in enumerate(beside):
            said.setdefault(label, []).append(nodes if symmetric else -(nodes << 20) - number)
        for number, arg in enumerate(formula.args):
            if arg.op is Op.HOLDS:
                label = arg.labels[0]
                said.setdefault(label, []).append(nodes if symmetric else -(nodes << 20) - number)
            else:
                stack.append(arg)
    first: dict[tuple[int, tuple[int, ...], tuple[int, ...]], int] = {}
    twins: dict[int, int] = {}
    for label, where in sorted(said.items()):
        about = ontology.labels[label]
        alone = not ontology.children[label] and not ontology.attributes[label]
        if ontology.groups[about.group].single_choice or not alone:
            continue
        twins[label] = first.setdefault((about.group, about.parents, tuple(sorted(where))), label)
    return twins
