"""The metrics of one ontology in the order of the leaderboard, and the one that search maximises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...dsl.ontology import Group, Kind, Ontology
from ...dsl.tables import Bools
from ...errors import did_you_mean, fail
from ..contracts import Metric, Predictions, Score, Summands
from ..registry import Registry, installed, load
from .answers import n_levels

Floats = NDArray[np.float64]

HEADLINE = "headline"
"""The name of the mean over groups of each one's headline metric."""

ORDER = ("accuracy", "average-precision", "balanced-accuracy", "macro-f1", "quadratic-kappa", "mean-level-error")
"""The order of metrics within a group; others follow by name."""


@dataclass(frozen=True)
class BoardMetric:
    """One column of the board: a metric of one group, one level or the whole ontology.

    `name` is "GROUP.METRIC", "GROUP.level-K.METRIC" or "METRIC".
    """

    name: str
    metric: Metric
    group: Group | None = None
    level: int | None = None

    @property
    def better(self) -> str:
        """Which way is up: "higher" or "lower"."""
        return self.metric.better

    @property
    def scope(self) -> str:
        """What it scores: "group", "level" or "ontology"."""
        return "level" if self.level is not None else self.metric.scope

    @property
    def title(self) -> str:
        """What people read, such as "Accuracy of Digit at level 1"."""
        of = "" if self.group is None else f" of {self.group.name}"
        at = "" if self.level is None else f" at level {self.level}"
        return f"{self.metric.title}{of}{at}"

    def score(self, p: Predictions) -> Score:
        """The metric on these predictions."""
        return self.metric.score(p, self.group, self.level)

    def describe(self) -> dict[str, Any]:
        """Plain data for `results.json`."""
        return {
            "title": self.title,
            "short": self.metric.title,
            "better": self.better,
            "scope": self.scope,
            "group": None if self.group is None else self.group.path,
            "group_title": None if self.group is None else self.group.name,
            "level": self.level,
        }


@dataclass(frozen=True)
class Headline(Metric):
    """The mean over groups of each one's headline metric; groups that no image decides are left out."""

    name = HEADLINE
    title = "Mean over groups"
    better = "higher"
    scope = "ontology"
    parts: tuple[BoardMetric, ...] = ()

    def score(self, p: Predictions, group: Group | None, level: int | None) -> Score:
        """The parts' scores, averaged; as one set of sums where each part is one."""
        scores = tuple(m.score(p) for m in self.parts)
        decided: Bools = np.any([s.decided for s in scores], axis=0)
        sums = [s for s in scores if isinstance(s, Summands) and isinstance(s.values, np.ndarray)]
        if len(sums) < len(scores):
            return _Mean(scores, decided)
        ends = np.cumsum([s.values.shape[1] for s in sums])[:-1]

        def finish(total: Floats) -> Floats:
            return _mean_of_known([s.finish(x) for s, x in zip(sums, np.split(total, ends, axis=1), strict=True)])

        return Summands(np.concatenate([s.values for s in sums], 1), decided, finish)


@dataclass(frozen=True)
class _Mean(Score):
    scores: tuple[Score, ...]
    decided: Bools

    def under(self, weights: Floats) -> Floats:
        with np.errstate(invalid="ignore"):  # 0 / 0 is nan: no group is decided
            return _mean_of_known([s.under(weights) for s in self.scores])


def _mean_of_known(values: Sequence[Floats]) -> Floats:
    """The mean over the values [k, W] that are not nan; nan where none is."""
    table = np.stack(values)
    known = ~np.isnan(table)
    mean: Floats = np.where(known, table, 0.0).sum(0) / known.sum(0)
    return mean


def headline_metric(group: Group) -> str:
    """The name of a group's headline metric: average precision for a multilabel, else accuracy."""
    return "average-precision" if group.kind is Kind.MULTILABEL else "accuracy"


def board(ontology: Ontology, registry: Registry | None = None) -> tuple[BoardMetric, ...]:
    """Every metric of an ontology, in board order: headlines, whole worlds, then the rest group by group.

    Args:
        registry: where metrics come from; the installed plugins by default. One that can't be imported has no column.
    """
    registry = registry or installed()
    loaded = (load(registry.entries["metric", name]).plugin for name in registry.names("metric"))
    metrics = [plugin() for plugin in loaded if plugin is not None and issubclass(plugin, Metric)]
    metrics.sort(key=lambda m: (ORDER.index(m.name) if m.name in ORDER else len(ORDER), m.name))
    worlds = tuple(BoardMetric(m.name, m) for m in metrics if m.scope == "ontology" and m.applies(ontology, None))
    rows = [row for g in ontology.groups for row in _group_rows(ontology, g, metrics)]
    heads = tuple(r for r in rows if r.group and r.level is None and r.metric.name == headline_metric(r.group))
    rest = tuple(r for r in rows if r not in heads)
    mean = (BoardMetric(HEADLINE, Headline(heads)),) if len(heads) > 1 else ()
    return mean + heads + worlds + rest


def _group_rows(ontology: Ontology, group: Group, metrics: Sequence[Metric]) -> list[BoardMetric]:
    rows = []
    for m in (m for m in metrics if m.scope == "group" and m.applies(ontology, group)):
        rows.append(BoardMetric(f"{group.path}.{m.name}", m, group))
        if m.levels and group.kind is Kind.HIERARCHY and n_levels(ontology, group) > 1:
            levels = range(1, n_levels(ontology, group) + 1)
            rows += [BoardMetric(f"{group.path}.level-{k}.{m.name}", m, group, k) for k in levels]
    return rows


def evaluate_board(p: Predictions, metrics: Sequence[BoardMetric] | None = None) -> dict[str, float | None]:
    """Each metric of the board by name; None where it is not available or no image decides it."""
    found = {}
    for m in board(p.ontology) if metrics is None else metrics:
        value = m.score(p).value()
        found[m.name] = None if np.isnan(value) else value
    return found


def ranking_metric(
    metric: str | None, of: str | None, ontology: Ontology, registry: Registry | None = None
) -> BoardMetric:
    """The board's metric that a study's `objective: {metric, of}` names; the first of the board where it names none.

    `of` is a group's path, id or title; `metric` may be of a level, such as "level-1.accuracy".

    Raises:
        LinnaeusError: E330 no such group, E331 no such metric there, E332 a metric of groups without `of`.
    """
    rows = board(ontology, registry)
    if metric is None and of is None:
        return rows[0]
    by_name = {r.name: r for r in rows}
    if of is None:
        if metric in by_name:
            return by_name[metric]
        owners = [r for r in rows if r.group and r.name == f"{r.group.path}.{metric}"]
        if len(owners) == 1:
            return owners[0]
        if owners:
            groups = ", ".join(r.group.path for r in owners if r.group)
            raise fail("E332", f"{metric} scores one group", where="objective.of", help=f"name one of {groups}")
        raise fail("E331", f"there is no metric {metric!r}", where="objective.metric", help=_near(metric, rows))
    group = _group(of, ontology)
    name = f"{group.path}.{metric or headline_metric(group)}"
    if name not in by_name:
        own = [r.name.removeprefix(f"{group.path}.") for r in rows if r.group == group]
        step = did_you_mean(str(metric), own, plural=f"metrics of {group.path}")
        raise fail("E331", f"{group.path} ({group.kind}) has no metric {metric!r}", where="objective.metric", help=step)
    return by_name[name]


def _near(metric: str | None, rows: Sequence[BoardMetric]) -> str:
    return did_you_mean(str(metric), sorted({r.metric.name for r in rows}), plural="metrics")


def _group(of: str, ontology: Ontology) -> Group:
    for key in ("path", "id", "title"):
        found = [g for g in ontology.groups if getattr(g, key) == of]
        if len(found) == 1:
            return found[0]
    step = did_you_mean(of, [g.path for g in ontology.groups], plural="groups")
    raise fail("E330", f"there is no one group {of!r}", where="objective.of", help=step)


def objective(
    metric: str | None, of: str | None, ontology: Ontology, registry: Registry | None = None
) -> tuple[str, Callable[[Predictions], float]]:
    """What search maximises: the metric's name and its value, negated where lower is better.

    The value is nan where no image decides it. `ranking_metric` gives the direction as `better`.
    """
    row = ranking_metric(metric, of, ontology, registry)
    sign = 1.0 if row.better == "higher" else -1.0
    return row.name, lambda p: sign * row.score(p).value()
