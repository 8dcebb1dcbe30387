"""An ontology in the making, by converters and inference: named things without numbers, to be written as text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from .fmt import format_text
from .names import slug
from .ontology import OTHER, Kind
from .quoting import quote_id, quote_text
from .source import clean


@dataclass
class DraftClass:
    """A class or level. `parents` are references written after `is`, their names quoted where they need it."""

    id: str
    title: str | None = None
    aka: tuple[str, ...] = ()
    open: bool = False
    classes: list[DraftClass] = field(default_factory=list)
    attributes: list[DraftGroup] = field(default_factory=list)
    parents: tuple[str, ...] = ()


@dataclass
class DraftGroup:
    """A group. `when` is a formula as text, with its names quoted where they need it; `comments` stand above it."""

    kind: Kind
    id: str
    title: str | None = None
    aka: tuple[str, ...] = ()
    open: bool = False
    classes: list[DraftClass] = field(default_factory=list)
    when: str | None = None
    levels: tuple[str, ...] = ()
    comments: list[str] = field(default_factory=list)


@dataclass
class DraftRule:
    """A rule; its formulas as text."""

    name: str
    formulas: list[str]
    weight: float | None = None
    title: str | None = None


@dataclass
class DraftMigration:
    """How annotations made with an earlier version are read; each change as text, such as `rename a -> b.c`."""

    version: str
    changes: list[str]


@dataclass
class Draft:
    """A whole file. `comments` are lines that stand above its header."""

    name: str
    title: str | None = None
    version: str | None = None
    groups: list[DraftGroup] = field(default_factory=list)
    rules: list[DraftRule] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    migrations: list[DraftMigration] = field(default_factory=list)

    def to_text(self) -> str:
        """The draft in the language's canonical layout. It is not checked: two siblings may still have one id.

        Empty titles and aliases, and aliases that repeat, are left out; a new line or a control character in a text
        becomes a space.

        Raises:
            ValueError: for an id that can't be written (see `quote_id`).
            LinnaeusError: where a formula or a reference given as text can't be read.
        """
        return format_text("\n".join(_file(self)), self.name)


def unique_ids(names: Iterable[str]) -> list[str]:
    """An id for each name, no two alike: slugs, with `_2`, `_3` after one that is taken or reserved (`other`)."""
    taken = {OTHER}
    ids = []
    for name in names:
        first = slug(name)
        id, number = first, 1
        while id in taken:
            number += 1
            id = f"{first}_{number}"
        taken.add(id)
        ids.append(id)
    return ids


# --- draft → text, as it comes: format_text lays it out ---------------------------------------------


def _file(draft: Draft) -> Iterator[str]:
    yield from _comments(draft.comments)
    version = f" version {quote_text(draft.version)}" if draft.version else ""
    yield f"ontology {quote_id(draft.name)}{_title(draft.title)}{version}"
    yield ""
    for group in draft.groups:
        yield from _group(group)
    for rule in draft.rules:
        weight = "" if rule.weight is None else f" soft {_number(rule.weight)}"
        yield f"rule {quote_id(rule.name)}{_title(rule.title)}{weight} {{"
        yield from rule.formulas
        yield "}"
    for migration in draft.migrations:
        yield f"migrate from {quote_text(migration.version)} {{"
        yield from migration.changes
        yield "}"


def _group(group: DraftGroup) -> Iterator[str]:
    yield from _comments(group.comments)
    head = f"{group.kind} {_names(group)}"
    if group.when is not None:
        head += f" when {group.when}"
    if group.levels:
        head += f" levels {', '.join(map(quote_id, group.levels))}"
    if group.kind is Kind.ORDINAL:
        levels = ("\n".join(_class(level)) for level in group.classes)
        yield f"{head} {{ {' < '.join(levels)} }}"
    elif group.kind is Kind.BINARY and not group.classes:
        yield head
    else:
        yield from _braces(head, group.classes, [])


def _class(draft: DraftClass) -> Iterator[str]:
    head = _names(draft)
    if draft.parents:
        head += f" is {' and '.join(draft.parents)}"
    if draft.classes or draft.attributes:
        yield from _braces(head, draft.classes, draft.attributes)
    else:
        yield head


def _braces(head: str, classes: list[DraftClass], attributes: list[DraftGroup]) -> Iterator[str]:
    """A body: on one line if the layout has room for it and nothing in it has braces or comments of its own."""
    inside = [line for part in (*map(_class, classes), *map(_group, attributes)) for line in part]
    if any(c.classes or c.attributes for c in classes) or attributes:
        yield f"{head} {{"
        yield from inside
        yield "}"
    else:
        yield f"{head} {{ {'; '.join(inside)} }}"


def _names(item: DraftClass | DraftGroup) -> str:
    """Id, title, aliases, `open`."""
    aliases = [alias for alias in dict.fromkeys(item.aka) if alias.strip()]
    aka = f" aka {', '.join(map(quote_text, aliases))}" if aliases else ""
    return quote_id(item.id) + _title(item.title) + aka + (" open" if item.open else "")


def _title(title: str | None) -> str:
    return f" {quote_text(title)}" if title and title.strip() else ""


def _comments(lines: list[str]) -> Iterator[str]:
    for line in lines:
        for part in clean(line, "")[0].split("\n"):
            yield f"# {part}".rstrip()


def _number(weight: float) -> str:
    """A weight as the language writes numbers: without an exponent."""
    return format(Decimal(repr(weight)), "f")
