"""From what a run left on disk to `Results`. Intervals, ranks and comparisons are the reports' business."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ..plugins.contracts import Head, Plugin
from ..plugins.metrics.board import board, ranking_metric
from .environment import code_hash
from .reproduce import commands
from .results import ContenderResult, Results, SearchResult, SeedResult
from .run_folder import specification_text
from .study import Contender, Study
from .suitability import notes
from .supervisor import Selected

NOT_FAILURES = ("complete", "pruned", "stopped")


@dataclass
class Row:
    """What is known of one contender when all is done. `contender` is None for the prior, which searches nothing."""

    name: str
    contender: Contender | None = None
    search: SearchResult | None = None
    selected: Selected | None = None
    seeds: list[SeedResult] = field(default_factory=list)


def assemble(
    study: Study,
    rows: list[Row],
    *,
    identity: dict[str, Any],
    data: dict[str, Any],
    test_opened: list[dict[str, Any]],
    environment: dict[str, Any],
) -> Results:
    """Results without intervals and ranks.

    Args:
        identity: of the run folder.
        data: the data report.
        environment: versions and device.
    """
    rank_by = ranking_metric(study.objective.metric, study.objective.of, study.ontology, study.registry)
    searched = [(row.contender, row.search) for row in rows if row.contender is not None and row.search is not None]
    return Results(
        study=_study(study, identity),
        ontology=dict(identity["ontology"]),
        data=data,
        contenders=[_contender(study, row) for row in rows],
        metrics={m.name: m.describe() for m in board(study.ontology, study.registry)},
        objective=rank_by.name,
        test_opened=test_opened,
        environment=environment | {"code": code_hash()},
        reproduce=commands(study, searched, study.baselines),
        report=report_part(study),
    )


def report_part(study: Study) -> dict[str, Any]:
    """What the reports need to know of the study."""
    return {**asdict(study.report), "formats": list(study.report.formats)}


def _study(study: Study, identity: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": study.name,
        "file": study.file.name,
        "hash": identity["study"],
        "run": identity["id"],
        "seed": study.seed,
        "compare": list(study.compare),
        "plugins": identity["plugins"],
        "budget": asdict(study.search.budget),
        "final": asdict(study.final),
        "repeats": study.search.repeats,
        "resolved": dict(study.resolved or {}),
        "text": specification_text(study),
        "notes": notes(study),
    }


def _contender(study: Study, row: Row) -> ContenderResult:
    return ContenderResult(
        name=row.name,
        configuration=row.selected.configuration if row.selected else None,
        search=row.search,
        seeds=row.seeds,
        baseline=row.contender is None or row.contender.baseline,
        deterministic=row.contender is None,
        guarantees=_guarantees(study, row),
        failures=_failures(row),
        note=_note(study, row),
    )


def _guarantees(study: Study, row: Row) -> dict[str, bool]:
    if row.contender is not None and row.selected is None:
        return {}
    name = row.selected.configuration["head"]["name"] if row.selected else "flat"  # the prior is one, with fixed scores
    kind: type[Plugin] = Head  # the annotation, because an abstract class is meant
    head = study.registry.get(kind, name)
    return {flag: bool(getattr(head, flag)) for flag in ("normalised", "coherent", "obeys_rules")}


def _failures(row: Row) -> list[dict[str, Any]]:
    trials = row.search.rows if row.search else []
    found = [
        {"trial": t["number"], "state": t["state"], "cause": t["cause"]}
        for t in trials
        if t["state"] not in NOT_FAILURES
    ]
    return found + [
        {"seed": s.seed, "state": s.state, "cause": s.cause} for s in row.seeds if s.state not in NOT_FAILURES
    ]


def _note(study: Study, row: Row) -> str | None:
    if row.contender is None:
        return "one distribution fitted to the training labels; no image is looked at"
    notes = []
    if row.selected is None:
        notes.append("no trial ended with a value, so there is nothing to test")
    elif not row.seeds or all(s.state != "complete" for s in row.seeds):
        notes.append("every retraining failed")
    if row.search is not None and row.search.trials < study.search.budget.trials:
        notes.append(
            f"stopped by search.budget.seconds after {row.search.trials} of {study.search.budget.trials} trials"
        )
    if study.final.train_on == "train+validation" and row.selected is not None:
        notes.append("retrained on train+validation with the epochs chosen on validation")
    return "; ".join(notes) or None
