"""The IRIs that ontologies, groups and classes have as resources."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

BASE = "urn:x-onto:"

_IRI = re.compile(r"(?:https?://|urn:)[^\s<>\"{}|\\^`]+")


def is_iri(text: str) -> bool:
    """Whether an alias is taken as an IRI: of http, https or urn."""
    return _IRI.fullmatch(text) is not None


def ontology_iri(name: str) -> str:
    """The IRI of an ontology: urn:x-onto:NAME."""
    return f"{BASE}{_quoted(name)}"


def ontology_name(iri: str) -> str | None:
    """The name in the IRI of an ontology, None for any other IRI."""
    name = iri.removeprefix(BASE)
    return None if name == iri or ":" in name or not name else unquote(name)


def group_iri(ontology: str, path: str, own: str | None) -> str:
    """The IRI of a group: its own, else urn:x-onto:NAME:PATH."""
    return own or f"{ontology_iri(ontology)}:{_path(path)}"


def class_iri(group: str, id_: str, path: str, *, unique: bool) -> str:
    """The IRI of a class, below that of its group: the id where the group has no other class of it, else the path.

    Args:
        group: the IRI of the group.
        path: within the group, as paths are written.
        unique: whether no other class of the group has the id.
    """
    part = "" if group.endswith(("/", "#", ":")) else ":" if group.startswith("urn:") else "/"
    return f"{group}{part}{_quoted(id_) if unique else _path(path)}"


def _quoted(id_: str) -> str:
    """An id with what an IRI, or a path of ids, can't hold as percent signs."""
    return re.sub(r"[^\w~-]", lambda m: f"%{ord(m[0]):02X}" if m[0].isascii() else quote(m[0], safe=""), id_)


def _path(path: str) -> str:
    return ".".join(_quoted(step.strip("`")) for step in re.findall(r"`[^`]*`|[^.]+", path))
