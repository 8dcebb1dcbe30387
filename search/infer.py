"""A first ontology from a data set that has none: what `linnaeus infer STUDY` drafts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..dsl.draft import Draft, DraftGroup, unique_ids
from ..dsl.names import slug
from ..dsl.ontology import Kind
from ..dsl.quoting import is_plain, quote_path
from ..errors import fail
from ..plugins.contracts import Annotations
from ..plugins.datasets.csv import USUAL
from .columns import Column, Role, read_column
from .data_checks import check_annotated
from .infer_groups import Found, find_groups
from .infer_rules import Implication, implications
from .infer_trees import Steps
from .study import DataSpec, StudyData

SHOWN = 20
"""Proposed rules, at most."""


@dataclass(frozen=True)
class Inferred:
    """A drafted ontology.

    Attributes:
        text: the `.onto` file, canonical, what the study should say in comments at its head.
        data: those keys of the study's `data` as plain data: bind, and where needed missing, unlisted, split.
        left: the columns that make no group, and why.
    """

    name: str
    text: str
    data: dict[str, Any]
    left: dict[str, str]


def infer(study: StudyData, cache: Path) -> Inferred:
    """Draft an ontology of a study's data. No image is decoded, and what the study binds is not looked at.

    Raises:
        LinnaeusError: E2… the data can't be read, E260 no column holds classes.
    """
    spec = study.data
    said = spec.dataset.annotations(spec.image, study.base, cache / "images")
    check_annotated(said)
    file = study.ontology_file or study.file
    name = file.stem if is_plain(file.stem) else slug(file.stem)
    return infer_annotations(said, spec, name, study.file.name)


def infer_annotations(said: Annotations, spec: DataSpec, name: str, study: str) -> Inferred:
    """As `infer`, from annotations already read.

    Args:
        name: the id of the ontology.
        study: the study file's name, for words.
    """
    missing = frozenset(spec.missing)
    columns = [read_column(k, cells, missing) for k, cells in said.columns.items()]
    left = {c.name: why for c in columns if (why := _left_out(c, said))}
    found = find_groups([c for c in columns if c.name not in left], left)
    if not found:
        reasons = "; ".join(f"{k}: {why}" for k, why in left.items())
        step = "name a data set whose columns or folders are labels, or write the ontology by hand"
        raise fail("E260", f"no column holds classes ({reasons})", where="data", help=step)
    draft, groups = _draft(found, name)
    used = {c for f in found for c in f.columns}
    data = _data(found, groups, [c for c in columns if c.name in used], columns, said, spec)
    draft.comments = list(_head(len(said.names), study, data, left))
    text = draft.to_text() + "".join(f"{line}\n" for line in _proposals(found, groups))
    return Inferred(name, text, data, left)


def _left_out(c: Column, said: Annotations) -> str | None:
    """Why a column makes no group, if it makes none."""
    if c.name in USUAL and list(said.names) == list(said.columns[c.name]):
        return "names the images"
    values = f"{len(c.counts):,} values"
    return {
        Role.EMPTY: "is empty",
        Role.CONSTANT: f"is always {c.values[0] if c.values else ''}",
        Role.NAMES: f"{values} for {c.present:,} images: names or texts, not classes",
        Role.SPLIT: "names splits",
        Role.KEYS: f"{values}, which seem to say whose or where from",
        Role.NUMBERS: f"numbers ({values}): counts or measures",
    }.get(c.role)


# --- the draft ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Drafted:
    """A found group with its draft and its path."""

    found: Found
    group: DraftGroup
    path: str

    def path_of(self, steps: Steps) -> str:
        """The whole path of a class; of a binary, its own."""
        return ".".join((self.path, *self.found.classes.ids[steps]))


def _draft(found: Sequence[Found], name: str) -> tuple[Draft, dict[int, _Drafted]]:
    draft = Draft(name)
    made: dict[int, _Drafted] = {}
    plain = [f.name if is_plain(f.name) else "" for f in found]
    others = unique_ids(
        [*(p.lower() for p in plain if p), *(f.name for f, p in zip(found, plain, strict=True) if not p)]
    )
    rest = iter(others[sum(map(bool, plain)) :])
    ids = {id(f): p or next(rest) for f, p in zip(found, plain, strict=True)}
    for f in sorted(found, key=_depth):
        own = ids[id(f)]
        title = None if own == f.name else f.name
        opened = f.classes.open
        group = DraftGroup(f.kind, own, title, (), opened, f.classes.classes, comments=list(f.remarks))
        if f.host is None:
            draft.groups.append(group)
            made[id(f)] = _Drafted(f, group, own)
            continue
        host, steps = f.host
        above = made[id(host)]
        group.comments.append(f"given for {len(f.said):,} images, all of them {'.'.join(steps) or host.name}")
        if host.kind is Kind.BINARY:  # a binary has no braces
            group.when = quote_path(above.path)
            draft.groups.append(group)
            made[id(f)] = _Drafted(f, group, own)
        else:
            host.classes.drafted[steps].attributes.append(group)
            made[id(f)] = _Drafted(f, group, f"{above.path_of(steps)}.{own}")
    return draft, made


def _depth(f: Found) -> int:
    return 0 if f.host is None else 1 + _depth(f.host[0])


# --- what the study should say -------------------------------------------------------------------------


def _data(
    found: Sequence[Found],
    groups: Mapping[int, _Drafted],
    used: Sequence[Column],
    columns: Sequence[Column],
    said: Annotations,
    spec: DataSpec,
) -> dict[str, Any]:
    bind: dict[str, Any] = {}
    for f in found:
        if f.flags:
            bind.update({groups[id(f)].path_of(steps): column for steps, column in f.flags.items()})
        else:
            bind[groups[id(f)].path] = f.binding
    data: dict[str, Any] = {"bind": bind}
    unsaid = sorted({word for c in used for word in c.unsaid})
    if unsaid:
        data["missing"] = [*spec.missing, *unsaid]
    if any(f.kind is Kind.MULTILABEL and not f.flags for f in found):
        data["unlisted"] = "no"
    split: dict[str, Any] = {}
    given = next((c for c in columns if c.role is Role.SPLIT), None)
    keys = next((c for c in columns if c.role is Role.KEYS and c.many), None)
    if said.splits is None and given is not None and keys is None:
        split["from"] = given.name
    elif said.splits is None:
        split = {"test": 0.2, "validation": 0.1}
    if keys is not None:
        split["group"] = keys.name
    return data | ({"split": split} if split else {})


def _head(n: int, study: str, data: Mapping[str, Any], left: Mapping[str, str]) -> Iterator[str]:
    yield f"Drafted from the labels of {n:,} images: read it, correct it, make it yours."
    yield ""
    yield f"What {study} should say for it:"
    yield "data:"
    for key, value in data.items():
        if key == "bind":
            yield "  bind:"
            yield from (f"    {_yaml(group)}: {_yaml(binding)}" for group, binding in value.items())
        else:
            yield f"  {key}: {_yaml(value)}"
    if left:
        yield ""
        yield "Columns that make no group:"
        yield from (f"  {column}: {why}" for column, why in left.items())
    yield ""


def _yaml(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_yaml(k)}: {_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    if isinstance(value, str) and (not re.fullmatch(r"[A-Za-z_][\w./-]*", value) or value.lower() in _YAML_WORDS):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


_YAML_WORDS = frozenset({"true", "false", "null"})


def _proposals(found: Sequence[Found], groups: Mapping[int, _Drafted]) -> Iterator[str]:
    """Rules that hold throughout, each in a comment: that no image contradicts a rule does not make it a law."""
    listed = implications(found)
    if not listed:
        return
    yield ""
    yield "# No image contradicts these. Uncomment what must be so: what only happens to be so is learnt."
    names = unique_ids([f"{'_'.join((i.group.name, *i.first))} {i.of.name}" for i in listed[:SHOWN]])
    for name, i in zip(names, listed, strict=False):
        support = f"{i.images:,} images; by chance {i.expected:,.0f} would differ"
        yield f"# rule {name} {{ {_formula(i, groups)} }}  # {support}"
    if len(listed) > SHOWN:
        yield f"# and {len(listed) - SHOWN} more"


def _formula(i: Implication, groups: Mapping[int, _Drafted]) -> str:
    first = quote_path(groups[id(i.group)].path_of(i.first))
    then = [quote_path(groups[id(i.of)].path_of(steps)) for steps in i.then]
    if len(then) > 1:
        return f"{first} => {quote_path(groups[id(i.of)].path)} in {{{', '.join(then)}}}"
    return f"{first} => {'not ' if i.negated else ''}{then[0]}"
