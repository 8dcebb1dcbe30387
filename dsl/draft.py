"""An ontology in the making, by converters and inference: named things without numbers, to be written as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

from .fmt import format_text
from .formula import conjunction, holds
from .formula_text import formula_text
from .names import segment, slug
from .ontology import OTHER, Change, Group, Kind, Label, Ontology
from .quoting import quote_id, quote_path, quote_text
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
    return numbered(map(slug, names), {OTHER})


def numbered(wanted: Iterable[str], taken: set[str]) -> list[str]:
    """The ids that are wanted, in their order, with `_2`, `_3` after one that is taken. Adds them to `taken`."""
    last: Counter[str] = Counter()
    ids = []
    for first in wanted:
        id = first
        while id in taken:
            last[first] += 1
            id = f"{first}_{last[first] + 1}"
        taken.add(id)
        ids.append(id)
    return ids


# --- ontology → draft ------------------------------------------------------------------------------


def draft_of(ontology: Ontology) -> Draft:
    """The draft whose text denotes an ontology.

    What came from imports stands in the text itself, below a comment that names its source; taxonomies stand in braces.
    """
    placed = _placed(ontology)
    changes = [
        DraftMigration(m.version, [_change(placed, change) for change in m.changes]) for m in ontology.migrations
    ]
    rules = [
        DraftRule(rule.name, [formula_text(placed, f) for f in rule.formulas], rule.weight, rule.title)
        for rule in ontology.rules
    ]
    groups = [_draft_group(placed, g) for g in placed.groups if not _nested(placed, g)]
    return Draft(ontology.name, ontology.title, ontology.version, groups, rules, migrations=changes)


def _placed(ontology: Ontology) -> Ontology:
    """The ontology with the paths that its draft gives it: a group that can't stand in its class goes to the top."""
    groups: list[Group] = []
    labels = list(ontology.labels)
    for group in ontology.groups:
        above = f"{labels[group.condition].path}." if group.condition is not None and _nested(ontology, group) else ""
        path = above + segment(group.id)
        groups.append(replace(group, path=path))
        for i in group.labels:
            label = labels[i]
            if group.kind is Kind.BINARY:
                labels[i] = replace(label, path=path)
            else:
                around = labels[label.parents[0]].path if _has_lexical_parent(ontology, ontology.labels[i]) else path
                labels[i] = replace(label, path=f"{around}.{segment(label.id)}")
    return replace(ontology, groups=tuple(groups), labels=tuple(labels))


def _nested(ontology: Ontology, group: Group) -> bool:
    """Whether a group stands in the braces of the class where it applies; `when` places the others."""
    if group.condition is None:
        return False
    around = ontology.labels[group.condition]
    holds_groups = ontology.groups[around.group].kind not in (Kind.BINARY, Kind.ORDINAL) and not around.other
    return holds_groups and group.path == f"{around.path}.{segment(group.id)}"


def _has_lexical_parent(ontology: Ontology, label: Label) -> bool:
    """Whether a class stands in the braces of its first parent; `is` names the others."""
    return bool(label.parents) and label.path == f"{ontology.labels[label.parents[0]].path}.{segment(label.id)}"


def _draft_group(o: Ontology, group: Group) -> DraftGroup:
    top = [o.labels[i] for i in group.labels if not _has_lexical_parent(o, o.labels[i])]
    return DraftGroup(
        group.kind,
        group.id,
        group.title,
        group.aka,
        group.open,
        [_draft_class(o, label) for label in top if not label.other and group.kind is not Kind.BINARY],
        _when(o, group),
        group.levels,
        _source(o, group),
    )


def _draft_class(o: Ontology, label: Label) -> DraftClass:
    under = [o.labels[i] for i in o.children[label.index]]
    children = [c for c in under if c.parents[0] == label.index and _has_lexical_parent(o, c) and not c.other]
    attributes = [o.groups[i] for i in o.attributes[label.index]]
    more = label.parents[1:] if _has_lexical_parent(o, label) else label.parents
    return DraftClass(
        label.id,
        label.title,
        label.aka,
        label.open,
        [_draft_class(o, c) for c in children],
        [_draft_group(o, g) for g in attributes if _nested(o, g)],
        tuple(quote_path(o.labels[p].path) for p in more),
    )


def _when(o: Ontology, group: Group) -> str | None:
    parts = [] if group.when is None else [group.when]
    if group.condition is not None and not _nested(o, group):
        parts.insert(0, holds(group.condition))
    return formula_text(o, conjunction(parts)) if parts else None


def _source(o: Ontology, group: Group) -> list[str]:
    """Where a used group came from; what stands in it came with it."""
    around = None if group.condition is None else o.groups[o.labels[group.condition].group].source
    if group.source is None or (around == group.source and _nested(o, group)):
        return []
    source = o.imports[group.source]
    version = f" version {source.version}" if source.version else ""
    return [f"from {source.name}{version}, imported as {source.alias}"]


def _change(o: Ontology, change: Change) -> str:
    old = quote_path(change.old)
    if not change.labels:
        return f"drop {old}" if change.group < 0 else f"rename {old} -> {quote_path(o.groups[change.group].path)}"
    new = " | ".join(quote_path(o.labels[i].path) for i in change.labels)
    return f"{'rename' if len(change.labels) == 1 else 'split'} {old} -> {new}"


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
