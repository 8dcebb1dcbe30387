"""What a name or a word means, as Markdown for people."""

from __future__ import annotations

import re

from ..dsl.ontology import OTHER, Kind
from ..dsl.outline import ClassOutline, GroupOutline, Named
from ..dsl.syntax import Header, ImportNode, RuleNode
from .context import READ
from .index import Index, Symbol
from .words import MEANINGS, NAME

_WORD = re.compile(NAME)


def describe(index: Index, symbol: Symbol, rows: list[str]) -> str:
    """What a symbol is, its titles and its place in the tree.

    Args:
        rows: the lines of the file that declares it, from which a rule's formulas are shown.
    """
    item = symbol.item
    if isinstance(item, RuleNode):
        return _code("\n".join(rows[item.span.line - 1 : item.span.end_line]).strip())
    if isinstance(item, ImportNode):
        return f"import `{symbol.id}`: {item.path.value}"
    if isinstance(item, Header):
        version = f", version {item.version.value}" if item.version else ""
        return _paragraphs(f"ontology `{symbol.id}`{version}", item.title.value if item.title else "")
    return _group(index, item) if isinstance(item, GroupOutline) else _class(index, item)


def describe_word(row: str, column: int) -> str | None:
    """What the word of the language at a column, from 1, of a line means; None in comments and strings."""
    for match in _WORD.finditer(row):
        if match.start() < column <= match.end() + 1 and not READ.sub("", row[: match.start()], count=1):
            if match[0] == OTHER:
                return "`other`: the class that `open` adds, for what none of the listed classes is"
            return MEANINGS.get(match[0])
    return None


def _group(index: Index, group: GroupOutline) -> str:
    classes = list(group.all_classes())
    said = [f"{group.kind} `{group.id}`" + (", open" if group.open else "")]
    if group.kind is not Kind.BINARY:
        leaves = sum(not c.classes for c in classes)
        said.append(_count(len(classes), "level" if group.kind is Kind.ORDINAL else "class"))
        if leaves != len(classes):
            said.append(_count(leaves, "leaf"))
    lines = [", ".join(said), *_names(group)]
    if len(index.chain(group)) > 1:
        lines.append(f"applies where {_place(index.chain(group)[:-1])}")
    if group.levels:
        lines.append(f"levels: {', '.join(group.levels)}")
    if group.used is not None:
        lines.append(f"from {group.used.module.path.name}, where it is `{group.used.original(group.path)}`")
    return _paragraphs(*lines)


def _class(index: Index, class_: ClassOutline) -> str:
    chain = index.chain(class_)
    group = next((above for above in reversed(chain) if isinstance(above, GroupOutline)), None)
    if group is None:  # of an import, and not used here
        return _paragraphs(f"`{class_.path}`", *_names(class_))
    word = "level" if group.kind is Kind.ORDINAL else "class"
    lines = [f"{word} `{class_.id}` of the {group.kind} `{group.id}`" + (", open" if class_.open else "")]
    lines += [*_names(class_), _place(chain)]
    under = sum(1 for _ in class_.walk()) - 1
    if under:
        lines.append(f"{_count(under, 'class')} under it")
    if class_.attributes:
        lines.append(f"where it holds: {', '.join(f'{g.kind} `{g.id}`' for g in class_.attributes)}")
    parents = index.outline.links.parents.get(class_, ())
    if parents:
        lines.append(f"implies {' and '.join(f'`{p.path}`' for p in parents)}")
    return _paragraphs(*lines)


def _names(item: Named) -> list[str]:
    title = [item.title] if item.title else []
    return title + ([f"also: {', '.join(item.aka)}"] if item.aka else [])


def _place(chain: list[Named]) -> str:
    return " › ".join(f"`{item.id}`" for item in chain)


def _count(n: int, word: str) -> str:
    plural = {"class": "classes", "leaf": "leaves"}.get(word, f"{word}s")
    return f"{n:,} {word if n == 1 else plural}"


def _code(text: str) -> str:
    return f"```onto\n{text}\n```"


def _paragraphs(*lines: str) -> str:
    return "\n\n".join(line for line in lines if line)
