"""What a converter is, and which there are.

A converter is a module of this package with the functions of `Converter`; it is imported when it is asked for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from ...errors import did_you_mean, fail
from ..draft import Draft
from ..ontology import Ontology
from .documents import read_json, read_xml

FOLDER = "/"
"""Stands among the suffixes of a format that is a folder."""


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that the other side can't say.

    `where` is its place in the source: a JSON pointer, `line N`, or the path of a group or class. `what` says the same
    of every such place (no values in it), so that equal losses can be told together.
    """

    where: str
    what: str


@dataclass
class Read:
    """What a file of another format says, as a draft.

    `places` gives the place in the source of groups and classes by their paths in the draft (`names.segment`s joined by
    dots); mistakes that the checker finds in the draft are reported there.
    """

    draft: Draft
    losses: list[Loss] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)


@dataclass
class Written:
    """An ontology in another format: the text of a file, or of the files of a folder by their paths in it.

    A path that ends in `/` is a folder with nothing in it.
    """

    text: str | dict[str, str]
    losses: list[Loss] = field(default_factory=list)


class Converter(Protocol):
    """The functions of a converter's module."""

    def read(self, path: Path) -> Read:
        """What a file says.

        Raises:
            LinnaeusError: E160 for a file that is not the format's JSON, XML, …; E162 for one of another shape. The
                diagnostic's `where` names the place.
        """

    def write(self, ontology: Ontology) -> Written:
        """An ontology in the format, with everything that the format can't say as a loss."""

    def recognises(self, path: Path) -> bool:
        """Whether a file is of this format and of no other; False where it can't be read."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format that ontologies are read from and written to.

    `name` is what the command line calls it, `module` the converter's module in this package, `suffixes` those of its
    files in lower case, `FOLDER` for a folder.
    """

    name: str
    title: str
    module: str
    suffixes: tuple[str, ...]

    def converter(self) -> Converter:
        """Its converter, imported."""
        return cast(Converter, importlib.import_module(f".{self.module}", __package__))


FORMATS = {
    f.name: f
    for f in (
        Format("xtreme1", "BasicAI and Xtreme1 ontology JSON", "xtreme1", (".json",)),
        Format("label-studio", "Label Studio labeling config (XML)", "label_studio", (".xml",)),
        Format("labelbox", "Labelbox ontology JSON", "labelbox", (".json",)),
        Format("cvat", "CVAT labels JSON", "cvat", (".json",)),
        Format("coco", "COCO categories (JSON)", "coco", (".json",)),
        Format("open-images", "Open Images class hierarchy (JSON)", "open_images", (".json",)),
        Format("skos", "SKOS vocabulary (Turtle)", "skos", (".ttl",)),
        Format("skos-xml", "SKOS vocabulary (RDF/XML)", "skos_xml", (".rdf", ".owl")),
        Format("csv", "CSV taxonomy", "table", (".csv",)),
        Format("folders", "folder tree of images", "folder_tree", (FOLDER,)),
        Format("tfds", "TensorFlow Datasets features", "tfds", (".json", FOLDER)),
    )
}


_READERS: dict[str, Callable[[Path], object]] = {".json": read_json, ".xml": read_xml}


def find_format(name: str) -> Format:
    """The format of that name.

    Raises:
        LinnaeusError: E161 for an unknown one.
    """
    if name not in FORMATS:
        raise fail("E161", f"unknown format {name!r}", help=did_you_mean(name, list(FORMATS), plural="formats"))
    return FORMATS[name]


def guess_source(path: Path) -> Format:
    """The one format that a file or folder is surely of.

    Raises:
        LinnaeusError: E001 for no file, E160 for broken JSON or XML, E161 where no format or several fit.
    """
    if not path.exists():
        raise fail("E001", f"no such file: {path}", help="check the path")
    suffix = FOLDER if path.is_dir() else path.suffix.lower()
    fitting = [f for f in FORMATS.values() if suffix in f.suffixes]
    sure = [f for f in fitting if f.converter().recognises(path)]
    if len(sure) == 1:
        return sure[0]
    if not sure and suffix in _READERS:
        _READERS[suffix](path)
    raise fail("E161", f"can't tell the format of {path}", help=_choose("--from", sure or fitting))


def guess_destination(path: Path) -> Format:
    """The one format whose files end as a path does.

    Raises:
        LinnaeusError: E161 where none or several do.
    """
    fitting = [f for f in FORMATS.values() if path.suffix.lower() in f.suffixes]
    if len(fitting) == 1:
        return fitting[0]
    raise fail("E161", f"can't tell which format to write to {path}", help=_choose("--to", fitting))


def _choose(option: str, fitting: list[Format]) -> str:
    rows = [f"\n    {option} {f.name:<14} {f.title}" for f in fitting or FORMATS.values()]
    return f"name it:{''.join(rows)}"
