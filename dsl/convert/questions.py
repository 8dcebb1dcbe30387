"""What annotation tools ask, and what it means: questions with options, which may hold further questions.

    question                                        group
    ----------------------------------------------  -----------------------------------------------------
    one of several options                          multiclass; `other` among the options: open
    one of `yes` and `no`                           binary
    any of several options                          multilabel; where an answer is required: a rule
    levels in their order                           ordinal
    an option's question, called as the option is   the option's classes: hierarchy, nested multilabel
    an option's other questions                     attributes of the option's class
    an option's questions under yes, no, other      groups at the top of the file, with a `when`

Formats translate their files to and from questions, so that all of them mean the same by the same thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from ..draft import DraftClass
from ..names import slug
from ..ontology import OTHER
from .formats import Loss
from .terms import Term, name_siblings, natural_id

REQUIRED = "required"
"""The name of the rule that says which multilabel groups have some class in every image."""
OBJECTS = "objects"
"""The id of the multilabel group that stands for the kinds of objects that are drawn in an image."""
YES_NO = ("yes", "no")

_WORD = re.compile(r"\w[\w-]*")


class Answer(Enum):
    """What may be answered."""

    ONE = "one of the options"
    MANY = "any of the options"
    LEVEL = "one of the options, which are in their order"
    YES_NO = "yes or no; the options are these two"


@dataclass(eq=False)
class Option:
    """An option of a question. `id` is what the format calls it besides its name, None where it has one name only."""

    name: str
    where: str
    id: str | None = None
    questions: list[Question] = field(default_factory=list)

    @property
    def other(self) -> bool:
        """Whether it is the class that `open` adds."""
        return slug(self.id or self.name) == OTHER


@dataclass(frozen=True, eq=False)
class Condition:
    """That one of some options of a question was chosen; or, if not `chosen`, none of them."""

    options: list[Option]
    chosen: bool = True


@dataclass(eq=False)
class Question:
    """A question, asked only under its conditions. `required`: whether it must be answered; None where the format does
    not say.
    """

    name: str
    answer: Answer
    options: list[Option]
    where: str
    id: str | None = None
    required: bool | None = None
    when: list[Condition] = field(default_factory=list)

    def walk(self) -> Iterator[Question]:
        """The question and all under its options."""
        yield self
        for option in self.options:
            for question in option.questions:
                yield from question.walk()

    def deeper(self, option: Option) -> Question | None:
        """The question whose options are the classes under an option."""
        if self.answer not in (Answer.ONE, Answer.MANY):
            return None
        same = (q for q in option.questions if q.name == option.name and q.answer is self.answer and not q.when)
        return next((q for q in same if q.options), None)

    @property
    def deep(self) -> bool:
        """Whether some option has classes under it."""
        return any(self.deeper(option) for option in self.options)


def name_items(items: Sequence[Option | Question], losses: list[Loss], taken: list[str]) -> list[DraftClass]:
    """The ids and titles of options and questions that stand side by side; `taken` are ids that are not free."""
    terms = [Term(str(i), x.name, x.where, given_id(x)) for i, x in enumerate(items)]
    return name_siblings(terms, losses, taken)


def given_id(item: Option | Question) -> str | None:
    """The id that a format itself gives to an item: as it is where it is one word, else made from it."""
    if item.id is None or item.id == item.name:
        return None
    return item.id if _WORD.fullmatch(item.id) else natural_id(item.id)
