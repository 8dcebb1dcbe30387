"""SKOS vocabularies written as RDF/XML."""

from __future__ import annotations

from pathlib import Path

from ..ontology import Ontology
from .formats import Read, Written
from .skos import is_xml, read, source_text
from .skos import write as write_turtle
from .skos_graph import parsed

__all__ = ["Read", "read", "recognises", "write"]


def recognises(path: Path) -> bool:
    """Whether the file is XML and speaks of SKOS."""
    text = source_text(path)
    return text is not None and is_xml(text)


def write(ontology: Ontology) -> Written:
    """What `skos.write` writes, as RDF/XML.

    Raises:
        LinnaeusError: E166 without rdflib, E167 where all groups are binaries.
    """
    turtle = write_turtle(ontology)
    assert isinstance(turtle.text, str)  # one file
    graph = parsed(turtle.text, Path("ontology.ttl"), xml=False)
    return Written(graph.serialize(format="pretty-xml"), turtle.losses)
