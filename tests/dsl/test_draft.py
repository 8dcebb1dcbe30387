"""Drafts as text: what is written denotes what was meant, whatever its names are."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnaeus.dsl.draft import Draft, DraftClass, DraftGroup, DraftMigration, DraftRule, draft_of, unique_ids
from linnaeus.dsl.fmt import format_text
from linnaeus.dsl.formula import Formula, conjunction, holds
from linnaeus.dsl.load import check_file, check_text
from linnaeus.dsl.names import segment
from linnaeus.dsl.ontology import Change, Group, Kind, Migration, Ontology
from linnaeus.dsl.parser import grammar
from linnaeus.dsl.quoting import quote_id, quote_path, quote_text
from linnaeus.dsl.testing import random_ontology
from linnaeus.errors import LinnaeusError

LANGUAGE = sorted(Path(__file__).with_name("language").glob("*.onto"))


# --- what an ontology says, whatever its numbers and paths -----------------------------------------


def called(o: Ontology, label: int) -> str:
    """A label by its title, which is its own; `other` by what it belongs to, a binary by its group."""
    item = o.labels[label]
    if item.other:
        return f"other of {called(o, item.parents[0]) if item.parents else o.groups[item.group].title}"
    return str(o.groups[item.group].title if o.groups[item.group].kind is Kind.BINARY else item.title)


def spelled(o: Ontology, formula: Formula | None) -> Any:
    if formula is None:
        return None
    group = o.groups[formula.group].title if formula.group >= 0 else None
    labels = [called(o, i) for i in formula.labels]
    return [formula.op, group, labels, formula.count, [spelled(o, arg) for arg in formula.args]]


def content(o: Ontology) -> Any:
    """All that an ontology says, by titles; every group and class has one of its own."""

    def up(label: int) -> str:
        return called(o, label)

    groups = {
        g.title: {
            "names": (g.id, g.kind, g.aka, g.open, g.levels),
            "condition": None if g.condition is None else called(o, g.condition),
            "when": spelled(o, g.when),
            "labels": [
                (called(o, i), o.labels[i].id, o.labels[i].aka, o.labels[i].open, *map(up, o.labels[i].parents))
                for i in g.labels
                if g.kind is not Kind.BINARY
            ],
        }
        for g in o.groups
    }
    rules = [(r.name, r.title, r.weight, [spelled(o, f) for f in r.formulas]) for r in o.rules]
    changes = [
        [
            (c.old, [called(o, i) for i in c.labels], o.groups[c.group].title if c.group >= 0 else None)
            for c in m.changes
        ]
        for m in o.migrations
    ]
    return o.name, o.title, o.version, groups, rules, [m.version for m in o.migrations], changes


# --- random ontologies -----------------------------------------------------------------------------

ODD = {"c1": "open", "c2": "T-shirt/top"}


def odd(id: str) -> str:
    """An id of random_ontology as one that the language has to quote, or must not."""
    if id.startswith("g") and id != "g0":
        return (f"g {id}", f"{id}.x", f"größe-{id}")[int(id[1:]) % 3]
    return ODD.get(id, id)


def renamed(path: str) -> str:
    return ".".join(segment(odd(step)) for step in path.split("."))


def decorated(o: Ontology, rng: np.random.Generator) -> Ontology:
    """An ontology with odd ids, a title of its own for each thing, aliases and a migration; with positive weights,
    since no others can be written.
    """

    def condition(g: Group) -> dict[str, Any]:
        """A group that can't stand in its class has one `when`, with its condition in it."""
        if g.condition is None or g.when is None:
            return {}
        around = o.labels[g.condition]
        if g.path == f"{around.path}.{g.id}" and o.groups[around.group].kind is not Kind.BINARY:
            return {}
        return {"condition": None, "when": conjunction([holds(g.condition), g.when])}

    labels = [
        replace(
            item,
            id=odd(item.id),
            path=renamed(item.path),
            title=None if item.other else f'class {i} \\ "é"',
            aka=(f"alias {i}", f"# no comment {i}") if rng.random() < 0.2 and not item.other else (),
        )
        for i, item in enumerate(o.labels)
    ]
    groups = [
        replace(g, id=odd(g.id), path=renamed(g.path), title=f"group {i}", **condition(g))
        for i, g in enumerate(o.groups)
    ]
    rules = [
        replace(r, name=f"rule {r.name}", weight=None if r.weight is None else abs(r.weight), title="A rule")
        for r in o.rules
    ]
    first = next((i for i in range(len(labels)) if not labels[i].other), 0)
    changes = [Change("lost"), Change("was.`a.b`", (first,), labels[first].group), Change("g", (), 0)]
    if o.groups[0].kind is Kind.BINARY:
        changes.pop()
    pair = [i for i in o.groups[-1].labels if not labels[i].other][:2]
    changes += [Change("both", tuple(pair), labels[pair[0]].group)]
    migrations = (Migration("0.9", tuple(changes)),)
    return replace(
        o, version="1.0", groups=tuple(groups), labels=tuple(labels), rules=tuple(rules), migrations=migrations
    )


def round_trip(seed: int) -> None:
    rng = np.random.default_rng(seed)
    o = decorated(random_ontology(rng, rules=3 if seed % 2 else 0, consistent=False), rng)
    text = draft_of(o).to_text()
    checked = check_text(text, "x.onto")
    errors = [d for d in checked.diagnostics if d.severity == "error" and not d.code.startswith("E14")]
    assert not errors, f"{errors}\n{text}"
    assert format_text(text, "x.onto") == text
    if checked.ontology is not None:  # else its rules contradict each other
        assert content(checked.ontology) == content(o), text


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_random_ontologies_survive_the_round_trip(seed: int) -> None:
    round_trip(seed)


@pytest.mark.slow
def test_a_thousand_random_ontologies_survive_the_round_trip() -> None:
    for seed in range(1000):
        round_trip(seed)


# --- files that exist ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LANGUAGE, ids=lambda p: p.stem)
def test_files_of_the_language_survive(path: Path) -> None:
    before = check_file(path).require()
    after = check_text(draft_of(before).to_text(), "x.onto").require()
    here = replace(
        before,
        imports=(),
        groups=tuple(replace(g, source=None) for g in before.groups),
        rules=tuple(replace(r, source=None) for r in before.rules),
    )
    assert after.to_dict() == here.to_dict()


def test_examples_survive(examples: list[Path]) -> None:
    for path in examples:
        before = check_file(path).require()
        assert check_text(draft_of(before).to_text(), path.name).require().hash == before.hash


def test_what_was_used_is_said_to_be() -> None:
    ontology = check_file(next(p for p in LANGUAGE if p.stem == "hawthorn")).require()
    text = draft_of(ontology).to_text()
    assert text.count("# from capture version 1.2, imported as capture\n") == 2
    assert '# from capture version 1.2, imported as capture\nmulticlass environment "Env' in text
    assert "import" not in text.replace("imported", "")


# --- drafts ----------------------------------------------------------------------------------------


def test_everything_a_draft_can_say() -> None:
    draft = Draft(
        "plant life",
        'Leaves "and" more',
        "1.0",
        [
            DraftGroup(
                Kind.HIERARCHY,
                "crop",
                aka=("plant", "plant", " "),
                open=True,
                classes=[
                    DraftClass("apple", "Apple", attributes=[DraftGroup(Kind.BINARY, "ripe")]),
                    DraftClass("vine", classes=[DraftClass("grape"), DraftClass("any")], open=True),
                ],
                levels=("kind", "sort of"),
            ),
            DraftGroup(Kind.ORDINAL, "age", classes=[DraftClass("young"), DraftClass("old", "Old")], when="grape"),
            DraftGroup(
                Kind.MULTILABEL,
                "damage",
                classes=[
                    DraftClass("leaf"),
                    DraftClass("spot", aka=("dot",)),
                    DraftClass("mold", parents=("leaf", "spot")),
                ],
                comments=["guessed\nfrom names"],
            ),
        ],
        [DraftRule("usual", ["ripe=>age>young", "not mold"], 1e-7, "What is usual"), DraftRule("law", ["any crop"])],
        ["Drafted from a folder", ""],
        [DraftMigration("0.9", ["rename rot->mold"])],
    )
    assert draft.to_text() == (
        "# Drafted from a folder\n"
        "#\n"
        'ontology `plant life` "Leaves \\"and\\" more" version "1.0"\n'
        "\n"
        'hierarchy crop aka "plant" open levels kind, `sort of` {\n'
        '    apple "Apple" {\n'
        "        binary ripe\n"
        "    }\n"
        "    vine open { grape, `any` }\n"
        "}\n"
        "\n"
        'ordinal age when grape { young < old "Old" }\n'
        "# guessed\n"
        "# from names\n"
        'multilabel damage { leaf, spot aka "dot"; mold is leaf and spot }\n'
        "\n"
        'rule usual "What is usual" soft 0.0000001 {\n'
        "    ripe => age > young\n"
        "    not mold\n"
        "}\n"
        "\n"
        "rule law {\n"
        "    any crop\n"
        "}\n"
        "\n"
        'migrate from "0.9" {\n'
        "    rename rot -> mold\n"
        "}\n"
    )
    checked = check_text(draft.to_text(), "x.onto")
    assert checked.ontology is not None, checked.diagnostics


def test_a_draft_with_a_formula_that_cannot_be_read_is_refused() -> None:
    draft = Draft("x", groups=[DraftGroup(Kind.BINARY, "a")], rules=[DraftRule("r", ["a => => a"])])
    with pytest.raises(LinnaeusError, match="E011"):
        draft.to_text()


def test_ids_are_quoted_exactly_where_they_must_be() -> None:
    """By brute force over short ids: each reads back as itself, and those that are quoted would not without."""
    words = sorted({t.pattern.value for t in grammar().terminals if t.pattern.value.isalpha()})
    ids = ["".join(p) for n in (1, 2) for p in itertools.product("aZé_-0. ÷", repeat=n)] + words
    ids += ["".join(p) for p in itertools.product("é-0", repeat=3)]
    ids = [id for id in ids if id.strip()]
    for some in (ids[:60], ids[60:]):
        text = f"ontology x\nmulticlass g {{ {', '.join(map(quote_id, some))} }}"
        plain = [id for id in some if quote_id(id) == id]
        checked = check_text(text, "x")
        unread = [d for d in checked.diagnostics if d.severity == "error" and d.code < "E1"]
        assert not unread, unread
        assert checked.outline is not None
        assert [c.id for c in checked.outline.top[0].classes] == some
        for id in set(some) - set(plain):
            found = check_text(f"ontology x\nmulticlass g {{ {id}, zz }}", "x")
            assert found.ontology is None or found.ontology.labels[0].id != id


@pytest.mark.parametrize("id", ["", " ", "a`b", "a\nb", "a\u200bb", "\x00"])
def test_ids_that_no_text_can_hold_are_refused(id: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        quote_id(id)


def test_paths_and_texts() -> None:
    assert quote_path("a.`b.c`.open.d") == "a.`b.c`.`open`.d"
    assert quote_text('a "b" \\ c\r\nd\u00a0e') == '"a \\"b\\" \\\\ c  d e"'


def test_unique_ids() -> None:
    names = ["Red Apple", "red-apple", "red_apple_2", "Other", "", "Größe", "0", "RED  APPLE"]
    ids = unique_ids(names)
    assert ids == ["red_apple", "red_apple_2", "red_apple_2_2", "other_2", "_", "größe", "_0", "red_apple_3"]
    assert len(set(ids)) == len(names)
