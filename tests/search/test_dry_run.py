import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from linnaeus.dsl.load import check_text
from linnaeus.errors import LinnaeusError
from linnaeus.plugins.contracts import Dataset, Records
from linnaeus.plugins.hyperparameters import Choices
from linnaeus.plugins.registry import Registry
from linnaeus.search.contact_sheet import COLUMNS, MARGIN, TILE, draw_sheet, pick
from linnaeus.search.data import PreparedData, prepare
from linnaeus.search.dry_run import dry_run, words
from linnaeus.search.splits import TEST, TRAIN
from linnaeus.search.study import Binding, Budget, DataSpec, FinalSpec, RunSpec, SearchSpec, Space, Study

CLASSES = "abcdefgh"
N = 160


@dataclass(frozen=True)
class Squares(Dataset):
    """Images of one grey a record, so that a sheet's pixels say which record is on it."""

    name = "squares"

    def load(self, image, base, cache):
        shades = np.arange(N, dtype=np.uint8)
        images = np.repeat(shades, 16).reshape(N, 4, 4, 1).copy()
        images[:, 0, 0, 0] = 255
        splits = ["test" if i % 4 == 0 else "train" for i in range(N)]
        kinds = [CLASSES[min(i // 40, 7) if i % 2 else i // 20] for i in range(N)]
        return Records(images, [f"r{i:03}" for i in range(N)], {"kind": kinds}, splits)


SPACE = Space(
    {"backbone": {"linear": {}, "lenet": {"width": Choices((8, 16))}}, "head": {"flat": {}}, "optimizer": {"adamw": {}},
     "augment": {}},
    {"batch_size": Choices((16, 32))},
)  # fmt: skip


def study(**changes) -> Study:
    checked = check_text(f"ontology o\nmulticlass kind {{ {', '.join(CLASSES)} }}\n", "o.onto")
    ontology, found = checked.ontology, checked.diagnostics
    assert ontology is not None, found
    data = DataSpec("squares", Squares(), bind=(Binding("kind", "kind"),))
    here = Path("s.yaml")
    search = SearchSpec(SPACE, budget=Budget(trials=3, epochs=5))
    return dataclasses.replace(Study("mine", here, here, ontology, Registry({}), data, search), **changes)


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> PreparedData:
    return prepare(study(), tmp_path_factory.mktemp("cache"))


def test_rows_are_of_training_and_of_as_many_classes_as_there_is_room_for(data):
    kinds = [data.describe(row)["kind"] for row in range(N)]
    rows = pick(data, 24, seed=0)
    assert len(rows) == len(set(rows)) == 24
    assert all(data.split[row] == TRAIN for row in rows)
    present = {kinds[i] for i in range(N) if data.split[i] == TRAIN}
    assert {kinds[r] for r in rows} == present
    counts = [sum(kinds[r] == k for r in rows) for k in present]
    assert max(counts) - min(counts) <= 1
    assert [kinds[r] for r in rows] == sorted(kinds[r] for r in rows)
    assert len({kinds[r] for r in pick(data, 3, seed=0)}) == 3
    assert sorted(pick(data, 1000, seed=0)) == np.flatnonzero(data.split == TRAIN).tolist()


def test_the_sheet_shows_the_picked_images_enlarged_by_whole_pixels_and_none_of_the_test_split(data, tmp_path):
    path = draw_sheet(data, tmp_path / "sheet.png", seed=3)
    sheet = np.asarray(Image.open(path).convert("L"))
    rows = pick(data, 24, seed=3)
    height = (sheet.shape[0] - MARGIN) // -(-len(rows) // COLUMNS)
    shown = []
    for i in range(len(rows)):
        x, y = MARGIN + i % COLUMNS * (TILE + MARGIN), MARGIN + i // COLUMNS * height
        tile = sheet[y : y + TILE, x : x + TILE]
        assert (tile[: TILE // 4, : TILE // 4] == 255).all()
        assert len(np.unique(tile[TILE // 4 :])) == 1
        shown.append(int(tile[-1, -1]))
    assert [data.names[r] for r in rows] == [f"r{shade:03}" for shade in shown]
    hidden = {data.names[i] for i in np.flatnonzero(data.split == TEST)}
    assert not hidden & {f"r{shade:03}" for shade in shown}
    assert [p.name for p in tmp_path.iterdir()] == ["sheet.png"]


def test_captions_are_drawn_under_every_image(data, tmp_path):
    sheet = np.asarray(Image.open(draw_sheet(data, tmp_path / "sheet.png")).convert("L"))
    height = (sheet.shape[0] - MARGIN) // 4
    for i in range(24):
        x, y = MARGIN + i % COLUMNS * (TILE + MARGIN), MARGIN + i // COLUMNS * height + TILE
        assert (sheet[y + 3 : y + 16, x : x + TILE] < 128).any()


def test_vectors_have_no_sheet(data, tmp_path):
    vectors = dataclasses.replace(data, images=np.zeros((len(data), 5), np.float32))
    assert draw_sheet(vectors, tmp_path / "sheet.png") is None
    assert "not images" in dry_run(study(), vectors, tmp_path).text()


def test_a_dry_run_counts_the_work_and_trains_nothing(data, tmp_path):
    out = tmp_path / "runs" / "mine"
    found = dry_run(study(), data, out)
    train = int((data.split == TRAIN).sum())
    assert [(c.name, c.size, c.baseline, c.trials) for c in found.contenders] == [
        ("linear", 2, False, 3), ("lenet", 4, False, 3), ("flat-risk", None, True, 3), ("prior", None, True, 0),
    ]  # fmt: skip
    assert found.images_trained == 3 * (3 * 5 * train + 3 * 5 * train)
    assert found.seconds_at_most == 3 * 3 * 300
    assert found.seconds is not None
    assert [p.name for p in out.iterdir()] == ["contact-sheet.png"]
    text = found.text()
    for part in ("mine: a dry run", "160 of 4 × 4 × 1", f"train {train}", "kind from kind", "lenet", "a space of 4",
                 "backbone.lenet.width", "8, 16", "contact-sheet.png", "kind.a"):  # fmt: skip
        assert part in text


def test_limits_and_unknown_speeds_are_said(data, tmp_path):
    plan = study(
        search=SearchSpec(
            Space({**SPACE.plugins, "backbone": {"mine": {}}}, SPACE.train), budget=Budget(3, 5, seconds=60)
        ),
        baselines=(),
        run=RunSpec(trial_seconds=10),
        final=FinalSpec(2, "train+validation", 7),
    )
    found = dry_run(plan, data, tmp_path)
    assert "timeout" not in found.text()
    assert "would end as a timeout" in dry_run(study(run=RunSpec(trial_seconds=1)), data, tmp_path).text()
    counts = data.report["counts"]
    assert found.seconds is None
    assert "unknown" in found.text()
    assert found.seconds_at_most == 30
    assert found.images_trained == 3 * 5 * counts["train"] + 2 * 7 * (counts["train"] + counts["validation"])


def test_a_folder_that_cannot_be_written_is_named(data, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LinnaeusError, match="can't write"):
        dry_run(study(), data, tmp_path / "file" / "run")


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (40, "40 s"), (120, "2 min"), (9000, "2.5 h")])
def test_times_are_rounded(seconds, text):
    assert words(seconds) == text
