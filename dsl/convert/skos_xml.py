"""SKOS vocabularies written as RDF/XML."""

from __future__ import annotations

from pathlib import Path

from ..ontology import Ontology
from .formats import Written
from .rdf_text import rdf_xml
from .skos import is_xml, read, resources, source_text

__all__ = ["read", "recognises", "write"]


def recognises(path: Path) -> bool:
    """Whether the file is XML and speaks of SKOS."""
    text = source_text(path)
    return text is not None and is_xml(text)


def write(ontology: Ontology) -> Written:
    """The vocabulary in RDF/XML; see `skos.resources`.

    Raises:
        LinnaeusError: E167 where all groups are binaries.
    """
    found, losses = resources(ontology)
    return Written(rdf_xml(found), losses)
