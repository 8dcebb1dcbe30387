"""A study's folder with an ontology, and a registry of small plugins in place of the installed ones."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from linnaeus.plugins.registry import Registry, with_files
from linnaeus.search import study_file

PLUGINS = """
from dataclasses import dataclass
from linnaeus.plugins.contracts import Augmentation, Backbone, Dataset, Decoder, Head, Metric, Optimizer
from linnaeus.plugins.hyperparameters import Choices, Range, option, static, traced

@dataclass(frozen=True)
class Linear(Backbone):
    name = "linear"
    def build(self, shape, rngs): ...

@dataclass(frozen=True)
class Mlp(Backbone):
    name = "mlp"
    units: tuple[int, ...] = static((64,), "units of each layer")
    def build(self, shape, rngs): ...

@dataclass(frozen=True)
class LeNet(Backbone):
    name = "lenet"
    width: int = static(16, "channels", search=(8, 16, 32), legal=Range(1, 512))
    stem: str = static("small", "the first layers", legal=Choices(("small", "large")))
    limit: int | None = static(None, "a bound")
    dropout: float = traced(0.1, "share dropped", search=Range(0, 0.5), legal=Range(0, 1))
    def build(self, shape, rngs): ...

@dataclass(frozen=True)
class Tree(Head):
    name = "conditional"
    normalised = coherent = True
    obeys_rules = False
    def build(self, tables, features, rngs): ...

@dataclass(frozen=True)
class Best(Decoder):
    name = "best-world"
    def decode(self, tables, head, scores): ...

@dataclass(frozen=True)
class AdamW(Optimizer):
    name = "adamw"
    learning_rate: float = traced(1e-3, "the rate", search=Range(1e-4, 1e-1, log=True), legal=Range(0, 10))
    def make(self, traced, schedule): ...

@dataclass(frozen=True)
class Shift(Augmentation):
    name = "shift"
    pixels: int = static(2, "at most", legal=Range(0, 64))
    def apply(self, traced, key, images): ...

@dataclass(frozen=True)
class Toy(Dataset):
    name = "toy"
    def load(self, image, base, cache): ...

@dataclass(frozen=True)
class Table(Dataset):
    name = "table"
    path: str = option("the file")
    columns: tuple[str, ...] = option("those to read", default=())
    limit: int = option("rows", default=10, legal=Range(1, 99))
    def load(self, image, base, cache): ...

@dataclass(frozen=True)
class Accuracy(Metric):
    name = "accuracy"
    title = "Accuracy"
    better = "higher"
    scope = "group"
    def score(self, p, group, level): ...
"""

ONTOLOGY = 'ontology toys\nmulticlass digit "Digit" { zero, one }\nbinary even\n'


@pytest.fixture
def base(tmp_path, monkeypatch) -> Path:
    """A folder with an ontology, and a registry of small plugins."""
    (tmp_path / "plugins.py").write_text(PLUGINS)
    (tmp_path / "toys.onto").write_text(ONTOLOGY)
    registry = dataclasses.replace(with_files(Registry({}), [tmp_path / "plugins.py"]), files={})
    monkeypatch.setattr(study_file, "installed", lambda: registry)
    return tmp_path
