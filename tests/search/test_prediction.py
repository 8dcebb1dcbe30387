from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from linnaeus.dsl.evidence import evidence_from_allowed
from linnaeus.dsl.load import check_text
from linnaeus.dsl.tables import compile_tables
from linnaeus.errors import LinnaeusError
from linnaeus.plugins.registry import installed
from linnaeus.search.checkpoint import save_model
from linnaeus.search.prediction import predict_images
from linnaeus.search.results import ContenderResult, Results, SearchResult, SeedResult, save
from linnaeus.search.training import Trainer, TrialData

ONTOLOGY = """
ontology toys "Toys"
hierarchy shade "Shade" {
    dark { black, grey }
    bright { white { binary glossy } }
}
multilabel marks { dot, line }
"""
CONFIGURATION = {
    "backbone": {"name": "linear", "fields": {}},
    "head": {"name": "conditional", "fields": {}},
    "optimizer": {"name": "adamw", "fields": {"learning_rate": 0.05}},
    "augment": {},
    "train": {"batch_size": 16},
    "decoder": "best-world",
}
SHADES = {"shade.dark.black": 20, "shade.dark.grey": 120, "shade.bright.white": 235}
SIDE = 8


def worlds(tables):
    """Black, grey and white images; white ones glossy; black ones with a dot."""
    index = {label.path: label.index for label in tables.ontology.labels}
    rows = np.zeros((3, tables.n_labels), bool)
    for row, path in enumerate(SHADES):
        for above in tables.ontology.ancestors(index[path]):
            rows[row, above] = True
    rows[0, index["marks.dot"]] = True  # one end of the scale: a linear model can tell it
    rows[2, index["shade.bright.white.glossy"]] = True
    return tables.states_of(rows)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run folder with a model of three shades of grey, and one that has seen a single epoch at no rate."""
    run = tmp_path_factory.mktemp("run")
    (run / "ontology").mkdir()
    ontology = check_text(ONTOLOGY, "toys.onto").require()
    (run / "ontology" / "ontology.json").write_text(json.dumps(ontology.to_dict()))
    (run / "study.yaml").write_text("data: {image: {size: null, resize: stretch}}\n")
    tables = compile_tables(ontology)
    kinds = np.arange(48) % 3
    images = np.zeros((48, SIDE, SIDE, 1), np.uint8)
    images += np.array(list(SHADES.values()), np.uint8)[kinds][:, None, None, None]
    states = worlds(tables)
    assert states.any(1).all()
    data = TrialData(images, evidence_from_allowed(tables, states[kinds]))
    trainer = Trainer(tables, installed(), data, None, lambda p: 0.0)
    outcome = trainer.run(CONFIGURATION, seed=0, epochs=60, schedule_epochs=60)
    for contender, seed in (("linear", 1), ("other", 0)):
        save_model(run / "final" / contender / str(seed) / "checkpoint", outcome.model)
    save(results(tables.ontology), run)
    return run


def results(ontology):
    def contender(name, value, seeds):
        search = SearchResult(1, {}, 0.0, value, 0)
        return ContenderResult(name, CONFIGURATION, search, [SeedResult(s, {}, {}, "", 1, state) for s, state in seeds])

    found = [
        contender("linear", 0.9, [(0, "nan"), (1, "complete")]),
        contender("other", 0.8, [(0, "complete")]),
        contender("lost", 0.95, [(0, "complete")]),
    ]
    named = {"name": ontology.name, "hash": ontology.hash}
    return Results({}, named, {}, found, {}, "accuracy", [], {}, {}, {})


def picture(folder, name, value, size=(SIDE, SIDE)):
    path = folder / name
    Image.new("RGB", size, (value, value, value)).save(path)
    return path


def test_answers_come_in_the_ontologys_terms(run, tmp_path):
    files = [picture(tmp_path, f"{value}.png", value) for value in SHADES.values()]
    black, grey, white = predict_images(run, files)
    assert black["image"] == str(files[0])
    assert black["world"]["shade"] == "shade.dark.black"
    assert black["world"]["shade.bright.white.glossy"] is None  # it applies to white things only
    assert black["world"]["marks"] == ["marks.dot"]
    assert grey["world"]["shade"] == "shade.dark.grey"
    assert grey["world"]["marks"] == []
    assert white["world"]["shade"] == "shade.bright.white"
    assert white["world"]["shade.bright.white.glossy"] is True
    p = grey["probabilities"]["shade"]
    assert p["shade.dark"] == pytest.approx(p["shade.dark.black"] + p["shade.dark.grey"], abs=1e-5)
    assert p["shade.dark"] + p["shade.bright"] == pytest.approx(1, abs=1e-5)


def test_images_are_scaled_as_the_study_scaled_its_own(run, tmp_path):
    small = picture(tmp_path, "small.png", 235)
    large = picture(tmp_path, "large.jpg", 235, (300, 200))
    one, two = predict_images(run, [small, large], contender="other", seed=0)
    assert one["world"] == two["world"]


def test_the_best_on_validation_with_a_model_is_chosen(run, tmp_path):
    """`lost` searched better but kept no model; the first seed of `linear` failed."""
    image = picture(tmp_path, "a.png", 20)
    predict_images(run, [image], contender="linear", seed=1)
    with pytest.raises(LinnaeusError, match="linear has no model of seed 0") as e:
        predict_images(run, [image], seed=0)
    assert "its seeds: 1" in str(e.value)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"contender": "lineer"}, "did you mean 'linear'"),
        ({"contender": "lost"}, "no trained contender named 'lost'"),
        ({"contender": "other", "seed": 7}, "other has no model of seed 7"),
    ],
)
def test_unknown_contenders_and_seeds_are_named(run, tmp_path, asked, message):
    with pytest.raises(LinnaeusError, match=message):
        predict_images(run, [picture(tmp_path, "a.png", 20)], **asked)


def test_an_unreadable_image_is_named(run, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing like an image")
    with pytest.raises(LinnaeusError, match=r"broken.png can't be read: not an image"):
        predict_images(run, [broken])
    with pytest.raises(LinnaeusError, match=r"missing.png can't be read: no such file"):
        predict_images(run, [tmp_path / "missing.png"])


def test_a_study_that_is_not_finished_says_so(tmp_path):
    with pytest.raises(LinnaeusError, match="E611"):
        predict_images(tmp_path, [tmp_path / "a.png"])
