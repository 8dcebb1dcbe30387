"""What prepared data must keep to, its hashes, and what its evidence holds."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..dsl.annotations import describe
from ..dsl.evidence import YES, Evidence, decided_labels, possible_states
from ..dsl.tables import Bools, Ints, Tables
from ..errors import LinnaeusError, fail
from ..plugins.contracts import Annotated, Records
from .binding import Bound, check_values
from .conflicts import conflicts
from .splits import SPLITS, TEST, TRAIN, SplitCodes

SHOWN = 5
CHUNK = 50_000_000
"""Most entries of a dense mask held at once."""


# --- checks --------------------------------------------------------------------------------------------


def check_annotated(records: Annotated) -> None:
    """What names, columns and splits of every data set must keep to, anyone's plugin included (E200, E203, E207)."""
    n = len(records.names)
    if not n:
        raise fail("E200", "the data set has no images", where="data", help="check the path and the file types")
    twice = [name for name, count in Counter(records.names).items() if count > 1]
    if twice:
        shown = ", ".join(map(repr, twice[:SHOWN]))
        raise fail("E203", f"image names that occur more than once ({len(twice)}): {shown}", where="data",
                   help="list each image once; a multilabel group takes several labels in one cell")  # fmt: skip
    lengths = {f"column {k!r}": len(c) for k, c in records.columns.items()}
    if records.splits is not None:
        lengths["splits"] = len(records.splits)
        odd = sorted({str(s) for s in records.splits} - set(SPLITS))
        if odd:
            raise fail("E207", f"the data set names the splits {', '.join(odd)}", where="data", help=f"use {SPLITS}")
    for what, length in lengths.items():
        if length != n:
            raise fail("E207", f"the data set gives {n} names and {length} values of {what}", where="data")


def check_records(records: Records) -> None:
    """What every data set must keep to, its images too (E200, E203, E207)."""
    check_annotated(records)
    n, given = len(records.names), len(records.images)
    if given != n:
        raise fail("E207", f"the data set gives {n} names and {given} values of images", where="data")
    vectors = records.images.ndim == 2 and records.images.dtype == np.float32
    if not vectors and not (records.images.ndim == 4 and records.images.dtype == np.uint8):
        shape = "×".join(map(str, records.images.shape))
        message = f"the data set gives {records.images.dtype} of shape {shape}"
        raise fail("E207", message, where="data", help="uint8 [N, H, W, C] or float32 [N, F] is expected")


def unreadable(records: Records) -> LinnaeusError:
    """E210, with the first unreadable images by name."""
    found = list(records.unreadable.values())
    shown = "; ".join(f"{u.name}: {u.reason}" for u in found[:SHOWN])
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    message = f"{len(found)} of {len(records.names)} images can't be read: {shown}{more}"
    return fail("E210", message, where="data", help="repair or remove them, or set bad: {unreadable: drop}")


def unknown_values(bound: Bound, records: Records, out: dict[int, str], policy: str) -> None:
    """Refuse values that could not be read (E223), or with `drop` add their records to `out`."""
    if policy == "error":
        check_values(bound, records.names)
    for u in bound.unread:
        out.update({row: f"unknown value of {u.group}: {u.message}" for row in u.rows if row not in out})


def illegal(evidence: Evidence, records: Records, out: dict[int, str], policy: str) -> None:
    """Refuse records whose evidence no legal world satisfies (E224), or with `drop` add them to `out`."""
    legal = legal_records(evidence)
    rows = np.array([i for i in np.flatnonzero(~legal).tolist() if i not in out], np.intp)
    if len(rows) and policy == "error":
        found = conflicts(evidence.take(rows))
        lines = [f"{_named([records.names[rows[i]] for i in c.rows])} ({c})" for c in found[:SHOWN]]
        more = f"; and {len(found) - SHOWN} more contradictions" if len(found) > SHOWN else ""
        message = f"{len(rows)} records contradict the ontology: {'; '.join(lines)}{more}"
        raise fail("E224", message, where="data.bind", help="correct them, or set bad: {illegal: drop}")
    out.update(dict.fromkeys(rows.tolist(), "contradicts the ontology"))


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{', '.join(names[:SHOWN])}{more}"


def check_splits(split: SplitCodes) -> None:
    """Refuse an empty split (E232)."""
    for code, name in enumerate(SPLITS):
        if not (split == code).any():
            step = {
                "train": "leave images for training",
                "validation": "raise data.split.validation, or name an official validation split",
                "test": "raise data.split.test, or name an official test split",
            }[name]
            raise fail("E232", f"the {name} split is empty", where="data.split", help=step)


def check_classes(tables: Tables, evidence: Evidence, split: SplitCodes, bound: Bound) -> None:
    """Refuse training data that tells nothing apart (E233)."""
    codes = evidence.codes[split == TRAIN]
    if len(codes) and not (codes != codes[0]).any():
        said = describe(tables, Evidence(tables, codes[:1], evidence.masks).possible()[0])
        text = ", ".join(f"{p}: {t}" for p, t in said.items() if any(b.startswith(p) for b in bound.bound))
        message = f"all {len(codes)} training images say the same ({text}): there is nothing to learn"
        raise fail("E233", message, where="data.bind", help="check the bound columns, or add images of other classes")


# --- content -------------------------------------------------------------------------------------------


def contents_of(records: Records) -> tuple[list[str], int]:
    """A digest of each image's pixels (or features), and how many images are constant.

    Raises:
        LinnaeusError: E206 a feature vector that is not finite.
    """
    digests: list[str] = []
    constant = 0
    prefix = f"{records.images.dtype} {records.images.shape[1:]} ".encode()
    for start in range(0, len(records.names), 1024):
        chunk = np.ascontiguousarray(records.images[start : start + 1024])
        flat = chunk.reshape(len(chunk), -1)
        if chunk.dtype == np.float32 and not np.isfinite(flat).all():
            bad = [records.names[start + i] for i in np.flatnonzero(~np.isfinite(flat).all(1)).tolist()]
            message = f"feature vectors that are not finite numbers: {', '.join(bad[:SHOWN])}"
            raise fail("E206", message, where="data", help="remove these records, or fill in the values")
        constant += int((flat == flat[:, :1]).all(1).sum())
        digests.extend(hashlib.sha256(prefix + row.tobytes()).hexdigest() for row in flat)
    return digests, constant


def hashes(names: Sequence[str], contents: Sequence[str], split: SplitCodes, evidence: Evidence) -> dict[str, str]:
    """SHA-256 of what the data is (content), of how it is split and labelled (split), and of the test pictures alone
    (test): the key under which openings of a test split are counted, whatever the ontology.
    """
    rows, back = np.unique(evidence.codes, axis=0, return_inverse=True)
    said = []
    for allowed in _chunks(evidence, rows, possible=False):
        said += [hashlib.sha256(np.packbits(row).tobytes()).hexdigest() for row in allowed]
    told = [said[i] for i in back.reshape(-1).tolist()]
    lines = sorted(zip(names, contents, split.tolist(), told, strict=True))
    ontology = evidence.tables.ontology.hash
    return {
        "content": _digest(f"{name}\t{content}" for name, content, _, _ in lines),
        "split": _digest([ontology, *("\t".join((n, c, SPLITS[s], e)) for n, c, s, e in lines)]),
        "test": _digest(sorted(c for _, c, s, _ in lines if s == TEST)),
    }


def _digest(lines: Any) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


# --- what the evidence holds ---------------------------------------------------------------------------


def _chunks(evidence: Evidence, rows: Ints, *, possible: bool) -> Iterator[Bools]:
    """Allowed or possible states of rows of codes, some rows at a time: never all of [N, S] at once."""
    size = max(1, CHUNK // max(1, evidence.tables.n_states))
    for start in range(0, len(rows), size):
        allowed = evidence.flat[evidence.index(rows[start : start + size])]
        yield possible_states(evidence.tables, allowed) if possible else allowed


def legal_records(evidence: Evidence) -> Bools:
    """[N] whether some legal world agrees with the record."""
    rows, back = np.unique(evidence.codes, axis=0, return_inverse=True)
    legal = [possible.any(1) for possible in _chunks(evidence, rows, possible=True)]
    return np.concatenate(legal)[back.reshape(-1)] if legal else np.zeros(0, bool)


def label_counts(evidence: Evidence, split: SplitCodes) -> NDArray[np.int64]:
    """[3, L] how many images of each split decidedly have each label."""
    rows, back = np.unique(evidence.codes, axis=0, return_inverse=True)
    weight = np.zeros((len(SPLITS), len(rows)), np.int64)
    np.add.at(weight, (split.astype(np.intp), back.reshape(-1)), 1)
    counts = np.zeros((len(SPLITS), evidence.tables.n_labels), np.int64)
    start = 0
    for possible in _chunks(evidence, rows, possible=True):
        holds = decided_labels(evidence.tables, possible) == YES
        row, label = np.nonzero(holds)  # few labels hold at once
        for code in range(len(SPLITS)):
            held = np.bincount(label, weight[code, start + row], evidence.tables.n_labels)
            counts[code] += held.astype(np.int64)
        start += len(holds)
    return counts


def classes(tables: Tables, counts: NDArray[np.int64]) -> dict[str, dict[str, dict[str, int]]]:
    """`label_counts` as plain data: group → label → split → images."""
    labels = tables.ontology.labels
    return {
        g.path: {labels[i].path: {s: int(counts[c, i]) for c, s in enumerate(SPLITS)} for i in g.labels}
        for g in tables.ontology.groups
    }


def class_findings(tables: Tables, counts: NDArray[np.int64], bound: Bound) -> tuple[list[str], list[str]]:
    """Warnings (an open node whose `other` has no example) and notices (classes without one)."""
    ontology = tables.ontology
    warnings, notices = [], []
    for group in ontology.groups:
        labels = [ontology.labels[i] for i in group.labels]
        if group.path not in bound.bound and not any(label.path in bound.bound for label in labels):
            continue
        empty = [label for label in labels if not counts[TRAIN, label.index]]
        plain = [label.path for label in empty if not label.other]
        if plain:
            more = f" and {len(plain) - SHOWN} more" if len(plain) > SHOWN else ""
            notices.append(f"{group.path}: no training image of {', '.join(plain[:SHOWN])}{more}")
        warnings += [
            f"{label.path}: no training image, so its probability is not identified by the data"
            for label in empty
            if label.other
        ]
    return warnings, notices
