"""Resources written as Turtle or as RDF/XML, in the order in which they are given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

NAMESPACES = {
    "dcterms": "http://purl.org/dc/terms/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
}


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of a type, texts said of it and the resources that it is related to; predicates as `skos:broader`."""

    iri: str
    type: str
    texts: tuple[tuple[str, str], ...]
    relations: tuple[tuple[str, str], ...]


def turtle(resources: Iterable[Resource]) -> str:
    """The resources in Turtle."""
    head = [f"@prefix {prefix}: <{NAMESPACES[prefix]}> .\n" for prefix in ("dcterms", "owl", "skos")]
    return "".join(head) + "".join(f"\n<{r.iri}> {' ;'.join(_turtle(r))} .\n" for r in resources)


def _turtle(resource: Resource) -> Iterator[str]:
    yield f"a {resource.type}"
    said: dict[str, list[str]] = {}
    for predicate, text in resource.texts:
        quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        said.setdefault(predicate, []).append(f'"{quoted}"')
    for predicate, iri in resource.relations:
        said.setdefault(predicate, []).append(f"<{iri}>")
    for predicate, objects in said.items():
        yield f"\n    {predicate} {', '.join(objects)}"


def rdf_xml(resources: Iterable[Resource]) -> str:
    """The resources in RDF/XML."""
    names = "".join(f'\n    xmlns:{p}="{NAMESPACES[p]}"' for p in ("dcterms", "owl", "rdf", "skos"))
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f"<rdf:RDF{names}>"]
    for r in resources:
        lines.append(f"  <{r.type} rdf:about={quoteattr(r.iri)}>")
        lines += [f"    <{predicate}>{escape(text)}</{predicate}>" for predicate, text in r.texts]
        lines += [f"    <{predicate} rdf:resource={quoteattr(iri)}/>" for predicate, iri in r.relations]
        lines.append(f"  </{r.type}>")
    return "\n".join([*lines, "</rdf:RDF>", ""])
