"""Train, validation and test: fixed before the first trial, by content and seed, whatever the order of the records."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..dsl.evidence import Evidence
from ..dsl.folders import SPLIT_NAMES, split_name
from ..dsl.names import find_group
from ..dsl.ontology import Group
from ..dsl.tables import Ints
from ..errors import did_you_mean, fail
from ..plugins.contracts import Annotated
from .binding import column
from .study import SplitSpec

SPLITS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST, NOWHERE = 0, 1, 2, -1
WHERE = "data.split"

SplitCodes = NDArray[np.int8]


@dataclass
class Assignment:
    """Which split each record is in (0 train, 1 validation, 2 test, -1 none), its cluster, and what to say about it.

    `clusters` [N] are numbered by the first record of each; without a group column every record is its own.
    `left_out` says why a record is in none.
    """

    split: SplitCodes
    clusters: Ints
    left_out: dict[int, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    duplicates: dict[str, int] = field(default_factory=dict)


def assign(
    records: Annotated, contents: Sequence[str], evidence: Evidence, spec: SplitSpec, seed: int, missing: frozenset[str]
) -> Assignment:
    """Put every record in a split.

    Official splits, or those of a column, are taken as they are; a fraction is drawn along the order of the evidence
    (systematic sampling: every run of like records gives its share, to within one), from units that stay together:
    the records of one group value, or of one picture.

    Args:
        contents: a digest of each image's pixels.

    Raises:
        LinnaeusError: E230 no official split, E231 a column that is not one of splits, E222 no such column,
            E234 no such group.
    """
    clusters, units = _units(records, contents, spec, missing)
    made = Assignment(np.full(len(contents), TRAIN, np.int8), clusters)
    strata = _strata(evidence, spec)
    pool = _given(records, spec, missing, made)
    if isinstance(spec.test, float) and spec.column is None:
        _draw(made.split, pool, spec.test, TEST, units, strata, seed)
        pool &= made.split == TRAIN
    if spec.validation != "official" and not (spec.column is not None and (made.split == VALIDATION).any()):
        share = spec.validation
        if isinstance(spec.test, float) and spec.column is None:
            share = share / (1 - spec.test)  # both are fractions of all images
        _draw(made.split, pool, share, VALIDATION, units, strata, seed)
    _straddling(made, spec)
    _duplicates(made, contents, spec)
    return made


def given_split(records: Annotated, spec: SplitSpec, missing: frozenset[str]) -> SplitCodes | None:
    """What is known of the split before anything is drawn: that of a column, or the official one. Images of which
    validation is yet to be drawn count as training; None: the test split itself is to be drawn.

    Raises:
        LinnaeusError: E222, E230 and E231 of `assign`.
    """
    if isinstance(spec.test, float) and spec.column is None:
        return None
    made = Assignment(np.full(len(records.names), TRAIN, np.int8), np.arange(len(records.names), dtype=np.int32))
    _given(records, spec, missing, made)
    return made.split


def _given(records: Annotated, spec: SplitSpec, missing: frozenset[str], made: Assignment) -> NDArray[np.bool_]:
    """Take over the splits that are given; the records from which fractions are drawn."""
    if spec.column is not None:
        given = _from_column(records, spec.column, missing, made)
        if not (given == VALIDATION).any():
            made.notices.append(
                f"the column {spec.column!r} names no validation images: {spec.validation} of training is drawn"
            )
    else:
        given = _official(records, spec, made)
    made.split[:] = given
    pool: NDArray[np.bool_] = made.split == TRAIN
    return pool


def _from_column(records: Annotated, name: str, missing: frozenset[str], made: Assignment) -> SplitCodes:
    cells = column(records, name, f"{WHERE}.from")
    texts = ["" if c is None or str(c).strip() in missing else str(c).strip() for c in cells]
    odd = sorted({t for t in texts if t and split_name(t) is None})
    if odd:
        shown = ", ".join(map(repr, odd[:5]))
        message = f"the column {name!r} holds {shown}, which are not train, validation or test"
        raise fail("E231", message, where=f"{WHERE}.from", help="name a column of splits, or give fractions")
    split = np.array([SPLITS.index(split_name(t) or "") if t else NOWHERE for t in texts], np.int8)
    made.left_out.update(dict.fromkeys(np.flatnonzero(split == NOWHERE).tolist(), f"no split in the column {name!r}"))
    return split


def _official(records: Annotated, spec: SplitSpec, made: Assignment) -> SplitCodes:
    official = [] if records.splits is None else [SPLITS.index(part) for part in records.splits]
    given = np.array(official or [TRAIN] * len(records.names), np.int8)
    for part, code in ((spec.test, TEST), (spec.validation, VALIDATION)):
        has, name = bool((np.array(official) == code).any()), SPLITS[code]
        if part == "official" and not has:
            raise fail(
                "E230", f"the data set has no official {name} split", where=f"{WHERE}.{name}", help=_way(records)
            )
        if part != "official" and has:
            n = int((given == code).sum())
            made.notices.append(
                f"the official {name} split ({n} images) is pooled with training, from which {part:g} is drawn; "
                f"write {name}: official to keep it"
            )
            given[given == code] = TRAIN
    return given


def _way(records: Annotated) -> str:
    """The next step where there is no official split: a column that holds one, else a fraction."""
    for name, cells in records.columns.items():
        values = {str(c).strip().casefold() for c in cells if c not in (None, "")}
        if values and values <= set(SPLIT_NAMES):
            return f"write split: {{from: {name}}}"
    return "give a fraction, such as split: {test: .2, validation: .1}"


# --- units and strata ------------------------------------------------------------------------------------


def _units(
    records: Annotated, contents: Sequence[str], spec: SplitSpec, missing: frozenset[str]
) -> tuple[Ints, Sequence[str]]:
    """Clusters as numbers, and the key of the unit each record moves with."""
    alone = np.arange(len(contents), dtype=np.int32)
    if spec.group is None:
        return alone, contents
    cells = column(records, spec.group, f"{WHERE}.group")
    keys = [
        f"one {contents[i]}" if c is None or str(c).strip() in missing else f"group {c}" for i, c in enumerate(cells)
    ]
    first: dict[str, int] = {}
    return np.array([first.setdefault(k, i) for i, k in enumerate(keys)], np.int32), keys


def _strata(evidence: Evidence, spec: SplitSpec) -> list[tuple[bytes, ...]]:
    """What each record is sorted by: the evidence of the named groups, else of all that always apply, in order.

    States are numbered in document order, so neighbours in a hierarchy are neighbours here: rare leaves share with
    their siblings.
    """
    tables = evidence.tables
    groups = _stratify_by(evidence, spec)
    variables = [v for g in groups for v in tables.group_variables(g)]
    keys = []
    for v in variables:
        # the first allowed state counts most: invert so that sorting follows document order
        texts = [np.packbits(~m).tobytes() for m in evidence.masks[v.index]]
        keys.append([texts[c] for c in evidence.codes[:, v.index].tolist()])
    return list(zip(*keys, strict=True)) if keys else [()] * len(evidence)


def _stratify_by(evidence: Evidence, spec: SplitSpec) -> list[Group]:
    ontology = evidence.tables.ontology
    if spec.stratify is None:
        return list(ontology.top_groups())
    found = []
    for name in spec.stratify:
        group = find_group(ontology, name).item
        if group is None:
            step = did_you_mean(name, [g.path for g in ontology.groups], plural="groups")
            raise fail("E234", f"the ontology has no group {name!r}", where=f"{WHERE}.stratify", help=step)
        found.append(group)
    return found


def _draw(
    split: SplitCodes,
    pool: NDArray[np.bool_],
    share: float,
    code: int,
    units: Sequence[str],
    strata: Sequence[tuple[bytes, ...]],
    seed: int,
) -> None:
    """Move `share` of the pool's records to split `code`, by whole units.

    Units stand in the order of their commonest stratum, shuffled within by a hash of seed and key; the share owed
    grows along the line, and a unit is taken when at least half of it is owed.
    """
    members: dict[str, list[int]] = {}
    for row in np.flatnonzero(pool).tolist():
        members.setdefault(units[row], []).append(row)
    salt = f"{seed} {SPLITS[code]} "
    line = []
    for key, rows in members.items():
        count = Counter(strata[r] for r in rows)
        commonest = min(count, key=lambda s: (-count[s], s))
        line.append((commonest, hashlib.sha256((salt + key).encode()).digest(), rows))
    line.sort(key=lambda unit: unit[:2])
    start = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:6], "big") / 2**48
    owed = start - 0.5
    for _, _, rows in line:
        owed += share * len(rows)
        if owed >= len(rows) / 2:
            split[rows] = code
            owed -= len(rows)


# --- what straddles --------------------------------------------------------------------------------------


def _straddling(made: Assignment, spec: SplitSpec) -> None:
    """Groups that given splits tear apart: only a notice, because an official split is never altered."""
    if spec.group is None:
        return
    seen: dict[int, set[int]] = {}
    for cluster, code in zip(made.clusters.tolist(), made.split.tolist(), strict=True):
        if code != NOWHERE:
            seen.setdefault(cluster, set()).add(code)
    torn = sum(len(codes) > 1 for codes in seen.values())
    if torn:
        made.notices.append(f"{torn} values of {spec.group!r} stand in more than one of the given splits")


def _duplicates(made: Assignment, contents: Sequence[str], spec: SplitSpec) -> None:
    """Count identical pictures, and with `drop` keep each in one split: test before validation before training.

    The test split is never altered, so copies within it stay; copies within training stay too.
    """
    where: dict[str, list[int]] = {}
    for row, content in enumerate(contents):
        if made.split[row] != NOWHERE:
            where.setdefault(content, []).append(row)
    counts = {"images": 0, "pictures": 0, "train-test": 0, "validation-test": 0, "train-validation": 0, "dropped": 0}
    for rows in where.values():
        if len(rows) < 2:
            continue
        counts["pictures"] += 1
        counts["images"] += len(rows)
        codes = made.split[rows]
        n = [int((codes == code).sum()) for code in (TRAIN, VALIDATION, TEST)]
        counts["train-test"] += n[TRAIN] if n[TEST] else 0
        counts["validation-test"] += n[VALIDATION] if n[TEST] else 0
        counts["train-validation"] += n[TRAIN] if n[VALIDATION] and not n[TEST] else 0
        if spec.duplicates == "drop":
            best = int(codes.max())
            out = [r for r, code in zip(rows, codes.tolist(), strict=True) if code < best]
            made.left_out.update(dict.fromkeys(out, f"a copy of a {SPLITS[best]} image"))
            made.split[out] = NOWHERE
            counts["dropped"] += len(out)
    made.duplicates = counts
