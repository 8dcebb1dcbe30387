"""Prepared data: a study's images, evidence and splits, fixed, hashed, and kept in two parts, search and test."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dsl.annotations import describe
from ..dsl.evidence import Evidence
from ..dsl.tables import Ints, Tables, compile_tables
from ..errors import fail
from ..plugins.contracts import Records
from .binding import Bound, bind
from .data_checks import (
    check_classes,
    check_records,
    check_splits,
    class_findings,
    classes,
    contents_of,
    hashes,
    illegal,
    label_counts,
    unknown_values,
    unreadable,
)
from .splits import NOWHERE, SPLITS, TEST, TRAIN, VALIDATION, Assignment, SplitCodes, assign
from .study import Study

SHOWN = 5


@dataclass(frozen=True)
class Split:
    """One split, ready to train on or to score.

    Shapes:
        images: uint8 [N, H, W, C] or float32 [N, F]; memory-mapped when loaded.
        clusters: [N] int32, equal for images of one group value; all different where the study names no group column.
    """

    images: NDArray[Any]
    evidence: Evidence
    names: tuple[str, ...]
    clusters: Ints

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class PreparedData:
    """A study's data, every record in a split. What was left out is in the report.

    Shapes:
        images: uint8 [N, H, W, C] or float32 [N, F].
        split: [N] int8, 0 train, 1 validation, 2 test.
        clusters: [N] int32, as in `Split`.
        report: plain data: counts (by split), classes (group → label → counts by split), dropped ({reason, count,
            names}), unreadable ({name, reason}), notices, warnings, notes, hashes (content, split, test), duplicates,
            bound (group → words), image (shape, dtype), split (as asked), seconds.
    """

    tables: Tables
    images: NDArray[Any]
    names: tuple[str, ...]
    evidence: Evidence
    split: SplitCodes
    clusters: Ints
    report: dict[str, Any]

    def __len__(self) -> int:
        return len(self.names)

    def part(self, name: str) -> Split:
        """The records of "train", "validation" or "test"."""
        rows = np.flatnonzero(self.split == SPLITS.index(name))
        names = tuple(self.names[i] for i in rows.tolist())
        return Split(self.images[rows], self.evidence.take(rows), names, self.clusters[rows])

    def describe(self, row: int) -> dict[str, str]:
        """One record's evidence in words, by group path, with what follows from it."""
        return describe(self.tables, self.evidence.take(np.array([row])).possible()[0])

    def keep(self, folder: Path) -> None:
        """`save`, unless `folder` holds this data already. Studies that start at once wait for each other."""
        from filelock import FileLock

        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            if not (folder / "report.json").is_file():
                self.save(folder)

    def save(self, folder: Path) -> None:
        """Write `search/` (training and validation), `test/` and, last, `report.json`: whoever searches need not open
        the test part.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for name, codes in (("search", (TRAIN, VALIDATION)), ("test", (TEST,))):
            rows = np.concatenate([np.flatnonzero(self.split == code) for code in codes])
            _write_part(self, rows, folder / name)
        (folder / "report.json").write_text(json.dumps(self.report, indent=1, ensure_ascii=False), encoding="utf-8")


# --- on disk -------------------------------------------------------------------------------------------


def _write_part(data: PreparedData, rows: NDArray[np.intp], folder: Path) -> None:
    made = folder.with_name(folder.name + ".part")
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    images = np.lib.format.open_memmap(
        made / "images.npy", mode="w+", dtype=data.images.dtype, shape=(len(rows), *data.images.shape[1:])
    )
    for start in range(0, len(rows), 1024):
        images[start : start + 1024] = data.images[rows[start : start + 1024]]
    images.flush()
    np.savez(
        made / "records.npz",
        ontology=np.array(data.tables.ontology.hash),
        codes=data.evidence.codes[rows],
        masks=data.evidence.flat,
        mask_counts=np.array([len(m) for m in data.evidence.masks], np.int64),
        names=np.array([data.names[i] for i in rows.tolist()], dtype=np.str_),
        split=data.split[rows],
        clusters=data.clusters[rows],
    )
    shutil.rmtree(folder, ignore_errors=True)
    made.rename(folder)


def load_search(folder: Path, tables: Tables) -> tuple[Split, Split]:
    """Training and validation, from what `PreparedData.save` wrote.

    Raises:
        LinnaeusError: E240 the folder holds no prepared data, or that of another ontology.
    """
    data, split = _read_part(folder / "search", tables)
    n = int((split == TRAIN).sum())
    return _rows(data, slice(0, n)), _rows(data, slice(n, None))


def load_test(folder: Path, tables: Tables) -> Split:
    """The test split, from what `PreparedData.save` wrote. To be opened once a search has ended.

    Raises:
        LinnaeusError: E240, as in `load_search`.
    """
    return _read_part(folder / "test", tables)[0]


def _rows(data: Split, rows: slice) -> Split:
    evidence = Evidence(data.evidence.tables, data.evidence.codes[rows], data.evidence.masks)
    return Split(data.images[rows], evidence, data.names[rows], data.clusters[rows])


def _read_part(folder: Path, tables: Tables) -> tuple[Split, SplitCodes]:
    if not (folder / "records.npz").is_file():
        raise fail("E240", f"{folder} holds no prepared data", help="run the study again: it is made anew")
    with np.load(folder / "records.npz", allow_pickle=False) as z:
        if str(z["ontology"]) != tables.ontology.hash:
            raise fail("E240", f"{folder} was prepared for another ontology", help="run the study again")
        masks, flat, start = [], z["masks"], 0
        for v, count in zip(tables.variables, z["mask_counts"].tolist(), strict=True):
            size = count * (v.stop - v.start)
            masks.append(flat[start : start + size].reshape(count, v.stop - v.start))
            start += size
        evidence = Evidence(tables, z["codes"], tuple(masks))
        names, clusters, split = tuple(z["names"].tolist()), z["clusters"], z["split"]
    return Split(np.load(folder / "images.npy", mmap_mode="r"), evidence, names, clusters), split


# --- preparing -----------------------------------------------------------------------------------------


def prepare(study: Study, cache: Path) -> PreparedData:
    """Read a study's data set, bind it, check it, and put every record in a split.

    Args:
        cache: the user's cache folder; decoded images are kept under `images/` in it.

    Raises:
        LinnaeusError: the data is missing, unreadable, can't be bound, or leaves a split empty (E2…).
    """
    start = time.perf_counter()
    tables = compile_tables(study.ontology)
    spec = study.data
    records = spec.dataset.load(spec.image, study.base, cache / "images")
    check_records(records)
    out: dict[int, str] = {i: f"unreadable: {u.reason}" for i, u in sorted(records.unreadable.items())}
    if out and spec.bad.unreadable == "error":
        raise unreadable(records)
    bound = bind(tables, records, spec)
    unknown_values(bound, records, out, spec.bad.unknown_value)
    illegal(bound.evidence, records, out, spec.bad.illegal)
    keep = np.array([i for i in range(len(records.names)) if i not in out], np.intp)
    if not len(keep):
        raise fail("E200", "every image was left out", where="data", help="see data.bad, and check the bindings")
    kept = _kept(records, keep)
    contents, constant = contents_of(kept)
    made = assign(kept, contents, bound.evidence.take(keep), spec.split, study.seed, frozenset(spec.missing))
    out.update({int(keep[i]): why for i, why in made.left_out.items()})
    if constant:
        made.notices.append(f"{constant} images are of one colour all over")
    rows = np.flatnonzero(made.split != NOWHERE)
    data = PreparedData(
        tables,
        kept.images if len(rows) == len(kept.names) else kept.images[rows],
        tuple(kept.names[i] for i in rows.tolist()),
        bound.evidence.take(keep[rows]),
        made.split[rows],
        made.clusters[rows],
        {},
    )
    check_splits(data.split)
    check_classes(tables, data.evidence, data.split, bound)
    data.report.update(_report(study, records, bound, made, data, [contents[i] for i in rows.tolist()]))
    data.report.update(dropped=_dropped(out, records.names), seconds=round(time.perf_counter() - start, 3))
    return data


def _report(
    study: Study, records: Records, bound: Bound, made: Assignment, data: PreparedData, contents: Sequence[str]
) -> dict[str, Any]:
    counts = label_counts(data.evidence, data.split)
    warnings, notices = class_findings(data.tables, counts, bound)
    return {
        "source": study.data.source,
        "counts": {"total": len(data), **{s: int((data.split == c).sum()) for c, s in enumerate(SPLITS)}},
        "classes": classes(data.tables, counts),
        "bound": bound.bound,
        "unreadable": [{"name": u.name, "reason": u.reason} for u in records.unreadable.values()],
        "duplicates": made.duplicates,
        "split": _split_words(study),
        "image": {"shape": list(data.images.shape[1:]), "dtype": str(data.images.dtype)},
        "hashes": hashes(data.names, contents, data.split, data.evidence),
        "warnings": warnings,
        "notices": [*bound.notices, *made.notices, *notices],
        "notes": list(records.notes),
    }


def _kept(records: Records, keep: NDArray[np.intp]) -> Records:
    if len(keep) == len(records.names):
        return records
    rows = keep.tolist()
    columns = {k: [cells[i] for i in rows] for k, cells in records.columns.items()}
    splits = None if records.splits is None else [records.splits[i] for i in rows]
    return Records(records.images[keep], [records.names[i] for i in rows], columns, splits, notes=records.notes)


def _split_words(study: Study) -> dict[str, Any]:
    s = study.data.split
    given: dict[str, Any] = {"test": s.test, "validation": s.validation} if s.column is None else {"from": s.column}
    stratify = None if s.stratify is None else list(s.stratify)
    return {**given, "stratify": stratify, "group": s.group, "duplicates": s.duplicates, "seed": study.seed}


def _dropped(out: Mapping[int, str], names: Sequence[str]) -> list[dict[str, Any]]:
    by_reason: dict[str, list[str]] = {}
    for row, why in sorted(out.items()):
        by_reason.setdefault(why, []).append(names[row])
    return [{"reason": why, "count": len(found), "names": found[:SHOWN]} for why, found in by_reason.items()]
