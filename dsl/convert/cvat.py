"""CVAT labels JSON, as its label constructor shows it in raw form.

    [{"name", "type", "color", "attributes": [ATTRIBUTE…], "sublabels": [LABEL…]}]

An attribute is {"name", "mutable", "input_type", "default_value", "values"}; the values of a number are its minimum,
its maximum and its step. Labels of the type `tag` are said of an image, others are drawn in it. The label `image`, a
tag, holds the attributes of every image. See https://docs.cvat.ai (labels).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ...errors import LinnaeusError
from ..ontology import Ontology
from .asked import OF_OBJECTS, UNANSWERED, QuestionReader
from .asking import QuestionWriter
from .documents import Value, read_json
from .formats import Loss, Read, Written
from .questions import OBJECTS, YES_NO, Answer, Option, Question

TAGS = "tags"
"""The id of the multilabel group that stands for the labels of the type `tag`."""
IMAGE = "image"
"""The name of the tag that holds the attributes of every image."""

_SOME = "that some class holds in every image"
_UNDEFINED = "__undefined__"  # by convention the value of an attribute that is not answered
_MOST_LEVELS = 101


def recognises(path: Path) -> bool:
    """Whether a JSON file is a list of labels with attributes, or holds one as `labels`."""
    try:
        labels = list(_labels(read_json(path)))
        return bool(labels) and all(label.has("name", "attributes") for label in labels)
    except LinnaeusError:
        return False


def _labels(document: Value) -> Iterable[Value]:
    return document.need("labels").items() if isinstance(document.data, dict) else document.items()


def read(path: Path) -> Read:
    """Labels as the multilabel groups `tags` and `objects`, attributes of the tag `image` as groups."""
    document = read_json(path)
    reader = QuestionReader(path)
    if isinstance(document.data, dict):
        reader.lose_keys(document, ("labels",))
    questions: list[Question] = []
    several = {name: Question(name, Answer.MANY, [], document.where) for name in (TAGS, OBJECTS)}
    for value in _labels(document):
        kind = value.get("type")
        tag = kind is not None and kind.text() == "tag"
        option = _label(reader, value, tag)
        if tag and option.name == IMAGE and option.questions and not any(q.name == IMAGE for q in option.questions):
            questions += option.questions
        else:
            several[TAGS if tag else OBJECTS].options.append(option)
    questions += [question for question in several.values() if question.options]
    return reader.finish(questions)


def _label(reader: QuestionReader, value: Value, tag: bool) -> Option:
    kind = value.get("type")
    if kind is not None and kind.text() not in ("tag", "any"):
        reader.lose(kind.where, "how the object is drawn")
    reader.lose_keys(value, ("name", "attributes", "sublabels", "type"))
    option = Option(value.need("name").text(), value.where)
    for attribute in value.entries("attributes"):
        question = _attribute(reader, attribute)
        if question is not None:
            option.questions.append(question)
            if not tag:
                reader.lose(question.where, OF_OBJECTS)
    parts = [_label(reader, v, tag) for v in value.entries("sublabels")]
    if parts:
        option.questions.append(Question(option.name, Answer.MANY, parts, value.where))
    return option


def _attribute(reader: QuestionReader, value: Value) -> Question | None:
    name, kind = value.need("name").text(), value.need("input_type").text()
    reader.lose_keys(value, ("name", "input_type", "values", "mutable", "default_value"))
    mutable = value.get("mutable")
    if mutable is not None and mutable.flag():
        reader.lose(mutable.where, "that it may change from frame to frame")
    values = value.entries("values")
    if kind == "text":
        reader.lose(value.where, "a question with a free answer")
        return None
    if kind == "checkbox":
        options, answer = [Option(word, value.where) for word in YES_NO], Answer.YES_NO
        first = "false"
    elif kind in ("select", "radio"):
        if kind == "radio":
            reader.lose(value.where, "that it is shown as radio buttons")
        options, answer = _options(reader, values), Answer.ONE
        first = values[0].text() if values else ""
    elif kind == "number":
        options, answer = _levels(reader, value, values), Answer.LEVEL
        first = options[0].name if options else ""
    else:
        known = "checkbox, number, radio, select, text"
        raise value.need("input_type").wrong(f"unknown input type {kind!r}", f"known types: {known}")
    default = value.get("default_value")
    if default is not None and default.data != "" and default.text() != first:
        reader.lose(default.where, "the answer that is given if nobody changes it")
    return Question(name, answer, options, value.where)


def _options(reader: QuestionReader, values: list[Value]) -> list[Option]:
    for value in values:
        if value.text() == _UNDEFINED:
            reader.lose(value.where, UNANSWERED)
    return [Option(value.text(), value.where) for value in values if value.text() != _UNDEFINED]


def _levels(reader: QuestionReader, value: Value, values: list[Value]) -> list[Option]:
    """The levels of a number: none, and a loss, where it is no short row of whole numbers."""
    if len(values) != 3:
        raise value.wrong("a number needs three values", "they are the minimum, the maximum and the step")
    try:
        low, high, step = (int(v.text()) for v in values)
    except ValueError:
        low, high, step = 0, 0, 0
    if step <= 0 or not 0 < (high - low) // step < _MOST_LEVELS or low < 0:
        reader.lose(value.where, f"a number that is no row of whole numbers from 0, {_MOST_LEVELS} at most")
        return []
    return [Option(str(n), value.where, str(n)) for n in range(low, high + 1, step)]


def write(ontology: Ontology) -> Written:
    """Groups as attributes of the tag `image`; the multilabel groups `tags` and `objects` as labels."""
    writer = QuestionWriter(ontology, orders=lambda options: _row(options) is not None)
    questions = writer.questions()
    rows = [("tag", option) for option in writer.take_objects(questions, TAGS, nested=True)]
    rows += [("any", option) for option in writer.take_objects(questions, OBJECTS, nested=True)]
    _rename([option for _, option in rows], writer.losses)
    if questions:
        rows.insert(0, ("tag", Option(IMAGE, ontology.name, questions=questions)))
    labels = [_label_json(option, kind, writer.losses) for kind, option in rows]
    return Written(json.dumps(labels, indent=2, ensure_ascii=False) + "\n", writer.losses)


def _rename(options: list[Option], losses: list[Loss]) -> None:
    """Call labels by their paths where another has the name, or it is that of the tag for every image."""
    taken = {IMAGE}
    for option in options:
        if option.name in taken:
            losses.append(Loss(option.where, "the name: another label has it"))
            for question in option.questions:
                if question.name == option.name and question.answer is Answer.MANY:  # its sublabels
                    question.name = option.where
            option.name = option.where
        taken.add(option.name)


def _label_json(option: Option, kind: str, losses: list[Loss]) -> dict[str, Any]:
    parts = next((q for q in option.questions if q.name == option.name and q.answer is Answer.MANY), None)
    asked = [q for question in option.questions if question is not parts for q in _flat(question, losses)]
    if parts is not None and parts.required:
        losses.append(Loss(parts.where, _SOME))
    _tell_apart(asked)
    label: dict[str, Any] = {"name": option.name, "type": kind, "attributes": [_json(q) for q in asked]}
    if parts is not None:
        label["sublabels"] = [_label_json(part, kind, losses) for part in parts.options]
    return label


def _flat(question: Question, losses: list[Loss]) -> list[Question]:
    """A question as attributes, which have no attributes of their own; a choice of several becomes checkboxes."""
    inner = [q for option in question.options for q in option.questions]
    if question.deep and question.answer is Answer.ONE:
        losses.append(Loss(question.where, "the hierarchy: its leaves stand in one row"))
        question.options, inner = _leaves(question)
        _tell_apart(question.options)
    losses += [Loss(asked.where, "when the group applies") for asked in inner]
    row = [question]
    if question.answer is Answer.MANY:
        losses.append(Loss(question.where, "that it is one multilabel: each class is a checkbox of its own"))
        if question.required:
            losses.append(Loss(question.where, _SOME))
        words = [Option(word, question.where) for word in YES_NO]
        row = [Question(f"{question.name}: {o.name}", Answer.YES_NO, words, o.where) for o in question.options]
    return row + [flat for asked in inner for flat in _flat(asked, losses)]


def _tell_apart(items: Sequence[Question | Option]) -> None:
    """Call those that have the name of another by their paths."""
    often = Counter(item.name for item in items)
    for item in items:
        if often[item.name] > 1:
            item.name = item.where


def _leaves(question: Question) -> tuple[list[Option], list[Question]]:
    """The leaves of a hierarchy, and the attributes of all its classes."""
    leaves: list[Option] = []
    attributes: list[Question] = []
    for option in question.options:
        deeper = question.deeper(option)
        attributes += [q for q in option.questions if q is not deeper]
        if deeper is None:
            leaves.append(Option(option.name, option.where))
        else:
            below, inner = _leaves(deeper)
            leaves += below
            attributes += inner
    return leaves, attributes


def _json(question: Question) -> dict[str, Any]:
    values = [option.name for option in question.options]
    kind = "select"
    if question.answer is Answer.YES_NO:
        kind, values = "checkbox", ["false"]
    elif question.answer is Answer.LEVEL:
        kind, values = "number", [str(n) for n in _row(question.options) or ()]
    name = question.name
    return {"name": name, "mutable": False, "input_type": kind, "default_value": values[0], "values": values}


def _row(options: list[Option]) -> tuple[int, int, int] | None:
    """The minimum, maximum and step of levels that are evenly spaced whole numbers from 0."""
    if not all(option.name == option.id and option.name.isdecimal() for option in options):
        return None
    numbers = [int(option.name) for option in options]
    step = numbers[1] - numbers[0]
    row = list(range(numbers[0], numbers[-1] + 1, step)) if step > 0 else []
    same = [str(n) for n in row] == [option.name for option in options]
    return (numbers[0], numbers[-1], step) if same and len(row) <= _MOST_LEVELS else None
