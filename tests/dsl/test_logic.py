"""The analysis of rules against enumeration of all worlds."""

import itertools
import time

import numpy as np
import pytest

from linnaeus.dsl.formula import Formula, Op, conjunction, holds
from linnaeus.dsl.load import check_text
from linnaeus.dsl.logic.analysis import Logic, analyse, hard_formulas
from linnaeus.dsl.ontology import Group, Kind, Label, Ontology, Rule
from linnaeus.dsl.testing import applies_in, enumerate_worlds, random_formula, random_ontology, true_in
from linnaeus.errors import LinnaeusError


class Oracle:
    """The questions of an analysis, answered world by world."""

    def __init__(self, ontology):
        self.ontology = ontology
        self.structure = [frozenset(np.flatnonzero(row).tolist()) for row in enumerate_worlds(ontology, rules=False)]
        self.formulas = {(r, k): f for r, rule in enumerate(ontology.rules) for k, f in enumerate(rule.formulas)}
        self.truth = {
            at: np.array([true_in(ontology, f, w) for w in self.structure]) for at, f in self.formulas.items()
        }
        self.hard = list(hard_formulas(ontology))
        self.legal = self.all_true(self.hard)
        self.worlds = [w for w, legal in zip(self.structure, self.legal, strict=True) if legal]

    def all_true(self, places):
        return np.logical_and.reduce([np.ones(len(self.structure), bool), *(self.truth[at] for at in places)])

    def where(self, predicate):
        """[W] over the worlds that the structure allows."""
        return np.array([predicate(w) for w in self.structure])

    def applies(self, group, world):
        return applies_in(self.ontology, self.ontology.groups[group], world)

    def applying(self, group):
        """[W] whether a group applies."""
        return self.where(lambda w: self.applies(group, w))

    def dead(self):
        return {label.index for label in self.ontology.labels} - frozenset().union(*self.worlds)

    def always_held(self, worlds):
        """Labels that hold in every one of some worlds in which their groups apply, and in one at least."""
        held = set()
        for label in self.ontology.labels:
            here = [label.index in w for w in worlds if self.applies(label.group, w)]
            if here and all(here):
                held.add(label.index)
        return held

    def forced(self):
        return self.always_held(self.worlds) - self.always_held(self.structure)

    def never(self):
        return {g.index for g in self.ontology.groups if not any(self.applies(g.index, w) for w in self.worlds)}

    def always(self):
        found = set()
        for g in self.ontology.groups:
            around = [w for w in self.worlds if g.condition is None or g.condition in w]
            if g.when is not None and around and all(true_in(self.ontology, g.when, w) for w in around):
                found.add(g.index)
        return found

    def entailed(self, tautologies):
        left = [at for at in self.hard if at not in tautologies]
        found = set()
        for at in reversed(left.copy()):
            others = [other for other in left if other != at]
            if self.truth[at][self.all_true(others)].all():
                left.remove(at)
                found.add(at)
        return found

    def decided(self, trivial):
        found = {}
        for at in set(self.formulas) - set(self.hard) - trivial:
            values = set(self.truth[at][self.legal].tolist())
            if len(values) == 1:
                found[at] = values.pop()
        return found

    def forcing(self, trivial):
        return {
            (at, g.index)
            for at, formula in self.formulas.items()
            for g in self.ontology.groups
            if at not in trivial
            and g.index in self.spoken(formula)
            and any(self._only_by(formula, at, g.index, n) for n in range(len(self.structure)))
        }

    def spoken(self, formula):
        """The groups of whose values a formula speaks; those of which it asks whether they apply are not enough."""
        nodes = [f for f in formula.walk() if f.op is not Op.APPLIES]
        return {self.ontology.labels[i].group for f in nodes for i in f.labels} | {f.group for f in nodes} - {-1}

    def _only_by(self, formula, at, group, row):
        """Whether a formula is false in a world where a group does not apply, and true with some values in it."""
        world = self.structure[row]
        if self.truth[at][row] or self.applies(group, world):
            return False
        inner = [group]
        for g in self.ontology.groups[group + 1 :]:
            if g.condition is not None and self.ontology.labels[g.condition].group in inner:
                inner.append(g.index)
        inner = [g for g in inner if g in self.spoken(formula)]
        values = [self.values(g) for g in inner]
        return any(
            self._free(formula, world.union(*choice), inner, world) for choice in itertools.product(*values) if choice
        )

    def values(self, group):
        """The values of a group by itself."""
        g = self.ontology.groups[group]
        alone = Ontology("alone", (g.__class__(0, g.kind, "g", "g", tuple(range(len(g.labels)))),), self.moved(g))
        return [frozenset(g.labels[i] for i in np.flatnonzero(row)) for row in enumerate_worlds(alone)]

    def moved(self, group):
        at = {label: k for k, label in enumerate(group.labels)}
        labels = [self.ontology.labels[i] for i in group.labels]
        return tuple(Label(at[i.index], 0, i.id, i.id, tuple(at[p] for p in i.parents)) for i in labels)

    def _free(self, formula, world, free, real):
        """The truth of a formula where `free` groups have values although they do not apply."""
        if formula.op is Op.APPLIES:
            return true_in(self.ontology, formula, real)
        if formula.op is Op.NE and formula.group in free:
            return formula.labels[0] not in world
        if not formula.args:
            return true_in(self.ontology, formula, world)
        args = tuple(self.constant(self._free(arg, world, free, real)) for arg in formula.args)
        return true_in(self.ontology, Formula(formula.op, args, count=formula.count), world)

    def constant(self, value):
        return Formula(Op.AND if value else Op.OR)


@pytest.fixture(scope="module")
def pairs():
    """200 random ontologies with rules, a third of them without a legal world, and the oracle of each."""
    rng = np.random.default_rng(0)
    made = [random_ontology(rng, rules=4, max_labels=16, max_worlds=120, consistent=k % 3 > 0) for k in range(200)]
    return [(analyse(o), Oracle(o)) for o in made]


def test_the_random_ontologies_have_all_that_is_to_be_found(pairs):
    found = [a for a, _ in pairs]
    for finding in (
        "conflict",
        "contradictions",
        "tautologies",
        "dead",
        "forced",
        "never",
        "always",
        "entailed",
        "decided",
    ):
        assert sum(bool(getattr(a, finding)) for a in found) >= 5, finding
    assert sum(len(a.conflict) > 1 for a in found) >= 5
    assert sum(bool(a.forcing) for a in found) >= 5


def test_analysis_equals_enumeration(pairs):
    for analysis, oracle in pairs:
        truth = oracle.truth
        assert analysis.contradictions == {at for at, t in truth.items() if not t.any()}
        assert analysis.tautologies == {at for at, t in truth.items() if t.all()}
        trivial = analysis.contradictions | analysis.tautologies
        assert set(analysis.forcing) == oracle.forcing(trivial)
        if not oracle.worlds:
            continue
        assert analysis.dead == oracle.dead()
        assert analysis.forced == oracle.forced()
        assert analysis.never == oracle.never()
        assert analysis.always == oracle.always()
        assert set(analysis.entailed) == oracle.entailed(analysis.tautologies)
        assert analysis.decided == oracle.decided(trivial)


def minimal(oracle, places, banned):
    """Whether some formulas rule out what is true in `banned` worlds, and no proper subset of them does."""
    fewer = [[other for other in places if other != at] for at in places]
    return not (oracle.all_true(places) & banned).any() and all((oracle.all_true(f) & banned).any() for f in fewer)


def test_conflicts_are_minimal(pairs):
    for analysis, oracle in pairs:
        assert bool(analysis.conflict) is not bool(oracle.worlds)
        if analysis.conflict:
            assert minimal(oracle, analysis.conflict, np.ones(len(oracle.structure), bool))


def test_reasons_are_minimal(pairs):
    for analysis, oracle in pairs:
        for label in analysis.dead:
            assert minimal(oracle, analysis.why_dead(label), oracle.where(lambda w, i=label: i in w))
        for label in analysis.forced:
            fails = oracle.applying(oracle.ontology.labels[label].group) & ~oracle.where(lambda w, i=label: i in w)
            assert minimal(oracle, analysis.why_forced(label), fails)
        for group in analysis.never:
            assert minimal(oracle, analysis.why_never(group), oracle.applying(group))
        for at, others in analysis.entailed.items():
            assert minimal(oracle, others, ~oracle.truth[at])
        for at, value in analysis.decided.items():
            assert minimal(oracle, analysis.why_decided(at), oracle.truth[at] != value)


def test_answers_about_new_formulas_equal_enumeration(pairs):
    rng = np.random.default_rng(1)
    for _, oracle in pairs[:100]:
        logic, structure = Logic(oracle.ontology), Logic(oracle.ontology, rules=False)
        for _ in range(3):
            formulas = [random_formula(rng, oracle.ontology) for _ in range(2)]
            truth = np.array([[true_in(oracle.ontology, f, w) for w in oracle.structure] for f in formulas])
            both = truth.all(0)
            assert logic.satisfiable(*formulas) == (both & oracle.legal).any()
            assert structure.satisfiable(*formulas) == both.any()
            assert logic.entails(formulas[0]) == truth[0][oracle.legal].all()
            world = logic.world(*formulas)
            assert (world is None) != (both & oracle.legal).any()
            if world is not None:
                assert both[oracle.structure.index(world)]
                assert world in oracle.worlds


def binaries(n):
    labels = tuple(Label(i, i, f"b{i}", f"b{i}") for i in range(n))
    return Ontology("binaries", tuple(Group(i, Kind.BINARY, f"b{i}", f"b{i}", (i,)) for i in range(n)), labels)


def test_of_two_equal_laws_the_later_follows_and_an_imported_one_never_does():
    law = Formula(Op.IMPLIES, (holds(0), holds(1)))
    ontology = binaries(3)
    rules = (Rule("own", (law, holds(2))), Rule("again", (law,)), Rule("far.law", (law,), source=0))
    for order, entailed in (
        ((0, 1), {(1, 0): ((0, 0),)}),
        ((0, 2), {(0, 0): ((1, 0),)}),
        ((2, 0), {(1, 0): ((0, 0),)}),
    ):
        mine = Ontology("o", ontology.groups, ontology.labels, rules=tuple(rules[k] for k in order))
        assert analyse(mine).entailed == entailed


def test_more_pigeons_than_holes_are_given_up_with_a_reason():
    n = 10
    at = [[holds(p * n + h) for h in range(n)] for p in range(n + 1)]
    somewhere = [Formula(Op.OR, tuple(row)) for row in at]
    pairs = [(p, q) for p, q in itertools.combinations(range(n + 1), 2)]
    apart = [Formula(Op.NOT, (conjunction([at[p][h], at[q][h]]),)) for h in range(n) for p, q in pairs]
    ontology = binaries(n * (n + 1))
    with pytest.raises(LinnaeusError) as caught:
        Logic(ontology).satisfiable(*somewhere, *apart)
    assert [d.code for d in caught.value.diagnostics] == ["E148"]
    assert Logic(ontology).satisfiable(*somewhere[1:], *apart)


def taxonomy(rng, classes, rules):
    """A tree of classes and 12 small groups, some of which hang on a class, under rules about both."""
    labels = [Label(i, 0, f"n{i}", f"taxa.n{i}") for i in range(4)]
    for i in range(4, classes):
        parent = (i - 4) // 4
        labels.append(Label(i, 0, f"n{i}", f"{labels[parent].path}.n{i}", (parent,)))
    groups = [Group(0, Kind.HIERARCHY, "taxa", "taxa", tuple(range(classes)))]
    kinds = [Kind.MULTICLASS, Kind.BINARY, Kind.ORDINAL, Kind.MULTILABEL]
    for g in range(1, 13):
        kind, first = kinds[g % 4], len(labels)
        labels += [Label(first + k, g, f"c{k}", f"g{g}.c{k}") for k in range(1 if kind is Kind.BINARY else 5)]
        condition = int(rng.integers(classes)) if g % 3 == 0 else None
        groups.append(Group(g, kind, f"g{g}", f"g{g}", tuple(range(first, len(labels))), condition))
    made = []
    for r in range(rules):
        a, b, c = (holds(int(i)) for i in (rng.integers(classes), *rng.integers(classes, len(labels), 2)))
        consequent = (b, Formula(Op.OR, (b, c)), Formula(Op.IMPLIES, (b, Formula(Op.NOT, (c,)))))[r % 3]
        made.append(Rule(f"r{r}", (Formula(Op.IMPLIES, (a, consequent)),)))
    return Ontology("taxonomy", tuple(groups), tuple(labels), rules=tuple(made))


def test_ten_thousand_classes_under_fifty_rules_take_a_moment():
    ontology = taxonomy(np.random.default_rng(0), 10_000, 50)
    start = time.process_time()
    analysis = analyse(ontology)
    assert time.process_time() - start < 30  # a fifth of a second, undisturbed
    assert not analysis.conflict
    logic = Logic(ontology)
    some = sorted(analysis.dead)[:3] + [label for label in range(0, 10_000, 997) if label not in analysis.dead][:3]
    for label in some:
        assert logic.satisfiable(holds(label)) == (label not in analysis.dead)


def test_many_groups_in_rules_are_not_each_a_world() -> None:
    """The labels of one group are asked of one group: quadratic, 200 groups would write 40,000 of them out."""
    n = 200
    text = "\n".join(f"multiclass g{i} {{ low, mid, high }}" for i in range(n))
    rules = "\n".join(f"rule r{i} {{ g{i}.low => not g{i + 1}.high }}" for i in range(n - 1))
    ontology = check_text(f"ontology x\n{text}\n{rules}\n", "x.onto").require()
    asked = 0

    def leaves(self: Ontology, group: Group) -> tuple[int, ...]:
        nonlocal asked
        asked += 1
        return group.labels

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ontology, "leaves", leaves)
        assert analyse(ontology).forced == frozenset()
    assert asked < 5 * n


def test_a_tired_solver_says_so_and_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without effort left there are no false findings, and the law that there is a legal world is still decided."""
    classes = ", ".join(f"c{i}" for i in range(60))
    soft = "; ".join(f"c{i} => z" for i in range(60))
    odd = "rule odd { not z; c1 or c2 or c3 }"  # z is dead
    text = f"ontology x\nmulticlass g {{ {classes} }}\nbinary z\nrule s soft 1 {{ {soft} }}\n{odd}"
    assert "W140" in {d.code for d in check_text(text, "x.onto").diagnostics}
    monkeypatch.setattr("linnaeus.dsl.logic.solver.WORK", 1000)
    assert [d.code for d in check_text(text, "x.onto").diagnostics] == ["I141"]
    broken = check_text(text.replace("not z;", "not z; z;"), "x.onto")
    assert broken.ontology is None
    assert {d.code for d in broken.diagnostics} == {"E140", "I141"}
