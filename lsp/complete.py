"""The names and words that can stand at a place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ..dsl.ontology import OTHER, Kind
from ..dsl.outline import ClassOutline, GroupOutline, Named, Outline
from ..dsl.quoting import quote_id
from .context import Context
from .index import Index
from .words import MEANINGS

MAX_OFFERED = 500
"""Past this many, what is offered is cut: typing on narrows it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something to write at a place: in place of `Context.partial` comes `text`. `detail` says what it is."""

    text: str
    role: Literal["keyword", "import", "group", "class"]
    detail: str
    title: str = ""


def offers(context: Context, index: Index | None) -> tuple[list[Offer], bool]:
    """What can stand at a place, the names first; and whether that is all.

    Args:
        index: the names of the file; without, only words are offered.
    """
    start = context.partial.removeprefix("`").casefold()
    found: list[Offer] = []
    for offer in (*(_names(context, index) if index else ()), *_words(context)):
        if _fits(offer, start):
            if len(found) == MAX_OFFERED:
                return found, False
            found.append(offer)
    return found, True


def _fits(offer: Offer, start: str) -> bool:
    """Whether every letter typed occurs in the name or the title, in that order: the filter of editors."""
    return any(_contains(text.casefold(), start) for text in (offer.text, offer.title))


def _contains(text: str, letters: str) -> bool:
    rest = iter(text)
    return all(letter in rest for letter in letters)


def _words(context: Context) -> Iterator[Offer]:
    return (Offer(word, "keyword", MEANINGS[word].replace("`", "")) for word in context.keywords)


def _names(context: Context, index: Index) -> Iterator[Offer]:
    match context.role:
        case None:
            return
        case "used":
            yield from _used(context.steps, index)
        case "compared" | "parent":
            group = index.group(context.left)
            if group is not None and context.steps:
                items = [i for i in group.all_classes() if _under(index.steps(i), context.steps)]
                yield from (_offer(item, (item.id,)) for item in items)
            elif group is not None:
                yield from _within(index, group)
        case _:
            yield from _anywhere(context, index)


def _anywhere(context: Context, index: Index) -> Iterator[Offer]:
    """What the role allows of all the file's names, each by its shortest reference."""
    for path, item in index.short.items():
        is_group = isinstance(item, GroupOutline)
        if (context.role == "group" and not is_group) or (context.role == "counted" and not item.classes):
            continue
        if not context.steps:
            yield _offer(item, path)
        elif _under(index.steps(item), context.steps):
            yield _offer(item, (item.id,))
    if context.steps and context.role in ("formula", "target"):
        owners = (item for item in index.short.values() if index.steps(item)[-len(context.steps) :] == context.steps)
        if any(owner.open for owner in owners):
            yield _other()


def _within(index: Index, group: GroupOutline) -> Iterator[Offer]:
    """The classes of one group, each by the shortest end of its path that is unique in the group."""
    depth = len(index.steps(group))
    items = list(group.all_classes())
    paths = [index.steps(item)[depth:] for item in items]
    ends = Counter(path[at:] for path in paths for at in range(len(path)))
    for item, path in zip(items, paths, strict=True):
        yield _offer(item, next((path[at:] for at in range(len(path) - 1, 0, -1) if ends[path[at:]] == 1), path))
    if group.open:
        yield _other()


def _used(steps: tuple[str, ...], index: Index) -> Iterator[Offer]:
    """The imports, or the groups of one."""
    modules = {module.alias: module for module in index.outline.modules}
    if not steps:
        yield from (Offer(quote_id(m.alias), "import", m.path.name) for m in modules.values())
    elif steps[0] in modules:
        outline: Outline = modules[steps[0]].outline
        there = Index(outline)
        for group in outline.groups:
            path = there.steps(group)
            if len(path) > len(steps) - 1 and path[: len(steps) - 1] == steps[1:]:
                yield _offer(group, path[len(steps) - 1 :])


def _under(path: tuple[str, ...], steps: tuple[str, ...]) -> bool:
    """Whether a path's last step comes right after `steps`."""
    return path[-len(steps) - 1 : -1] == steps


def _offer(item: Named, steps: tuple[str, ...]) -> Offer:
    text = ".".join(map(quote_id, steps))
    if isinstance(item, ClassOutline):
        return Offer(text, "class", item.path, item.title or "")
    what = f"{item.kind}" if item.kind is Kind.BINARY else f"{item.kind}, {len(item.classes)} at the top"
    return Offer(text, "group", what, item.title or "")


def _other() -> Offer:
    return Offer(OTHER, "class", "the class that open adds")
