"""Random ontologies, their legal worlds by enumeration, and random annotations: what a plugin's tests need.

`enumerate_worlds` follows the definitions of the language word by word and knows nothing of the compiled tables, so it
is an oracle for them and for every head.
"""

from __future__ import annotations

import itertools
import math
import operator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence, evidence_from_allowed
from .formula import COMPARISONS, COUNTS, Formula, Op, holds
from .ontology import OTHER, Group, Kind, Label, Ontology, Rule
from .tables import Bools, Tables

World = frozenset[int]


# --- legal worlds ----------------------------------------------------------------------------------


def enumerate_worlds(ontology: Ontology, *, rules: bool = True) -> Bools:
    """Every legal world as a row of labels, [W, L] bool. Only for small ontologies: W grows exponentially.

    Without `rules`, the worlds that the structure allows: groups, nesting, `when` and `is`.
    """
    worlds: list[World] = [frozenset()]
    for group in ontology.groups:  # each stands after those that its applicability depends on
        values = _values(ontology, group)
        worlds = [w | v for w in worlds for v in (values if applies_in(ontology, group, w) else [frozenset()])]
    if rules:
        laws = [f for rule in ontology.rules if rule.weight is None for f in rule.formulas]
        worlds = [w for w in worlds if all(true_in(ontology, f, w) for f in laws)]
    table = np.zeros((len(worlds), len(ontology.labels)), bool)
    for row, world in enumerate(worlds):
        table[row, sorted(world)] = True
    return table


def count_worlds(ontology: Ontology) -> int:
    """W. Without `when` and hard rules it is counted without listing them."""
    if any(g.when for g in ontology.groups) or any(r.weight is None for r in ontology.rules):
        return len(enumerate_worlds(ontology))

    def count(group: Group) -> int:
        return sum(
            math.prod(count(g) for g in ontology.groups if g.condition in value) for value in _values(ontology, group)
        )

    return math.prod(count(g) for g in ontology.groups if g.condition is None)


def applies_in(ontology: Ontology, group: Group, world: World) -> bool:
    """Whether a group applies in a world, given as the labels that hold."""
    nested = group.condition is None or group.condition in world
    return nested and (group.when is None or true_in(ontology, group.when, world))


def true_in(ontology: Ontology, formula: Formula, world: World) -> bool:
    """Whether a formula is true in a world, given as the labels that hold; each operator by its own words."""
    held = [i for i in world if ontology.labels[i].group == formula.group]
    args = [true_in(ontology, arg, world) for arg in formula.args]
    match formula.op:
        case Op.HOLDS:
            return formula.labels[0] in world
        case Op.APPLIES:
            return applies_in(ontology, ontology.groups[formula.group], world)
        case Op.ANY:
            return any(set(formula.labels) <= set(ontology.labels[i].parents) for i in held if _listed(ontology, i))
        case Op.IN:
            return any(i in formula.labels for i in held)
        case Op.EQ:
            return formula.labels[0] in held
        case Op.NE:
            return applies_in(ontology, ontology.groups[formula.group], world) and formula.labels[0] not in held
        case Op.LT | Op.LE | Op.GT | Op.GE:
            compare = {Op.LT: operator.lt, Op.LE: operator.le, Op.GT: operator.gt, Op.GE: operator.ge}[formula.op]
            order = ontology.groups[formula.group].labels.index
            return any(compare(order(i), order(formula.labels[0])) for i in held)
        case _:
            return _connect(formula, args)


def _connect(formula: Formula, args: list[bool]) -> bool:
    match formula.op:
        case Op.NOT:
            return not args[0]
        case Op.AND:
            return all(args)
        case Op.OR:
            return any(args)
        case Op.IMPLIES:
            return args[1] if args[0] else True
        case Op.IFF:
            return args[0] is args[1]
        case Op.AT_MOST:
            return args.count(True) <= formula.count
        case Op.AT_LEAST:
            return args.count(True) >= formula.count
        case _:
            return args.count(True) == formula.count


def _listed(ontology: Ontology, label: int) -> bool:
    return not ontology.labels[label].other


def _values(ontology: Ontology, group: Group) -> list[World]:
    """The legal values of one group where it applies, as the labels that hold."""
    labels = [ontology.labels[i] for i in group.labels]
    match group.kind:
        case Kind.BINARY:
            return [frozenset(group.labels), frozenset()]
        case Kind.MULTICLASS | Kind.ORDINAL:
            return [frozenset([i]) for i in group.labels]
        case Kind.HIERARCHY:
            inner = {p for label in labels for p in label.parents}
            return [_path(ontology, label) for label in labels if label.index not in inner]
        case Kind.MULTILABEL:
            subsets = (frozenset(s) for n in range(len(labels) + 1) for s in itertools.combinations(group.labels, n))
            return [s for s in subsets if all(set(ontology.labels[i].parents) <= s for i in s)]


def _path(ontology: Ontology, label: Label) -> World:
    path = {label.index}
    while label.parents:
        label = ontology.labels[label.parents[0]]
        path.add(label.index)
    return frozenset(path)


# --- random ontologies -----------------------------------------------------------------------------


@dataclass
class _Draft:
    """An ontology in the making. Groups are begun breadth first, so each stands after that of its condition."""

    rng: np.random.Generator
    groups: list[Group] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    pending: list[tuple[int, int]] = field(default_factory=list)

    def begin(self, kind: Kind, condition: int | None, depth: int) -> None:
        """A group of a few labels; some of its classes may carry attributes while `depth` is positive."""
        index, first = len(self.groups), len(self.labels)
        above = "" if condition is None else self.labels[condition].path + "."
        path = f"{above}g{index}"
        opened = kind is Kind.HIERARCHY or kind is Kind.MULTICLASS
        opened = opened and self.rng.random() < 0.3
        match kind:
            case Kind.BINARY:
                self.add(index, path, None, "yes")
            case Kind.MULTICLASS | Kind.ORDINAL:
                for k in range(int(self.rng.integers(2, 4))):
                    self.add(index, path, None, f"c{k}")
            case Kind.HIERARCHY | Kind.MULTILABEL:
                self.grow(index, kind, path, None, 0)
        if opened:
            self.add(index, path, None, OTHER)
        mine = tuple(range(first, len(self.labels)))
        self.groups.append(Group(index, kind, f"g{index}", path, mine, condition, open=opened))
        if depth > 0 and kind is not Kind.ORDINAL:
            self.pending += [(i, depth - 1) for i in mine if not self.labels[i].other and self.rng.random() < 0.25]

    def grow(self, group: int, kind: Kind, path: str, parent: int | None, level: int) -> None:
        """Children under a node, down to a ragged depth; a hierarchy may have one-child nodes and open nodes."""
        for k in range(int(self.rng.integers(1, 4))):
            node = len(self.labels)
            inner = level < 2 and self.rng.random() < 0.4
            opened = inner and kind is Kind.HIERARCHY and self.rng.random() < 0.3
            self.add(group, path, parent, f"c{k}", opened)
            if inner:
                self.grow(group, kind, self.labels[node].path, node, level + 1)
            if opened:
                self.add(group, self.labels[node].path, node, OTHER)

    def add(self, group: int, path: str, parent: int | None, name: str, opened: bool = False) -> None:
        parents = () if parent is None else (parent,)
        label = Label(len(self.labels), group, name, f"{path}.{name}", parents, open=opened, other=name == OTHER)
        self.labels.append(label)


def random_ontology(
    rng: np.random.Generator,
    *,
    groups: int = 3,
    depth: int = 2,
    max_labels: int = 24,
    max_worlds: int = 400,
    rules: int = 0,
    consistent: bool = True,
) -> Ontology:
    """A small ontology: all five kinds, attributes of attributes, ragged and open hierarchies, nested multilabels.

    Args:
        groups: how many groups always apply, at most.
        depth: how deep attributes nest.
        max_labels, max_worlds: larger draws are thrown away; worlds are counted before rules take some away.
        rules: how many rules there are, at most. With any, groups also get a `when` and classes several parents.
        consistent: whether draws that have no legal world are thrown away.
    """
    while True:
        ontology = _random_forest(rng, groups, depth)
        if len(ontology.labels) > max_labels or count_worlds(ontology) > max_worlds:
            continue
        if rules:
            ontology = _with_rules(rng, _with_conditions(rng, _with_parents(rng, ontology)), rules)
        if not consistent or len(enumerate_worlds(ontology)):
            return ontology


def _random_forest(rng: np.random.Generator, groups: int, depth: int) -> Ontology:
    kinds = list(Kind)
    draft = _Draft(rng)
    for _ in range(int(rng.integers(1, groups + 1))):
        draft.begin(kinds[rng.integers(len(kinds))], None, depth)
    while draft.pending:
        condition, left = draft.pending.pop(0)
        draft.begin(kinds[rng.integers(len(kinds))], condition, left)
    return Ontology("random", tuple(draft.groups), tuple(draft.labels))


def _with_parents(rng: np.random.Generator, ontology: Ontology) -> Ontology:
    """Some classes of multilabels also imply others, as `is` says."""
    labels = list(ontology.labels)
    for label in ontology.labels:
        group = ontology.groups[label.group]
        if group.kind is not Kind.MULTILABEL or rng.random() < 0.3:
            continue
        now = replace(ontology, labels=tuple(labels))
        above = set(now.ancestors(label.index))
        new = [i for i in group.labels if i < label.index and i not in above]
        new = [i for i in new if not set(label.parents) & set(now.ancestors(i))]
        if new:
            labels[label.index] = replace(label, parents=(*label.parents, int(rng.choice(new))))
    return replace(ontology, labels=tuple(labels))


def _with_conditions(rng: np.random.Generator, ontology: Ontology) -> Ontology:
    """Some groups get a `when` about groups before them; one that asks for a class makes an attribute of that class."""
    groups = list(ontology.groups)
    for group in ontology.groups[1:]:
        if rng.random() < 0.3:
            when = random_formula(rng, ontology, groups=group.index, depth=int(rng.integers(2)))
            attribute = when.op is Op.HOLDS and group.condition is None
            at = when.labels[0] if attribute else group.condition
            groups[group.index] = replace(group, condition=at, when=None if attribute else when)
    return replace(ontology, groups=tuple(groups))


def _with_rules(rng: np.random.Generator, ontology: Ontology, most: int) -> Ontology:
    made = []
    for k in range(int(rng.integers(1, most + 1))):
        depth = rng.integers(1, 3, int(rng.integers(1, 3)))
        formulas = tuple(random_formula(rng, ontology, depth=int(d)) for d in depth)
        weight = float(rng.normal()) if rng.random() < 0.25 else None
        made.append(Rule(f"r{k}", formulas, weight))
    return replace(ontology, rules=tuple(made))


def random_formula(
    rng: np.random.Generator, ontology: Ontology, *, groups: int | None = None, depth: int = 2
) -> Formula:
    """A formula of any operators about the first `groups` groups (None: all), at most `depth` connectives deep."""
    groups = len(ontology.groups) if groups is None else groups
    if depth == 0 or rng.random() < 0.2:
        return _random_atom(rng, ontology, ontology.groups[int(rng.integers(groups))])

    def args(n: int) -> tuple[Formula, ...]:
        return tuple(random_formula(rng, ontology, groups=groups, depth=depth - 1) for _ in range(n))

    op = rng.choice([Op.NOT, Op.AND, Op.OR, Op.IMPLIES, Op.IMPLIES, Op.IFF, *COUNTS])
    op = Op(str(op))
    if op in COUNTS:
        n = int(rng.integers(2, 5))
        return Formula(op, args(n), count=int(rng.integers(0, n + 1)))
    n = {Op.NOT: 1, Op.AND: int(rng.integers(2, 4)), Op.OR: int(rng.integers(2, 4))}.get(op, 2)
    return Formula(op, args(n))


def _random_atom(rng: np.random.Generator, ontology: Ontology, group: Group) -> Formula:
    label = int(rng.choice(group.labels))
    some = tuple(sorted(rng.choice(group.labels, min(2, len(group.labels)), replace=False).tolist()))
    choices = [holds(label), holds(label), Formula(Op.APPLIES, group=group.index)]
    if group.kind is not Kind.BINARY:
        choices.append(Formula(Op.ANY, group=group.index))
    if any(_listed(ontology, i) for i in ontology.children[label]):
        choices.append(Formula(Op.ANY, labels=(label,), group=group.index))
    if group.single_choice:
        known = COMPARISONS if group.kind is Kind.ORDINAL else (Op.EQ, Op.NE)
        choices += [Formula(op, labels=(label,), group=group.index) for op in known]
        choices.append(Formula(Op.IN, labels=some, group=group.index))
    return choices[int(rng.integers(len(choices)))]


def side_by_side(ontologies: list[Ontology]) -> Ontology:
    """One ontology with the groups and rules of all: a world of it is a world of each. Labels and states keep their
    order, those of the first ontology first, so that many ontologies are tried in one compiled program.
    """
    groups: list[Group] = []
    labels: list[Label] = []
    rules: list[Rule] = []
    for number, o in enumerate(ontologies):
        first, up = len(groups), len(labels)
        for label in o.labels:
            parents, path = tuple(p + up for p in label.parents), f"o{number}.{label.path}"
            labels.append(replace(label, index=label.index + up, group=label.group + first, parents=parents, path=path))
        for g in o.groups:
            condition = None if g.condition is None else g.condition + up
            mine = tuple(i + up for i in g.labels)
            when = None if g.when is None else _shifted(g.when, up, first)
            moved = replace(g, index=g.index + first, labels=mine, condition=condition, when=when)
            groups.append(replace(moved, path=f"o{number}.{g.path}"))
        for rule in o.rules:
            formulas = tuple(_shifted(f, up, first) for f in rule.formulas)
            rules.append(replace(rule, name=f"o{number}.{rule.name}", formulas=formulas))
    return Ontology("side_by_side", tuple(groups), tuple(labels), rules=tuple(rules))


def _shifted(formula: Formula, labels: int, groups: int) -> Formula:
    """A formula whose labels and groups have moved up by so many."""
    args = tuple(_shifted(arg, labels, groups) for arg in formula.args)
    group = formula.group + groups if formula.group >= 0 else -1
    return replace(formula, args=args, labels=tuple(i + labels for i in formula.labels), group=group)


# --- random annotations ----------------------------------------------------------------------------


def random_states(rng: np.random.Generator, tables: Tables, n: int) -> Bools:
    """`n` random legal worlds as states, [n, S]. Where laws tie variables together, all worlds are listed first."""
    if tables.constraints:
        worlds = tables.states_of(enumerate_worlds(tables.ontology))
        return worlds[rng.integers(len(worlds), size=n)]
    states = np.zeros((n, tables.n_states), bool)
    for row in states:
        for v in tables.variables:
            if v.parent < 0 or row[list(v.free)].any():
                row[rng.choice(v.live)] = True
            else:
                row[v.no if row[list(v.off)].any() else v.na] = True
    return states


def random_evidence(rng: np.random.Generator, tables: Tables, n: int) -> Evidence:
    """`n` records annotated in every way there is: a leaf, an inner node, a set, a negative, `no`, n/a, unknown.

    Each record tells the truth about some legal world, so none is contradictory.
    """
    truth = random_states(rng, tables, n)
    allowed = np.zeros_like(truth)
    for row, said in zip(truth, allowed, strict=True):
        for v in tables.variables:
            states = slice(v.start, v.stop)
            said[states] = _annotate(rng, tables, v.index, row[states])
    return evidence_from_allowed(tables, allowed)


def _annotate(rng: np.random.Generator, tables: Tables, variable: int, truth: Bools) -> NDArray[np.bool_]:
    """What one annotation of a variable allows, given its true state."""
    v = tables.variables[variable]
    said = truth.copy()
    labels = np.flatnonzero(tables.label_variable == variable)
    states_of = {i: np.isin(np.arange(v.start, v.stop), tables.label_states[i]) for i in labels.tolist()}
    match rng.integers(5):
        case 0:
            said[:] = True
        case 1:  # coarse: a label that holds
            holding = [s for s in states_of.values() if (s & truth).any()]
            if holding:
                said = holding[rng.integers(len(holding))].copy()
        case 2:  # a set
            said |= rng.random(len(said)) < 0.4
            if v.na >= 0:
                said[-1] = truth[-1]
        case 3:  # a negative
            missing = [s for s in states_of.values() if not (s & truth).any()]
            if missing:
                said = ~missing[rng.integers(len(missing))]
        case _:  # exactly
            pass
    return said
