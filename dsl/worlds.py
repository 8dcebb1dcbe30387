"""What a world makes of formulas: vectorised over worlds given as the labels that hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .formula import Formula, Op, lower
from .ontology import Group, Kind, Ontology

Bools = NDArray[np.bool_]


def applies(ontology: Ontology, group: int, labels: Bools) -> Bools:
    """[N] whether a group applies, given which labels hold, [N, L]."""
    g = ontology.groups[group]
    result = np.ones(len(labels), bool)
    if g.condition is not None:
        result &= labels[:, g.condition]
    if g.when is not None:
        result &= evaluate(ontology, g.when, labels)
    return result


def evaluate(ontology: Ontology, formula: Formula, labels: Bools) -> Bools:
    """[N] whether a formula is true, given which labels hold, [N, L]."""
    f = lower(ontology, formula)
    if f.op is Op.HOLDS:
        return np.asarray(labels[:, f.labels[0]], bool)
    if f.op is Op.APPLIES:
        return applies(ontology, f.group, labels)
    args = np.array([evaluate(ontology, arg, labels) for arg in f.args], bool).reshape(len(f.args), len(labels))
    number = args.sum(0)
    match f.op:
        case Op.NOT:
            result = ~args[0]
        case Op.AND:
            result = number == len(args)
        case Op.OR:
            result = number > 0
        case Op.IMPLIES:
            result = ~args[0] | args[1]
        case Op.IFF:
            result = args[0] == args[1]
        case Op.AT_MOST:
            result = number <= f.count
        case Op.AT_LEAST:
            result = number >= f.count
        case _:
            result = number == f.count
    return np.asarray(result, bool)


def legal(ontology: Ontology, labels: Bools) -> Bools:
    """[N] whether sets of labels, [N, L], are legal worlds: structure and hard rules."""
    result = np.ones(len(labels), bool)
    for group in ontology.groups:
        result &= _structure_holds(ontology, group, labels)
    for rule in ontology.rules:
        if rule.weight is None:
            for formula in rule.formulas:
                result &= evaluate(ontology, formula, labels)
    return result


def _structure_holds(ontology: Ontology, group: Group, labels: Bools) -> Bools:
    """[N] whether a group's labels have one of its values where it applies, and none elsewhere."""
    here = applies(ontology, group.index, labels)
    result = here | ~labels[:, list(group.labels)].any(1)
    if group.single_choice:
        result &= labels[:, list(ontology.leaves(group))].sum(1) == here
    for i in group.labels:
        for parent in ontology.labels[i].parents:
            result &= ~labels[:, i] | labels[:, parent]
        if group.kind is Kind.HIERARCHY and ontology.children[i]:
            result &= ~labels[:, i] | labels[:, list(ontology.children[i])].any(1)
    return np.asarray(result, bool)
