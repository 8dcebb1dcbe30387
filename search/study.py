"""A study as plain, checked data. `search.study_file` reads it from YAML; everything after reads this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..dsl.ontology import Ontology
from ..plugins.contracts import Dataset, ImageSpec
from ..plugins.hyperparameters import Domain
from ..plugins.registry import Registry


@dataclass(frozen=True, slots=True)
class Binding:
    """How one group's evidence is read from columns. Exactly one of `column`, `path`, `pattern` is used.

    `column`: one column, with optional `values` (raw value → annotation). `path`: columns coarse to fine; the deepest
    non-missing one is the annotation, the ones above must agree. `pattern`: a regular expression over `column` whose
    named group `capture` is the annotation.
    """

    group: str
    column: str | None = None
    values: Mapping[str, Any] | None = None
    path: tuple[str, ...] = ()
    pattern: str | None = None
    capture: str | None = None
    where: str = "data.bind"


@dataclass(frozen=True, slots=True)
class SplitSpec:
    """`test` and `validation`: "official" or a fraction in (0, 1); or all from a `column` of train/validation/test."""

    test: Literal["official"] | float = "official"
    validation: Literal["official"] | float = 0.1
    stratify: tuple[str, ...] | None = None
    group: str | None = None
    duplicates: Literal["drop", "keep"] = "drop"
    column: str | None = None


BadPolicy = Literal["error", "drop"]


@dataclass(frozen=True, slots=True)
class BadSpec:
    """What to do with unreadable images, unknown values and records that no legal world satisfies."""

    unreadable: BadPolicy = "error"
    unknown_value: BadPolicy = "error"
    illegal: BadPolicy = "error"


@dataclass(frozen=True)
class DataSpec:
    """The `data:` part."""

    source: str
    dataset: Dataset
    image: ImageSpec = field(default_factory=ImageSpec)
    bind: tuple[Binding, ...] = ()
    missing: tuple[str, ...] = ("", "?")
    unlisted: Literal["no", "unknown"] | None = None
    split: SplitSpec = SplitSpec()
    bad: BadSpec = BadSpec()


@dataclass(frozen=True)
class StudyData:
    """The data part of a study, read alone. `ontology_file` is None where the study names none; it need not exist."""

    file: Path
    ontology_file: Path | None
    data: DataSpec

    @property
    def base(self) -> Path:
        """The folder of the study file: relative paths start there."""
        return self.file.parent


@dataclass(frozen=True, slots=True)
class Objective:
    """What search maximises on validation, after decoding. None: the mean over groups of each one's headline metric."""

    metric: str | None = None
    of: str | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """Per contender. `seconds` is a stop; None: no limit."""

    trials: int = 16
    epochs: int = 15
    seconds: float | None = None


Value = Any
"""A fixed value of a hyperparameter."""


@dataclass(frozen=True)
class Space:
    """What a search may choose: kind → plugin → field → a `Domain` to search or a fixed value.

    Kinds "backbone", "head" and "optimizer" choose one of their plugins (a conditional space); "augment" applies all
    of its plugins; `train` holds the training settings (batch_size, label_smoothing …) as one flat mapping.
    `defaults` says where a search starts: by parameter name ("backbone.lenet.width"), for every searched field.
    """

    plugins: Mapping[str, Mapping[str, Mapping[str, Domain | Value]]]
    train: Mapping[str, Domain | Value]
    defaults: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class SearchSpec:
    """The `search:` part."""

    space: Space
    sampler: Literal["tpe", "random"] = "tpe"
    pruner: Literal["halving", "hyperband", "median", "none"] = "halving"
    repeats: int = 1
    budget: Budget = Budget()


@dataclass(frozen=True, slots=True)
class FinalSpec:
    """Retraining of each contender's best configuration."""

    seeds: int = 3
    train_on: Literal["train", "train+validation"] = "train"
    epochs: Literal["best"] | int = "best"


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """What is written, the level of the intervals, and the half-width of practical equivalence."""

    formats: tuple[str, ...] = ("html", "markdown")
    confidence: float = 0.95
    rope: float = 0.01


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Where and how trials run."""

    device: str = "auto"
    workers: int | Literal["auto"] = "auto"
    population: int | Literal["auto"] = "auto"
    trial_seconds: float = 300.0


@dataclass(frozen=True)
class Study:
    """A whole study. `resolved` is every key of the file with its final value, `--set` applied, as plain data;
    `ontology_sources` all files that its ontology was read from, the ontology's own first.
    """

    name: str
    file: Path
    ontology_file: Path
    ontology: Ontology
    registry: Registry
    data: DataSpec
    search: SearchSpec
    seed: int = 0
    objective: Objective = Objective()
    compare: tuple[str, ...] = ("backbone",)
    final: FinalSpec = FinalSpec()
    decoder: str = "best-world"
    baselines: tuple[str, ...] = ("prior", "flat-risk")
    report: ReportSpec = ReportSpec()
    run: RunSpec = RunSpec()
    plugin_files: tuple[Path, ...] = ()
    ontology_sources: tuple[Path, ...] = ()
    resolved: Mapping[str, Any] | None = None

    @property
    def base(self) -> Path:
        """The folder of the study file: relative paths start there."""
        return self.file.parent


Configuration = dict[str, Any]
"""One point of a space, as JSON: {"backbone": {"name": …, "fields": {…}}, "head": …, "optimizer": …, "augment":
{NAME: {…}}, "train": {"batch_size": 64, …}, "decoder": NAME}."""


@dataclass(frozen=True)
class Contender:
    """One row of the board: a name and the part of the space it searches."""

    name: str
    space: Space
    decoder: str
    baseline: bool = False
