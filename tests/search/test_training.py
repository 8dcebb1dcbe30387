from __future__ import annotations

import json
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from linnaeus.dsl.evidence import evidence_from_allowed
from linnaeus.dsl.ontology import Group, Kind, Label, Ontology
from linnaeus.dsl.tables import compile_tables
from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import Decoder, Head
from linnaeus.plugins.registry import Entry, Registry, installed
from linnaeus.search.checkpoint import load_model, save_model
from linnaeus.search.network import EVALUATION_BATCH, measure, read_recipe
from linnaeus.search.programs import warm_cosine
from linnaeus.search.training import Trainer, TrialData

CLASSES = 4
SIDE = 12


class SoftmaxModule(nnx.Module):
    def __init__(self, features, states, rngs):
        self.linear = nnx.Linear(features, states, rngs=rngs)

    def __call__(self, features):
        return self.linear(features)

    def log_likelihood(self, scores, allowed):
        log_p = jax.nn.log_softmax(scores)
        return jax.nn.logsumexp(jnp.where(allowed, log_p, -1e30), axis=1)

    def marginals(self, scores):
        return jax.nn.softmax(scores)

    def best_world(self, scores):
        return jax.nn.one_hot(scores.argmax(1), scores.shape[1], dtype=bool)


@dataclass(frozen=True)
class Softmax(Head):
    """A softmax over one multiclass group: all that the engine needs of a head."""

    name = "softmax"
    normalised = coherent = obeys_rules = True

    def build(self, tables, features, rngs):
        return SoftmaxModule(features, tables.n_states, rngs)


@dataclass(frozen=True)
class Best(Decoder):
    name = "best"

    def decode(self, tables, head, scores):
        return head.best_world(scores)


@pytest.fixture(scope="module")
def tables():
    labels = tuple(Label(i, 0, f"c{i}", f"kind/c{i}") for i in range(CLASSES))
    group = Group(0, Kind.MULTICLASS, "kind", "kind", tuple(range(CLASSES)))
    return compile_tables(Ontology("toy", (group,), labels))


@pytest.fixture(scope="module")
def registry():
    fakes = {(p.kind, p.name): Entry(p.kind, p.name, "test", plugin=p) for p in (Softmax, Best)}
    return Registry({**installed().entries, **fakes})


def data_of(tables, count, seed=0, unknown=0.0):
    """Noise with one bright corner, which tells the class."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, CLASSES, count)
    images = random.integers(0, 120, (count, SIDE, SIDE, 1), dtype=np.uint8)
    for row, label in enumerate(truth):
        y, x = divmod(int(label), 2)
        images[row, y * 6 : y * 6 + 6, x * 6 : x * 6 + 6] += 60
    allowed = np.eye(CLASSES, dtype=bool)[truth]
    allowed[random.random(count) < unknown] = True
    return TrialData(images, evidence_from_allowed(tables, allowed))


def accuracy(p):
    return float((p.worlds & p.possible).any(1).mean())


def configuration(backbone, optimizer="adamw", rate=3e-3, augment=None, **fields):
    return {
        "backbone": {"name": backbone, "fields": fields},
        "head": {"name": "softmax", "fields": {}},
        "optimizer": {"name": optimizer, "fields": {"learning_rate": rate}},
        "augment": augment or {},
        "train": {"batch_size": 32},
        "decoder": "best",
    }


@pytest.fixture(scope="module")
def trainer(tables, registry, tmp_path_factory):
    cache = tmp_path_factory.mktemp("programs")
    train, validation = data_of(tables, 64), data_of(tables, 40, seed=1)
    yield Trainer(tables, registry, train, validation, accuracy, cache=cache)
    assert list((cache / "xla").iterdir())
    jax.config.update("jax_compilation_cache_dir", None)


SMALL = [
    ("linear", {}),
    ("mlp", {"depth": 1, "width": 32}),
    ("lenet", {"width": 4}),
    ("resnet", {"width": 4}),
]


@pytest.mark.parametrize(("backbone", "fields"), SMALL)
def test_every_backbone_learns_64_images_by_heart(trainer, backbone, fields):
    c = configuration(backbone, rate=1e-2, **fields)
    outcome = trainer.run(c, seed=0, epochs=30, schedule_epochs=30)
    answers = outcome.model.answer(trainer.train.images, trainer.train.evidence)
    assert (answers.worlds == trainer.train.evidence.allowed()).all()
    assert np.allclose(answers.probabilities.sum(1), 1, atol=1e-5)
    assert outcome.state == "complete"
    assert [row["epoch"] for row in outcome.curve] == list(range(1, 31))
    assert outcome.curve[-1]["train_loss"] < outcome.curve[0]["train_loss"]
    assert outcome.curve[-1]["objective"] > outcome.curve[0]["objective"]


def test_sgd_learns_too(trainer):
    outcome = trainer.run(configuration("mlp", "sgd", 0.05, width=32, depth=1), seed=0, epochs=20, schedule_epochs=20)
    assert accuracy_on_train(trainer, outcome) > 0.95


def accuracy_on_train(trainer, outcome):
    answers = outcome.model.answer(trainer.train.images)
    assert answers.log_likelihood is None  # no evidence was given
    return (answers.worlds & trainer.train.evidence.allowed()).any(1).mean()


def numbers(outcome):
    return [(row["train_loss"], row["objective"]) for row in outcome.curve]


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(trainer, tables, registry):
    c = configuration("lenet", width=4, augment={"shift": {"pixels": 2}, "flip": {}})
    one = trainer.run(c, seed=3, epochs=3, schedule_epochs=5)
    fresh = Trainer(tables, registry, trainer.train, trainer.validation, accuracy)
    assert numbers(fresh.run(c, seed=3, epochs=3, schedule_epochs=5)) == numbers(one)
    assert numbers(trainer.run(c, seed=4, epochs=3, schedule_epochs=5)) != numbers(one)


def test_a_trial_stopped_early_is_the_beginning_of_the_whole_one(trainer):
    c = configuration("resnet", width=4)
    whole = trainer.run(c, seed=0, epochs=4, schedule_epochs=4)
    cut = trainer.run(c, seed=0, epochs=4, schedule_epochs=4, on_epoch=lambda report: report.epoch < 2)
    assert cut.state == "pruned"
    assert numbers(cut) == numbers(whole)[:2]


def test_traced_values_share_one_program(trainer):
    first = trainer.run(configuration("mlp", width=16, depth=1), seed=0, epochs=1, schedule_epochs=2)
    c = configuration("mlp", rate=1e-4, width=16, depth=1, dropout=0.4)
    c["optimizer"]["fields"]["weight_decay"] = 0.3
    c["train"]["warmup"] = 0.5
    second = trainer.run(c, seed=1, epochs=2, schedule_epochs=9)
    assert first.costs["compile_seconds"] > 0
    assert second.costs["compile_seconds"] == 0
    assert numbers(second)[:1] != numbers(first)
    keys = {
        read_recipe(configuration("mlp", width=width, rate=rate), trainer.registry).program_key()
        for width in (16, 17)
        for rate in (1e-3, 1e-2)
    }
    assert len(keys) == 2


def test_traced_dropout_of_a_backbone_reaches_the_program(trainer):
    """At rate 0 dropout does nothing, at another it does, through the very same program."""
    losses = []
    for rate in (0.0, 0.0, 0.9):
        c = configuration("mlp", width=16, depth=1, dropout=rate)
        losses.append(numbers(trainer.run(c, seed=0, epochs=1, schedule_epochs=1))[0][0])
    assert losses[0] == losses[1] != losses[2]


def test_a_loss_that_is_not_finite_ends_the_trial(trainer):
    outcome = trainer.run(configuration("lenet", "sgd", 1e30, width=4), seed=0, epochs=5, schedule_epochs=5)
    assert outcome.state == "nan"
    assert "the loss is" in outcome.cause
    assert len(outcome.curve) < 5


def test_an_objective_that_is_not_finite_ends_the_trial(trainer, tables, registry):
    odd = Trainer(tables, registry, trainer.train, trainer.validation, lambda p: float("nan"))
    outcome = odd.run(configuration("linear"), seed=0, epochs=3, schedule_epochs=3)
    assert (outcome.state, outcome.cause) == ("nan", "the objective is nan after epoch 1")


def test_without_validation_there_is_no_objective(trainer, tables, registry):
    alone = Trainer(tables, registry, trainer.train, None, accuracy)
    outcome = alone.run(configuration("linear"), seed=0, epochs=2, schedule_epochs=2)
    assert outcome.state == "complete"
    assert all("objective" not in row for row in outcome.curve)


def test_missing_labels_weigh_nothing(tables, registry):
    train = data_of(tables, 128, unknown=0.7)
    trainer = Trainer(tables, registry, train, data_of(tables, 100, seed=1), accuracy)
    outcome = trainer.run(configuration("mlp", width=64, depth=1), seed=0, epochs=30, schedule_epochs=30)
    assert max(row["objective"] for row in outcome.curve) > 0.8
    nothing = replace(train, evidence=evidence_from_allowed(tables, np.ones((128, CLASSES), bool)))
    blind = Trainer(tables, registry, nothing, None, accuracy)
    c = configuration("linear")
    c["optimizer"]["fields"]["weight_decay"] = 0.0
    outcome = blind.run(c, seed=0, epochs=1, schedule_epochs=1)
    assert outcome.curve[0]["train_loss"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("count", [1, 5, 33])
def test_any_number_of_images_trains(tables, registry, count):
    trainer = Trainer(tables, registry, data_of(tables, count), data_of(tables, 3), accuracy)
    outcome = trainer.run(configuration("linear"), seed=0, epochs=2, schedule_epochs=2)
    assert outcome.state == "complete"


def test_no_images_are_refused(tables, registry):
    with pytest.raises(LinnaeusError, match="no training image"):
        Trainer(tables, registry, data_of(tables, 0), None, accuracy)


def test_answers_do_not_depend_on_the_batch_they_come_in(trainer, tables):
    outcome = trainer.run(configuration("resnet", width=4), seed=0, epochs=2, schedule_epochs=2)
    many = data_of(tables, EVALUATION_BATCH + 7, seed=5)
    together = outcome.model.answer(many.images, many.evidence)
    last = outcome.model.answer(many.images[-3:], many.evidence.take(np.arange(len(many.images))[-3:]))
    assert np.allclose(together.probabilities[-3:], last.probabilities, atol=1e-6)
    assert np.allclose(together.log_likelihood[-3:], last.log_likelihood, atol=1e-5)
    chosen = many.evidence.allowed()
    assert np.allclose(together.log_likelihood, np.log(together.probabilities[chosen]), atol=1e-4)
    assert outcome.model.answer(many.images[:0]).worlds.shape == (0, CLASSES)


def test_vectors_are_classified_and_not_augmented(tables, registry):
    images = data_of(tables, 64)
    vectors = TrialData(images.images.reshape(64, -1).astype(np.float32), images.evidence)
    trainer = Trainer(tables, registry, vectors, vectors, accuracy)
    outcome = trainer.run(configuration("mlp", width=32, depth=1), seed=0, epochs=20, schedule_epochs=20)
    assert max(row["objective"] for row in outcome.curve) == 1
    with pytest.raises(LinnaeusError, match="shift needs images"):
        trainer.run(configuration("mlp", augment={"shift": {}}), seed=0, epochs=1, schedule_epochs=1)
    with pytest.raises(LinnaeusError, match="lenet needs images"):
        trainer.run(configuration("lenet"), seed=0, epochs=1, schedule_epochs=1)


@pytest.mark.parametrize(("backbone", "fields"), [("lenet", {"width": 4, "dropout": 0.3}), ("resnet", {"width": 4})])
def test_a_saved_model_answers_the_same(trainer, tables, registry, tmp_path, backbone, fields):
    outcome = trainer.run(configuration(backbone, **fields), seed=0, epochs=2, schedule_epochs=2)
    save_model(tmp_path / "checkpoint", outcome.model)
    loaded = load_model(tmp_path / "checkpoint", registry, tables)
    before = outcome.model.answer(trainer.train.images, trainer.train.evidence)
    after = loaded.answer(trainer.train.images, trainer.train.evidence)
    assert (before.worlds == after.worlds).all()
    assert np.array_equal(before.probabilities, after.probabilities)
    assert np.array_equal(before.log_likelihood, after.log_likelihood)


def test_a_model_that_does_not_fit_is_refused(trainer, tables, registry, tmp_path):
    outcome = trainer.run(configuration("linear"), seed=0, epochs=1, schedule_epochs=1)
    save_model(tmp_path, outcome.model)
    other = compile_tables(replace(tables.ontology, name="another"))
    with pytest.raises(LinnaeusError, match="another ontology"):
        load_model(tmp_path, registry, other)
    with pytest.raises(LinnaeusError, match="trained on images of 12 × 12 × 1, not 8 × 8 × 1"):
        outcome.model.answer(np.zeros((1, 8, 8, 1), np.uint8))
    np.savez(tmp_path / "weights.npz", odd=np.zeros(3))
    with pytest.raises(LinnaeusError, match="don't fit the network"):
        load_model(tmp_path, registry, tables)
    facts = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**facts, "format": 99}))
    with pytest.raises(LinnaeusError, match="format 99"):
        load_model(tmp_path, registry, tables)
    with pytest.raises(LinnaeusError, match="holds no model"):
        load_model(tmp_path / "nowhere", registry, tables)


def test_an_unknown_field_names_the_nearest(trainer):
    with pytest.raises(LinnaeusError, match="did you mean 'width'"):
        trainer.run(configuration("lenet", widht=4), seed=0, epochs=1, schedule_epochs=1)


def test_costs_are_known(trainer):
    outcome = trainer.run(configuration("linear"), seed=0, epochs=1, schedule_epochs=1)
    inputs = SIDE * SIDE
    assert outcome.costs["parameters"] == inputs * CLASSES + CLASSES
    assert outcome.costs["macs"] == inputs * CLASSES
    assert outcome.costs["peak_memory_bytes"] > 1e6
    lenet = trainer.run(configuration("lenet", width=4, kernel=3), seed=0, epochs=1, schedule_epochs=1)
    convolutions = inputs * 9 * 4 + inputs // 4 * 9 * 4 * 8
    assert lenet.costs["macs"] == convolutions + (inputs // 16 * 8) * 32 + 32 * CLASSES


def test_normalisation_is_the_training_images_mean_and_deviation():
    images = np.random.default_rng(0).integers(0, 255, (5000, 3, 3, 2), dtype=np.uint8)
    images[..., 1] = 7
    n = measure(images)
    assert n.mean == pytest.approx(images.mean((0, 1, 2)), rel=1e-6)
    assert n.std == pytest.approx([images[..., 0].std(), 1], rel=1e-6)


def test_the_schedule_rises_then_falls_to_nothing():
    multiplier = warm_cosine(0.1, 100)
    values = np.array([multiplier(step) for step in range(101)])
    assert values[0] > 0
    assert (np.diff(values[:11]) > 0).all()
    assert (np.diff(values[11:]) < 0).all()
    assert values.max() == pytest.approx(1)
    assert values[100] == pytest.approx(0, abs=1e-6)
    assert float(multiplier(500)) == pytest.approx(0, abs=1e-6)
    assert float(warm_cosine(0.0, 100)(0)) > 0
