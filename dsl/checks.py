"""What makes an ontology wrong or doubtful: a tuple of passes over its outline. Each pass is linear."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from ..errors import Diagnostic, Span
from .lookalikes import mixed_scripts, skeleton
from .ontology import OTHER, Kind
from .outline import ClassOutline, GroupOutline, Named, Outline, finding
from .parser import place
from .reference_checks import REFERENCE_CHECKS
from .resolve import has_bad
from .syntax import (
    Aka,
    Bad,
    Chain,
    From,
    GroupNode,
    Header,
    Is,
    Levels,
    Modifier,
    Name,
    Open,
    Text,
    UseNode,
    When,
)

Findings: TypeAlias = Iterator[Diagnostic]
_MODIFIERS: dict[type[Modifier], str] = {
    Open: "open",
    Aka: "aka",
    When: "when",
    Is: "is",
    From: "from",
    Levels: "levels",
}


def run_checks(outline: Outline) -> tuple[Diagnostic, ...]:
    """Every finding of every pass, in the order of the text."""
    found = [d for check in CHECKS for d in check(outline)]
    return tuple(sorted(found, key=place))


def check_header(outline: Outline) -> Findings:
    """E101 a file begins with its header; E102 it has one."""
    declarations = outline.document.declarations
    headers = [d for d in declarations if isinstance(d, Header)]
    if declarations and not headers and not any(isinstance(d, Bad) for d in declarations):
        yield finding("E101", outline.start, "the header is missing", 'begin the file with: ontology NAME "Title"')
    if headers and not isinstance(declarations[0], Header | Bad):
        yield finding("E101", headers[0].span, "the header stands first in a file", "move it to the top")
    for header in headers[1:]:
        yield finding("E102", header.span, "a second header", "one file is one ontology: delete it")


def check_content(outline: Outline) -> Findings:
    """E103 an ontology has groups."""
    if not outline.document.declarations:
        step = 'begin with: ontology NAME "Title"'
        yield finding("E103", outline.start, "the file is empty", step)
    elif not any(isinstance(d, GroupNode | UseNode | Bad) for d in outline.document.declarations):
        step = "add one, such as: binary healthy"
        yield finding("E103", outline.start, "the ontology has no group", step)


def check_modifiers(outline: Outline) -> Findings:
    """E104 a modifier stands once."""
    for item in _all_named(outline):
        for kind, word in _MODIFIERS.items():
            for repeated in [m for m in item.node.modifiers if isinstance(m, kind)][1:]:
                step = 'list all spellings after one `aka`: aka "…", "…"' if kind is Aka else "delete it"
                yield finding("E104", repeated.span, f"`{word}` stands here twice", step)


def check_strings(outline: Outline) -> Findings:
    """E105 a name or string says something; W106 it begins or ends with white space."""
    header = outline.header
    names: list[Name] = [header.name] if header else []
    texts: list[Text] = [t for t in (header.title, header.version) if t] if header else []
    for item in _all_named(outline):
        names.append(item.node.name)
        texts += _spellings(item)
    places = [(name.text, name.span) for name in names if name.text]  # an empty one was reported as the text was read
    for value, span in places + [(text.value, text.span) for text in texts]:
        if not value.strip():
            yield finding("E105", span, "an empty name", "write something, or leave the string out")
        elif value != value.strip():
            yield finding("W106", span, "white space at the end of a name", "data would have to have it too: delete it")


def check_reserved(outline: Outline) -> Findings:
    """E106 `other` is the class that `open` adds."""
    used = (group for group in outline.groups if group.used is not None and group.used.path == group.path)
    for item in (*_all_named(outline), *used):
        if item.id == OTHER and (isinstance(item, ClassOutline) or "." in item.path):
            step = "mark what stands around it `open`, which adds the class `other`; or choose another id"
            yield finding("E106", item.node.name.span, f"`{OTHER}` is reserved", step)


def check_duplicates(outline: Outline) -> Findings:
    """E107 ids are unique among siblings; E108 so are all spellings; W103 an alias that only its path tells apart."""
    for siblings, has_other in _scopes(outline):
        first: dict[str, Named] = {}
        spelled: dict[str, Named | None] = {OTHER: None} if has_other else {}
        for item in siblings:
            if item.id in first:
                line = first[item.id].node.name.span.line
                what = "class" if isinstance(item, ClassOutline) else "group"
                step = f"the first is in line {line}: rename or delete one"
                yield finding("E107", item.node.name.span, f"duplicate {what} `{item.id}`", step)
            first.setdefault(item.id, item)
            spelled.setdefault(item.id, item)
        for item in siblings:
            yield from _clashes(item, spelled)
    for group in outline.own:
        yield from _shared_aliases(group)


def _clashes(item: Named, spelled: dict[str, Named | None]) -> Findings:
    for text in _spellings(item):
        owner = spelled.setdefault(text.value, item)
        if owner is not item and text.value:
            name = f"`{owner.id}`" if owner is not None else f"the class `{OTHER}` that `open` adds"
            yield finding(
                "E108", _here(item, text.span), f"{text.value!r} also names {name}", "each spelling names one sibling"
            )


def _shared_aliases(group: GroupOutline) -> Findings:
    owners: dict[str, ClassOutline] = {}
    for class_ in group.all_classes():
        for text in _spellings(class_):
            owner = owners.setdefault(text.value, class_)
            if owner.path.rpartition(".")[0] != class_.path.rpartition(".")[0]:
                message = f"{text.value!r} also names `{owner.path}`"
                yield finding(
                    "W103", text.span, message, "data that says only this is ambiguous; paths tell them apart"
                )


def check_kinds(outline: Outline) -> Findings:
    """What each kind of group may hold."""
    for group in outline.own:
        yield from _size(group)
        yield from _open_place(group)
        yield from _contents(group)
        yield from _order(group)


def _size(group: GroupOutline) -> Findings:
    """E109 no class; E110 one class; E111 fewer than two levels; W104 a hierarchy with one leaf."""
    kind, name, count = group.kind, group.node.name, len(group.classes)
    if kind is Kind.BINARY or group.partial:
        return
    if not count:
        what = "levels" if kind is Kind.ORDINAL else "classes"
        yield finding("E109", name.span, f"the {kind} `{group.id}` has no {what}", "list them in braces")
    elif kind is Kind.ORDINAL and count < 2:
        yield finding("E111", name.span, f"the ordinal `{group.id}` has one level", "list at least two: { low < high }")
    elif kind is Kind.MULTICLASS and count == 1 and not group.open:
        step = f"add a class, mark it `open`, or write: binary {group.classes[0].id}"
        yield finding("E110", name.span, f"the multiclass `{group.id}` has one class", step)
    elif kind is Kind.HIERARCHY and not group.open:
        classes = list(group.all_classes())
        if sum(not c.classes for c in classes) == 1 and not any(c.open or has_bad(c.node.body) for c in classes):
            yield finding(
                "W104",
                name.span,
                f"the hierarchy `{group.id}` has one leaf, so it decides nothing",
                "add a class, or mark it `open`",
            )


def _open_place(group: GroupOutline) -> Findings:
    """E112 `open` stands on a multiclass, a hierarchy, or a class of a hierarchy that has classes."""
    if group.open and group.kind not in (Kind.MULTICLASS, Kind.HIERARCHY):
        message = f"`open` on a group of kind {group.kind}"
        yield finding("E112", _open_span(group), message, "only a multiclass or a hierarchy can be open: delete it")
    for class_ in group.all_classes():
        if class_.open and group.kind is not Kind.HIERARCHY:
            message = f"`open` on a class of a group of kind {group.kind}"
            yield finding("E112", _open_span(class_), message, "only a class of a hierarchy can be open: delete it")
        elif class_.open and not class_.classes and not has_bad(class_.node.body):
            message = f"`{class_.id}` is open and has no classes"
            yield finding("E112", _open_span(class_), message, "delete `open`, or list its classes in braces")


def _contents(group: GroupOutline) -> Findings:
    """E113 classes in classes; E114 groups under levels; E115 braces after a binary; E116 groups outside classes."""
    kind, body = group.kind, group.node.body
    if kind is Kind.BINARY and body is not None:
        step = "write a multiclass whose classes hold them" if body.items else "delete the braces"
        yield finding("E115", body.span, "a binary has no classes and no groups in braces", step)
        return
    for inner in group.misplaced:
        step = "move it into the braces of the class where it applies, or to the top of the file"
        yield finding("E116", _here(inner, inner.node.span), f"`{inner.id}` stands in a group, not in a class", step)
    nested = [c for c in group.classes if c.classes]
    if kind is Kind.MULTICLASS and nested:
        step = f"use hierarchy: hierarchy {group.id} {{ … }}"
        yield finding("E113", nested[0].node.name.span, f"`{nested[0].id}` has classes, in a multiclass", step)
    if kind is Kind.ORDINAL and nested:
        step = "an ordinal is one row of levels"
        yield finding("E113", nested[0].node.name.span, f"`{nested[0].id}` has classes, in an ordinal", step)
    if kind is Kind.ORDINAL:
        for level in group.classes:
            for attribute in level.attributes:
                step = "a group hangs on a class of a multiclass, hierarchy or multilabel"
                yield finding(
                    "E114",
                    _here(attribute, attribute.node.span),
                    f"`{attribute.id}` hangs on a level of an ordinal",
                    step,
                )


def _order(group: GroupOutline) -> Findings:
    """E117 `<` parts the levels of an ordinal, all of them, and nothing else."""
    bodies = [(group.node.body, group.kind is Kind.ORDINAL)]
    bodies += [(class_.node.body, False) for class_ in group.all_classes()]
    for body, ordered in bodies:
        items = body.items if body else ()
        chains = [item for item in items if isinstance(item, Chain)]
        if chains and not ordered:
            step = "commas or new lines part classes; `<` orders the levels of an ordinal"
            yield finding("E117", chains[0].span, "`<` outside an ordinal", step)
        levels = [item for item in items if not isinstance(item, GroupNode | UseNode | Bad)]
        if ordered and len(levels) > 1:
            step = "write them in one row from the lowest to the highest: a < b < c"
            yield finding("E117", levels[1].span, "the levels of an ordinal without their order", step)


def check_lookalikes(outline: Outline) -> Findings:
    """W101 siblings that look alike; W102 an id in two scripts."""
    for siblings, _ in _scopes(outline):
        seen: dict[str, Named] = {}
        for item in siblings:
            owner = seen.setdefault(skeleton(item.id), item)
            if owner.id != item.id:
                message = f"`{item.id}` looks like `{owner.id}` in line {owner.node.name.span.line}"
                step = "rename one: people, and data matched without case or separators, can't tell them apart"
                yield finding("W101", item.node.name.span, message, step)
    for item in _all_named(outline):
        scripts = () if item.id.isascii() else mixed_scripts(item.id)
        if scripts:
            message = f"`{item.id}` mixes {' and '.join(scripts)} letters"
            yield finding("W102", item.node.name.span, message, "type it again in one script")


CHECKS: tuple[Callable[[Outline], Findings], ...] = (
    check_header,
    check_content,
    check_modifiers,
    check_strings,
    check_reserved,
    check_duplicates,
    check_kinds,
    check_lookalikes,
    *REFERENCE_CHECKS,
)


def _all_named(outline: Outline) -> Iterator[Named]:
    for group in outline.own:
        yield group
        yield from group.all_classes()


def _scopes(outline: Outline) -> Iterator[tuple[tuple[Named, ...], bool]]:
    """Every set of siblings, and whether `open` adds `other` to it."""
    yield outline.top, False
    for group in outline.own:
        yield (*group.classes, *group.misplaced), group.open
        for class_ in group.all_classes():
            if class_.classes or class_.attributes:
                yield (*class_.classes, *class_.attributes), class_.open


def _spellings(item: Named) -> Iterable[Text]:
    """The title and the aliases."""
    title = [item.node.title] if item.node.title else []
    return [*title, *(text for m in item.node.modifiers if isinstance(m, Aka) for text in m.names)]


def _here(item: Named, span: Span) -> Span:
    """A place of an item, in this file: for a used group that of its `use`."""
    return item.node.name.span if isinstance(item, GroupOutline) and item.used is not None else span


def _open_span(item: Named) -> Span:
    return next(m.span for m in item.node.modifiers if isinstance(m, Open))
