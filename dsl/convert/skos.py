"""SKOS vocabularies: concepts under broader ones, in concept schemes (W3C Recommendation, 18 August 2009)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ...errors import LinnaeusError, fail
from ..ontology import Group, Kind, Label, Ontology
from ..source import read_source
from .formats import Loss, Read, Written
from .iris import class_iri, group_iri, is_iri, ontology_iri
from .rdf_text import NAMESPACES, Resource, turtle
from .skos_graph import read_vocabulary
from .terms import natural_id
from .unsaid import unsaid

_XML = re.compile(r"\s*(?:<\?xml|<!DOCTYPE|<!--|<rdf:RDF)")


def recognises(path: Path) -> bool:
    """Whether the file is no XML and speaks of SKOS."""
    text = source_text(path)
    return text is not None and not is_xml(text)


def source_text(path: Path) -> str | None:
    """The text of a file that names the SKOS namespace, None of any other."""
    try:
        text = read_source(path)
    except LinnaeusError:
        return None
    return text if NAMESPACES["skos"] in text else None


def is_xml(text: str) -> bool:
    """Whether a text is RDF/XML rather than Turtle."""
    return _XML.match(text.removeprefix("\ufeff")) is not None


def read(path: Path) -> Read:
    """A vocabulary in Turtle or RDF/XML; each concept scheme is a group.

    It is a multilabel where concepts have several broader ones, a hierarchy where they form a tree, a multiclass where
    none has a broader one. The id of a concept is its notation, else its prefLabel makes it. An IRI that writing would
    not give the concept is kept as an alias.

    Raises:
        LinnaeusError: E001 and E002 as for ontologies, E160 for what is not RDF, E162 for a file without concepts, E165
            for a cycle, E166 without rdflib.
    """
    text = read_source(path).removeprefix("\ufeff")
    return read_vocabulary(text, path, xml=is_xml(text))


def write(ontology: Ontology) -> Written:
    """The vocabulary in Turtle; see `resources`.

    Raises:
        LinnaeusError: E167 where all groups are binaries.
    """
    found, losses = resources(ontology)
    return Written(turtle(found), losses)


def resources(ontology: Ontology) -> tuple[list[Resource], list[Loss]]:
    """The ontology, its groups (no binaries) as concept schemes, their classes as concepts, in its order; and losses.

    The IRI of a group is the first of its aliases that is one (http, https or urn), else `urn:x-onto:ONTOLOGY:GROUP`;
    that of a class is such an alias, else the id, or the path where the group has the id twice, below its group's.

    Raises:
        LinnaeusError: E167 where all groups are binaries.
    """
    kept = [group for group in ontology.groups if group.kind is not Kind.BINARY]
    if not kept:
        raise fail("E167", f"SKOS can say none of the groups of {ontology.name}", help="binaries have no concepts")
    said = {"title", "version", "names", "aka of group", "aka", "one", "parents", "several"}
    losses = unsaid(ontology, kept, said)
    iris = _own_iris(ontology)
    texts = (("dcterms:title", ontology.title), ("owl:versionInfo", ontology.version))
    about = tuple((predicate, text) for predicate, text in texts if text)
    found = [Resource(ontology_iri(ontology.name), "owl:Ontology", about, ())]
    for group in kept:
        labels = [ontology.labels[i] for i in group.labels]
        if group.kind is Kind.MULTILABEL and all(len(label.parents) < 2 for label in labels):
            losses.append(Loss(group.path, "that any set of classes may hold: a tree is read back as a hierarchy"))
        found += _scheme(ontology, group, iris, losses)
    return found, losses


def _scheme(ontology: Ontology, group: Group, iris: dict[str, str], losses: list[Loss]) -> Iterator[Resource]:
    """The scheme of a group and its concepts."""
    scheme = group_iri(ontology.name, group.path, iris.get(group.path))
    if any(alias != scheme for alias in group.aka):
        losses.append(Loss(group.path, "the aliases of the group"))
    labels = [ontology.labels[i] for i in group.labels if not ontology.labels[i].other]
    count = Counter(label.id for label in labels)
    iri = {}
    for label in labels:
        path, unique = label.path.removeprefix(f"{group.path}."), count[label.id] == 1
        iri[label.index] = iris.get(label.path) or class_iri(scheme, label.id, path, unique=unique)
    tops = tuple(("skos:hasTopConcept", iri[label.index]) for label in labels if not label.parents)
    yield Resource(scheme, "skos:ConceptScheme", (("dcterms:title", group.name), *_notation(group)), tops)
    for label in labels:
        others = (("skos:altLabel", alias) for alias in label.aka if alias != iri[label.index])
        broader = (("skos:broader", iri[parent]) for parent in label.parents)
        member = ("skos:inScheme" if label.parents else "skos:topConceptOf", scheme)
        texts = (("skos:prefLabel", label.name), *others, *_notation(label))
        yield Resource(iri[label.index], "skos:Concept", texts, (*broader, member))


def _notation(item: Group | Label) -> tuple[tuple[str, str], ...]:
    """The id, where the name does not give it."""
    return () if natural_id(item.name) == item.id else (("skos:notation", item.id),)


def _own_iris(ontology: Ontology) -> dict[str, str]:
    """The IRIs that groups and classes bring along as aliases, by path; none that two of them have."""
    items: list[Group | Label] = [*ontology.groups, *ontology.labels]
    first = {item.path: next(filter(is_iri, item.aka), None) for item in items}
    count = Counter(first.values())
    return {path: iri for path, iri in first.items() if iri is not None and count[iri] == 1}
