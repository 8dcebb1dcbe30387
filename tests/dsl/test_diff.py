"""Two versions compared: exactly what was done is reported, and worlds lost and gained are those of enumeration."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from linnaeus.dsl.change.diff import Diff, compare
from linnaeus.dsl.change.reading import read_old
from linnaeus.dsl.change.world_change import Shared, compare_worlds, shared_labels
from linnaeus.dsl.formula import Formula, Op, holds
from linnaeus.dsl.load import check_text
from linnaeus.dsl.ontology import Change, Group, Kind, Label, Migration, Ontology, Rule
from linnaeus.dsl.testing import enumerate_worlds, random_ontology
from linnaeus.dsl.versions import is_later

BASE = """\
ontology plant "Plants" version "1.0"
multiclass crop { apple "Apple" aka "malus", grape, tomato }
multiclass health { healthy, diseased {
    multiclass disease { scab, rot, rust }
    ordinal severity { trace < mild < severe }
} }
hierarchy kind open { tree { oak, elm }, herb }
multilabel damage { leaf { spots, mildew }, fruit { borer }, gall is leaf and fruit }
binary wet
ordinal sharpness { blurry < fair < sharp }
multiclass season when wet and crop.apple { spring, autumn }
rule hosts { scab => apple }
rule usual soft 2 { wet => not borer }
"""

EDITS: dict[str, tuple[tuple[str, str], tuple[str, ...], str]] = {
    # what was done: (text, text instead), the findings, and whether worlds were tightened, loosened
    "ontology title": (('"Plants"', '"Flora"'), ("ontology title plant",), "--"),
    "class added": (("rust }", "rust, wilt }"), ("class added health.diseased.disease.wilt",), "-l"),
    "class removed": (("oak, elm", "oak"), ("class removed kind.tree.elm",), "t-"),
    "branch removed": (("tree { oak, elm }, herb", "herb"), tuple(
        f"class removed kind.{p}" for p in ("tree", "tree.oak", "tree.elm")), "t-"),
    "class moved": (("spots, mildew }, fruit {", "mildew }, fruit { spots,"),
                    ("class moved damage.fruit.spots",), "tl"),
    "level added": (("mild < severe", "mild < bad < severe"), ("level added health.diseased.severity.bad",), "-l"),
    "levels reordered": (("blurry < fair", "fair < blurry"), ("levels reordered sharpness",), "--"),
    "classes reordered": (("apple \"Apple\" aka \"malus\", grape", "grape, apple \"Apple\" aka \"malus\""),
                          ("classes reordered crop",), "--"),
    "opened": (("multiclass crop", "multiclass crop open"), ("group opened crop",), "-l"),
    "closed": (("kind open", "kind"), ("group closed kind",), "t-"),
    "class opened": (("tree {", "tree open {"), ("class opened kind.tree",), "-l"),
    "title": (('"Apple"', '"Apples"'), ("class title crop.apple",), "--"),
    "aliases": (('"malus"', '"malus", "pomme"'), ("class aliases crop.apple",), "--"),
    "kind": (("multiclass crop", "multilabel crop"), ("group kind crop",), "-l"),
    "group added": (("binary wet", "binary wet, dry"), ("group added dry",), "--"),
    "group removed": (("ordinal sharpness { blurry < fair < sharp }", ""), ("group removed sharpness",), "--"),
    "condition": (("when wet and crop.apple", "when wet"), ("group condition season",), "tl"),
    "parents": (("is leaf and fruit", "is leaf"), ("class parents damage.gall",), "-l"),
    "rule added": (("rule usual", "rule dry { not wet => not mildew }\nrule usual"), ("rule added dry",), "t-"),
    "rule removed": (("rule hosts { scab => apple }", ""), ("rule removed hosts",), "-l"),
    "rule changed": (("scab => apple", "scab or rust => apple"), ("rule changed hosts",), "t-"),
    "rule reworded": (("scab => apple", "not scab or apple"), ("rule changed hosts",), "--"),
    "rule renamed": (("rule hosts", "rule hosting"), ("rule renamed hosting",), "--"),
    "rule softened": (("rule hosts", "rule hosts soft 1"), ("rule softened hosts",), "-l"),
    "weight": (("soft 2", "soft 3"), ("rule weight usual",), "--"),
    "levels named": (("hierarchy kind open", "hierarchy kind open levels form, kind"), ("group levels kind",), "--"),
}  # fmt: skip


def load(text: str) -> Ontology:
    return check_text(text, "plant.onto").require()


def found(diff: Diff) -> set[str]:
    return {f"{d.what} {d.path}" for d in diff.differences}


@pytest.mark.parametrize("name", EDITS)
def test_one_edit_is_one_finding(name: str) -> None:
    (old, new), expected, worlds = EDITS[name]
    assert old in BASE
    before, after = load(BASE), load(BASE.replace(old, new, 1))
    diff = compare(before, after)
    assert found(diff) == set(expected)
    assert (diff.worlds.tightened, diff.worlds.loosened) == ("t" in worlds, "l" in worlds)
    assert bool(diff.worlds.lost) == ("t" in worlds)
    back = compare(after, before)
    assert (back.worlds.tightened, back.worlds.loosened) == ("l" in worlds, "t" in worlds)
    assert not diff.equal
    model_fits = worlds == "--" and "reordered" not in name and not name.startswith("group")
    assert (not diff.misfits) == model_fits
    assert ("E150" in {d.code for d in diff.diagnostics}) == diff.breaking == (bool(diff.unread) or not model_fits)


def test_an_ontology_is_itself() -> None:
    for seed in range(30):
        ontology = random_ontology(np.random.default_rng(seed), rules=3)
        diff = compare(ontology, ontology)
        assert diff.equal
        assert not diff.breaking
        assert diff.diagnostics == ()
        assert (diff.worlds.tightened, diff.worlds.loosened) == (False, False)
        assert all(r.how == "same" and r.labels == (i,) for i, r in enumerate(diff.readings.labels))


def test_random_edits_are_reported_exactly() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        old = random_ontology(rng, rules=3)
        new, expected = random_edit(rng, old)
        assert found(compare(old, new)) == expected, seed


def random_edit(rng: np.random.Generator, o: Ontology) -> tuple[Ontology, set[str]]:
    """A few edits that don't move anything, and what is to be said of them."""
    labels, groups, rules, said = list(o.labels), list(o.groups), list(o.rules), set()
    plain = [i for i in o.labels if not i.other and o.groups[i.group].kind is not Kind.BINARY]
    for label in plain:
        if rng.random() < 0.2:
            labels[label.index] = replace(label, title=f"Title {label.index}")
            said.add(f"class title {label.path}")
        elif rng.random() < 0.2:
            labels[label.index] = replace(label, aka=(f"alias {label.index}",))
            said.add(f"class aliases {label.path}")
    for group in groups[:]:
        if rng.random() < 0.2:
            groups[group.index] = replace(group, title="T")
            said.add(f"group title {group.path}")
    for k, rule in enumerate(rules):
        if rule.weight is not None and rng.random() < 0.5:
            rules[k] = replace(rule, weight=rule.weight + 1)
            said.add(f"rule weight {rule.name}")
    if rules and rng.random() < 0.5:
        gone = rules.pop()
        said = {s for s in said if s != f"rule weight {gone.name}"} | {f"rule removed {gone.name}"}
    if rng.random() < 0.5:
        index, at = len(groups), len(labels)
        labels.append(Label(at, index, "fresh", "fresh"))
        groups.append(Group(index, Kind.BINARY, "fresh", "fresh", (at,)))
        rules.append(Rule("fresh_rule", (Formula(Op.IMPLIES, (holds(at), holds(0))),)))
        said |= {"group added fresh", "rule added fresh_rule"}
    return replace(o, labels=tuple(labels), groups=tuple(groups), rules=tuple(rules)), said


# --- worlds ----------------------------------------------------------------------------------------


def by_enumeration(old: Ontology, new: Ontology, shared: list[Shared]) -> tuple[bool, bool]:
    before, after = enumerate_worlds(old), enumerate_worlds(new)
    mine = {tuple(bool(row[sorted(s.old)].any()) for s in shared) for row in before}
    theirs = {tuple(bool(row[sorted(s.new)].any()) for s in shared) for row in after}
    return not mine <= theirs, not theirs <= mine


def test_worlds_lost_and_gained_are_those_of_enumeration() -> None:
    answers = set()
    for seed in range(150):
        rng = np.random.default_rng(seed)
        old, new = (random_ontology(rng, rules=3, max_labels=14) for _ in range(2))
        if seed % 2:
            old = replace(old, version="1")
            new = replace(new, version="2", migrations=(random_migration(rng, old, new),))
        readings = read_old(old, new)
        shared = shared_labels(readings)
        change = compare_worlds(old, new, readings)
        expected = by_enumeration(old, new, shared)
        assert (change.tightened, change.loosened) == expected, seed
        answers.add(expected)
        for example, ontology, other, mine in (
            (change.lost, old, new, lambda s: s.old),
            (change.gained, new, old, lambda s: s.new),
        ):
            if example:  # some world has it, and no world of the other agrees with any such world
                rows = enumerate_worlds(ontology)
                rows = rows[np.all([rows[:, i] == true for i, true in example], axis=0)]
                theirs = enumerate_worlds(other)
                seen = {tuple(bool(r[sorted(mine(s))].any()) for s in shared) for r in rows}
                side = (lambda s: s.new) if other is new else (lambda s: s.old)
                known = {tuple(bool(r[sorted(side(s))].any()) for s in shared) for r in theirs}
                assert len(rows)
                assert not seen & known, seed
    assert len(answers) == 4


def random_migration(rng: np.random.Generator, old: Ontology, new: Ontology) -> Migration:
    """Renames, splits and merges between groups that have other names in both."""
    changes = []
    for label in old.labels:
        if label.other or rng.random() < 0.6:
            continue
        group = new.groups[rng.integers(len(new.groups))]
        some = rng.choice(group.labels, int(rng.integers(1, min(3, len(group.labels)) + 1)), replace=False)
        changes.append(Change(label.path, tuple(sorted(map(int, some))), group.index))
    return Migration("1", tuple(changes))


# --- migrations and versions -----------------------------------------------------------------------

LATER = """\
ontology plant "Plants" version "2.0"
multiclass crop { apple "Apple" aka "malus", grape, tomato }
multiclass health { healthy, ill {
    multiclass disease { scab, black_rot, leaf_mold }
    ordinal severity { trace < mild < severe }
} }
hierarchy kind open { tree { oak, elm }, herb }
multilabel damage { leaf { spots, mildew }, fruit { borer }, gall is leaf and fruit }
binary soaked
ordinal focus { blurry < fair < sharp }
multiclass season when soaked and crop.apple { spring, autumn }
rule hosts { scab => apple }
rule usual soft 2 { soaked => not borer }
migrate from "1.0" {
    rename diseased -> ill;  split disease.rot -> black_rot | leaf_mold;  drop rust
    rename wet -> soaked;  rename sharpness -> focus
}
"""


def test_old_names_read_through_the_migration() -> None:
    diff = compare(load(BASE), load(LATER))
    how = {label.path: r.how for label, r in zip(diff.old.labels, diff.readings.labels, strict=True)}
    assert {path: h for path, h in how.items() if h != "same"} == {
        "health.diseased": "renamed",
        "health.diseased.disease.rot": "split",
        "health.diseased.disease.rust": "dropped",
        "wet": "renamed",
    }
    assert found(diff) == {
        "ontology version plant",
        "class renamed health.ill",
        "class split health.diseased.disease.rot",
        "class dropped health.diseased.disease.rust",
        "group renamed soaked",
        "group renamed focus",
    }
    assert diff.unread == ()
    assert diff.breaking  # models score other classes
    assert diff.later
    assert diff.diagnostics == ()
    assert diff.worlds.tightened  # no rust any more
    assert not diff.worlds.loosened


def test_a_rename_in_place_breaks_nothing() -> None:
    new = BASE.replace("scab", "rot_of_scab") + 'migrate from "1.0" { rename scab -> rot_of_scab }\n'
    diff = compare(load(BASE), load(new.replace('version "1.0"', 'version "1.1"')))
    assert found(diff) == {"ontology version plant", "class renamed health.diseased.disease.rot_of_scab"}
    assert not diff.breaking
    assert diff.diagnostics == ()


def test_versions_between_are_read_too() -> None:
    first = 'ontology a version "1"\nmulticlass x { p, q, r }'
    third = 'ontology a version "3"\nmulticlass x { p3, q2, r }\nmigrate from "2" { rename p -> p3 }\n'
    third += 'migrate from "1" { rename q -> q2 }'
    diff = compare(load(first), load(third))
    assert diff.unread == ()
    assert not diff.breaking
    older = compare(load(first.replace('"1"', '"2"')), load(third))
    assert older.unread == ("x.q",)  # what became of version 1's q is not said of version 2's


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        ('ontology a version "1"\nbinary x, y', 'ontology a version "1"\nbinary x', ["E150", "W152"]),
        ("ontology a\nbinary x, y", "ontology a\nbinary x", ["E150", "W152"]),
        ("ontology a\nbinary x, y", 'ontology a version "1"\nbinary x', ["W152"]),
        ('ontology a version "1.9"\nbinary x', 'ontology a version "1.10"\nbinary x, y', []),
        ('ontology a version "2"\nbinary x', 'ontology a version "1"\nbinary x', ["W151"]),
        ('ontology a version "2"\nbinary x', 'ontology a version "1"\nbinary x, y', ["E150"]),
        ('ontology a version "1"\nbinary x', 'ontology a version "1.0.0"\nbinary x, y', ["E150"]),
        ('ontology a version "1"\nbinary x', "ontology a\nbinary x, y", ["E150"]),
        ('ontology a version "1"\nbinary x', "ontology a\nbinary x", ["W151"]),
        ('ontology a version "1"\nbinary x', 'ontology a version "beta"\nbinary x, y', ["W155"]),
        ('ontology a version "1"\nbinary x', 'ontology b version "1"\nbinary x', ["W156"]),
        ('ontology a version "1"\nbinary x',
         'ontology a version "2"\nbinary x\nmigrate from "1" { drop z }', ["W153"]),
        ('ontology a version "1"\nmulticlass x { p "P" aka "pp", q }',
         'ontology a version "1"\nmulticlass x { p "Pe" aka "p p", q }', ["W154"]),
    ],
)  # fmt: skip
def test_findings(old: str, new: str, codes: list[str]) -> None:
    diff = compare(load(old), load(new))
    assert [d.code for d in diff.diagnostics] == codes
    assert all(d.help for d in diff.diagnostics)
    assert not any("None" in d.message for d in diff.diagnostics)


def test_an_open_question_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linnaeus.dsl.change.world_change.DRAWS", 0)
    diff = compare(load(BASE), load(BASE.replace("scab => apple", "scab => grape")))
    assert (diff.worlds.tightened, diff.worlds.loosened) == (None, None)
    assert {"W157", "E150"} <= {d.code for d in diff.diagnostics}


@pytest.mark.parametrize(
    ("new", "old", "later"),
    [("1.10", "1.9", True), ("1.0", "1", False), ("2", None, True), (None, "2", False), ("1", "1", False),
     ("beta", "beta", False), ("beta", "1", None), ("0.9", "1", False), ("1.0.1", "1", True)],
)  # fmt: skip
def test_versions_compare_as_dotted_numbers(new: str | None, old: str | None, later: bool | None) -> None:
    assert is_later(new, old) is later


def test_data_are_json() -> None:
    data = compare(load(BASE), load(LATER)).to_dict()
    assert json.loads(json.dumps(data)) == data
    assert data["annotations"] == {"fit": True, "unread": []}
    assert data["readings"][0] == {"old": "crop.apple", "how": "same", "new": ["crop.apple"]}
    assert data["worlds"]["tightened"]
    assert data["worlds"]["lost"] == "health.diseased.disease.rust"


def test_a_rule_whose_words_stay_but_name_something_else_has_changed() -> None:
    old = 'ontology a version "1"\nmulticlass x { p, q }\nbinary b\nrule r { p => b }'
    new = 'ontology a version "2"\nmulticlass y { p, q }\nbinary b\nrule r { p => b }'
    [changed] = [d for d in compare(load(old), load(new)).differences if d.what == "rule changed"]
    assert (changed.path, changed.old, changed.new) == ("r", None, None)
