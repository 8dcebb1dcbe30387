"""Figures as plain data: coordinates and texts that the templates draw as SVG. No styling, no scripts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..search.results import ContenderResult
from .leaderboard import Leaderboard, lower_first, number

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 38
SERIES = 8
"""Colours in the style sheet; further series repeat them with other dashes."""
NUMBERED = 20
"""Up to this many classes, a heat map prints the share in each cell."""


@dataclass(frozen=True)
class Line:
    """One curve: `points` as SVG coordinates, `series` its colour, `faint` for the lines behind a mean."""

    name: str
    points: str
    series: int
    faint: bool = False


@dataclass(frozen=True)
class Chart:
    """A line chart. Ticks are (place, text); `alt` says in words what it shows."""

    title: str
    x_title: str
    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    alt: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


Points = Sequence[tuple[float, float]]


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers that span the range."""
    if not high > low:
        return [low]
    raw = (high - low) / count
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]


def _chart(
    title: str, x_title: str, series: Sequence[tuple[str, int, bool, Points]], whole: bool, alt: str
) -> Chart | None:
    points = [p for _, _, _, line in series for p in line]
    if not points:
        return None
    (x0, x1), (y0, y1) = ((min(axis), max(axis)) for axis in zip(*points, strict=True))
    x1, pad = (x1 if x1 > x0 else x0 + 1), 0.05 * (y1 - y0 or abs(y1) or 1.0)
    y0, y1 = y0 - pad, y1 + pad

    def place(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)
        return round(across, 1), round(HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM), 1)

    lines = tuple(
        Line(name, " ".join("{:g},{:g}".format(*place(*p)) for p in line), colour, faint)
        for name, colour, faint, line in series
    )
    x_ticks = [t for t in nice_ticks(x0, x1, 6) if not whole or float(t).is_integer()]
    y_ticks = nice_ticks(y0, y1)
    return Chart(
        title,
        x_title,
        lines,
        tuple((place(t, y0)[0], f"{t:g}") for t in x_ticks),
        tuple((place(x0, t)[1], f"{t:.6g}".replace("-", "−")) for t in y_ticks),
        alt,
    )


def search_charts(order: Sequence[ContenderResult]) -> list[Chart]:
    """Best objective so far, by trials and by seconds of search."""
    by_trial, by_second = [], []
    for i, c in enumerate(order):
        if c.search is None:
            continue
        best = c.search.best_so_far
        spent = [0.0]
        for row in c.search.rows:
            spent.append(spent[-1] + float(row.get("seconds") or 0.0))
        by_trial.append((c.name, i, False, _steps([k + 1.0 for k in range(len(best))], best)))
        by_second.append((c.name, i, False, _steps(spent[1:], best)))
    ends = "; ".join(f"{name} {number(line[-1][1])}" for name, _, _, line in by_trial if line)
    said = f"Best validation objective so far. At the end: {ends}."
    found = [
        _chart("Best so far, by trial", "trials", by_trial, True, said),
        _chart("Best so far, by cost", "seconds of search", by_second, False, said),
    ]
    return [c for c in found if c is not None]


def _steps(x: Sequence[float], y: Sequence[float | None]) -> list[tuple[float, float]]:
    """A staircase: the value holds until the next trial ends."""
    line: list[tuple[float, float]] = []
    for here, value in zip(x, y, strict=False):
        if value is not None:
            if line:
                line.append((here, line[-1][1]))
            line.append((here, value))
    return line


def learning_charts(order: Sequence[ContenderResult]) -> list[Chart]:
    """Every quantity of the learning curves: each retraining faint, their mean in front."""
    keys = list(
        dict.fromkeys(
            k for c in order for s in c.seeds for row in s.curve for k in row if k not in ("epoch", "seconds")
        )
    )
    found = []
    for key in keys[:4]:
        series: list[tuple[str, int, bool, Points]] = []
        for i, c in enumerate(order):
            curves = [line for s in c.seeds if (line := _curve(s.curve, key))]
            if not curves:
                continue
            series += [("", i, True, line) for line in curves if len(curves) > 1]
            series.append((c.name, i, False, _mean_curve(curves)))
        title = "Validation objective" if key == "objective" else key.replace("_", " ").capitalize()
        ends = "; ".join(f"{name} {number(line[-1][1])}" for name, _, faint, line in series if line and not faint)
        alt = f"{title} by epoch; mean over retrainings at the end: {ends}."
        found.append(_chart(title, "epochs", series, True, alt))
    return [c for c in found if c is not None]


def _curve(rows: Sequence[Mapping[str, float | None]], key: str) -> list[tuple[float, float]]:
    pairs = [(row.get("epoch", i + 1), row.get(key)) for i, row in enumerate(rows)]
    return [(float(x), float(y)) for x, y in pairs if x is not None and y is not None and math.isfinite(y)]


def _mean_curve(curves: Sequence[Points]) -> list[tuple[float, float]]:
    by_x: dict[float, list[float]] = {}
    for line in curves:
        for x, y in line:
            by_x.setdefault(x, []).append(y)
    return [(x, sum(ys) / len(ys)) for x, ys in sorted(by_x.items())]


# --- intervals -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Whisker:
    """One row's interval on a scale common to all, from 0 to 100."""

    low: float
    mean: float
    high: float


def whiskers(board: Leaderboard) -> dict[str, Whisker]:
    """Where each contender's interval lies between the least and the greatest end on the board.

    Deterministic rows, such as the class prior, do not stretch the scale, and are left out where they lie outside it.
    """
    scored = [r for r in board.rows if r.score.mean is not None]
    known = [r for r in scored if not r.contender.deterministic] or scored
    ends = [x for r in known for x in (r.score.low, r.score.high, r.score.mean) if x is not None]
    if not ends:
        return {}
    low, wide = min(ends), (max(ends) - min(ends)) or 1.0

    def at(x: float | None) -> float:
        return round(2 + 96 * ((low if x is None else x) - low) / wide, 1)

    found = {r.name: Whisker(at(r.score.low), at(r.score.mean), at(r.score.high)) for r in scored}
    return {name: w for name, w in found.items() if w.low >= 0 and w.high <= 100}


# --- confusion -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One cell of a heat map: its place, how dark it is, and what it says. Mistakes darken by their share's root."""

    x: float
    y: float
    opacity: float
    text: str
    title: str
    right: bool


@dataclass(frozen=True)
class HeatMap:
    """True classes down, answers across; shares of each true class. The last column may be "no one class"."""

    rows: tuple[tuple[float, str], ...]
    columns: tuple[tuple[float, str], ...]
    cells: tuple[Cell, ...]
    size: float
    left: float
    top: float
    width: float
    height: float
    alt: str
    labelled: bool
    spread: float


@dataclass(frozen=True)
class Confusion:
    """One group's confusions of one contender: a heat map of a choice, and the most frequent mistakes in words."""

    group: str
    contender: str
    heat: HeatMap | None
    mistakes: tuple[tuple[str, str, int, str], ...]
    """(true, answered, images, share of the true class) where all cells are known, most frequent first."""
    by_class: tuple[tuple[str, int, str, str, str], ...]
    """For a multilabel: class, positives, precision, recall, F1."""


def confusion(entry: Mapping[str, Any], contender: str, names: int) -> Confusion:
    """The figure of one contender of `Results.confusions`; at most `names` mistakes are listed."""
    found = entry["contenders"][contender]
    classes, cells = [str(c) for c in entry["classes"]], found["cells"]
    if entry["kind"] == "multilabel":
        return Confusion(str(entry["title"]), contender, None, (), tuple(_by_class(classes, row) for row in cells))
    answers = [*classes, "no one class"]
    total: dict[int, int] = {}
    for t, _, n in cells:
        total[t] = total.get(t, 0) + n
    wrong = sorted((c for c in cells if c[0] != c[1]), key=lambda c: (-c[2], c[0], c[1]))[:names]
    mistakes = tuple(
        (classes[t], answers[y], int(n), "" if found["cut"] else f"{100 * n / total[t]:.1f} %") for t, y, n in wrong
    )
    heat = None if found["cut"] else _heat(str(entry["title"]), classes, answers, cells, total, mistakes)
    return Confusion(str(entry["title"]), contender, heat, mistakes, ())


def _by_class(classes: Sequence[str], row: Sequence[int]) -> tuple[str, int, str, str, str]:
    i, tp, fp, fn, _ = row

    def ratio(a: int, b: int) -> str:
        return number(a / b if b else None)

    return classes[i], tp + fn, ratio(tp, tp + fp), ratio(tp, tp + fn), ratio(2 * tp, 2 * tp + fp + fn)


def _heat(
    title: str,
    classes: Sequence[str],
    answers: Sequence[str],
    cells: Sequence[Sequence[int]],
    total: Mapping[int, int],
    mistakes: Sequence[tuple[str, str, int, str]],
) -> HeatMap:
    c = len(classes)
    torn = any(y == c for _, y, _ in cells)
    wide = c + torn
    size = 34.0 if c <= 12 else 28.0 if c <= NUMBERED else 15.0 if c <= 45 else 10.5
    letter = 7.4 if c <= NUMBERED else 5.6
    left = round(8 + letter * max(len(_short(n)) for n in classes), 1)
    top = round(8 + letter * max(len(_short(n)) for n in answers[:wide]), 1)
    made = []
    for t, y, n in cells:
        share = n / total[t]
        said = f"{classes[t]} → {answers[y]}: {100 * share:.1f} %"
        text = _percent(share) if c <= NUMBERED else ""
        dark = round(max(0.08, share if t == y else share**0.5), 2)
        made.append(Cell(round(left + y * size, 1), round(top + t * size, 1), dark, text, said, t == y))
    worst = "; ".join(f"{t} answered as {y} {share}" for t, y, _, share in mistakes[:3])
    alt = f"Confusion matrix of {lower_first(title)}, {c} classes, shares of each true class."
    return HeatMap(
        tuple((top + (i + 0.5) * size, _short(n)) for i, n in enumerate(classes)),
        tuple((left + (i + 0.5) * size, _short(n)) for i, n in enumerate(answers[:wide])),
        tuple(made),
        size,
        left,
        top,
        round(left + wide * size + 2, 1),
        round(top + c * size + 2, 1),
        f"{alt} Most frequent: {worst}." if worst else f"{alt} No mistakes.",
        c <= NUMBERED,
        round(wide * size, 1),
    )


def _percent(share: float) -> str:
    """A share in %, never rounded to none or all."""
    whole = f"{100 * share:.0f}"
    return f"{100 * share:.1f}" if whole in ("0", "100") and share < 1 else whole


def _short(name: str) -> str:
    return name if len(name) <= 22 else name[:21] + "…"
