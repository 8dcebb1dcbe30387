"""What stands where in a file: everything that has a name, and every place that names it."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal, TypeAlias

from ..dsl.outline import ClassOutline, GroupOutline, Named, Other, Outline, Target
from ..dsl.syntax import Body, ClassNode, GroupNode, Header, ImportNode, Name, RuleNode, UseNode
from ..errors import Span

Key: TypeAlias = tuple[str, int, int]
"""What makes a name itself: the file, line and column where it is declared."""

Role: TypeAlias = Literal["ontology", "import", "group", "class", "rule"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something that has a name.

    Attributes:
        role: what it is.
        id: its name in this file.
        source: where it is declared in the end: for a group used under another name, the group in the imported file.
        item: what the outline or the syntax says of it.
    """

    role: Role
    id: str
    source: Span
    item: Named | RuleNode | ImportNode | Header


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A place that names a symbol. `literal`: the name itself stands there, so that a rename rewrites it."""

    span: Span
    key: Key
    declares: bool = False
    literal: bool = True


def key_of(span: Span) -> Key:
    """The key of what is declared at a place."""
    return _real(span.file), span.line, span.column


@lru_cache(maxsize=1024)
def _real(file: str) -> str:
    return str(Path(file).resolve())


class Index:
    """The names of one file, and of what it uses.

    Attributes:
        symbols: what is declared or used here, in the order of the text.
        occurrences: every place in this file that names one of them, in the order of the text.
    """

    def __init__(self, outline: Outline):
        self.outline = outline
        self.file = outline.document.file
        self.symbols: dict[Key, Symbol] = {}
        self._found: dict[Key, Occurrence] = {}  # by place: one name stands in one place
        self._above = _parents(outline)
        self._modules = {module.node: module for module in outline.modules}
        self._imports = dict(self._read_imports())
        self._read_groups()
        self._read_uses()
        self._read_references()
        self.occurrences = [self._found[key] for key in sorted(self._found, key=lambda key: key[1:])]
        self._starts = [(o.span.line, o.span.column) for o in self.occurrences]

    def at(self, line: int, column: int) -> Occurrence | None:
        """What is named at a line and column, from 1; the column after a name's last character belongs to it."""
        before = bisect_right(self._starts, (line, column))
        found = self.occurrences[before - 1] if before else None
        return found if found and found.span.line == line and column <= found.span.end_column else None

    def places(self, key: Key) -> Iterator[Occurrence]:
        """Every place in this file that names a symbol."""
        return (o for o in self.occurrences if o.key == key)

    def group(self, steps: tuple[str, ...]) -> GroupOutline | None:
        """The group that a reference may mean: the first whose path ends in it."""
        return next((g for g in self.outline.groups if self.steps(g)[-len(steps) :] == steps), None) if steps else None

    def steps(self, item: Target) -> tuple[str, ...]:
        """The steps of a path."""
        if isinstance(item, Other):
            return (*self.steps(item.owner), "other")
        return tuple(above.id for above in self.chain(item))

    def chain(self, item: Named) -> list[Named]:
        """What an item stands in, the outermost first, and the item."""
        chain = [item]
        while (above := self._above.get(chain[-1])) is not None:
            chain.append(above)
        return chain[::-1]

    def group_of(self, item: ClassOutline) -> GroupOutline:
        """The group that a class belongs to."""
        return next(above for above in reversed(self.chain(item)) if isinstance(above, GroupOutline))

    @cached_property
    def short(self) -> dict[tuple[str, ...], Named]:
        """Every group and class by its shortest unique reference, which for most is one step."""
        items: list[Named] = []
        for group in self.outline.groups:
            items += [group, *group.all_classes()]
        paths = [self.steps(item) for item in items]
        ends = Counter(path[at:] for path in paths for at in range(len(path)))
        names: dict[tuple[str, ...], Named] = {}
        for item, path in zip(items, paths, strict=True):
            unique = (path[at:] for at in range(len(path) - 1, 0, -1) if ends[path[at:]] == 1)
            names[next(unique, path)] = item
        return names

    # --- reading the outline ------------------------------------------------------------------------

    def _declare(self, key: Key, symbol: Symbol) -> Key:
        self.symbols.setdefault(key, symbol)
        return key

    def _occur(self, span: Span, key: Key, *, declares: bool = False, literal: bool = True) -> None:
        self._found.setdefault(key_of(span), Occurrence(span, key, declares, literal))

    def _read_imports(self) -> Iterator[tuple[str, Key]]:
        """Header, imports and rules; yields what each import is called here."""
        for node in self.outline.document.declarations:
            if isinstance(node, Header):
                key = self._declare(key_of(node.name.span), Symbol("ontology", node.name.text, node.name.span, node))
                self._occur(node.name.span, key, declares=True)
            elif isinstance(node, RuleNode):
                key = self._declare(key_of(node.name.span), Symbol("rule", node.name.text, node.name.span, node))
                self._occur(node.name.span, key, declares=True)
            elif isinstance(node, ImportNode):
                yield from self._read_import(node)

    def _read_import(self, node: ImportNode) -> Iterator[tuple[str, Key]]:
        module = self._modules.get(node)
        header = module.outline.header if module else None
        source = header.name.span if header else (node.alias or node.path).span
        if header:
            ontology = self._declare(key_of(source), Symbol("ontology", header.name.text, source, header))
            self._occur(node.path.span, ontology, literal=False)
            if node.alias is None:
                yield header.name.text, ontology
        if node.alias is not None:
            key = self._declare(key_of(node.alias.span), Symbol("import", node.alias.text, source, node))
            self._occur(node.alias.span, key, declares=True)
            yield node.alias.text, key

    def _read_groups(self) -> None:
        for group in self.outline.groups:
            key, source = identity(group, self.outline)
            self._declare(key, Symbol("group", group.id, source, group))
            if group.used is None:
                self._occur(group.node.name.span, key, declares=True)
            for class_ in group.all_classes():
                span = class_.node.name.span
                key = self._declare(key_of(span), Symbol("class", class_.id, span, class_))
                if group.used is None and span.file == self.file:
                    self._occur(span, key, declares=True)

    def _read_uses(self) -> None:
        used = {g.node.name.span: g for g in self.outline.groups if g.used and g.used.path == g.path}
        for node in _uses(self.outline):
            first, *rest = node.target.steps
            if first.text in self._imports:
                self._occur(first.span, self._imports[first.text])
            group = used.get((node.alias or node.target).span)
            if group is None or group.used is None:
                continue
            if node.alias is not None:
                self._occur(node.alias.span, identity(group, self.outline)[0], declares=True)
            module = group.used.module
            original = original_of(group)
            above = _parents(module.outline)
            self._align(rest, original, above, module.outline)

    def _read_references(self) -> None:
        for resolved in self.outline.references:
            if resolved.reference.span.file == self.file:
                steps, target = list(resolved.reference.steps), resolved.target
                if isinstance(target, Other):
                    steps, target = steps[:-1], target.owner
                self._align(steps, target, self._above, self.outline)

    def _align(self, steps: list[Name], item: Named | None, above: dict[Named, Named], outline: Outline) -> None:
        """A reference is an end of a path: its last step names the item, the one before what the item stands in."""
        for step in reversed(steps):
            if item is None:
                return
            key = identity(item, outline)[0] if isinstance(item, GroupOutline) else key_of(item.node.name.span)
            if key not in self.symbols:
                role: Role = "group" if isinstance(item, GroupOutline) else "class"
                self._declare(key, Symbol(role, item.id, item.node.name.span, item))
            self._occur(step.span, key)
            item = above.get(item)


def original_of(group: GroupOutline) -> GroupOutline:
    """A used group as the imported file declares it."""
    assert group.used is not None
    path = group.used.original(group.path)
    return next(g for g in group.used.module.outline.groups if g.path == path)


def identity(group: GroupOutline, outline: Outline) -> tuple[Key, Span]:
    """The key of a group's name in a file, and where the group itself is declared.

    A group that is used under another name has the name in the file that uses it.
    """
    name = group.node.name.span
    if group.used is None:
        return key_of(name), name
    key, source = identity(original_of(group), group.used.module.outline)
    renamed = any(node.alias is not None and node.alias.span == name for node in _uses(outline))
    return (key_of(name) if renamed else key), source


def _parents(outline: Outline) -> dict[Named, Named]:
    """For each group and class in braces, what stands around it."""
    above: dict[Named, Named] = {}

    def below(item: Named) -> None:
        inner: Iterable[Named] = item.misplaced if isinstance(item, GroupOutline) else item.attributes
        for child in (*item.classes, *inner):
            above[child] = item
            below(child)

    for group in outline.top:
        below(group)
    return above


def _uses(outline: Outline) -> Iterator[UseNode]:
    """Every `use` of a file, those in braces too."""

    def inside(body: Body | None) -> Iterator[UseNode]:
        for item in body.items if body else ():
            if isinstance(item, UseNode):
                yield item
            elif isinstance(item, ClassNode | GroupNode):
                yield from inside(item.body)

    for node in outline.document.declarations:
        if isinstance(node, UseNode):
            yield node
        elif isinstance(node, GroupNode):
            yield from inside(node.body)
