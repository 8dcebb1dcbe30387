"""Reports as pure views: complete, self-contained, and safe with any text."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from linnaeus.errors import LinnaeusError
from linnaeus.reports.figures import nice_ticks
from linnaeus.reports.html import render_html, render_leaderboard
from linnaeus.reports.leaderboard import amount, as_text, leaderboard, number, seconds
from linnaeus.reports.statistics import summarise
from linnaeus.reports.text import render_csv, render_latex, render_markdown
from linnaeus.reports.write import write_reports
from linnaeus.search.results import Results, load, save

VOID = {"meta", "br", "line", "circle", "rect", "polyline"}
Make = Callable[..., tuple[Results, Any]]


class Page(HTMLParser):
    """Checks that tags close, and gathers texts, tables and outward links."""

    def __init__(self, source: str):
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.count: dict[str, int] = {}
        self.feed(source)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1
        self.links += [str(v) for k, v in attrs if k in ("src", "href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] = self.count.get(tag, 0) + 1

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory, make_run_once: Make) -> Results:
    run = tmp_path_factory.mktemp("run")
    made, ontology = make_run_once(run, n=150, marks=True)
    return summarise(made, run, ontology, draws=150)


def test_the_page_is_whole_and_needs_nothing_else(results: Results) -> None:
    source = render_html(results)
    page = Page(source)
    assert len(source.encode()) < 1_000_000
    assert page.links == []
    assert "script" not in page.count
    assert not re.search(r"https?://|url\(|@import", source)
    assert page.count["caption"] == page.count["table"]
    for heading in ("Leaderboard", "Confusions", "Costs", "Failures", "Data", "Run a row again", "Openings"):
        assert heading in page.text
    for c in results.contenders:
        assert results.reproduce[c.name] in page.text
    assert "&lt;b&gt;dot&lt;/b&gt;" in source
    assert "<b>dot" not in source
    assert "n/a" in page.text
    assert results.data["notes"][0] in page.text
    assert re.search(r"fragile\s+retraining, seed 0\s+nan\s+the loss was not finite in epoch 2", page.text)
    assert re.search(r"lenet\s+trial \d+\s+timeout\s+over 300 s", page.text)


def test_the_page_survives_hostile_names(results: Results, tmp_path: Path) -> None:
    save(results, tmp_path)
    hostile = load(tmp_path)
    evil = '"><script>alert(1)</script>'
    hostile.contenders[0].name = hostile.study["name"] = evil
    hostile.confusions["digit"]["classes"][0] = evil
    hostile.confusions["digit"]["contenders"][evil] = hostile.confusions["digit"]["contenders"]["lenet"]
    hostile.data["notes"] = [evil]
    assert "<script" not in render_html(hostile)
    assert "<script" not in render_leaderboard(hostile)
    assert "<script" not in render_markdown(hostile)


def test_a_page_of_many_classes_stays_small(make_run_once: Make, tmp_path: Path) -> None:
    for classes in (81, 130):
        made, ontology = make_run_once(tmp_path / str(classes), n=400, classes=classes, seeds=1)
        source = render_html(summarise(made, tmp_path / str(classes), ontology, draws=50))
        assert len(Page(source).text) < len(source) < 1_000_000
        assert ("Class 80</text>" in source) == (classes == 81)  # beyond a hundred, mistakes are listed instead


def test_a_page_without_any_success(results: Results, tmp_path: Path) -> None:
    save(results, tmp_path)
    bare = load(tmp_path)
    bare.contenders = [c for c in bare.contenders if c.name == "fragile"]
    bare.comparisons, bare.confusions = [], {}
    assert "every one failed" in Page(render_html(bare)).text
    for render in (render_csv, render_markdown, render_latex, as_text):
        assert "fragile" in render(bare)


def test_rows_come_best_first_and_failures_last(results: Results) -> None:
    board = leaderboard(results)
    means = [r.score.mean for r in board.rows if not r.failed]
    assert means == sorted(means, reverse=True)
    assert board.rows[-1].name == "fragile"
    assert board.rows[-1].place == "–"
    assert board.rows[0].name in board.sentences[0]
    assert {r.name for r in board.rows if r.baseline} == {"prior", "flat-risk"}


def test_csv_holds_every_metric_in_full(results: Results) -> None:
    rows = list(csv.DictReader(io.StringIO(render_csv(results))))
    assert len(rows) == len(results.contenders)
    by_name = {c.name: c for c in results.contenders}
    for row in rows:
        for metric in results.metrics:
            mean = by_name[row["contender"]].metrics.get(metric)
            assert row[metric] == ("" if mean is None or mean.mean is None else str(mean.mean))


def test_markdown_tables_are_rectangular(results: Results) -> None:
    text = render_markdown(results)
    for table in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    assert "&lt;b>dot" not in text
    assert "# Handwritten digits" in text


def test_latex_is_escaped_and_rectangular(results: Results) -> None:
    results.contenders[0].name = "a_b&c"
    text = render_latex(results)
    results.contenders[0].name = "lenet"
    assert r"a\_b\&c" in text
    body = text.split("\\midrule")[1].split("\\bottomrule")[0].strip().splitlines()
    assert len({len(re.findall(r"(?<!\\)&", line)) for line in body}) == 1


def test_all_formats_are_written(results: Results, tmp_path: Path) -> None:
    files = write_reports(results, tmp_path / "report", ["html", "latex", "csv", "markdown"])
    assert [f.name for f in files] == ["index.html", "leaderboard.tex", "leaderboard.csv", "report.md"]
    assert all(f.stat().st_size > 500 for f in files)
    with pytest.raises(LinnaeusError, match="did you mean 'html'"):
        write_reports(results, tmp_path, ["htm"])
    (tmp_path / "file").write_text("")
    with pytest.raises(LinnaeusError, match="E621"):
        write_reports(results, tmp_path / "file", ["csv"])


def test_numbers_read_well() -> None:
    assert [number(x) for x in (0.98765, -0.0001, -1.5, None)] == ["0.988", "0.000", "−1.500", "n/a"]
    assert [amount(x) for x in (512.0, 61706.0, 3.1e8, None)] == ["512", "61.7 k", "310 M", "n/a"]
    assert [seconds(x) for x in (0.123, 42.0, 600.0, 7200.0)] == ["0.12 s", "42 s", "10 min", "2.0 h"]
    assert nice_ticks(0.0, 1.0) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert nice_ticks(3.0, 3.0) == [3.0]
