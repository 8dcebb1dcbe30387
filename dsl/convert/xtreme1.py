"""BasicAI and Xtreme1 ontology JSON: classes of objects, and classifications of images.

    {"classes": [{"name", "color", "toolType", "toolTypeOptions", "attributes": [QUESTION…]}],
     "classifications": [{"name", "isRequired", "inputType", "options": [OPTION…]}]}

A question inside is {"name", "required", "type", "options"}, an option {"name", "attributes": [QUESTION…]}, and so on
to any depth. A classification may also have its options in an object `attribute`. See
https://docs.xtreme1.io (ontology).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...errors import LinnaeusError
from ..ontology import Ontology
from .asked import OF_OBJECTS, QuestionReader, read_questions
from .asking import QuestionWriter
from .documents import Value, read_json
from .formats import Read, Written
from .questions import Answer, Option, Question

_ANSWERS = {"RADIO": Answer.ONE, "DROPDOWN": Answer.ONE, "MULTI_SELECTION": Answer.MANY}
_FREE = ("TEXT", "LONG_TEXT", "TEXT_AREA", "NUMBER", "DATE")
_QUESTION_KEYS = ("name", "isRequired", "required", "inputType", "type", "options", "attribute")


def recognises(path: Path) -> bool:
    """Whether a JSON file has `classes` or `classifications` as this format has them."""
    try:
        document = read_json(path)
        entries = document.entries("classes", "classifications")
    except LinnaeusError:
        return False
    return any(entry.has(key) for entry in entries for key in ("toolType", "inputType", "isRequired"))


def read(path: Path) -> Read:
    """Classes as the multilabel group `objects`, classifications as groups."""
    return read_questions(path, "classes", _class, _question)


def _class(reader: QuestionReader, value: Value) -> Option:
    option = _option(reader, value)
    for question in option.questions:
        reader.lose(question.where, OF_OBJECTS)
    return option


def _option(reader: QuestionReader, value: Value) -> Option:
    reader.lose_keys(value, ("name", "attributes"))
    questions = [q for v in value.entries("attributes") if (q := _question(reader, v)) is not None]
    return Option(value.need("name").text(), value.where, questions=questions)


def _question(reader: QuestionReader, value: Value) -> Question | None:
    reader.lose_keys(value, _QUESTION_KEYS)
    inner = value.get("attribute")
    if inner is not None:
        reader.lose_keys(inner, _QUESTION_KEYS)
    kind = value.get("inputType") or value.get("type") or (inner or value).need("type")
    answer = reader.answer(value, kind, _ANSWERS, _FREE)
    if answer is None:
        return None
    required = value.get("isRequired") or value.get("required")
    options = [_option(reader, v) for v in value.entries("options") or (inner or value).entries("options")]
    flag = None if required is None else required.flag()
    return Question(value.need("name").text(), answer, options, value.where, required=flag)


def write(ontology: Ontology) -> Written:
    """Groups as classifications; a multilabel group called `objects`, without nested classes, as classes."""
    writer = QuestionWriter(ontology)
    questions = writer.questions()
    objects = writer.take_objects(questions)
    drawn = {"color": "#7dfaf2", "toolType": "BOUNDING_BOX", "toolTypeOptions": {}}
    data = {
        "classes": [_option_json(option) | drawn for option in objects],
        "classifications": [_json(question, "inputType", "isRequired") for question in questions],
    }
    return Written(json.dumps(data, indent=2, ensure_ascii=False) + "\n", writer.losses)


def _json(question: Question, kind: str = "type", required: str = "required") -> dict[str, Any]:
    answer = "MULTI_SELECTION" if question.answer is Answer.MANY else "RADIO"
    options = [_option_json(option) for option in question.options]
    return {"name": question.name, kind: answer, required: bool(question.required), "options": options}


def _option_json(option: Option) -> dict[str, Any]:
    return {"name": option.name, "attributes": [_json(question) for question in option.questions]}
