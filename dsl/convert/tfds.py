"""The features of a builder of TensorFlow Datasets, from the files that it is prepared with; nothing is imported."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from ...errors import LinnaeusError, fail
from ..draft import Draft, DraftGroup
from ..names import segment, slug
from ..ontology import Group, Kind, Ontology
from ..source import read_source
from .documents import Value, read_json
from .formats import Loss, Read, Written
from .terms import Term, name_siblings, natural_id, tidy
from .unsaid import distinct_names, lost_names, unsaid

FEATURES, INFO = "features.json", "dataset_info.json"
_COARSE = re.compile(r"coarse|super", re.IGNORECASE)
_CORE = "tensorflow_datasets.core.features."


def recognises(path: Path) -> bool:
    """Whether it is a `features.json`, or a folder of a builder or of one of its versions."""
    try:
        document = read_json(_features(path))
    except LinnaeusError:
        return False
    return isinstance(document.data, dict) and "pythonClassName" in document.data


@dataclass(frozen=True, slots=True)
class _Feature:
    """A feature by its name, the keys on the way to it joined by `/`; `several` of it in one example where in a list.

    `names_of` is the file of its classes' names, `kind` what TFDS calls it.
    """

    name: str
    value: Value
    kind: str
    several: bool
    names_of: Path


def read(path: Path) -> Read:
    """Class labels and truth values as groups that are called as the columns of the data source `tfds`.

    A ClassLabel is a multiclass, in a list a multilabel; with the names no and yes, in this order, it is a binary. A
    Bool is a binary. Everything else is no label. Names that hold two things (Apple___healthy) stay as they are.

    Raises:
        LinnaeusError: E001 where no builder is prepared, E160 for a file that is not JSON, E162 for another shape.
    """
    file = _features(path)
    document = read_json(file)
    draft = _draft(file)
    result = Read(draft)
    features = [(f, _classes(f)) for f in _leaves(document, file.parent)]
    kept = [(f, classes) for f, classes in features if _kind(f, classes)]
    for feature, classes in features:
        if not _kind(feature, classes):
            result.losses.append(Loss(feature.name, _why(feature, classes)))
    if not kept:
        raise document.wrong("no feature is a class label or a truth value")
    terms = [Term(f.name, f.name, f.value.where) for f, _ in kept]
    for (feature, classes), named in zip(kept, name_siblings(terms, result.losses), strict=True):
        kind = _kind(feature, classes)
        assert kind is not None  # asked above
        group = DraftGroup(kind, named.id, aka=(feature.name,) if feature.name != named.id else ())
        result.places[segment(group.id)] = feature.value.where or "/"
        if kind is not Kind.BINARY:
            members = [Term(str(i), name, feature.value.where) for i, name in enumerate(classes)]
            group.classes = name_siblings(members, result.losses)
        draft.groups.append(group)
    draft.comments += _remarks(draft)
    return result


def _features(path: Path) -> Path:
    """The `features.json` of a builder's folder, of one of its versions, or the file itself.

    Raises:
        LinnaeusError: E001 where there is none, or several.
    """
    if not path.is_dir():
        return path
    if (path / FEATURES).is_file():
        return path / FEATURES
    found = sorted([*path.glob(f"*/{FEATURES}"), *path.glob(f"*/*/{FEATURES}")])
    if len(found) == 1:
        return found[0]
    listed = f": {', '.join(str(f.parent.relative_to(path)) for f in found[:8])}" if found else ""
    step = "name the folder of one version" if found else "name the folder where a builder is prepared: BUILDER/VERSION"
    raise fail("E001", f"{path} holds {len(found) or 'no'} prepared builders{listed}", help=step)


def _draft(features: Path) -> Draft:
    """The ontology's header, from `dataset_info.json` where it is there."""
    info = features.with_name(INFO)
    document = read_json(info) if info.is_file() else Value({}, str(info))
    name, config, version = (document.get(key) for key in ("name", "configName", "version"))
    called = "_".join(part.text() for part in (name, config) if part) or features.resolve().parent.name
    return Draft(slug(called), version=version.text() if version else None)


def _leaves(document: Value, folder: Path) -> Iterator[_Feature]:
    """The features that hold no others, in the order of the file."""
    stack = [(document, "", "", False)]
    while stack:
        value, name, file, several = stack.pop()
        kind = value.need("pythonClassName").text().rpartition(".")[2]
        inner = value.get("featuresDict")
        sequence = value.get("sequence")
        if inner is not None:
            features = inner.get("features") or Value({}, value.file, value.where)
            for key in reversed(features.keys()):
                below = (f"{name}/{key}", f"{file}-{key}") if name else (key, key)
                stack.append((features.need(key), *below, several))
        elif sequence is not None:
            stack.append((sequence.need("feature"), name, file, True))
        else:
            yield _Feature(name, value, kind, several, folder / f"{file}.labels.txt")


def _classes(feature: _Feature) -> list[str]:
    """The names of the classes; numbers where they have none; nothing where the feature has no classes."""
    label = feature.value.get("classLabel")
    if label is None:
        return []
    stated = label.get("numClasses")
    number = stated.text() if stated else "0"
    if not number.isdecimal() or len(number) > 7:
        raise label.wrong(f"numClasses is {number!r}, no number of classes")
    if not feature.names_of.is_file():
        return [str(i) for i in range(int(number))]
    names = [line.strip() for line in read_source(feature.names_of).split("\n") if line.strip()]
    for line, name in enumerate(names, 1):
        if tidy(name) in map(tidy, names[: line - 1]):
            raise fail("E162", f"the class {name!r} stands twice", where=f"{feature.names_of}, line {line}")
    if stated and len(names) != int(number):
        raise label.wrong(f"numClasses is {number}, but {feature.names_of.name} has {len(names)} names")
    return names


def _kind(feature: _Feature, classes: list[str]) -> Kind | None:
    """The kind of group that a feature is; None for one that is no label."""
    tensor = feature.value.get("tensor")
    if tensor is not None and not feature.several:
        dtype, shape = tensor.get("dtype"), tensor.get("shape")
        scalar = shape is None or not shape.entries("dimensions")
        return Kind.BINARY if scalar and dtype is not None and dtype.data in ("bool", "bool_") else None
    if feature.several:
        return Kind.MULTILABEL if classes else None
    if [name.casefold() for name in classes] == ["no", "yes"]:
        return Kind.BINARY
    return Kind.MULTICLASS if len(classes) > 1 else None


def _why(feature: _Feature, classes: list[str]) -> str:
    if feature.value.get("classLabel") is None:
        return f"a feature that is no label ({feature.kind})"
    return "a feature of one class" if classes else "a feature that does not say its classes"


def _remarks(draft: Draft) -> list[str]:
    """What a person may want to say better than the features do."""
    remarks = []
    coarse = [group.id for group in draft.groups if group.kind is Kind.MULTICLASS and _COARSE.search(group.id)]
    if coarse and sum(group.kind is Kind.MULTICLASS for group in draft.groups) > 1:
        remarks.append(
            f"{', '.join(coarse)} may be the upper levels of a hierarchy: `linnaeus infer` looks into the data."
        )
    for group in draft.groups:
        names = [class_.title or class_.id for class_ in group.classes]
        if names and 2 * sum("__" in name for name in names) > len(names):
            remarks.append(f"The names of {group.id} seem to say two things: `linnaeus infer` can part them.")
    return remarks


# --- writing --------------------------------------------------------------------------------------------


def write(ontology: Ontology) -> Written:
    """A folder with `features.json` and the files of the classes' names, as `FeaturesDict.from_config` of TFDS reads.

    Binaries become Bools, multilabels sequences of ClassLabels, all others ClassLabels of their leaves. A feature is
    called as the alias that gives the group its id, else as the id; `/` parts the keys of nested features.

    Raises:
        LinnaeusError: E167 where no group has two leaves.
    """
    kept = [group for group in ontology.groups if _says_something(ontology, group)]
    if not kept:
        raise fail("E167", f"all groups of {ontology.name} have one leaf", help="a ClassLabel has at least two classes")
    losses = unsaid(ontology, kept, {"aka of group", "several", "one"})
    root: dict[str, Any] = {}
    files: dict[str, str] = {}
    for group in kept:
        keys = _free(root, next((alias for alias in group.aka if natural_id(alias) == group.id), group.id))
        name = "/".join(keys)
        if any(alias != name for alias in group.aka):
            losses.append(Loss(group.path, "the aliases of the group"))
        if natural_id(name) != group.id:
            losses.append(Loss(group.path, "the id of the group: the name of its feature gives another"))
        here = root
        for key in keys[:-1]:
            here = here.setdefault(key, {})
        names = _names(ontology, group, losses)
        here[keys[-1]] = _Written(group.kind, len(names))
        if names:
            files["-".join(keys) + ".labels.txt"] = "".join(f"{name}\n" for name in names)
    files[FEATURES] = json.dumps(_config(root), ensure_ascii=False, indent=4) + "\n"
    return Written(files, losses)


@dataclass(frozen=True, slots=True)
class _Written:
    kind: Kind
    classes: int


def _says_something(ontology: Ontology, group: Group) -> bool:
    """Whether the group is a feature that is read as a label."""
    leaves = [i for i in ontology.leaves(group) if not ontology.labels[i].other]
    return group.kind in (Kind.BINARY, Kind.MULTILABEL) or len(leaves) > 1


def _free(root: dict[str, Any], name: str) -> list[str]:
    """The keys for the name of a feature, with a number after it where another stands there or on the way."""
    for text in chain([name], (f"{name}_{number}" for number in count(2))):
        keys = [key for key in text.split("/") if key]
        here: Any = root
        for key in keys[:-1]:
            here = here.get(key, {}) if isinstance(here, dict) else None
        if keys and isinstance(here, dict) and keys[-1] not in here:
            break
    return keys


def _names(ontology: Ontology, group: Group, losses: list[Loss]) -> list[str]:
    """The names of the classes that a feature lists."""
    if group.kind is Kind.BINARY:
        return []
    labels = [ontology.labels[i] for i in group.labels if not ontology.labels[i].other]
    if any(label.parents for label in labels):
        losses.append(Loss(group.path, "which classes stand under which"))
    if group.kind is Kind.HIERARCHY:
        inner = {parent for label in labels for parent in label.parents}
        losses += [Loss(label.path, "the class: a feature lists leaves") for label in labels if label.index in inner]
        labels = [label for label in labels if label.index not in inner]
    names = distinct_names(labels)
    losses += [loss for label in labels for loss in lost_names(label, names[label.index])]
    return list(names.values())


def _config(item: dict[str, Any] | _Written) -> dict[str, Any]:
    """A feature as TFDS writes it."""
    if isinstance(item, dict):
        features = {key: _config(below) for key, below in item.items()}
        return {"pythonClassName": f"{_CORE}features_dict.FeaturesDict", "featuresDict": {"features": features}}
    if item.kind is Kind.BINARY:
        tensor = {"shape": {}, "dtype": "bool", "encoding": "none"}
        return {"pythonClassName": f"{_CORE}scalar.Scalar", "tensor": tensor}
    classes = {"numClasses": str(item.classes)}
    label = {"pythonClassName": f"{_CORE}class_label_feature.ClassLabel", "classLabel": classes}
    if item.kind is not Kind.MULTILABEL:
        return label
    sequence = {"feature": label, "length": "-1"}
    return {"pythonClassName": f"{_CORE}sequence_feature.Sequence", "sequence": sequence}
