"""Label Studio labeling configuration: Choices, Taxonomy and Rating of an image, and when they are shown.

`Choices` asks for one or several of its `Choice`s; `Taxonomy` nests them, and is a hierarchy where `maxUsages` is 1;
`Rating` is an ordinal of the levels 1 to `maxRating`. A `Header` right before one of these is its title. `visibleWhen`
with `choice-selected` or `choice-unselected`, on them or on a `View` around them, is a condition. A `Choice`'s `value`
is its title, its `alias` its id. See https://labelstud.io/tags.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

from ...errors import LinnaeusError
from ..ontology import Ontology
from .asked import QuestionReader
from .asking import QuestionWriter
from .documents import Tag, read_xml
from .formats import Loss, Read, Written
from .questions import Answer, Condition, Option, Question

_CONTROLS = ("Choices", "Taxonomy", "Rating")
_WHEN = ("visibleWhen", "whenTagName", "whenChoiceValue")
_KNOWN = {
    "View": (*_WHEN,),
    "Choices": ("name", "toName", "choice", "required", *_WHEN),
    "Taxonomy": ("name", "toName", "required", "maxUsages", *_WHEN),
    "Rating": ("name", "toName", "required", "maxRating", *_WHEN),
    "Choice": ("value", "alias"),
    "Header": ("value",),
    "Image": ("name", "value"),
}
_UNCLEAR = "which class a condition names: another is called so too, or its name has a comma"
_IMAGE = "image"
_MOST_STARS = 100


def recognises(path: Path) -> bool:
    """Whether an XML file's root is a View."""
    try:
        return read_xml(path).name == "View"
    except LinnaeusError:
        return False


def read(path: Path) -> Read:
    """Controls as groups; those shown under one choice as attributes of its class, the others with a `when`."""
    root = read_xml(path)
    if root.name != "View":
        raise root.wrong(f"the root is {root.name!r}", "a labeling configuration begins with <View>")
    reader = _Reader(path)
    reader.view(root, [])
    return reader.reader.finish(reader.placed())


class _Reader:
    def __init__(self, path: Path):
        self.reader = QuestionReader(path)
        self.found: dict[str, Question] = {}
        self.tags: dict[Question, Tag] = {}
        self.shown: list[tuple[Question, list[Tag]]] = []

    def view(self, view: Tag, around: list[Tag]) -> None:
        """Collect the controls in a View, which is shown as the tags `around` it say."""
        self.attributes(view)
        shown = [*around, view] if "visibleWhen" in view.attributes else around
        for before, tag in zip([None, *view.children], view.children, strict=False):
            if tag.name == "View":
                self.view(tag, shown)
            elif tag.name in _CONTROLS:
                self.control(tag, before if before is not None and before.name == "Header" else None, shown)
            elif tag.name not in ("Image", "Header") or not self.known(tag, view):
                self.lose(tag, f"the tag {tag.name}")
            else:
                self.attributes(tag)

    def known(self, tag: Tag, view: Tag) -> bool:
        """Whether an Image or a Header is said otherwise: a Header is the title of the control after it."""
        after = view.children[view.children.index(tag) + 1 :][:1]
        return tag.name == "Image" or any(t.name in _CONTROLS for t in after)

    def lose(self, tag: Tag, what: str) -> None:
        self.reader.lose(tag.where, what)

    def attributes(self, tag: Tag) -> None:
        for name in tag.attributes:
            if name not in _KNOWN[tag.name]:
                self.lose(tag, f"the attribute {name}")

    def control(self, tag: Tag, header: Tag | None, around: list[Tag]) -> None:
        self.attributes(tag)
        name = tag.attributes.get("name", "").strip()
        if not name:
            raise tag.wrong(f"a {tag.name} without a name", 'give it one: name="…"')
        if name in self.found:
            raise tag.wrong(f"two tags are called {name!r}", "names tell tags apart: rename one")
        title = header.attributes.get("value", "").strip() if header else ""
        question = self.question(tag, title or name)
        question.id = name
        self.found[name], self.tags[question] = question, tag
        self.shown.append((question, [*around, tag] if "visibleWhen" in tag.attributes else around))

    def question(self, tag: Tag, title: str) -> Question:
        required = tag.attributes.get("required")
        flag = None if required is None else required.lower() == "true"
        if tag.name == "Rating":
            return Question(title, Answer.LEVEL, self.stars(tag), tag.where, required=flag)
        if tag.name == "Taxonomy":
            answer = Answer.ONE if tag.attributes.get("maxUsages") == "1" else Answer.MANY
            if tag.attributes.get("maxUsages", "1") != "1":
                self.lose(tag, "how many classes may be chosen")
        else:
            kind = tag.attributes.get("choice", "single")
            if kind not in ("single", "single-radio", "multiple"):
                raise tag.wrong(f"unknown choice {kind!r}", "it is single, single-radio or multiple")
            answer = Answer.MANY if kind == "multiple" else Answer.ONE
        return Question(title, answer, self.options(tag, answer), tag.where, required=flag)

    def stars(self, tag: Tag) -> list[Option]:
        text = tag.attributes.get("maxRating", "5")
        if not text.isdecimal() or not 1 < int(text) <= _MOST_STARS:
            raise tag.wrong(f"maxRating is {text!r}", f"a whole number from 2 to {_MOST_STARS}")
        return [Option(str(n), tag.where, str(n)) for n in range(1, int(text) + 1)]

    def options(self, tag: Tag, answer: Answer) -> list[Option]:
        options = []
        for child in tag.children:
            if child.name != "Choice":
                self.lose(child, f"the tag {child.name}")
                continue
            self.attributes(child)
            value = child.attributes.get("value", "").strip()
            if not value:
                raise child.wrong("a Choice without a value", 'give it one: value="…"')
            option = Option(value, child.where, child.attributes.get("alias", "").strip() or None)
            below = self.options(child, answer)
            if below:
                option.questions.append(Question(value, answer, below, child.where))
            options.append(option)
        return options

    # --- conditions ---------------------------------------------------------------------------------

    def placed(self) -> list[Question]:
        """The questions; one that is asked after one choice, under its option."""
        when = {q: [c for tag in tags if (c := self.condition(tag)) is not None] for q, tags in self.shown}
        owner = {option: q for q in self.found.values() for inner in q.walk() for option in inner.options}
        asked = {q: [c.options[0] for c in conditions if _one(c)] for q, conditions in when.items()}
        top = []
        for question, conditions in when.items():
            implied = {o for option in asked[question] for o in _above(owner[option], asked, owner)}
            if any(owner[option] is question for option in implied.union(asked[question])):
                raise self.tags[question].wrong("shown only after it is answered itself", "check whenTagName")
            conditions = [c for c in conditions if not (_one(c) and c.options[0] in implied)]
            if conditions and _one(conditions[0]):
                conditions.pop(0).options[0].questions.append(question)
            else:
                top.append(question)
            question.when = conditions
        return top

    def condition(self, tag: Tag) -> Condition | None:
        kind, name, values = (tag.attributes.get(key) for key in _WHEN)
        if kind not in ("choice-selected", "choice-unselected"):
            self.lose(tag, f"that it is shown when a region is selected or not ({kind})")
            return None
        if name not in self.found:
            raise tag.wrong(f"whenTagName names {name!r}, which is no Choices, Taxonomy or Rating", "check the name")
        options = [o for q in self.found[name].walk() for o in q.options] if values else self.found[name].options
        if not values:
            return Condition(options, kind == "choice-selected")
        whole = any(values == o.name for o in options)
        chosen = []
        for value in [values] if whole else [value.strip() for value in values.split(",")]:
            match = [o for o in options if value in (o.name, o.id)]
            if not match:
                raise tag.wrong(f"whenChoiceValue names {value!r}, which {name} has not", "check the value")
            chosen += match
        return Condition(chosen, kind == "choice-selected")


def _one(condition: Condition) -> bool:
    return condition.chosen and len(condition.options) == 1


def _above(question: Question, asked: dict[Question, list[Option]], owner: dict[Option, Question]) -> set[Option]:
    """The options that are chosen wherever a question is asked."""
    found: set[Option] = set()
    queue = [question]
    while queue:
        new = set(asked[queue.pop()]) - found
        found |= new
        queue += [owner[option] for option in new]
    return found


# --- ontology → configuration ----------------------------------------------------------------------


def write(ontology: Ontology) -> Written:
    """Groups as controls: hierarchies and nested multilabels as Taxonomy, levels from 1 as Rating, else Choices."""
    writer = QuestionWriter(ontology, ids=True, orders=_are_stars, conditions=True)
    questions = writer.questions()
    lines = ["<View>", f'  <Image name="{_IMAGE}" value="${_IMAGE}"/>']
    lines += _Controls(questions, writer.losses).lines()
    return Written("\n".join([*lines, "</View>"]) + "\n", writer.losses)


class _Controls:
    """Writes questions one after the other: those under an option after the question that has it."""

    def __init__(self, questions: list[Question], losses: list[Loss]):
        self.losses = losses
        self.names: dict[Option, str] = {}
        self.rows = list(self.flat(questions, []))

    def flat(self, questions: list[Question], when: list[Condition]) -> Iterator[tuple[Question, str, list[Condition]]]:
        taken = set(self.names.values())
        for question in questions:
            name = question.id or question.name
            if name in taken:
                self.losses.append(Loss(question.where, "the id"))
                name = question.where
            taken.add(name)
            yield question, name, [*when, *question.when]
            for option, inner in self.keep(question, name):
                yield from self.flat(inner, [Condition([option])])
                taken |= set(self.names.values())

    def keep(self, question: Question, name: str) -> Iterator[tuple[Option, list[Question]]]:
        """The options of a control, with the questions that are asked after each."""
        for option in question.options:
            self.names[option] = name
            deeper = question.deeper(option)
            rest = [q for q in option.questions if q is not deeper]
            if rest:
                yield option, rest
            if deeper is not None:
                if deeper.required and deeper.answer is Answer.MANY:
                    self.losses.append(Loss(deeper.where, "that some class under it holds"))
                yield from self.keep(deeper, name)

    def lines(self) -> Iterator[str]:
        for question, name, when in self.rows:
            title = question.name != name and not (question.id != name and question.name == question.id)
            shown = [self.shown(condition) for condition in when]
            on_control = shown.pop() if shown and not title else ""
            indent = "  "
            for attributes in shown:
                yield f"{indent}<View{attributes}>"
                indent += "  "
            if title:
                yield f"{indent}<Header value={quoteattr(question.name)}/>"
            yield from self.control(question, name, on_control, indent)
            for _ in shown:
                indent = indent[2:]
                yield f"{indent}</View>"

    def shown(self, condition: Condition) -> str:
        options = condition.options
        values = ",".join(option.name for option in options)
        kind = "choice-selected" if condition.chosen else "choice-unselected"
        name = self.names[options[0]]
        alike = {o.name for o, tag in self.names.items() if tag == name and o not in options}
        for option in options:
            if option.name in alike or "," in option.name:
                self.losses.append(Loss(option.where, _UNCLEAR))
        return f' visibleWhen="{kind}" whenTagName={quoteattr(name)} whenChoiceValue={quoteattr(values)}'

    def control(self, question: Question, name: str, shown: str, indent: str) -> Iterator[str]:
        required = ' required="true"' if question.required else ""
        head = f'name={quoteattr(name)} toName="{_IMAGE}"{required}{shown}'
        if question.answer is Answer.LEVEL:
            yield f'{indent}<Rating {head} maxRating="{len(question.options)}"/>'
            return
        if question.deep:
            tag = "Taxonomy"
            head += "" if question.answer is Answer.MANY else ' maxUsages="1"'
        else:
            tag = "Choices"
            head += f' choice="{"multiple" if question.answer is Answer.MANY else "single"}"'
        yield f"{indent}<{tag} {head}>"
        for option in question.options:
            yield from self.choice(question, option, indent + "  ")
        yield f"{indent}</{tag}>"

    def choice(self, question: Question, option: Option, indent: str) -> Iterator[str]:
        alias = f" alias={quoteattr(option.id)}" if option.id and option.id != option.name else ""
        deeper = question.deeper(option)
        end = "/" if deeper is None else ""
        yield f"{indent}<Choice value={quoteattr(option.name)}{alias}{end}>"
        if deeper is not None:
            for below in deeper.options:
                yield from self.choice(deeper, below, indent + "  ")
            yield f"{indent}</Choice>"


def _are_stars(options: list[Option]) -> bool:
    row = [str(n) for n in range(1, len(options) + 1)]
    return len(row) <= _MOST_STARS and all([option.name for option in options] == row for _ in options)
