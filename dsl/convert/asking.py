"""From an ontology to the questions of an annotation tool."""

from __future__ import annotations

from collections.abc import Callable

from ..formula import Formula, Op, holds
from ..names import segment
from ..ontology import Group, Kind, Label, Ontology
from .formats import Loss
from .questions import OBJECTS, REQUIRED, YES_NO, Answer, Condition, Option, Question, name_items
from .terms import natural_id

_ANSWERS = {
    Kind.BINARY: Answer.YES_NO,
    Kind.MULTICLASS: Answer.ONE,
    Kind.HIERARCHY: Answer.ONE,
    Kind.MULTILABEL: Answer.MANY,
    Kind.ORDINAL: Answer.LEVEL,
}


class QuestionWriter:
    """Asks what an ontology says. What questions can't say is listed in `losses`.

    Args:
        ids: whether the format has ids besides names.
        orders: whether the format can say that these levels are in their order.
        conditions: whether the format asks a question under any condition, not only under one option.
    """

    def __init__(
        self,
        ontology: Ontology,
        *,
        ids: bool = False,
        orders: Callable[[list[Option]], bool] | None = None,
        conditions: bool = False,
    ):
        self.ontology = ontology
        self.ids = ids
        self.orders = orders or (lambda _: False)
        self.conditions = conditions
        self.losses: list[Loss] = []
        self.options: dict[int, Option] = {}
        self._no: dict[int, Option] = {}
        self._required_groups: set[int] = set()
        self._required_classes: set[int] = set()

    def questions(self) -> list[Question]:
        """The questions that are asked of every image, with the others under their options."""
        self._header()
        for rule in self.ontology.rules:
            kept = rule.weight is None and [self._is_required(f) for f in rule.formulas]
            if not kept or not all(kept):
                self._lose(rule.name, "the rule")
            elif rule.name != REQUIRED or rule.title:
                self._lose(rule.name, "the name of the rule")
        asked = {group.index: self._question(group) for group in self.ontology.groups}
        top = [question for group in self.ontology.groups if not self._place(group, question := asked[group.index])]
        self._check_names([], top)
        return top

    def take_objects(self, questions: list[Question], name: str = OBJECTS, *, nested: bool = False) -> list[Option]:
        """Remove from `questions` the one that stands for the kinds of objects in an image; its options.

        `nested`: also where classes stand in classes.
        """
        for question in questions:
            flat = nested or not question.deep
            if question.name == name and question.answer is Answer.MANY and flat and not question.when:
                questions.remove(question)
                if question.required:
                    self._lose(question.where, "that some class holds in every image")
                for option in question.options if self.ids else []:  # a format with ids has none for objects
                    if natural_id(option.name) != option.id:
                        self._lose(option.where, "the id")
                return question.options
        return []

    def _lose(self, where: str, what: str) -> None:
        self.losses.append(Loss(where, what))

    def _header(self) -> None:
        o = self.ontology
        for what, said in (("title", o.title), ("version", o.version)):
            if said:
                self._lose(o.name, f"the {what} of the ontology")
        for used in o.imports:
            self._lose(used.alias, "that groups come from this import")
        if o.migrations:
            self._lose(o.name, "how annotations of earlier versions are read")

    # --- rules that say that a question must be answered --------------------------------------------

    def _is_required(self, formula: Formula) -> bool:
        """Note which multilabel group or class a formula gives some class, if that is what it says."""
        premise, law = formula.args if formula.op is Op.IMPLIES else (None, formula)
        if law.op is not Op.ANY or self.ontology.groups[law.group].kind is not Kind.MULTILABEL:
            return False
        group = self.ontology.groups[law.group]
        if law.labels:
            self._required_classes.add(law.labels[0])
            return premise == holds(law.labels[0])
        self._required_groups.add(group.index)
        return premise == Formula(Op.APPLIES, group=group.index) or (premise is None and not group.conditional)

    # --- groups and labels as questions and options -------------------------------------------------

    def _question(self, group: Group) -> Question:
        what = {"the aliases of the group": group.aka, "the names of the levels": group.levels}
        for lost in [name for name, said in what.items() if said]:
            self._lose(group.path, lost)
        answer = _ANSWERS[group.kind]
        if group.kind is Kind.BINARY:
            yes, no = (Option(word, group.path) for word in YES_NO)
            self.options[group.labels[0]], self._no[group.labels[0]] = yes, no
            return Question(group.name, answer, [yes, no], group.path, group.id, required=True)
        options = [self._option(label) for label in self._under(group, None)]
        question = Question(group.name, answer, options, group.path, group.id, required=answer is not Answer.MANY)
        if answer is Answer.LEVEL and not self.orders(options):
            self._lose(group.path, "the order of the levels")
            question.answer = Answer.ONE
        if answer is Answer.MANY:
            question.required = group.index in self._required_groups
        if group.kind is Kind.HIERARCHY and not question.deep:
            self._lose(group.path, "that it is a hierarchy: no class has classes")
        return question

    def _under(self, group: Group, parent: Label | None) -> list[Label]:
        """The labels that stand in the braces of a group or of one of its labels."""
        below = group.labels if parent is None else self.ontology.children[parent.index]
        above = () if parent is None else (parent.index,)
        return [label for i in below if (label := self.ontology.labels[i]).parents[:1] == above]

    def _option(self, label: Label) -> Option:
        group = self.ontology.groups[label.group]
        option = Option(label.name, label.path, label.id)
        self.options[label.index] = option
        if label.aka:
            self._lose(label.path, "the aliases of the class")
        if len(label.parents) > 1:
            self._lose(label.path, "the further parents of the class")
        if label.parents and not _inside(label.path, self.ontology.labels[label.parents[0]].path):
            self._lose(label.path, "that it stands outside its parent's braces")
        below = [self._option(child) for child in self._under(group, label)]
        if below:
            required = label.index in self._required_classes if group.kind is Kind.MULTILABEL else True
            answer = Answer.MANY if group.kind is Kind.MULTILABEL else Answer.ONE
            option.questions.append(Question(label.name, answer, below, label.path, label.id, required))
        return option

    # --- where questions are asked ------------------------------------------------------------------

    def _place(self, group: Group, question: Question) -> bool:
        """Put a question under the option of its condition; whether it has one."""
        option = None if group.condition is None else self.options[group.condition]
        rest = group.when
        if option is None and rest is not None and rest.op is Op.NOT and rest.args[0].op is Op.HOLDS:
            option = self._no.get(rest.args[0].labels[0])
            rest = None if option is not None else rest
        if rest is not None:
            question.when = self._conditions(rest) if self.conditions else []
            if not question.when:
                self._lose(group.path, "when the group applies")
            label = self.ontology.labels[rest.labels[0]] if rest.op is Op.HOLDS else None
            if label is not None and option is not None and _inside(label.path, option.where):
                self._lose(group.path, "that it stands outside the braces of the class that it asks for")
        if option is None:
            return False
        if group.condition is not None and self._braces(group.condition):
            label = self.ontology.labels[group.condition]
            if not _inside(group.path, label.path):
                self._lose(group.path, "that it stands outside the braces of its class")
            if question.name == option.name and question.answer in (Answer.ONE, Answer.MANY):
                self._lose(group.path, "that it is an attribute: it is called as its class is, as only classes are")
        option.questions.append(question)
        return True

    def _braces(self, label: int) -> bool:
        """Whether groups can stand in a label's braces."""
        kind = self.ontology.groups[self.ontology.labels[label].group].kind
        return not self.ontology.labels[label].other and kind not in (Kind.BINARY, Kind.ORDINAL)

    def _conditions(self, formula: Formula) -> list[Condition]:
        """A formula as conditions that must all be met; none where it is of another shape."""
        parts = [self._condition(f) for f in (formula.args if formula.op is Op.AND else (formula,))]
        return [] if None in parts else [part for part in parts if part is not None]

    def _condition(self, formula: Formula) -> Condition | None:
        chosen = formula.op is not Op.NOT
        inner = formula if chosen else formula.args[0]
        if inner.op is Op.HOLDS:
            return Condition([self.options[inner.labels[0]]], chosen)
        if inner.op is Op.IN:
            return Condition([self.options[i] for i in inner.labels], chosen)
        if inner.op is Op.OR and all(arg.op is Op.HOLDS for arg in inner.args):
            labels = [arg.labels[0] for arg in inner.args]
            groups = {self.ontology.labels[i].group for i in labels}
            if len(groups) == 1 and self.ontology.groups[groups.pop()].kind is Kind.MULTILABEL:
                return Condition([self.options[i] for i in labels], chosen)
        return None

    # --- what comes back under another name ---------------------------------------------------------

    def _check_names(self, options: list[Option], questions: list[Question], asked: Question | None = None) -> None:
        """List the ids and titles that are not what reading makes of the names."""
        items: list[Option | Question] = [option for option in options if not option.other]
        items += questions
        for item, named in zip(items, name_items([_given(x, self.ids) for x in items], [], []), strict=True):
            if named.id != item.id:
                self._lose(item.where, "the id")
            elif (named.title or named.id) != item.name:
                self._lose(item.where, "the title")
        for option in options:
            deeper = asked.deeper(option) if asked else None
            rest = [q for q in option.questions if q is not deeper]
            self._check_names(deeper.options if deeper else [], rest, deeper)
        for question in questions:
            if question.answer is not Answer.YES_NO:
                self._check_names(question.options, [], question)
            for option in question.options if question.answer is Answer.YES_NO else []:
                self._check_names([], option.questions)


def _given(item: Option | Question, ids: bool) -> Option | Question:
    """What of an item's names a format keeps."""
    id_ = item.id if ids else None
    if isinstance(item, Option):
        return Option(item.name, item.where, id_)
    return Question(item.name, item.answer, [], item.where, id_)


def _inside(path: str, outer: str) -> bool:
    return path.startswith(f"{outer}.") and path.count(".") >= outer.count(".") + 1 and path != segment(outer)
