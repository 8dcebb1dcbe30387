"""The leaderboard as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io

from ..search.results import Interval, Results
from .leaderboard import Leaderboard, finding, interval_text, leaderboard, number, seconds

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": "$-$", "–": "--", "<": r"\textless{}",
    ">": r"\textgreater{}",
}  # fmt: skip


def render_csv(results: Results) -> str:
    """One line a contender, full precision: rank, then mean, ends and n of every metric; empty where n/a."""
    board = leaderboard(results)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    head = ["place", "contender", "baseline", "rank_low", "rank_high", "letters", "retrainings", "parameters"]
    head += ["train_seconds", *board.rows[0].guarantees] if board.rows else []
    ends = [f"{m}{end}" for m in board.metrics for end in ("", ".low", ".high", ".n")]
    writer.writerow([*head, *ends, "notes"])
    for r in board.rows:
        rank = r.contender.rank or {}
        cells = [x for m in board.metrics for x in _cells(r.cells[m])]
        place = "" if r.failed else r.place
        start = [
            place,
            r.name,
            str(r.baseline).lower(),
            rank.get("low"),
            rank.get("high"),
            r.letters,
            r.seeds,
            r.parameters,
        ]
        writer.writerow([*start, r.train_seconds, *r.guarantees.values(), *cells, "; ".join(r.notes)])
    return out.getvalue()


def _cells(i: Interval) -> list[float | int | None]:
    return [i.mean, i.low, i.high, i.n]


def render_markdown(results: Results) -> str:
    """A page for a repository or a pull request."""
    board = leaderboard(results)
    parts = [f"# {_md(board.title)}", _md(" ".join(board.sentences)), "## Leaderboard", _board_table(board)]
    notes = [f"- {_md(r.name)}: {_md(note)}" for r in board.rows for note in r.notes]
    parts += ["\n".join(notes)] if notes else []
    parts += [_explained(board), "## Metrics", _metrics_table(board)]
    if results.comparisons:
        parts += ["## Comparisons", _comparisons_table(results)]
    if results.reproduce:
        parts += ["## Run a row again", "\n".join(f"- {_md(n)}: `{c}`" for n, c in results.reproduce.items())]
    opened = [
        f"- {_md(str(o.get('when', '')))} {_md(str(o.get('by', '')))}: opening {o.get('count', '?')}"
        for o in results.test_opened
    ]
    parts += ["## Openings of the test split", "\n".join(opened)] if opened else []
    return "\n\n".join(parts) + "\n"


def _explained(board: Leaderboard) -> str:
    percent = f"{100 * board.confidence:g} %"
    return (
        f"Intervals and ranks: {percent}, hierarchical bootstrap over retrainings and test images. Contenders that "
        "share a letter are not separated (paired, Holm-corrected); that never means equal. "
        f"Equivalent: within ±{board.rope:g}."
    )


def _board_table(board: Leaderboard) -> str:
    titles = [board.metrics[m]["title"] for m in board.columns]
    head = ["Rank", "Contender", board.ranked_by, "Interval", "Letters", *titles, "Retrainings", "Train"]
    rows = [
        [r.rank, r.name + (" (baseline)" if r.baseline else ""), number(r.score.mean), interval_text(r.score),
         r.letters, *(number(r.cells[m].mean) for m in board.columns), r.seeds, seconds(r.train_seconds)]
        for r in board.rows
    ]  # fmt: skip
    return _table(head, rows, {0, 1, 4, len(head) - 2})


def _metrics_table(board: Leaderboard) -> str:
    rows = []
    for name, about in board.metrics.items():
        n = max((r.cells[name].n for r in board.rows), default=0)
        rows.append([about["title"], str(n), *(number(r.cells[name].mean) for r in board.rows)])
    return _table(["Metric", "n", *(r.name for r in board.rows)], rows, {0})


def _comparisons_table(results: Results) -> str:
    rows = [
        [finding(r), number(r["difference"]), f"[{number(r['low'])}, {number(r['high'])}]", number(r["p_holm"])]
        for r in results.comparisons
    ]
    return _table(["Finding", "Difference", "Interval", "p (Holm)"], rows, {0})


def _table(head: list[str], rows: list[list[str]], left: set[int]) -> str:
    rule = [":--" if i in left else "--:" for i in range(len(head))]
    return "\n".join(
        f"| {' | '.join(row)} |" for row in [[_md(h) for h in head], rule, *([_md(c) for c in r] for r in rows)]
    )


def _md(text: str) -> str:
    """Text that Markdown and the HTML in it leave alone."""
    for char in "\\`*_|":
        text = text.replace(char, f"\\{char}")
    return text.replace("&", "&amp;").replace("<", "&lt;")


def render_latex(results: Results) -> str:
    """A booktabs table, to \\input."""
    board = leaderboard(results)
    titles = [board.ranked_by, *(board.metrics[m]["title"] for m in board.columns)]
    lines = [
        "% needs \\usepackage{booktabs}",
        "\\begin{tabular}{l" + "r" * (len(titles) + 1) + "l}",
        "\\toprule",
        " & ".join(_tex(t) for t in ["Contender", *titles, "Rank", ""]) + r" \\",
        "\\midrule",
    ]
    for r in board.rows:
        score = f"{_tex(number(r.score.mean))} {{\\footnotesize {_tex(interval_text(r.score))}}}"
        cells = [_tex(number(r.cells[m].mean)) for m in board.columns]
        name = _tex(r.name) + (r" (baseline)" if r.baseline else "")
        lines.append(" & ".join([name, score, *cells, _tex(r.rank), f"\\textsuperscript{{{r.letters}}}"]) + r" \\")
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}", ""])


def _tex(text: str) -> str:
    return "".join(_LATEX.get(char, char) for char in text)
