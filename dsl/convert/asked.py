"""From the questions of an annotation tool to the draft of an ontology."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from ..draft import Draft, DraftClass, DraftGroup, DraftRule
from ..names import segment, slug
from ..ontology import OTHER, Kind
from ..quoting import quote_path
from .documents import Value, read_json
from .formats import Loss, Read
from .questions import OBJECTS, REQUIRED, YES_NO, Answer, Condition, Option, Question, name_items
from .terms import natural_id

OF_OBJECTS = "that it is asked of each object: here it is asked once of an image"
UNANSWERED = "that the question may be left unanswered: unknown is evidence, not a class"
_KINDS = {Answer.MANY: Kind.MULTILABEL, Answer.LEVEL: Kind.ORDINAL, Answer.YES_NO: Kind.BINARY}


def read_questions(
    path: Path,
    objects: str,
    option: Callable[[QuestionReader, Value], Option],
    question: Callable[[QuestionReader, Value], Question | None],
) -> Read:
    """A JSON file of two lists: kinds of objects, as the multilabel group `objects`, and `classifications`, as groups.

    Args:
        objects: the key of the kinds of objects.
        option, question: read one entry of each list.
    """
    document = read_json(path)
    reader = QuestionReader(path)
    reader.lose_keys(document, (objects, "classifications"))
    questions: list[Question] = []
    kinds = document.get(objects)
    if kinds is not None and kinds.data:
        options = [option(reader, value) for value in kinds.items()]
        questions.append(Question(OBJECTS, Answer.MANY, options, kinds.where))
    questions += [q for v in document.entries("classifications") if (q := question(reader, v)) is not None]
    return reader.finish(questions)


class QuestionReader:
    """Makes a draft of questions. What a format itself finds that can't be said goes to `lose`."""

    def __init__(self, path: Path):
        self.read = Read(Draft(natural_id(path.name.split(".")[0])))
        self._formulas: dict[Option, str] = {}
        self._groups: dict[Option, str] = {}
        self._required: list[str] = []
        self._later: list[Question] = []
        self._conditional: list[tuple[DraftGroup, Question]] = []

    def lose(self, where: str, what: str) -> None:
        """List something that an ontology can't say."""
        self.read.losses.append(Loss(where, what))

    def lose_keys(self, value: Value, known: Collection[str]) -> None:
        """List the keys of an object that are not `known` and hold something."""
        for key in sorted(set(value.keys()) - set(known)):
            found = value.get(key)
            if found is not None and found.data not in ("", [], {}):
                self.lose(found.where, f"the key {key!r}")

    def answer(self, value: Value, kind: Value, answers: Mapping[str, Answer], free: Collection[str]) -> Answer | None:
        """How a question is answered, by the word that a format has for it; None, and a loss, for a `free` answer.

        Raises:
            LinnaeusError: a word that is neither.
        """
        word = kind.text()
        if word in free:
            self.lose(value.where, "a question with a free answer")
            return None
        if word not in answers:
            raise kind.wrong(f"unknown type {word!r}", f"known types: {', '.join((*answers, *free))}")
        if word.lower() == "dropdown":
            self.lose(kind.where, "that it is shown as a drop-down list")
        return answers[word]

    def finish(self, questions: list[Question]) -> Read:
        """The draft of all questions."""
        draft = self.read.draft
        _, draft.groups, _ = self._body(None, questions, "")
        while self._later:
            later, self._later = self._later, []
            draft.groups += self._body(None, later, "", [group.id for group in draft.groups])[1]
        for group, question in self._conditional:
            group.when = self._when(question)
        if self._required:
            draft.rules.append(DraftRule(REQUIRED, self._required))
        return self.read

    def _body(
        self, asked: Question | None, questions: list[Question], path: str, taken: list[str] | None = None
    ) -> tuple[list[DraftClass], list[DraftGroup], bool]:
        """What stands in one pair of braces: the options of a question as classes, other questions as groups, and
        whether it is open.
        """
        listed, others = _listed(asked)
        questions = [q for q in questions if self._meant(q)]
        named = name_items([*listed, *questions], self.read.losses, taken or [])
        for option, class_ in zip(listed, named, strict=False):
            self._class(asked, option, class_, path)
        for other in others:
            self._formulas[other] = quote_path(f"{path}.{OTHER}")
            self._hoist(other)
            if other is not others[0]:
                self.lose(other.where, "a second option called other")
            elif other.name != OTHER:
                self.lose(other.where, "the word for other")
        prefix = f"{path}." if path else ""
        pairs = zip(questions, named[len(listed) :], strict=True)
        groups = [self._group(q, name, prefix + segment(name.id)) for q, name in pairs]
        return named[: len(listed)], groups, bool(others)

    def _class(self, asked: Question | None, option: Option, class_: DraftClass, path: str) -> None:
        """Fill the class of an option of a question."""
        here = f"{path}.{segment(class_.id)}"
        self.read.places[here] = option.where
        self._formulas[option] = quote_path(here)
        if asked is None or asked.answer is Answer.LEVEL:
            self._hoist(option)
            return
        deeper = asked.deeper(option)
        rest = [q for q in option.questions if q is not deeper]
        class_.classes, class_.attributes, class_.open = self._body(deeper, rest, here)
        if deeper is not None:
            self._require(deeper, f"{quote_path(here)} => any {quote_path(here)}")

    def _group(self, question: Question, name: DraftClass, path: str) -> DraftGroup:
        self.read.places[path] = question.where
        group = DraftGroup(self._kind(question), name.id, name.title)
        if group.kind is Kind.BINARY:
            self._binary(question, path)
        else:
            if group.kind is not Kind.MULTILABEL:  # `in` asks for a single value
                self._groups.update((option, path) for option in _options(question))
            group.classes, _, group.open = self._body(question, [], path)
        here = quote_path(path)
        self._require(question, f"applies {here} => any {here}" if "." in path or question.when else f"any {here}")
        if question.when:
            self._conditional.append((group, question))
        return group

    def _kind(self, question: Question) -> Kind:
        """What kind of group a question is; a choice of one option becomes one that may hold or not."""
        if question.answer is not Answer.ONE:
            return _KINDS[question.answer]
        if _yes_no(question):
            return Kind.BINARY
        if question.deep:
            return Kind.HIERARCHY
        if len(question.options) > 1:
            return Kind.MULTICLASS
        self.lose(question.where, "that one of a single option is chosen: it is a class that may hold or not")
        question.answer = Answer.MANY
        return Kind.MULTILABEL

    def _binary(self, question: Question, path: str) -> None:
        yes, no = _yes_no(question) or question.options
        if (yes.name, no.name) != YES_NO:
            self.lose(question.where, "the words for yes and no")
        self._formulas[yes], self._formulas[no] = quote_path(path), f"not {quote_path(path)}"
        self._hoist(yes)
        self._hoist(no)

    def _hoist(self, option: Option) -> None:
        """Move the questions under an option that has no braces to the top of the file."""
        for question in option.questions:
            question.when.insert(0, Condition([option]))
            self._later.append(question)

    def _meant(self, question: Question) -> bool:
        least = 2 if question.answer is Answer.LEVEL else 1
        if len(question.options) >= least:
            return True
        self.lose(question.where, "a question without options")
        return False

    def _require(self, question: Question, formula: str) -> None:
        if question.answer is Answer.MANY and question.required:
            self._required.append(formula)
        elif question.answer is not Answer.MANY and question.required is False:
            self.lose(question.where, UNANSWERED)

    def _when(self, question: Question) -> str | None:
        parts: list[str] = []
        for condition in question.when:
            known = [option for option in condition.options if option in self._formulas]
            if len(known) < len(condition.options):
                self.lose(question.where, "a condition on an answer that is not kept")
                continue
            text = self._any(condition.options)
            if len(question.when) > 1 and " or " in text:
                text = f"({text})"
            parts.append(text if condition.chosen else f"not ({text})")
        return " and ".join(parts) or None

    def _any(self, options: list[Option]) -> str:
        formulas = [self._formulas[option] for option in options]
        groups = {self._groups.get(option) for option in options}
        group = groups.pop()
        if len(formulas) == 1 or groups or group is None:
            return " or ".join(formulas)
        return f"{quote_path(group)} in {{{', '.join(formulas)}}}"


def _options(question: Question) -> Iterator[Option]:
    """The options of a question, and those that are classes under them."""
    for option in question.options:
        yield option
        deeper = question.deeper(option)
        if deeper is not None:
            yield from _options(deeper)


def _listed(asked: Question | None) -> tuple[list[Option], list[Option]]:
    """The options that become classes, and those that are `other`: none where nothing else is listed."""
    if asked is None:
        return [], []
    others = [option for option in asked.options if option.other] if asked.answer is Answer.ONE else []
    listed = [option for option in asked.options if option not in others]
    return (listed, others) if listed else (asked.options, [])


def _yes_no(question: Question) -> tuple[Option, Option] | None:
    """The options that say yes and no, where there are these two."""
    named = {slug(option.name): option for option in question.options}
    for words in (YES_NO, ("true", "false")):
        if len(question.options) == 2 and set(named) == set(words):
            return named[words[0]], named[words[1]]
    return None
