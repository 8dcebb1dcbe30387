"""What an ontology says beyond the classes of one group, as losses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, count

from ...errors import fail
from ..ontology import Group, Kind, Label, Ontology
from .formats import Loss
from .terms import natural_id

_CHOICE = "that one class holds and no other: the format may list several of one image"
_ANY_SET = "that any set of classes may hold: the format is a tree of classes of which one holds"


def chosen_group(ontology: Ontology, kinds: tuple[Kind, ...], format: str) -> Group:
    """The group that a format of one group gets: the first of the first kind that there is.

    Raises:
        LinnaeusError: E167 where there is none of these kinds.
    """
    for kind in kinds:
        for group in ontology.groups:
            if group.kind is kind:
                return group
    held = ", ".join(sorted({group.kind.value for group in ontology.groups}))
    step = f"it holds one group, a {' or '.join(kinds)}"
    raise fail("E167", f"{format} can say none of the groups of {ontology.name} ({held})", help=step)


def unsaid(ontology: Ontology, kept: Collection[Group], said: Collection[str]) -> list[Loss]:
    """The losses where a format says only the classes of some groups and how they stand.

    Args:
        kept: the groups that are written.
        said: what else the format says, of "title", "version" (the ontology's), "names" (a group's title), "groups"
            (any number of them), "aka", "title of class", "parents", "levels", "several" (any set of classes holds),
            "one" (exactly one does).
    """
    losses = [
        Loss(ontology.name, f"the {what} of the ontology")
        for what, value in (("title", ontology.title), ("version", ontology.version))
        if value and what not in said
    ]
    for group in ontology.groups:
        if group in kept:
            losses += _of_group(group, said)
        else:
            losses.append(Loss(group.path, "the whole group"))
    kept_labels = [ontology.labels[i] for group in kept if group.kind is not Kind.BINARY for i in group.labels]
    losses += [loss for label in kept_labels for loss in _of_label(label, said)]
    losses += [Loss(rule.name, "the rule") for rule in ontology.rules]
    losses += [Loss(imported.alias, "that groups come from this import") for imported in ontology.imports]
    losses += [Loss(ontology.name, "how annotations of earlier versions are read") for _ in ontology.migrations[:1]]
    return losses


def _of_group(group: Group, said: Collection[str]) -> Iterator[Loss]:
    if group.conditional:
        yield Loss(group.path, "when the group applies")
    if group.title and "names" not in said:
        yield Loss(group.path, "the title of the group")
    if group.aka and "aka of group" not in said:
        yield Loss(group.path, "the aliases of the group")
    if group.levels and "levels" not in said:
        yield Loss(group.path, "the names of the levels")
    if group.kind is Kind.ORDINAL:
        yield Loss(group.path, "the order of the levels")
    elif group.kind is Kind.MULTILABEL and "several" not in said:
        yield Loss(group.path, _ANY_SET)
    elif group.kind in (Kind.MULTICLASS, Kind.HIERARCHY) and "one" not in said:
        yield Loss(group.path, _CHOICE)


def _of_label(label: Label, said: Collection[str]) -> Iterator[Loss]:
    if label.other:
        yield Loss(label.path, "that another class than those listed may hold (open)")
        return
    if label.aka and "aka" not in said:
        yield Loss(label.path, "the aliases of the class")
    if len(label.parents) > 1 and "parents" not in said:
        yield Loss(label.path, "the further parents of the class")


def distinct_names(labels: Sequence[Label], taken: Collection[str] = ()) -> dict[int, str]:
    """A name for each label, by its index, no two alike: its own, else its path, with a number after it at need."""
    often = Counter(label.name for label in labels)
    used = {name for name in often if often[name] == 1} | set(taken)
    names: dict[int, str] = {}
    for label in labels:
        name = label.name
        if often[name] > 1 or name in taken:
            numbered = (f"{label.path}_{number}" for number in count(2))
            name = next(text for text in chain([label.path], numbered) if text not in used)
            used.add(name)
        names[label.index] = name
    return names


def lost_names(label: Label, written: str) -> Iterator[Loss]:
    """The losses where a class is known to a format by one name alone, from which reading makes its id."""
    if written != label.name:
        yield Loss(label.path, "the name of the class: the format takes it for another one's")
    if natural_id(written) != label.id:
        yield Loss(label.path, "the id of the class: its name gives another")
