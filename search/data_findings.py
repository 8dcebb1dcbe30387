"""A data report as diagnostics: what is wrong, what is doubtful, what is worth knowing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from ..dsl.annotations import cell_text
from ..dsl.ontology import Kind
from ..errors import Diagnostic, Severity
from .binding import Unread
from .columns import UNSAID
from .data_report import DataReport

SHOWN = 5
UNEVEN = 10
"""How many times the rarest class the commonest must have before it is told."""


def findings(report: DataReport) -> tuple[Diagnostic, ...]:
    """Everything found, errors first."""
    found = chain(
        _unknown(report),
        _illegal(report),
        report.split_mistakes,
        _no_examples(report),
        _copies(report),
        _leaks(report),
        _missing(report),
        _never(report),
        _uneven(report),
        (_note("I258", n, "data.bind") for n in [*report.bound.notices, *report.said.notes]),
    )
    order = ("error", "warning", "info")
    return tuple(sorted(found, key=lambda d: order.index(d.severity)))


def _note(code: str, message: str, where: str, help: str | None = None) -> Diagnostic:
    return Diagnostic(code, message, "info" if code[0] == "I" else "warning", where=where, help=help)


def _policy(report: DataReport, what: str, number: str) -> tuple[str, Severity]:
    """The code and severity of what the study may choose to drop."""
    return (f"W{number}", "warning") if report.bad[what] == "drop" else (f"E{number}", "error")


def _unknown(report: DataReport) -> Iterator[Diagnostic]:
    code, severity = _policy(report, "unknown_value", "223")
    for u in sorted(report.bound.unread, key=lambda u: (u.group, -len(u.rows))):
        told = "" if repr(cell_text(u.value)) in u.message else f"{cell_text(u.value)!r}: "
        near = f"; the nearest: {', '.join(u.near)}" if u.near and "may mean" not in u.message else ""
        message = f"{told}{u.message}: {_images(report, u.rows)}{near}"
        yield Diagnostic(code, message, severity, where=u.where, help=_unknown_step(u))


def _unknown_step(u: Unread) -> str:
    raw = cell_text(u.value)
    if raw.casefold() in UNSAID:
        return f"if it says that nobody knows, list it under data.missing: [..., {raw!r}]"
    if raw.casefold() == "other":
        return "if it means none of the classes, mark their group `open`: it then reads as its `other`"
    if u.near:
        return f"map it with values: {{{raw!r}: {_short(u.near[0])}}}, or add it to that class as an alias (aka)"
    return "add a class or an alias (aka), map it with values: {RAW: CLASS}, or list it under data.missing"


def _illegal(report: DataReport) -> Iterator[Diagnostic]:
    code, severity = _policy(report, "illegal", "224")
    ontology = report.tables.ontology
    owner = {label.path: ontology.groups[label.group].path for label in ontology.labels}
    for c in report.conflicts:
        step = "correct the records or the ontology, or set data.bad: {illegal: drop}"
        cells = report.cells(c.rows[0])
        groups = {path for path, _ in c.said}
        written = ", ".join(f"{p}: {t!r}" for p, t in cells.items() if t and {p, owner.get(p)} & groups)
        message = f"{c}: {_images(report, c.rows)}; the first is written {written}"
        yield Diagnostic(code, message, severity, where="data.bind", help=step)


def _no_examples(report: DataReport) -> Iterator[Diagnostic]:
    labels = report.tables.ontology.labels
    for group in report.groups:
        where = f"data.bind, {group.path}"
        none = [labels[i] for i in group.labels if not report.counts[i]]
        yield from _classes("in the data", where, [label.path for label in none if not label.other])
        if report.train is not None:
            train = [labels[i] for i in group.labels if report.counts[i] and not report.train[i]]
            yield from _classes("in training", where, [label.path for label in train if not label.other])
            none += [label for label in train if label.other]
        for label in none:
            if label.other:
                message = f"{label.path} has no example, so its probability is not identified by the data"
                step = "annotate some images as other, or leave `open` out"
                yield _note("W251", message, where, step)


def _classes(place: str, where: str, paths: Sequence[str]) -> Iterator[Diagnostic]:
    if paths:
        count = f"{len(paths)} classes have" if len(paths) > 1 else "one class has"
        yield _note("W250", f"{count} no example {place}: {_listed(paths)}", where)


def _copies(report: DataReport) -> Iterator[Diagnostic]:
    if report.copies:
        against = sum(c.contradict for c in report.copies)
        message = (
            f"{len(report.copies)} of {report.shared} pictures that occur more than once say different things, "
            f"{against} of them what can't both be: {_listed([_pair(report, c.rows) for c in report.copies], '; ')}"
        )
        yield _note("W253", message, "data", "correct the labels, or keep one copy of each")


def _pair(report: DataReport, rows: Sequence[int]) -> str:
    return " = ".join(report.name(r) for r in rows[:3]) + (" = …" if len(rows) > 3 else "")


def _leaks(report: DataReport) -> Iterator[Diagnostic]:
    for leak in report.leaks:
        step = f"keep them together: data.split: {{group: {leak.column}}}, with test and validation as shares"
        if leak.torn is None:
            message = (
                f"the column {leak.column!r} has {leak.values} values over {leak.images} images, and the split is "
                "drawn image by image: images of one value would stand on both sides"
            )
        else:
            message = (
                f"{len(leak.torn)} of {leak.values} values of the column {leak.column!r}, with {leak.images} images, "
                f"stand in more than one split: {_listed(leak.torn)}"
            )
        yield _note("W254", message, "data.split", step)


def _missing(report: DataReport) -> Iterator[Diagnostic]:
    for path, rows in report.missing.items():
        message = f"no label of {path}: {_images(report, rows)}"
        yield _note("I255", message, "data.bind", "they count as unknown: nothing of the group is learnt from them")


def _never(report: DataReport) -> Iterator[Diagnostic]:
    for c in report.combinations:
        where = " and ".join(c.groups)
        if c.never is None:
            yield _note("I252", "too many pairs of classes to look for those never seen", where)
        elif c.never:
            pairs = [f"{_short(a)} with {_short(b)}" for a, b in c.never]
            message = f"{len(c.never)} of {c.legal} legal pairs of classes are never seen, though each class is: "
            step = "if they can't be, say so in a rule; if they can, the data do not teach them"
            yield _note("I252", message + _listed(pairs), where, step)


def _uneven(report: DataReport) -> Iterator[Diagnostic]:
    ontology = report.tables.ontology
    for group in report.groups:
        labels = group.labels if group.kind is Kind.MULTILABEL else ontology.leaves(group)
        seen = {i: int(report.counts[i]) for i in labels if report.counts[i]}
        if len(seen) > 1 and max(seen.values()) >= UNEVEN * min(seen.values()):
            most, least = max(seen, key=seen.__getitem__), min(seen, key=seen.__getitem__)
            names = [f"{ontology.labels[i].path} {seen[i]}" for i in (most, least)]
            message = f"uneven classes: {names[0]} images, {names[1]}; accuracy favours the common ones"
            yield _note("I256", message, group.path, "look at balanced accuracy and macro F1 too")


# --- words ---------------------------------------------------------------------------------------------


def _images(report: DataReport, rows: Sequence[int]) -> str:
    noun = "image" if len(rows) == 1 else "images"
    return f"{len(rows):,} {noun} ({_listed([report.name(r) for r in rows], shown=3)})"


def _listed(names: Iterable[str], between: str = ", ", shown: int = SHOWN) -> str:
    all_names = list(names)
    more = f"{between}and {len(all_names) - shown} more" if len(all_names) > shown else ""
    return between.join(all_names[:shown]) + more


def _short(path: str) -> str:
    return path.rpartition(".")[2]
