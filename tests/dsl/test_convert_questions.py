"""Annotation tools' questions as groups and back: what both sides can say survives, what one can't is listed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linnaeus.dsl.convert.documents import read_xml
from linnaeus.dsl.convert.formats import FORMATS, Read, Written
from linnaeus.dsl.draft import Draft, DraftClass, DraftGroup, DraftRule, draft_of
from linnaeus.dsl.formula_text import formula_text
from linnaeus.dsl.load import check_text
from linnaeus.dsl.ontology import Kind, Ontology
from linnaeus.dsl.testing import random_ontology
from linnaeus.errors import LinnaeusError

CASES = Path(__file__).with_name("convert_cases")
TOOLS = {"xtreme1": ".json", "labelbox": ".json", "cvat": ".json", "label-studio": ".xml"}


def ontology_of(draft: Draft) -> Ontology:
    return check_text(draft.to_text(), "drawn.onto").require()


def there_and_back(ontology: Ontology, tool: str, folder: Path) -> tuple[Written, Read]:
    converter = FORMATS[tool].converter()
    written = converter.write(ontology)
    file = folder / f"{ontology.name}{TOOLS[tool]}"
    file.write_text(str(written.text), encoding="utf-8")
    assert converter.recognises(file)
    return written, converter.read(file)


# --- .onto → format → .onto --------------------------------------------------------------------------


class Drawer:
    """A random ontology of what a format says."""

    def __init__(self, random: Random, tool: str):
        self.random = random
        self.tool = tool
        self.number = 0
        self.required: list[str] = []

    def named(self) -> tuple[str, str | None]:
        self.number += 1
        n = self.number
        made = [(f"c{n}", None), (f"class_{n}", f"Class {n}"), (f"größe_{n}", f"Größe {n}")]
        given = [(f"x-{n}", f'{n} <of & "all">'), (f"Y{n}", f"y {n}")]
        return self.random.choice(made + given if self.tool in ("labelbox", "label-studio") else made)

    def draft(self) -> Draft:
        groups = [self.group("", 2) for _ in range(self.random.randint(1, 3))]
        if self.tool == "cvat":
            groups = [g for g in groups if g.kind is not Kind.MULTILABEL] or [DraftGroup(Kind.BINARY, "b")]
            groups += [self.labels(id) for id in ("tags", "objects") if self.random.random() < 0.5]
        elif self.tool != "label-studio" and self.random.random() < 0.5:
            groups.insert(0, self.labels("objects"))
        if self.tool == "label-studio":
            groups += [self.conditional(g) for g in groups if g.kind is Kind.MULTICLASS and len(g.classes) > 2]
        rules = [DraftRule("required", self.required)] if self.required else []
        return Draft("drawn", groups=groups, rules=rules)

    def kinds(self) -> list[Kind]:
        kinds = [Kind.BINARY, Kind.MULTICLASS]
        if self.tool in ("cvat", "label-studio"):
            kinds.append(Kind.ORDINAL)
        return kinds if self.tool == "cvat" else [*kinds, Kind.HIERARCHY, Kind.MULTILABEL]

    def group(self, path: str, depth: int) -> DraftGroup:
        group = DraftGroup(self.random.choice(self.kinds()), *self.named())
        here = f"{path}{group.id}"
        match group.kind:
            case Kind.ORDINAL:
                group.classes = [DraftClass(str(n + 1)) for n in range(self.random.randint(2, 5))]
            case Kind.MULTICLASS:
                group.open = self.random.random() < 0.3
                group.classes = [self.leaf(here, depth) for _ in range(self.random.randint(2, 4))]
            case Kind.HIERARCHY | Kind.MULTILABEL:
                group.classes = self.tree(group.kind, here, depth, 0)
        if group.kind is Kind.MULTILABEL and self.random.random() < 0.4:
            self.required.append(f"applies {here} => any {here}" if path else f"any {here}")
        return group

    def leaf(self, path: str, depth: int) -> DraftClass:
        made = DraftClass(*self.named())
        if depth and self.tool != "cvat" and self.random.random() < 0.4:
            made.attributes = [self.group(f"{path}.{made.id}.", depth - 1)]
        return made

    def tree(self, kind: Kind, path: str, depth: int, level: int) -> list[DraftClass]:
        made = []
        for n in range(self.random.randint(2 if level == 0 else 1, 3)):
            class_ = DraftClass(*self.named())
            here = f"{path}.{class_.id}"
            if level < 2 and (self.random.random() < 0.4 or (kind is Kind.HIERARCHY and level == n == 0)):
                class_.classes = self.tree(kind, here, depth, level + 1)
                class_.open = kind is Kind.HIERARCHY and self.random.random() < 0.3
            if depth and self.tool != "cvat" and self.random.random() < 0.2:
                class_.attributes = [self.group(f"{here}.", depth - 1)]
            if class_.classes and kind is Kind.MULTILABEL and self.tool in ("xtreme1", "labelbox"):
                self.required += [f"{here} => any {here}"] * (self.random.random() < 0.4)
            made.append(class_)
        return made

    def labels(self, id: str) -> DraftGroup:
        """Kinds of objects, or tags, which may have attributes."""
        classes = [DraftClass(*self.named()) for _ in range(self.random.randint(1, 3))]
        if self.tool == "labelbox":  # a tool has one name
            classes = [DraftClass(f"tool_{n}", f"Tool {n}") for n, _ in enumerate(classes)]
        if self.tool == "cvat" and self.random.random() < 0.5:
            classes[0].classes = [DraftClass(*self.named())]
        for class_ in classes:
            if self.random.random() < 0.4:
                class_.attributes = [self.group(f"{id}.{class_.id}.", 0)]
        return DraftGroup(Kind.MULTILABEL, id, classes=classes)

    def conditional(self, group: DraftGroup) -> DraftGroup:
        made = self.group("", 0)
        self.required = [f.replace(f"any {made.id}", f"applies {made.id} => any {made.id}") for f in self.required]
        some = f"{group.id} in {{{group.id}.{group.classes[0].id}, {group.id}.{group.classes[2].id}}}"
        made.when = self.random.choice([some, f"not ({some})", f"not {group.id}.{group.classes[1].id}"])
        return made


@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(random=st.randoms(use_true_random=False))
def test_what_both_can_say_survives(tool: str, random: Random, tmp_path: Path) -> None:
    ontology = ontology_of(Drawer(random, tool).draft())
    written, read = there_and_back(ontology, tool, tmp_path)
    assert written.losses == []
    assert {loss.what for loss in read.losses} <= MADE_UP
    back = ontology_of(read.draft)
    assert meaning(back) == meaning(ontology)
    assert replace(back, rules=()) == replace(ontology, rules=())


MADE_UP = {  # what tools ask for and ontologies do not say: written with a value, and read as a loss
    "the key 'color'",
    "the key 'tool'",
    "the key 'toolType'",
    "that it is asked of each object: here it is asked once of an image",
}


@pytest.mark.parametrize("tool", TOOLS)
def test_any_ontology_comes_back_legal_and_nothing_is_dropped_in_silence(tool: str, tmp_path: Path) -> None:
    whole = 0
    for seed in range(20):
        drawn = random_ontology(np.random.default_rng(seed), rules=2 if seed % 4 == 1 else 0, depth=2)
        rules = tuple(replace(r, weight=r.weight and abs(r.weight)) for r in drawn.rules)
        checked = check_text(draft_of(replace(drawn, rules=rules)).to_text(), "random.onto")
        if checked.ontology is None:  # a draw that the checker refuses, as for a dead class
            continue
        written, read = there_and_back(checked.ontology, tool, tmp_path)
        back = ontology_of(read.draft)
        if not written.losses and {loss.what for loss in read.losses} <= MADE_UP:
            whole += 1
            assert meaning(back) == meaning(checked.ontology)
    assert whole


def meaning(o: Ontology) -> Any:
    """What an ontology says, whatever the order of its groups and laws."""

    def path(i: int | None) -> str | None:
        return None if i is None else o.labels[i].path

    groups = []
    for g in o.groups:
        labels = [
            (path(i), o.labels[i].title, o.labels[i].open, sorted(map(path, o.labels[i].parents))) for i in g.labels
        ]
        when = g.when and formula_text(o, g.when)
        groups.append((g.path, g.kind, g.title, g.open, path(g.condition), when, labels))
    rules = sorted((rule.name, sorted(formula_text(o, f) for f in rule.formulas)) for rule in o.rules)
    return o.name, sorted(groups, key=lambda g: g[0]), rules


# --- format → .onto → format -------------------------------------------------------------------------


@pytest.mark.parametrize("tool", TOOLS)
def test_fixtures_read_as_written_down(tool: str) -> None:
    file = CASES / f"orchard.{tool}{TOOLS[tool]}"
    read = FORMATS[tool].converter().read(file)
    assert read.draft.to_text() == (CASES / f"orchard.{tool}.onto").read_text(encoding="utf-8")
    said = [f"{loss.where}: {loss.what}" for loss in read.losses]
    assert said == (CASES / f"orchard.{tool}.lost").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("tool", TOOLS)
def test_fixtures_come_back_equal_after_normalisation(tool: str, tmp_path: Path) -> None:
    file = CASES / f"orchard.{tool}{TOOLS[tool]}"
    converter = FORMATS[tool].converter()
    ontology = ontology_of(converter.read(file).draft)
    written = converter.write(ontology)
    assert written.losses == []
    again = tmp_path / f"orchard{TOOLS[tool]}"
    again.write_text(str(written.text), encoding="utf-8")
    if tool == "label-studio":
        assert normal_xml(again) == normal_xml(file)
    else:
        assert normal(tool, json.loads(written.text)) == normal(tool, json.loads(file.read_text(encoding="utf-8")))


LOST_KEYS = {"id", "color", "toolType", "toolTypeOptions", "tool", "featureSchemaId", "scope", "default_value"}


def normal(tool: str, data: Any) -> Any:
    """JSON without what is listed as lost: ids, colours, tools, free answers, how choices are shown."""
    if isinstance(data, list):
        kept = [normal(tool, item) for item in data if not (isinstance(item, dict) and is_free(item))]
        return [item for item in kept if item != "__undefined__"]
    if not isinstance(data, dict):
        return {"DROPDOWN": "RADIO", "radio": "select"}.get(data, data) if tool != "labelbox" else data
    kept = {key: normal(tool, value) for key, value in data.items() if key not in LOST_KEYS and value != []}
    if tool == "cvat":
        kept.pop("mutable", None)
        if kept.get("type") != "tag":
            kept.pop("type", None)
    single = kept.get("inputType") == "RADIO" or kept.get("type") == "RADIO"
    return kept | ({key: True for key in ("isRequired", "required") if key in kept} if single else {})


def is_free(item: dict[str, Any]) -> bool:
    return "TEXT" in str(item.get("type")).upper() or item.get("input_type") == "text"


def normal_xml(file: Path) -> list[Any]:
    """Each control with its title, its choices, and all choices on which it depends."""
    rows: list[Any] = []

    def visit(tag: Any, around: list[str]) -> None:
        shown = around
        if str(tag.attributes.get("visibleWhen")).startswith("choice"):
            shown = [*around, f"{tag.attributes['whenTagName']}={tag.attributes['whenChoiceValue']}"]
        if tag.name in ("Choices", "Taxonomy", "Rating"):
            title = rows.pop() if rows and isinstance(rows[-1], str) else None
            kept = {k: v for k, v in tag.attributes.items() if k in ("name", "maxUsages", "maxRating")}
            many = tag.attributes.get("choice") == "multiple"
            must = many and tag.attributes.get("required") == "true"
            rows.append((tag.name, title, kept, many, must, [choice(c) for c in tag.children], shown[-1:]))
        elif tag.name == "Header":
            rows.append(tag.attributes["value"])
        elif tag.name == "View":
            for child in tag.children:
                visit(child, shown)

    def choice(tag: Any) -> Any:
        return tag.attributes["value"], tag.attributes.get("alias"), [choice(c) for c in tag.children]

    visit(read_xml(file), [])
    return rows


# --- single facts -------------------------------------------------------------------------------------


def read_text(tool: str, text: str, folder: Path) -> Read:
    file = folder / f"f{TOOLS[tool]}"
    file.write_text(text, encoding="utf-8")
    return FORMATS[tool].converter().read(file)


def test_a_required_choice_of_several_becomes_a_law(tmp_path: Path) -> None:
    text = '{"classifications": [{"name": "d", "isRequired": true, "inputType": "MULTI_SELECTION", "options": [%s]}]}'
    read = read_text("xtreme1", text % '{"name": "a"}, {"name": "b"}', tmp_path)
    assert [rule.formulas for rule in read.draft.rules] == [["any d"]]


def test_an_optional_single_choice_is_no_class_but_unknown(tmp_path: Path) -> None:
    text = '{"classifications": [{"name": "d", "isRequired": false, "inputType": "RADIO", "options": [%s]}]}'
    read = read_text("xtreme1", text % '{"name": "a"}, {"name": "b"}', tmp_path)
    assert [c.id for c in read.draft.groups[0].classes] == ["a", "b"]
    assert ["unanswered" in loss.what for loss in read.losses] == [True]


def test_questions_under_yes_no_and_other_stand_at_the_top(tmp_path: Path) -> None:
    inner = (
        '"attributes": [{"name": "%s", "type": "RADIO", "required": true, "options": [{"name": "a"}, {"name": "b"}]}]'
    )
    options = ", ".join(f'{{"name": "{n}", {inner % q}}}' for n, q in (("Yes", "p"), ("No", "q")))
    other = f'{{"name": "x"}}, {{"name": "Other", {inner % "r"}}}'
    rows = [("ill", options), ("kind", other)]
    text = ", ".join(f'{{"name": "{n}", "isRequired": true, "inputType": "RADIO", "options": [{o}]}}' for n, o in rows)
    read = read_text("xtreme1", f'{{"classifications": [{text}]}}', tmp_path)
    whens = {g.id: g.when for g in read.draft.groups}
    assert whens == {"ill": None, "kind": None, "p": "ill", "q": "not ill", "r": "kind.other"}
    back = FORMATS["xtreme1"].converter().write(ontology_of(read.draft))
    assert back.losses == []
    assert read_text("xtreme1", str(back.text), tmp_path).draft.groups == read.draft.groups


def test_two_options_called_other_are_one(tmp_path: Path) -> None:
    text = '<View><Choices name="g"><Choice value="Other"/><Choice value="a"/><Choice value="other"/></Choices></View>'
    read = read_text("label-studio", text, tmp_path)
    assert [(g.open, [c.id for c in g.classes]) for g in read.draft.groups] == [(True, ["a"])]
    assert [loss.what for loss in read.losses] == ["the word for other", "a second option called other"]
    assert ontology_of(read.draft)


def test_a_choice_of_one_option_may_hold_or_not(tmp_path: Path) -> None:
    text = '<View><Choices name="g" toName="i"><Choice value="a"/></Choices></View>'
    read = read_text("label-studio", text, tmp_path)
    assert [(g.kind, [c.id for c in g.classes]) for g in read.draft.groups] == [(Kind.MULTILABEL, ["a"])]
    assert len(read.losses) == 1


def test_what_is_shown_only_after_its_own_answer_is_refused(tmp_path: Path) -> None:
    def shown(name: str, after: str) -> str:
        when = f'visibleWhen="choice-selected" whenTagName="{after}" whenChoiceValue="a"'
        return f'<Choices name="{name}" toName="i" {when}><Choice value="a"/><Choice value="b"/></Choices>'

    with pytest.raises(LinnaeusError, match=r"E162.*shown only after it is answered itself"):
        read_text("label-studio", f"<View>{shown('g', 'h')}\n{shown('h', 'g')}</View>", tmp_path)


def test_names_are_told_apart_where_the_format_is_flat() -> None:
    text = "ontology o\nmulticlass g { a { ordinal s { x < y } }; b { ordinal s { x < y } } }"
    written = FORMATS["cvat"].converter().write(check_text(text, "o.onto").require())
    names = [attribute["name"] for attribute in json.loads(str(written.text))[0]["attributes"]]
    assert names == ["g", "g.a.s", "g.b.s"]
    assert {loss.where for loss in written.losses} == {"g.a.s", "g.b.s"}


def test_labels_of_one_name_are_told_apart(tmp_path: Path) -> None:
    text = "ontology f\nmultilabel tags { image { a; binary b }; c }\nmultilabel objects { c { d } }"
    written = FORMATS["cvat"].converter().write(check_text(text, "f.onto").require())
    assert [label["name"] for label in json.loads(str(written.text))] == ["tags.image", "c", "objects.c"]
    assert [(loss.where, loss.what) for loss in written.losses] == [
        (where, "the name: another label has it") for where in ("tags.image", "objects.c")
    ]
    back = ontology_of(read_text("cvat", str(written.text), tmp_path).draft)
    assert [label.path for label in back.labels][:2] == ["tags.tags_image", "tags.tags_image.a"]


def test_written_xml_escapes_what_titles_hold() -> None:
    text = 'ontology o\nmulticlass g "<G> & \\"co\\"" { a "a < b & c"; b }'
    written = FORMATS["label-studio"].converter().write(check_text(text, "o.onto").require())
    root = ElementTree.fromstring(str(written.text))
    assert [tag.get("value") for tag in root.iter() if tag.get("value")][1:] == ['<G> & "co"', "a < b & c", "b"]


def test_losses_name_no_value() -> None:
    """Equal losses are told together, so what is lost must not differ from place to place."""
    for tool in TOOLS:
        lines = (CASES / f"orchard.{tool}.lost").read_text(encoding="utf-8").splitlines()
        assert all(re.match(r"(/\S*|line \d+): \S", line) for line in lines)
