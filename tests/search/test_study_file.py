import contextlib
import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import ImageSpec
from linnaeus.plugins.hyperparameters import Choices, Range
from linnaeus.search.study import BadSpec, Binding, Budget, FinalSpec, Objective, RunSpec, SplitSpec
from linnaeus.search.study_file import load_study, parse_study
from linnaeus.search.yaml12 import dump, parse

LEAST = "ontology: toys.onto\ndata: {source: toy}\n"


def read(base: Path, text: str, *overrides: str):
    return parse_study(text, base / "study.yaml", overrides)


# --- what a study says -----------------------------------------------------------------------------


def test_only_the_ontology_and_the_data_are_required(base):
    study = read(base, LEAST)
    assert (study.name, study.seed, study.decoder, study.compare) == ("study", 0, "best-world", ("backbone",))
    assert study.baselines == ("prior", "flat-risk")
    assert study.base == base
    assert study.ontology.name == "toys"
    assert study.data.dataset.name == "toy"
    assert (study.data.image, study.data.split, study.data.bad) == (ImageSpec(), SplitSpec(), BadSpec())
    assert (study.data.missing, study.data.unlisted, study.data.bind) == (("", "?"), None, ())
    assert (study.search.sampler, study.search.pruner, study.search.budget) == ("tpe", "halving", Budget())
    assert (study.final, study.run, study.objective) == (FinalSpec(), RunSpec(), Objective())
    assert (study.report.formats, study.report.confidence, study.report.rope) == (("html", "markdown"), 0.95, 0.01)
    assert list(study.search.space.plugins["backbone"]) == ["linear", "mlp", "lenet"]
    assert list(study.search.space.plugins["head"]) == ["conditional"]
    assert study.search.space.plugins["optimizer"] == {"adamw": {"learning_rate": Range(1e-4, 0.1, log=True)}}
    assert study.search.space.plugins["augment"] == {}
    assert study.search.space.train["batch_size"] == 64


FULL = """
linnaeus: 1
name: mine
ontology: toys.onto
seed: 7
plugins: []
data:
  source: table
  path: a.csv
  columns: [a, b]
  image: {size: 28, channels: grey, resize: pad}
  bind:
    digit: {from: target, values: {0: zero, 1: one, "": null}}
    even: {pattern: "(?P<crop>.+)___(?P<even>.+)", from: text}
    Digit: {path: [c1, c2]}
    other: {from: 3}
  missing: ["", -1, NA]
  unlisted: no
  split: {test: 0.2, validation: 1e-1, stratify: [digit], group: writer, duplicates: keep}
  bad: {unreadable: drop}
  hide: null
objective: {metric: accuracy, of: digit}
compare: []
search:
  sampler: random
  pruner: none
  repeats: 1
  budget: {trials: 3, epochs: 2, seconds: 60}
  space:
    backbone:
      lenet: {width: {choices: [8, 64]}, limit: {low: 1, high: 9, step: 3}, dropout: 0}
      mlp: {units: [32, 32]}
    head: conditional
    optimizer: {adamw: {learning_rate: {low: 1e-4, high: 1, log: true}}}
    augment: {shift: {}}
    train: {batch_size: {choices: [16, 32]}}
final: {seeds: 1, train_on: train+validation, epochs: 4}
decoder: best-world
baselines: [prior]
report: {formats: [csv, latex], confidence: 0.9, rope: 0}
run: {device: cpu, workers: 1, population: auto, trial_seconds: 1.5}
"""


def test_every_key_arrives(base):
    study = read(base, FULL)
    assert (study.name, study.seed, study.compare, study.baselines) == ("mine", 7, (), ("prior",))
    assert (study.data.dataset.path, study.data.dataset.columns, study.data.dataset.limit) == ("a.csv", ("a", "b"), 10)
    assert study.data.image == ImageSpec(28, "grey", "pad")
    assert study.data.bind == (
        Binding("digit", "target", {"0": "zero", "1": "one", "": None}, where="data.bind.digit"),
        Binding("even", "text", None, (), "(?P<crop>.+)___(?P<even>.+)", "even", "data.bind.even"),
        Binding("Digit", None, None, ("c1", "c2"), where="data.bind.Digit"),
        Binding("other", "3", where="data.bind.other"),
    )
    assert (study.data.missing, study.data.unlisted) == (("", "-1", "NA"), "no")
    assert study.data.split == SplitSpec(0.2, 0.1, ("digit",), "writer", "keep")
    assert study.data.bad == BadSpec(unreadable="drop")
    assert study.objective == Objective("accuracy", "digit")
    assert (study.search.sampler, study.search.pruner, study.search.budget) == ("random", "none", Budget(3, 2, 60.0))
    assert study.search.space.plugins == {
        "backbone": {
            "lenet": {"width": Choices((8, 64)), "stem": "small", "limit": Range(1, 7, step=3), "dropout": 0.0},
            "mlp": {"units": (32, 32)},
        },
        "head": {"conditional": {}},
        "optimizer": {"adamw": {"learning_rate": Range(1e-4, 1.0, log=True)}},
        "augment": {"shift": {"pixels": 2}},
    }
    assert study.search.space.train["batch_size"] == Choices((16, 32))
    assert study.search.space.defaults["backbone.lenet.width"] == 8
    assert study.search.space.defaults["train.batch_size"] == 32
    assert study.final == FinalSpec(1, "train+validation", 4)
    assert (study.report.formats, study.report.confidence, study.report.rope) == (("csv", "latex"), 0.9, 0.0)
    assert study.run == RunSpec("cpu", 1, "auto", 1.5)


@pytest.mark.parametrize(
    "text", [LEAST, FULL, LEAST + "search: {space: {backbone: {lenet: {limit: {choices: [null]}}}}}"]
)
def test_a_resolved_study_reads_back_as_itself(base, text):
    study = read(base, text)
    again = read(base, dump(study.resolved))
    assert dataclasses.replace(again, resolved=None) == dataclasses.replace(study, resolved=None)
    assert again.resolved == study.resolved


def test_a_resolved_study_has_every_documented_key(base):
    def keys(tree, path=""):
        return {
            p
            for k, v in tree.items()
            for p in ({f"{path}{k}"} | (keys(v, f"{path}{k}.") if isinstance(v, dict) else set()))
        }

    found = keys(read(base, LEAST).resolved)
    documented = (
        "linnaeus", "plugins", "data.image.resize", "data.split.duplicates", "data.hide", "objective.of",
        "search.repeats", "search.space.train.batch_size", "final.train_on", "report.rope", "run.population",
    )  # fmt: skip
    assert set(documented) <= found


def test_a_split_from_a_column_reads_back(base):
    study = read(base, "ontology: toys.onto\ndata: {source: toy, split: {from: fold, group: id}}\n")
    assert study.data.split == SplitSpec(column="fold", group="id")
    assert read(base, dump(study.resolved)).data.split == study.data.split


def test_local_plugins_come_from_the_studys_folder(base):
    code = (base / "plugins.py").read_text().split("@dataclass")[0]
    code += '@dataclass(frozen=True)\nclass Mine(Backbone):\n    name = "mine"\n'
    (base / "mine.py").write_text(code + "    def build(self, shape, rngs): ...\n")
    study = read(base, LEAST + "plugins: [./mine.py]\nsearch: {space: {backbone: {mine: {}}}}")
    assert list(study.search.space.plugins["backbone"]) == ["mine"]
    assert study.plugin_files == (base / "mine.py",)
    assert list(study.registry.files) == ["mine.py"]
    assert study.resolved["plugins"] == ["./mine.py"]


@given(st.integers(0, len(FULL) - 1), st.text(alphabet="ab01 :-[]{},\n\"'~.&*", max_size=3), st.integers(0, 6))
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_damage_to_a_study_gives_a_traceback(base, at, inserted, removed):
    with contextlib.suppress(LinnaeusError):
        read(base, FULL[:at] + inserted + FULL[at + removed :])


# --- the studies of examples/ ----------------------------------------------------------------------

EXAMPLES = ("digits", "fashion", "grocery")


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_example_studies_read_with_the_installed_plugins(root, example):
    study = load_study(root / "examples" / example / "study.yaml")
    assert study.name == example
    again = parse_study(dump(study.resolved), study.file)
    assert again.resolved == study.resolved


def test_reading_a_study_imports_no_heavy_library(root):
    code = (
        "import sys; from pathlib import Path; from linnaeus.search.study_file import load_study;"
        f"load_study(Path({str(root / 'examples' / 'digits' / 'study.yaml')!r}));"
        "print([m for m in ('jax', 'flax', 'optuna', 'sklearn', 'tensorflow_datasets') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_documented_defaults_are_the_defaults(root):
    page = (root / "docs" / "study.md").read_text(encoding="utf-8")
    documented = page.split("```yaml\n")[1].split("```")[0]
    file = root / "examples" / "digits" / "study.yaml"
    least = parse_study("ontology: digits.onto\ndata: {source: digits}\n", file)
    assert parse_study(documented, file).resolved == least.resolved
    given = parse(documented, "page").plain
    assert set(given) == set(least.resolved)
    for part in ("data", "objective", "search", "final", "report", "run"):
        assert set(given[part]) == set(least.resolved[part])
