"""The leaderboard as plain data: every output format renders these rows and sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..search.results import ContenderResult, Interval, Results

NA = "n/a"
GUARANTEES = {"normalised": "normalised", "coherent": "coherent", "obeys_rules": "rules"}


@dataclass(frozen=True)
class Row:
    """One contender, ready to print. `cells` by metric name; a metric it lacks has an empty interval."""

    name: str
    place: str
    rank: str
    letters: str
    score: Interval
    cells: Mapping[str, Interval]
    guarantees: Mapping[str, str]
    seeds: str
    baseline: bool
    failed: bool
    notes: tuple[str, ...]
    parameters: float | None
    train_seconds: float | None
    contender: ContenderResult


@dataclass(frozen=True)
class Leaderboard:
    """Rows best first. `ranked_by_within` is the ranking metric's title within a sentence.

    `columns` are the metrics beside the one that ranks, by name; `sentences` say the findings in words.
    """

    title: str
    ranked_by: str
    ranked_by_within: str
    better: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    metrics: Mapping[str, Mapping[str, Any]]
    confidence: float
    rope: float
    sentences: tuple[str, ...] = field(default=())


EMPTY = Interval(None, None, None, 0)


def leaderboard(results: Results) -> Leaderboard:
    """The board of results that `statistics.summarise` has completed."""
    metrics = results.metrics
    sign = 1 if metrics[results.objective]["better"] == "higher" else -1

    def order(c: ContenderResult) -> tuple[bool, float, bool]:
        mean = c.metrics.get(results.objective, EMPTY).mean
        return mean is None, -sign * (mean or 0.0), c.baseline

    ordered = sorted(results.contenders, key=order)
    rows = tuple(_row(c, i, results) for i, c in enumerate(ordered, start=1))
    columns = tuple(m for m in metrics if m != results.objective and _is_main(m, metrics))
    return Leaderboard(
        str(results.ontology.get("title") or results.study.get("name") or results.ontology.get("name")),
        str(metrics[results.objective]["title"]),
        lower_first(str(metrics[results.objective]["title"])),
        str(metrics[results.objective]["better"]),
        columns,
        rows,
        metrics,
        float(results.report["confidence"]),
        float(results.report["rope"]),
        _sentences(results, rows),
    )


def _is_main(name: str, metrics: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a metric stands on the leaderboard itself: those of whole worlds, and each group's first."""
    about = metrics[name]
    if about["scope"] == "ontology":
        return True
    first = next(m for m, d in metrics.items() if d["scope"] == "group" and d["group"] == about["group"])
    return name == first


def _row(c: ContenderResult, place: int, results: Results) -> Row:
    score = c.metrics.get(results.objective, EMPTY)
    failed = score.mean is None
    costs = [s.costs for s in c.seeds if s.state == "complete"]
    return Row(
        name=c.name,
        place="–" if failed else str(place),
        rank=NA if c.rank is None else span(c.rank["low"], c.rank["high"]),
        letters=c.letters,
        score=score,
        cells={m: c.metrics.get(m, EMPTY) for m in results.metrics},
        guarantees={label: _yes(c.guarantees.get(key)) for key, label in GUARANTEES.items()},
        seeds="deterministic" if c.deterministic else str(len(costs)),
        baseline=c.baseline,
        failed=failed,
        notes=_notes(c),
        parameters=next((x["parameters"] for x in costs if x.get("parameters") is not None), None),
        train_seconds=mean_of([x.get("train_seconds") for x in costs]),
        contender=c,
    )


def _notes(c: ContenderResult) -> tuple[str, ...]:
    done = sum(s.state == "complete" for s in c.seeds)
    notes = [] if c.note is None else [c.note]
    if done < len(c.seeds):
        causes = sorted({s.cause or s.state for s in c.seeds if s.state != "complete"})
        lost = f"{len(c.seeds) - done} of {len(c.seeds)} retrainings failed ({'; '.join(causes)})"
        notes.append(
            f"{lost}: " + ("its numbers are of the others, nothing is imputed" if done else "it is ranked last")
        )
    elif not c.seeds:
        notes.append("it is ranked last")
    if c.deterministic:
        notes.append("no seed changes it: its interval is over images alone")
    elif done == 1:
        notes.append("one retraining: its interval is over images alone")
    return tuple(notes)


def _sentences(results: Results, rows: tuple[Row, ...]) -> tuple[str, ...]:
    """The findings in plain words."""
    best = rows[0] if rows else None
    if best is None or best.failed:
        return ("No contender has a result: every one failed.",)
    percent = f"{100 * results.report['confidence']:g} %"
    title = results.metrics[results.objective]["title"]
    found = [
        f"{best.name} ranks first: {lower_first(title)} {number(best.score.mean)} "
        f"({percent} interval {number(best.score.low)} to {number(best.score.high)}) "
        f"on {best.score.n:,} test images, {_seeds_in_words(best)}."
    ]
    near = [r.name for r in rows[1:] if set(r.letters) & set(best.letters)]
    if near:
        found.append(f"Not separated from it: {listed(near)}.")
    elif len(rows) > 1:
        found.append("Every other contender is separated from it.")
    failed = [r.name for r in rows if r.failed]
    if failed:
        found.append(f"{listed(failed)} failed and {'is' if len(failed) == 1 else 'are'} ranked last.")
    return (*found, *results.study.get("notes", []), _speaks_of(results))


def _seeds_in_words(row: Row) -> str:
    if row.seeds == "deterministic":
        return "deterministic"
    return "one retraining" if row.seeds == "1" else f"mean of {row.seeds} retrainings"


def _speaks_of(results: Results) -> str:
    budget = results.study.get("budget") or {}
    repeats = results.study.get("repeats", 1)
    at = ""
    if {"trials", "epochs"} <= set(budget):
        trials, epochs = (f"{budget[k]} {k if budget[k] != 1 else k[:-1]}" for k in ("trials", "epochs"))
        at = f"{trials} of at most {epochs}"
    if repeats >= 3:
        return f"Each row is a method at this budget: {repeats} independent searches{f' of {at}' if at else ''}."
    return f"Each row is one configuration, chosen on validation{f' by a search of {at}' if at else ''}."


# --- words and numbers -----------------------------------------------------------------------------


def number(value: float | None, digits: int = 3) -> str:
    """A metric to three decimals; n/a for none."""
    if value is None:
        return NA
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.lstrip("-")


def finding(row: Mapping[str, Any]) -> str:
    """A comparison in words."""
    link = {"better": "better than", "worse": "worse than", "equivalent": "equivalent to"}
    return f"{row['a']} is {link.get(row['verdict'], 'not separated from')} {row['b']}"


def span(low: int, high: int) -> str:
    """A rank interval, such as 1–3."""
    return str(low) if low == high else f"{low}–{high}"


def interval_text(i: Interval) -> str:
    """The ends of an interval, such as [0.941, 0.963]."""
    return "" if i.low is None else f"[{number(i.low)}, {number(i.high)}]"


def amount(value: float | None) -> str:
    """A count in short form, such as 61.7 k."""
    if value is None:
        return NA
    for unit, size in ((" G", 1e9), (" M", 1e6), (" k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}"


def seconds(value: float | None) -> str:
    """A duration, such as 9.3 s or 12 min."""
    if value is None:
        return NA
    if value < 90:
        return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"


def listed(names: list[str]) -> str:
    """Names as a phrase."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def mean_of(values: list[float | None]) -> float | None:
    """The mean of the known values; None where none is known."""
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if known else None


def lower_first(text: str) -> str:
    """Text within a sentence."""
    return text[:1].lower() + text[1:]


def _yes(flag: bool | None) -> str:
    return NA if flag is None else "yes" if flag else "no"


def as_text(results: Results) -> str:
    """The leaderboard for a terminal: plain text, aligned."""
    board = leaderboard(results)
    head = ["rank", "contender", board.ranked_by, f"{100 * board.confidence:g} % interval", "letters", "retrainings"]
    lines = [
        [r.rank, r.name + (" (baseline)" if r.baseline else ""), number(r.score.mean), interval_text(r.score),
         r.letters, r.seeds]
        for r in board.rows
    ]  # fmt: skip
    widths = [max(len(row[i]) for row in [head, *lines]) for i in range(len(head))]
    table = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in [head, *lines]]
    notes = [f"{r.name}: {note}" for r in board.rows for note in r.notes]
    return "\n".join([*table, "", *board.sentences, *notes])
