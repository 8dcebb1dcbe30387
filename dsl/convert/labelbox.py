"""Labelbox ontology JSON: tools that draw objects, and classifications of images.

    {"tools": [{"tool", "name", "color", "required", "classifications": [QUESTION…]}],
     "classifications": [{"type", "instructions", "name", "required", "scope", "options": [OPTION…]}]}

An option is {"label", "value", "options": [QUESTION…]}, to any depth. See https://docs.labelbox.com (ontologies).
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

_ANSWERS = {"radio": Answer.ONE, "dropdown": Answer.ONE, "checklist": Answer.MANY}
_FREE = ("text", "date")
_COLOUR = "#1ce6ff"


def recognises(path: Path) -> bool:
    """Whether a JSON file has tools, or classifications that give instructions."""
    try:
        document = read_json(path)
        tools, asked = document.entries("tools"), document.entries("classifications")
        return any(v.has("tool") for v in tools) or any(v.has("instructions") for v in asked)
    except LinnaeusError:
        return False


def read(path: Path) -> Read:
    """Tools as the multilabel group `objects`, classifications as groups."""
    return read_questions(path, "tools", _tool, _question)


def _tool(reader: QuestionReader, value: Value) -> Option:
    reader.lose_keys(value, ("name", "classifications", "required"))
    required = value.get("required")
    if required is not None and required.flag():
        reader.lose(required.where, "that every image has such an object")
    questions = [q for v in value.entries("classifications") if (q := _question(reader, v)) is not None]
    for question in questions:
        reader.lose(question.where, OF_OBJECTS)
    return Option(value.need("name").text(), value.where, questions=questions)


def _question(reader: QuestionReader, value: Value) -> Question | None:
    kind = value.need("type")
    answer = reader.answer(value, kind, _ANSWERS, _FREE)
    if answer is None:
        return None
    scope = value.get("scope")
    if scope is not None and scope.text() != "global":
        reader.lose(scope.where, "that it is asked of each frame")
    reader.lose_keys(value, ("type", "instructions", "name", "required", "scope", "options"))
    options = [_option(reader, v) for v in value.entries("options")]
    title = value.text_of("instructions") or value.need("name").text()
    required = value.get("required")
    flag = None if required is None else required.flag()
    return Question(title, answer, options, value.where, value.text_of("name"), flag)


def _option(reader: QuestionReader, value: Value) -> Option:
    reader.lose_keys(value, ("label", "value", "options"))
    questions = [q for v in value.entries("options") if (q := _question(reader, v)) is not None]
    title = value.text_of("label") or value.need("value").text()
    return Option(title, value.where, value.text_of("value"), questions)


def write(ontology: Ontology) -> Written:
    """Groups as classifications; a multilabel group called `objects`, without nested classes, as tools."""
    writer = QuestionWriter(ontology, ids=True)
    questions = writer.questions()
    objects = writer.take_objects(questions)
    data = {"tools": [_tool_json(option) for option in objects], "classifications": [_json(q) for q in questions]}
    return Written(json.dumps(data, indent=2, ensure_ascii=False) + "\n", writer.losses)


def _tool_json(option: Option) -> dict[str, Any]:
    questions = [_json(question) for question in option.questions]
    drawn = {"tool": "rectangle", "color": _COLOUR, "required": False}
    return {"name": option.name, **drawn, "classifications": questions}


def _json(question: Question) -> dict[str, Any]:
    return {
        "type": "checklist" if question.answer is Answer.MANY else "radio",
        "instructions": question.name,
        "name": question.id,
        "scope": "global",
        "required": bool(question.required),
        "options": [_option_json(option) for option in question.options],
    }


def _option_json(option: Option) -> dict[str, Any]:
    questions = [_json(question) for question in option.questions]
    return {"label": option.name, "value": option.id or option.name, "options": questions}
