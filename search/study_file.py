"""Reading a study file: YAML 1.2 with every key checked, `--set` applied, and what is not supported yet refused."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..dsl.load import check_file
from ..dsl.ontology import Ontology
from ..errors import LinnaeusError, did_you_mean, fail
from ..plugins.contracts import Decoder, Plugin
from ..plugins.metrics.board import ranking_metric
from ..plugins.registry import Registry, installed, with_files
from .data_file import read_data, write_data
from .overrides import apply_overrides
from .schema import (
    Check,
    Findings,
    Section,
    either,
    list_of,
    number,
    one_of,
    optional,
    placed,
    text,
    unsupported,
    whole,
    wrong_type,
)
from .space import CHOSEN
from .space_file import read_space, write_space
from .study import Budget, DataSpec, FinalSpec, Objective, ReportSpec, RunSpec, SearchSpec, Study, StudyData
from .suitability import BASELINES, check_suited, read_baselines
from .yaml12 import Node, parse

SCHEMA = 1
"""The version of the study file's schema (`linnaeus: 1`)."""

FORMATS = ("html", "markdown", "csv", "latex")
SEED_LIMIT = 2**32 - 1


def load_study(path: Path, overrides: Sequence[str] = ()) -> Study:
    """The study of a YAML file, every key checked; `overrides` are `--set` texts ("search.budget.trials=8").

    Raises:
        LinnaeusError: every mistake found, with its key and line (E3xx), and those of the ontology and the plugins.
    """
    return parse_study(_source(path), path, overrides)


def load_data(path: Path) -> StudyData:
    """The data part of a study file alone: the rest of it, even its ontology, may be missing or wrong.

    Raises:
        LinnaeusError: every mistake found in the data part, with its key and line (E3xx).
    """
    source = _source(path)
    findings = Findings({str(path): source})
    top = Section(parse(source, str(path)), findings)
    _check_version(top)
    registry, _ = _read_plugins(top, path.parent)
    data = read_data(top.section("data"), registry) if "data" in top.nodes else _no_data(top)
    ontology = top.take("ontology", text, None)
    if findings.found or data is None:
        raise findings.error()
    return StudyData(path, path.parent / ontology if ontology else None, data)


def _source(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as e:
        step = "name the study's YAML file; `linnaeus init DIR` writes one to start from"
        raise fail("E300", f"can't read the study file {path}: {e.strerror or e}", help=step) from e
    except UnicodeDecodeError as e:
        step = "save the file as UTF-8"
        raise fail("E300", f"{path} is not UTF-8 text (byte {e.start + 1})", help=step) from e


def parse_study(source: str, file: Path, overrides: Sequence[str] = ()) -> Study:
    """As `load_study`, from text; relative paths start at the folder of `file`, which need not exist."""
    label = str(file)
    root = parse(source, label)
    root, sources = apply_overrides(root, overrides)
    findings = Findings({label: source, **sources})
    top = Section(root, findings)
    _check_version(top)
    registry, plugin_files = _read_plugins(top, file.parent)
    parts = _read_parts(top, file, registry)
    data = read_data(top.section("data"), registry) if "data" in top.nodes else _no_data(top)
    ontology_file, ontology, read = _read_ontology(top, file.parent)
    parts["objective"] = _read_objective(top.section("objective"), ontology, registry)
    parts["baselines"] = read_baselines(top, ontology)
    if ontology is not None:
        check_suited(top, ontology, registry, parts["search"].space.plugins["head"], parts["decoder"])
    top.close()
    if findings.found or ontology is None or data is None:
        raise findings.error()
    study = Study(
        file=file, ontology_file=ontology_file, ontology=ontology, registry=registry, data=data,
        plugin_files=plugin_files, ontology_sources=read, **parts,
    )  # fmt: skip
    return dataclasses.replace(study, resolved=_resolved(study, top))


def _no_data(top: Section) -> DataSpec | None:
    top.require("data", lambda node: None, None, "the images and their annotations")
    return None


def _check_version(top: Section) -> None:
    def check(node: Node) -> int:
        if type(node.value) is not int or node.value != SCHEMA:
            raise fail(
                "E309",
                f"a study of schema {node.text or node.value!r}; this version reads {SCHEMA}",
                help="write 'linnaeus: 1', or use the version of Linnaeus that the study was written for",
            )
        return SCHEMA

    top.take("linnaeus", check, SCHEMA)


def _read_plugins(top: Section, base: Path) -> tuple[Registry, tuple[Path, ...]]:
    registry = installed()
    files: list[Path] = []

    def add(node: Node) -> str:
        nonlocal registry
        files.append(base / text(node))
        registry = with_files(registry, [files[-1]], node.path)
        return text(node)

    top.take("plugins", list_of(add), ())
    return registry, tuple(files)


def _read_ontology(top: Section, base: Path) -> tuple[Path, Ontology | None, tuple[Path, ...]]:
    """The ontology beside the study, its file and all files it was read from; its mistakes are kept with their places
    in those.
    """
    name = top.require("ontology", text, "", "the .onto file that says what the labels mean")
    path = base / name
    if not name:
        return path, None, ()
    if not path.is_file():
        node = top.nodes["ontology"]
        known = sorted(p.name for p in base.glob("*.onto")) if base.is_dir() else []
        step = did_you_mean(name, known, plural=".onto files beside the study")
        top.findings.add("E314", f"there is no ontology file {path}", node.span, node.path, step)
        return path, None, ()
    try:
        checked = check_file(path)
        return path, checked.require(), tuple(map(Path, checked.sources))
    except LinnaeusError as e:
        top.findings.keep(e)
        return path, None, ()


def _read_objective(section: Section, ontology: Ontology | None, registry: Registry) -> Objective:
    found = Objective(section.take("metric", optional(text), None), section.take("of", optional(text), None))
    section.close()
    if ontology is not None and found != Objective():
        try:
            ranking_metric(found.metric, found.of, ontology, registry)
        except LinnaeusError as e:
            key = (e.diagnostics[0].where or "").rpartition(".")[2]
            section.findings.keep(placed(e, section.nodes.get(key, section.node)))
    return found


# --- the rest of the keys --------------------------------------------------------------------------


def _read_parts(top: Section, file: Path, registry: Registry) -> dict[str, Any]:
    """Every part but the ontology, the data, the plugins and the objective, by the name of `Study`'s field."""

    def decoder(node: Node) -> str:
        contract: type[Plugin] = Decoder
        registry.get(contract, text(node))
        return text(node)

    return {
        "name": top.take("name", _study_name, file.stem),
        "seed": top.take("seed", whole(0, SEED_LIMIT), Study.seed),
        "compare": top.take("compare", list_of(one_of(*CHOSEN, later=LATER_KINDS)), Study.compare),
        "search": _read_search(top.section("search"), registry),
        "final": _read_final(top.section("final")),
        "decoder": top.take("decoder", decoder, Study.decoder),
        "report": _read_report(top.section("report")),
        "run": _read_run(top.section("run")),
    }


LATER_KINDS = ("decoder", "augment", "augmentation", "train", "features", "estimator")


def _study_name(node: Node) -> str:
    name = text(node)
    if not re.fullmatch(r"\w[\w .+-]{0,79}", name) or name.endswith((" ", ".")):
        law = "is not letters, digits, '_', '-', '+', '.' and spaces, 80 at most"
        raise fail("E306", f"{name!r} {law}", help="the run folder takes its name from it")
    if name in BASELINES:
        raise fail("E306", f"{name!r} is the name of a baseline", help="choose another")
    return name


def _read_search(section: Section, registry: Registry) -> SearchSpec:
    budget, plain = section.section("budget"), Budget()
    spec = SearchSpec(
        read_space(section.section("space"), registry),
        section.take("sampler", one_of("tpe", "random"), SearchSpec.sampler),
        section.take("pruner", one_of("halving", "hyperband", "median", "none"), SearchSpec.pruner),
        section.take("repeats", _one("several searches a contender", "leave 'repeats' at 1"), SearchSpec.repeats),
        Budget(
            budget.take("trials", whole(1, 100_000), plain.trials),
            budget.take("epochs", whole(1, 100_000), plain.epochs),
            budget.take("seconds", optional(number(0)), plain.seconds),
        ),
    )
    budget.close()
    section.close()
    return spec


def _one(what: str, help: str, *, auto: bool = False) -> Check[Any]:
    """1 (or auto): more is for a later version."""

    def check(node: Node) -> Any:
        if auto and node.value == "auto":
            return "auto"
        if auto and isinstance(node.value, str):
            raise wrong_type("auto, or a whole number,", node)
        if whole(1)(node) > 1:
            raise unsupported(f"{node.value}, {what},", help)
        return 1

    return check


def _read_final(section: Section) -> FinalSpec:
    epochs: Check[Any] = either((str, one_of("best")), (int, whole(1, 100_000)), expected="best, or a whole number,")
    plain = FinalSpec()
    spec = FinalSpec(
        section.take("seeds", whole(1, 1000), plain.seeds),
        section.take("train_on", one_of("train", "train+validation"), plain.train_on),
        section.take("epochs", epochs, plain.epochs),
    )
    section.close()
    return spec


def _read_report(section: Section) -> ReportSpec:
    plain = ReportSpec()
    spec = ReportSpec(
        section.take("formats", list_of(one_of(*FORMATS)), plain.formats),
        section.take("confidence", number(0.5, 1), plain.confidence),
        section.take("rope", number(0, 1, ends=True), plain.rope),
    )
    section.close()
    return spec


def _read_run(section: Section) -> RunSpec:
    plain = RunSpec()
    spec = RunSpec(
        section.take("device", one_of("auto", "cpu", "gpu", "tpu"), plain.device),
        section.take("workers", _one("several workers", "write auto or 1", auto=True), plain.workers),
        section.take("population", _one("training trials together", "write auto or 1", auto=True), plain.population),
        section.take("trial_seconds", number(0), plain.trial_seconds),
    )
    section.close()
    return spec


# --- back to plain data ----------------------------------------------------------------------------


def _resolved(study: Study, top: Section) -> Mapping[str, Any]:
    """Every key with its final value: written as YAML and read again, it gives the same study."""
    search = study.search
    final, report = (dataclasses.asdict(part) for part in (study.final, study.report))
    return {
        "linnaeus": SCHEMA,
        "name": study.name,
        "ontology": top.nodes["ontology"].value,
        "seed": study.seed,
        "plugins": [node.value for node in top.nodes["plugins"].value] if "plugins" in top.nodes else [],
        "data": write_data(study.data),
        "objective": dataclasses.asdict(study.objective),
        "compare": list(study.compare),
        "search": {
            "sampler": search.sampler,
            "pruner": search.pruner,
            "repeats": search.repeats,
            "budget": dataclasses.asdict(search.budget),
            "space": write_space(search.space),
        },
        "final": final,
        "decoder": study.decoder,
        "baselines": list(study.baselines),
        "report": {**report, "formats": list(study.report.formats)},
        "run": dataclasses.asdict(study.run),
    }
