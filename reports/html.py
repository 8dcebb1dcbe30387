"""The report as one HTML file: no network, no script, readable on paper and in the dark."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..search.results import ContenderResult, Results
from . import figures
from .leaderboard import Leaderboard, amount, finding, interval_text, leaderboard, listed, mean_of, number, seconds

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
LISTED = 20
"""How many items of a long list a report prints; `results.json` has them all."""
MISTAKES = 8
"""How many mistakes stand beside a heat map."""
SIDE_BY_SIDE = 20
"""Up to this many classes, every contender's confusion is drawn; beyond, the first one's."""


@lru_cache(maxsize=1)
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "number": number, "interval": interval_text, "amount": amount, "seconds": seconds, "finding": finding,
        "words": words, "listed": listed,
    }  # fmt: skip
    return env


def render_html(results: Results) -> str:
    """The whole report as one self-contained page."""
    board = leaderboard(results)
    order = [r.contender for r in board.rows]
    return _environment().get_template("report.html.j2").render(
        results=results,
        board=board,
        css=_css(),
        percent=f"{100 * board.confidence:g} %",
        whiskers=figures.whiskers(board),
        groups=metric_groups(board),
        confusions=_confusions(results, board),
        searches=figures.search_charts(order),
        learning=figures.learning_charts(order),
        costs={r.name: _costs(r.contender) for r in board.rows},
        failures=_failures(results),
        data={k: v for k, v in results.data.items() if k != "classes"},
        classes=results.data.get("classes") or {},
        study={k: v for k, v in results.study.items() if k not in ("text", "resolved")},
        limit=LISTED,
        series=figures.SERIES,
    )  # fmt: skip


def render_leaderboard(results: Results) -> str:
    """The leaderboard alone, as an HTML fragment for notebooks."""
    board = leaderboard(results)
    template = _environment().get_template("fragment.html.j2")
    return template.render(
        board=board, css=_css(), whiskers=figures.whiskers(board), percent=f"{100 * board.confidence:g} %"
    )


def _css() -> Any:
    from markupsafe import Markup

    return Markup((TEMPLATES / "report.css").read_text(encoding="utf-8"))  # our own file


def metric_groups(board: Leaderboard) -> list[tuple[str, list[tuple[str, str, int]]]]:
    """Metrics by heading, each (name, title, n): whole worlds first, then group by group with its levels."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for name, about in board.metrics.items():
        heading = "Whole ontology" if about["group"] is None else str(about.get("group_title") or about["group"])
        title = str(about.get("short") or about["title"])
        if about["level"] is not None:
            title += f", level {about['level']}"
        n = max((r.cells[name].n for r in board.rows), default=0)
        found.setdefault(heading, []).append((name, title, n))
    return list(found.items())


def _confusions(results: Results, board: Leaderboard) -> list[list[figures.Confusion]]:
    """By group: the first contender's, then the others' where there are few classes."""
    ordered = []
    for entry in results.confusions.values():
        names = [r.name for r in board.rows if r.name in entry["contenders"]]
        if len(entry["classes"]) > SIDE_BY_SIDE:
            names = names[:1]
        ordered.append(
            [figures.confusion(entry, name, LISTED if entry["contenders"][name]["cut"] else MISTAKES) for name in names]
        )
    return [group for group in ordered if group]


def _failures(results: Results) -> list[tuple[str, str, str, str]]:
    """(contender, where, state, cause) of every trial and retraining that failed."""
    return [
        (
            c.name,
            f"trial {f['trial']}" if "trial" in f else f"retraining, seed {f['seed']}",
            f["state"],
            f["cause"] or "",
        )
        for c in results.contenders
        for f in c.failures
    ]


COSTS = ("parameters", "macs", "compile_seconds", "train_seconds", "evaluate_seconds", "peak_memory_bytes")


def _costs(c: ContenderResult) -> dict[str, float | None]:
    """Each cost, averaged over the retrainings that ended."""
    return {k: mean_of([s.costs.get(k) for s in c.seeds if s.state == "complete"]) for k in COSTS}


def words(key: Any) -> str:
    """A key of the results as a reader's word."""
    return str(key).replace("_", " ")
