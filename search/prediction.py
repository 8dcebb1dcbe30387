"""`linnaeus predict`: what a study's trained model says of new images, in the ontology's terms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from numpy.typing import NDArray

from ..dsl.ontology import Group, Kind
from ..dsl.tables import Bools, Tables, compile_tables
from ..dsl.worlds import applies
from ..errors import did_you_mean, fail
from ..plugins.contracts import ImageSpec
from ..plugins.datasets.images import decode, reason
from ..plugins.registry import installed, with_files
from .results import ContenderResult, Results, run_ontology
from .results import load as load_results
from .run_folder import RunFolder


def predict_images(
    run: Path, images: Sequence[Path], contender: str | None = None, seed: int | None = None
) -> list[dict[str, Any]]:
    """Answers for image files, as JSON data.

    Args:
        run: the folder of a finished study.
        images: files, decoded as the study's own were.
        contender: whose model (default: the one that searched best on validation data, baselines aside).
        seed: which of its retrainings (default: the first that is complete).

    Returns:
        For each image {"image": path, "world": {group: answer}, "probabilities": {group: {label: p}}}, groups and
        labels by path. An answer is a label (the deepest, in a hierarchy), a list of labels for a multilabel, true or
        false for a binary, and None where the group does not apply.

    Raises:
        LinnaeusError: E611 the study is not finished, E514 no such contender or retraining, E515 an image can't be
            read, E516 the model takes feature vectors, E615 the run's copy of its ontology is missing.
    """
    from .checkpoint import load_model, read_facts

    results = load_results(run)
    checkpoint = _checkpoint(RunFolder(run), results, contender, seed)
    shape = tuple(read_facts(checkpoint)["shape"])
    pixels = _decode(images, shape, run)
    files = sorted((run / "plugins").rglob("*.py"))
    tables = compile_tables(run_ontology(run, results))
    model = load_model(checkpoint, with_files(installed(), files), tables)
    answers = model.answer(pixels)
    return [
        {"image": str(image), **_answer(tables, world, probabilities)}
        for image, world, probabilities in zip(images, answers.worlds, answers.probabilities, strict=True)
    ]


def _checkpoint(run: RunFolder, results: Results, contender: str | None, seed: int | None) -> Path:
    """The folder of the model asked for."""
    trained = {c.name: c for c in results.contenders if any(_has_model(run, c, s.seed) for s in c.seeds)}
    if not trained:
        raise fail("E514", f"{run.path} holds no trained model", help="did every retraining fail? see the report")
    if contender is None:
        contender = max(trained.values(), key=_by_validation).name
    elif contender not in trained:
        step = did_you_mean(contender, list(trained), plural="contenders with a model")
        raise fail("E514", f"there is no trained contender named {contender!r}", where=str(run.path), help=step)
    seeds = [s.seed for s in trained[contender].seeds if _has_model(run, trained[contender], s.seed)]
    if seed is None:
        seed = seeds[0]
    if seed not in seeds:
        known = ", ".join(map(str, seeds))
        raise fail("E514", f"{contender} has no model of seed {seed}", where=str(run.path), help=f"its seeds: {known}")
    return run.seed(contender, seed) / "checkpoint"


def _has_model(run: RunFolder, contender: ContenderResult, seed: int) -> bool:
    complete = any(s.seed == seed and s.state == "complete" for s in contender.seeds)
    return complete and (run.seed(contender.name, seed) / "checkpoint" / "model.json").is_file()


def _by_validation(contender: ContenderResult) -> tuple[bool, float]:
    best = contender.search.best_value if contender.search else None
    return not contender.baseline, float("-inf") if best is None else best


def _decode(images: Sequence[Path], shape: tuple[int, ...], run: Path) -> NDArray[np.uint8]:
    """Image files as the model was trained on them, [N, H, W, C]."""
    if len(shape) != 3:
        raise fail("E516", "the model takes feature vectors, not images", where=str(run))
    spec = _image_spec(run, shape)
    decoded = np.zeros((len(images), *shape), np.uint8)
    for row, path in enumerate(images):
        try:
            pixels = decode(path, spec)
        except Exception as e:
            step = "give image files, such as PNG or JPEG"
            raise fail("E515", f"{path} can't be read: {reason(e)}", help=step) from e
        if pixels.shape != shape:
            seen, needed = (f"{s[0]} × {s[1]}" for s in (pixels.shape, shape))
            raise fail("E515", f"{path} is {seen} pixels; this model takes {needed} and the study says no image.size")
        decoded[row] = pixels
    return decoded


def _image_spec(run: Path, shape: tuple[int, ...]) -> ImageSpec:
    """How the study decoded its images. Square ones are scaled even where the study left them as they were."""
    study = yaml.safe_load((run / "study.yaml").read_text(encoding="utf-8"))
    resize = (study["data"].get("image") or {}).get("resize", "fit")
    channels: Literal["grey", "rgb"] = "grey" if shape[2] == 1 else "rgb"
    return ImageSpec(shape[0] if shape[0] == shape[1] else None, channels, resize)


def _answer(tables: Tables, world: Bools, probabilities: NDArray[np.float32]) -> dict[str, Any]:
    ontology = tables.ontology
    return {
        "world": {g.path: _decided(tables, g, world) for g in ontology.groups},
        "probabilities": {
            g.path: {ontology.labels[i].path: round(float(probabilities[i]), 6) for i in g.labels}
            for g in ontology.groups
        },
    }


def _decided(tables: Tables, group: Group, world: Bools) -> bool | str | list[str] | None:
    """What a decoded world says of one group."""
    if not applies(tables.ontology, group.index, world[None])[0]:
        return None
    labels = tables.ontology.labels
    held = [i for i in group.labels if world[i]]
    if group.kind is Kind.BINARY:
        return bool(held)
    if group.kind is Kind.MULTILABEL:
        return [labels[i].path for i in held]
    deepest = tables.ontology.deepest(held)
    return None if deepest is None else labels[deepest].path
