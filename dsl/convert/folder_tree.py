"""A tree of folders with images: each folder is a class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import fail
from ..draft import Draft, DraftGroup
from ..folders import SUFFIXES, split_name
from ..names import slug
from ..ontology import Kind, Ontology
from .formats import Loss, Read, Written
from .terms import Term, add_groups, kind_of, tidy
from .unsaid import chosen_group, lost_names, unsaid

GROUP = "label"
_ARCHIVE_LITTER = "__MACOSX"


@dataclass
class _Folder:
    """A folder in the tree: those in it by name, how many of its files are images and how many are not."""

    below: dict[str, _Folder] = field(default_factory=dict)
    images: int = 0
    others: int = 0

    def add(self, other: _Folder) -> None:
        """Take up what is in another folder."""
        self.images += other.images
        self.others += other.others
        for name, folder in other.below.items():
            self.below.setdefault(name, _Folder()).add(folder)


def recognises(path: Path) -> bool:
    """Whether a folder in the folder holds an image, at any depth."""
    if not path.is_dir():
        return False
    stack = [*_scan(path, path, set(), []).below.values()]
    for folder in stack:  # grows as it is walked
        stack += folder.below.values()
    return any(folder.images for folder in stack)


def read(path: Path) -> Read:
    """Folders as the classes of a hierarchy, of a multiclass where none is nested.

    Where all the top folders are called as splits (train, val, test …), what is in them is read as one tree. Left out,
    as losses: hidden folders, `__MACOSX`, folders with files but no image in or below them, links to folders that are
    in the tree anyway. An empty folder is a class without examples.

    Raises:
        LinnaeusError: E001 for what can't be read, E162 for a folder without folders, E168 for too deep a tree.
    """
    if not path.is_dir():
        raise fail("E001", f"{path} is not a folder", help="name the folder whose subfolders are the classes")
    result = Read(Draft(slug(path.resolve().name)))
    root = _scan(path, path, set(), result.losses)
    if root.below and all(map(split_name, root.below)):
        result.draft.comments.append(f"The folders {', '.join(root.below)} are splits, not classes.")
        splits, root = root, _Folder()
        for folder in splits.below.values():
            root.add(folder)
    terms = list(_terms(root, result.losses))
    if not terms:
        raise fail("E162", "there is no class in this folder", where=str(path), help="each folder in it is a class")
    add_groups(result, [(DraftGroup(kind_of(terms), GROUP), terms)])
    return result


def _scan(path: Path, root: Path, seen: set[Path], losses: list[Loss]) -> _Folder:
    """What is in a folder and below; recursion is as deep as paths may be."""
    folder = _Folder()
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError as e:
        raise fail("E001", f"can't read {path}: {e.strerror}", help="check its permissions") from None
    for entry in entries:
        where = Path(entry.path).relative_to(root).as_posix()
        if not entry.is_dir():
            hidden = entry.name.startswith(".")
            folder.images += not hidden and Path(entry.name).suffix.lower() in SUFFIXES
            folder.others += not hidden and Path(entry.name).suffix.lower() not in SUFFIXES
        elif entry.name.startswith(".") or entry.name == _ARCHIVE_LITTER:
            losses.append(Loss(where, "a hidden folder"))
        elif entry.is_symlink() and not _new(Path(entry.path), root, seen):
            losses.append(Loss(where, "a link to a folder that is in the tree anyway, or around it"))
        else:
            folder.below[entry.name] = _scan(Path(entry.path), root, seen, losses)
    return folder


def _new(link: Path, root: Path, seen: set[Path]) -> bool:
    """Whether a link leads to a folder that neither is in the tree nor holds it, nor was reached by another link."""
    target, top = link.resolve(), root.resolve()
    apart = not (target.is_relative_to(top) or top.is_relative_to(target) or target in seen)
    seen.add(target)
    return apart


def _terms(root: _Folder, losses: list[Loss]) -> Iterator[Term]:
    stack = [("", root)]
    while stack:
        key, folder = stack.pop()
        for name, below in folder.below.items():
            here = f"{key}/{name}" if key else name
            if not _may_be_class(below):
                losses.append(Loss(here, "a folder with files but no images"))
                continue
            if below.images and any(map(_may_be_class, below.below.values())):
                losses.append(Loss(here, "that its own images have coarse labels: each is of a class in it"))
            yield Term(here, name, here, parents=(key,) if key else ())
            stack.append((here, below))


def _may_be_class(folder: _Folder) -> bool:
    """Whether it has an image in it or below, or nothing at all."""
    stack, others = [folder], 0
    for each in stack:  # grows as it is walked
        if each.images:
            return True
        others += each.others
        stack += each.below.values()
    return not others


def write(ontology: Ontology) -> Written:
    """The first hierarchy, else multiclass group as folders with nothing in them, called as the classes.

    Raises:
        LinnaeusError: E167 where there is no such group.
    """
    group = chosen_group(ontology, (Kind.HIERARCHY, Kind.MULTICLASS), "a folder tree")
    losses = unsaid(ontology, [group], {"one"})
    if group.id != GROUP:
        losses.append(Loss(group.path, f"the id of the group: it is read back as `{GROUP}`"))
    paths: dict[int | None, str] = {None: ""}
    taken: set[str] = set()
    splits = all(split_name(ontology.labels[i].name) for i in group.labels if not ontology.labels[i].parents)
    for label in (ontology.labels[i] for i in group.labels):
        if label.other:
            continue
        name = next(text for text in (label.name, label.id, slug(label.id)) if _may_be_folder(text))
        number, above = 1, paths[label.parents[0] if label.parents else None]
        while f"{above}{name}/".casefold() in taken or (splits and not above and split_name(name)):
            number += 1
            name = f"{slug(label.id)}_{number}"
        paths[label.index] = f"{above}{name}/"
        taken.add(paths[label.index].casefold())
        losses += lost_names(label, name)
    return Written({folder: "" for folder in paths.values() if folder}, losses)


def _may_be_folder(name: str) -> bool:
    """Whether a folder may be called so on every system, and is read back."""
    plain = name == tidy(name) and not name.startswith(".") and not name.endswith(".") and len(name.encode()) < 200
    return plain and name != _ARCHIVE_LITTER and not set(name) & set('<>:"/\\|?*')
