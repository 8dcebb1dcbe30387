import itertools
import json
from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnaeus.dsl.ontology import Ontology
from linnaeus.plugins.contracts import Head
from linnaeus.plugins.hyperparameters import Choices, Range, static, traced
from linnaeus.plugins.registry import Entry, Registry
from linnaeus.search.space import (
    baseline_flat_risk,
    contenders,
    default_parameters,
    describe,
    nearest,
    own_fields,
    size,
    starts,
    suggest,
)
from linnaeus.search.study import DataSpec, SearchSpec, Space, Study


@dataclass(frozen=True)
class FlatHead(Head):
    name = "flat"
    normalised = coherent = obeys_rules = True
    smooth: float = traced(0.1, "smoothing", search=Range(0.0, 0.2))

    def build(self, tables, features, rngs): ...


SPACE = Space(
    plugins={
        "backbone": {
            "linear": {},
            "net": {"width": Choices((8, 16, 32)), "depth": Range(1, 7, step=3), "stem": "small", "units": (4, 4)},
            "big": {"layers": Choices(((8,), (8, 8))), "rate": Range(1e-3, 1.0, log=True)},
        },
        "head": {"tree": {"bias": Choices((True, False))}},
        "optimizer": {"adamw": {"learning_rate": Range(0.5, 2.0, step=0.5)}, "sgd": {"momentum": 0.9}},
        "augment": {"shift": {"pixels": Range(0, 3)}, "flip": {}},
    },
    train={"batch_size": 64, "smoothing": Choices((0.0, 0.1))},
    defaults={
        "backbone.net.width": 16, "backbone.net.depth": 4, "backbone.big.layers": (8, 8), "backbone.big.rate": 0.1,
        "head.tree.bias": True, "optimizer.adamw.learning_rate": 1.0, "augment.shift.pixels": 2, "train.smoothing": 0.1,
    },
)  # fmt: skip
REGISTRY = Registry({("head", "flat"): Entry("head", "flat", "tests", plugin=FlatHead)})


def study(compare: tuple[str, ...], space: Space = SPACE) -> Study:
    data = DataSpec("none", None)
    here = Path("s.yaml")
    return Study("mine", here, here, Ontology("o", (), ()), REGISTRY, data, SearchSpec(space), compare=compare)


@pytest.fixture(autouse=True)
def _quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


def test_a_configuration_holds_one_plugin_of_each_kind_and_every_field():
    trial = optuna.trial.FixedTrial(
        {
            "backbone": "net", "backbone.net.width": 8, "backbone.net.depth": 7, "head.tree.bias": False,
            "optimizer": "sgd", "augment.shift.pixels": 3, "train.smoothing": 0.0,
        }
    )  # fmt: skip
    assert suggest(SPACE, trial, "risk") == {
        "backbone": {"name": "net", "fields": {"width": 8, "depth": 7, "stem": "small", "units": [4, 4]}},
        "head": {"name": "tree", "fields": {"bias": False}},
        "optimizer": {"name": "sgd", "fields": {"momentum": 0.9}},
        "augment": {"shift": {"pixels": 3}, "flip": {}},
        "train": {"batch_size": 64, "smoothing": 0.0},
        "decoder": "risk",
    }


def test_only_the_chosen_plugins_fields_are_asked():
    for seed in range(20):
        sampler = optuna.samplers.RandomSampler(seed=seed)
        trial = optuna.create_study(sampler=sampler).ask()
        found = suggest(SPACE, trial, "d")
        chosen = found["backbone"]["name"]
        asked = {n.split(".")[1] for n in trial.params if n.startswith("backbone.")}
        assert asked == ({chosen} if chosen != "linear" else set())


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_suggestions_stay_inside_and_are_json(seed):
    trial = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed)).ask()
    found = suggest(SPACE, trial, "d")
    assert json.loads(json.dumps(found)) == found
    fields = found["backbone"]["fields"]
    if found["backbone"]["name"] == "net":
        assert fields["width"] in (8, 16, 32)
        assert fields["depth"] in (1, 4, 7)
    if found["backbone"]["name"] == "big":
        assert fields["layers"] in ([8], [8, 8])
        assert 1e-3 <= fields["rate"] <= 1
    if found["optimizer"]["name"] == "adamw":
        assert found["optimizer"]["fields"]["learning_rate"] in (0.5, 1.0, 1.5, 2.0)
    assert found["augment"]["shift"]["pixels"] in range(4)


def test_the_size_is_the_number_of_configurations_that_a_full_walk_finds():
    backbones = {k: SPACE.plugins["backbone"][k] for k in ("linear", "net")}
    finite = Space({**SPACE.plugins, "backbone": backbones, "augment": {"flip": {}}}, {"batch_size": 64})
    found: list[str] = []
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        search = optuna.create_study(sampler=optuna.samplers.BruteForceSampler(seed=1))
    search.optimize(lambda t: found.append(json.dumps(suggest(finite, t, "d"))) or 0.0)
    assert len(set(found)) == len(found) == size(finite) == (1 + 9) * 2 * (4 + 1)
    assert size(SPACE) is None


def test_trial_zero_is_each_fields_default_with_the_first_of_each_kind():
    assert default_parameters(SPACE) == {
        "backbone": "linear", "optimizer": "adamw", "head.tree.bias": True, "optimizer.adamw.learning_rate": 1.0,
        "augment.shift.pixels": 2, "train.smoothing": 0.1,
    }  # fmt: skip
    big = contenders(study(("backbone",)))[2]
    search = optuna.create_study()
    search.enqueue_trial(default_parameters(big.space))
    first = suggest(big.space, search.ask(), "d")
    assert first["backbone"] == {"name": "big", "fields": {"layers": [8, 8], "rate": 0.1}}
    assert first["augment"]["shift"] == {"pixels": 2}


@pytest.mark.parametrize(
    ("domain", "default", "expected"),
    [
        (Choices((8, 16)), 16, 16), (Choices((8, 16)), 20, 16),
        (Choices((8, 16)), 1, 8), (Choices(("a", "b")), "c", "a"),
        (Choices((True, False)), False, False), (Choices((None, 3)), 2, 3), (Range(1, 5), 3, 3), (Range(1, 5), 9, 5),
        (Range(0.1, 0.5), 0.0, 0.1), (Range(1, 7, step=3), 3, 4), (Range(0.0, 1.0, step=0.25), 0.6, 0.5),
        (Range(0.0, 1.0, step=0.25), 9.0, 1.0), (Range(2, 5), None, 2),
    ],
)  # fmt: skip
def test_a_search_starts_at_the_value_nearest_the_default(domain, default, expected):
    found = nearest(domain, default)
    assert found == expected
    assert type(found) is type(expected)


@dataclass(frozen=True)
class Own:
    width: int = static(10, "w", search=(8, 16))
    rate: float = traced(0.1, "r", search=Range(0, 1))
    act: str = static("relu", "fixed unless a study says otherwise")


def test_left_out_fields_have_the_plugins_own_range():
    fields, started = own_fields(Own, "backbone.own")
    assert fields == {"width": Choices((8, 16)), "rate": Range(0.0, 1.0), "act": "relu"}
    assert started == {"backbone.own.width": 8, "backbone.own.rate": 0.1}
    assert starts(Own, {**fields, "width": 16}, "x") == {"x.rate": 0.1}


# --- contenders ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compare", "names"),
    [
        ((), ["mine"]),
        (("backbone",), ["linear", "net", "big"]),
        (("head",), ["tree"]),
        (
            ("optimizer", "backbone"),
            ["+".join(p) for p in itertools.product(["adamw", "sgd"], ["linear", "net", "big"])],
        ),
    ],
)
def test_contenders_are_the_product_of_what_is_compared(compare, names):
    found = contenders(study(compare))
    assert [c.name for c in found] == names
    for c in found:
        assert not c.baseline
        for kind in compare:
            assert list(c.space.plugins[kind]) == [c.name.split("+")[compare.index(kind)]]
        for kind in set(SPACE.plugins) - set(compare):
            assert c.space.plugins[kind] == SPACE.plugins[kind]


def test_the_spaces_of_contenders_part_the_whole_space():
    small = Space(
        {**SPACE.plugins, "backbone": {k: SPACE.plugins["backbone"][k] for k in ("linear", "net")}}, SPACE.train
    )
    parts = [size(c.space) for c in contenders(study(("backbone", "optimizer"), small))]
    assert sum(parts) == size(small)


def test_the_flat_baseline_has_the_winners_space_the_flat_head_and_risk_decoding():
    found = baseline_flat_risk(study(("backbone",)), "net")
    assert (found.name, found.decoder, found.baseline) == ("flat-risk", "risk", True)
    assert found.space.plugins["backbone"] == {"net": SPACE.plugins["backbone"]["net"]}
    assert found.space.plugins["head"] == {"flat": {"smooth": Range(0.0, 0.2)}}
    assert default_parameters(found.space)["head.flat.smooth"] == 0.1
    own = Space({**SPACE.plugins, "head": {"flat": {"smooth": 0.0}}}, SPACE.train, SPACE.defaults)
    assert baseline_flat_risk(study(("backbone",), own), "net").space.plugins["head"] == {"flat": {"smooth": 0.0}}


def test_a_space_described_names_every_hyperparameter():
    assert describe(SPACE) == {
        "backbone": "linear, net, big",
        "optimizer": "adamw, sgd",
        "backbone.net.width": "8, 16, 32",
        "backbone.net.depth": "1 … 7 by 3",
        "backbone.net.stem": "small (fixed)",
        "backbone.net.units": "(4, 4) (fixed)",
        "backbone.big.layers": "(8,), (8, 8)",
        "backbone.big.rate": "0.001 … 1 (log)",
        "head.tree.bias": "True, False",
        "optimizer.adamw.learning_rate": "0.5 … 2 by 0.5",
        "optimizer.sgd.momentum": "0.9 (fixed)",
        "augment.shift.pixels": "0 … 3",
        "train.batch_size": "64 (fixed)",
        "train.smoothing": "0.0, 0.1",
    }
