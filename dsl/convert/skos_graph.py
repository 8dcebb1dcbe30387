"""From an RDF graph to concepts, and from concepts to groups."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ...errors import fail
from ..draft import Draft, DraftGroup
from ..names import segment, slug
from .formats import Loss, Read
from .iris import class_iri, group_iri, is_iri, ontology_name
from .rdf_text import NAMESPACES
from .terms import Term, add_groups, kind_of, name_siblings, tidy, writable_id

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

SKOS, _OWL = NAMESPACES["skos"], NAMESPACES["owl"]

_TYPE, _VERSION, _LABEL = f"{NAMESPACES['rdf']}type", f"{_OWL}versionInfo", f"{NAMESPACES['rdfs']}label"
_PREFERRED, _NOTATION = f"{SKOS}prefLabel", f"{SKOS}notation"
_TITLES = (f"{NAMESPACES['dcterms']}title", "http://purl.org/dc/elements/1.1/title", _PREFERRED, _LABEL)
_READ = tuple(
    f"{SKOS}{name}"
    for name in ("prefLabel", "altLabel", "hiddenLabel", "notation", "broader", "narrower", "inScheme", "topConceptOf",
                 "hasTopConcept")
)  # fmt: skip
_SHORT_NAME = re.compile(r"""<!ENTITY\s+[\w.-]+\s+(?:"[^"&%<]{0,200}"|'[^'&%<]{0,200}')\s*>""")
_RELATIVE = "relative:/"  # what IRIs without a base are resolved against


def parsed(text: str, path: Path, *, xml: bool) -> Graph:
    """The graph of a text in Turtle or RDF/XML.

    Raises:
        LinnaeusError: E160 for what is neither, E166 without rdflib.
    """
    try:
        import rdflib
    except ImportError:
        step = "pip install 'linnaeus[skos]' installs it"
        raise fail("E166", "SKOS is read with rdflib, which is not installed", where=str(path), help=step) from None
    if xml:
        _refuse_entities(text, path)
    graph = rdflib.Graph()
    with _quiet():
        try:
            graph.parse(data=text, format="xml" if xml else "turtle", publicID=_RELATIVE)
        except Exception as e:  # rdflib's parsers raise what they come across: syntax, SAX, value and key errors
            kind = "RDF/XML" if xml else "Turtle"
            line = getattr(e, "lines", None)
            line = e.getLineNumber() if hasattr(e, "getLineNumber") else None if line is None else line + 1
            where = f"{path}, line {line}" if line else str(path)
            raise fail("E160", f"not {kind}: {_reason(e)}", where=where) from e
    return graph


def _refuse_entities(text: str, path: Path) -> None:
    """E160 for entities that read other files or grow: RDF/XML uses them as short names of namespaces, nothing else."""
    for match in re.finditer("<!ENTITY", text):
        if not _SHORT_NAME.match(text, match.start()):
            line = text.count("\n", 0, match.start()) + 1
            step = "an entity may stand for a short text without other entities in it"
            raise fail("E160", "an entity that could grow or read files", where=f"{path}, line {line}", help=step)


def _reason(error: Exception) -> str:
    """What a parser of rdflib says, on one line and without the text it stands in."""
    message = getattr(error, "_why", None) or (error.getMessage() if hasattr(error, "getMessage") else str(error))
    return " ".join(str(message).split())[:200] or type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """Without rdflib's logged remarks on literals and IRIs."""
    logger = logging.getLogger("rdflib")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def read_vocabulary(text: str, path: Path, *, xml: bool) -> Read:
    """The groups of a vocabulary; see `skos.read`."""
    vocabulary = _Vocabulary(parsed(text, path, xml=xml), path)
    return vocabulary.read()


class _Vocabulary:
    """A graph read as concepts. What it says beyond them becomes losses.

    The graph is asked for one predicate or subject at a time: then rdflib's store answers in the order of the text.
    """

    def __init__(self, graph: Graph, path: Path):
        self.path = path
        self.losses: list[Loss] = []
        self.about: dict[Node, dict[str, list[Node]]] = {}  # subject → predicate → objects
        self.of: dict[str, list[tuple[Node, Node]]] = {}  # predicate → subject and object
        for predicate in sorted(set(graph.predicates()), key=str):
            for subject in dict.fromkeys(graph.subjects(predicate)):
                objects = list(graph.objects(subject, predicate))
                self.about.setdefault(subject, {})[str(predicate)] = objects
                self.of.setdefault(str(predicate), []).extend((subject, object_) for object_ in objects)
        self.concepts = self._concepts()
        self.rank = self._rank()

    def read(self) -> Read:
        """The groups.

        Raises:
            LinnaeusError: E162 for a graph without concepts, E165 for a cycle, E168 for too deep a tree.
        """
        if not self.concepts:
            step = "a concept has the type skos:Concept"
            raise fail("E162", "there are no concepts of SKOS in this file", where=str(self.path), help=step)
        schemes = self._schemes()
        result = Read(self._header([s for s in schemes if s is not None]), self.losses)
        heads = [self._head(scheme) for scheme in schemes]
        groups = []
        for members, named, head in zip(schemes.values(), name_siblings(heads, self.losses), heads, strict=True):
            terms = self._terms(members)
            group = DraftGroup(kind_of(terms), named.id, named.title, named.aka)
            result.places[segment(group.id)] = head.where
            groups.append((group, terms))
        add_groups(result, groups)
        for group, _ in groups:
            _drop_derived(group, result.draft.name)
        self._rest(schemes)
        return result

    # --- who is what ------------------------------------------------------------------------------------

    def _pairs(self, name: str) -> list[tuple[Node, Node]]:
        """Subjects and objects of a predicate of SKOS that relates resources."""
        return [(s, o) for s, o in self.of.get(f"{SKOS}{name}", []) if not _is_literal(o)]

    def _typed(self, type_: str) -> list[Node]:
        return [s for s, o in self.of.get(_TYPE, []) if str(o) == type_]

    def _concepts(self) -> dict[Node, dict[Node, None]]:
        """All concepts in the order of the file, those of the type first, and what is broader than each."""
        found: dict[Node, dict[Node, None]] = {node: {} for node in self._typed(f"{SKOS}Concept")}
        for narrow, broad in [*self._pairs("broader"), *((n, b) for b, n in self._pairs("narrower"))]:
            found.setdefault(broad, {})
            found.setdefault(narrow, {})[broad] = None
        for concept, _ in [*self._pairs("topConceptOf"), *self._pairs("inScheme")]:
            if f"{SKOS}member" not in self.about[concept]:  # collections are in schemes too
                found.setdefault(concept, {})
        for _, concept in self._pairs("hasTopConcept"):
            found.setdefault(concept, {})
        return found

    def _schemes(self) -> dict[Node | None, list[Node]]:
        """The schemes and their concepts; None for concepts in no scheme, where there are several schemes or none."""
        pairs = [
            *self._pairs("topConceptOf"),
            *((c, s) for s, c in self._pairs("hasTopConcept")),
            *self._pairs("inScheme"),
        ]
        own: dict[Node, dict[Node, None]] = {}
        for concept, scheme in pairs:
            own.setdefault(concept, {})[scheme] = None
        nodes = dict.fromkeys([*self._typed(f"{SKOS}ConceptScheme"), *(scheme for _, scheme in pairs)])
        reached = self._reached(own)
        members: dict[Node | None, list[Node]] = {node: [] for node in nodes}
        for concept in self.concepts:
            if len(own.get(concept, {})) > 1:
                self._lose(concept, "that a concept is in further schemes")
            members.setdefault(next(iter(nodes)) if len(nodes) == 1 else reached.get(concept), []).append(concept)
        for node in nodes:
            if not members[node]:
                self._lose(node, "a scheme without concepts")
        return {node: concepts for node, concepts in members.items() if concepts}

    def _reached(self, own: dict[Node, dict[Node, None]]) -> dict[Node, Node]:
        """The scheme of each concept that is in one, or below one that is: the nearest."""
        below: dict[Node, list[Node]] = {}
        for concept, broader in self.concepts.items():
            for above in broader:
                below.setdefault(above, []).append(concept)
        found = {concept: next(iter(schemes)) for concept, schemes in own.items()}
        queue = list(found)
        for node in queue:  # grows as it is walked
            for concept in below.get(node, []):
                if concept not in found:
                    found[concept] = found[node]
                    queue.append(concept)
        return found

    # --- names ------------------------------------------------------------------------------------------

    def _rank(self) -> dict[str, tuple[int, int, str]]:
        """How well each language does for titles: English, none, then the most frequent."""
        count = Counter(_language(label) for node in self.concepts for label in self._literals(node, _PREFERRED))
        return {
            lang: ({"en": 0, "": 2}.get(lang, 1 if lang.startswith("en-") else 3), -number, lang)
            for lang, number in count.items()
        }

    def _literals(self, node: Node, predicate: str) -> list[Node]:
        return [o for o in self.about.get(node, {}).get(predicate, []) if _is_literal(o) and tidy(str(o))]

    def _best(self, node: Node | None, predicates: tuple[str, ...]) -> Node | None:
        """The literal to use as a title."""
        for predicate in predicates:
            literals = self._literals(node, predicate) if node is not None else []
            if literals:
                last = (4, 0, "")
                return min(literals, key=lambda literal: self.rank.get(_language(literal), last))
        return None

    def _notation(self, node: Node) -> str | None:
        notations = sorted(map(str, self._literals(node, _NOTATION)))
        if len(notations) > 1:
            self._lose(node, "a further notation")
        return notations[0] if notations else None

    def _iri(self, node: Node) -> tuple[str, ...]:
        """The IRI as an alias."""
        if is_iri(str(node)) and not _is_blank(node):
            return (str(node),)
        self._lose(node, "the IRI: it is relative, or neither of http nor https nor urn")
        return ()

    def _head(self, scheme: Node | None) -> Term:
        """A scheme as a term."""
        if scheme is None:
            return Term("", slug(self.path.stem), str(self.path))
        title = self._best(scheme, _TITLES)
        name = str(title) if title is not None else _local(scheme)
        return Term(_key(scheme), name, str(scheme), self._notation(scheme), self._iri(scheme))

    def _terms(self, members: list[Node]) -> list[Term]:
        """The concepts of a scheme."""
        inside = set(members)
        terms = []
        for node in members:
            for _ in self.concepts[node].keys() - inside:
                self._lose(node, "that a concept is broader which is in another scheme")
            title = self._best(node, (_PREFERRED, _LABEL))
            parents = tuple(_key(above) for above in self.concepts[node] if above in inside)
            name = str(title) if title is not None else _local(node)
            aka = (*self._iri(node), *self._alternatives(node, title))
            terms.append(Term(_key(node), name, str(node), self._notation(node), aka, parents))
        return terms

    def _alternatives(self, node: Node, title: Node | None) -> list[str]:
        """The other labels of a concept that are in its title's language, or in none."""
        found = []
        for predicate in (_PREFERRED, f"{SKOS}altLabel", f"{SKOS}hiddenLabel"):
            for label in self._literals(node, predicate):
                if label is title:
                    continue
                if title is not None and _language(label) not in ("", _language(title)):
                    self._lose(node, f"{_short(predicate)} in another language")
                    continue
                if predicate.endswith("hiddenLabel"):
                    self._lose(node, "that a label is hidden: it is an alias")
                found.append(str(label))
        return found

    # --- the header, and what is left ---------------------------------------------------------------------

    def _header(self, schemes: list[Node]) -> Draft:
        """The ontology, from an owl:Ontology where there is one."""
        own = next(iter(self._typed(f"{_OWL}Ontology")), None)
        name = None if own is None else writable_id(ontology_name(str(own)))
        if own is not None and name is None and not _is_blank(own):
            self._lose(own, "the IRI of the ontology")
        title = self._best(own, _TITLES)
        holders = [own] if own is not None else schemes if len(schemes) == 1 else []
        version = next((v for v in (self._best(h, (_VERSION,)) for h in holders) if v is not None), None)
        text = None if title is None else tidy(str(title))
        return Draft(name or slug(self.path.stem), text, None if version is None else tidy(str(version)))

    def _rest(self, schemes: dict[Node | None, list[Node]]) -> None:
        """Losses for all that was not read."""
        ontologies = self._typed(f"{_OWL}Ontology")
        read = {node: {_TYPE, *_READ} for node in self.concepts}
        read |= {node: {_TYPE, *_TITLES, *_READ, _VERSION} for node in [*schemes, *ontologies] if node is not None}
        if any(_language(o) for node in self.concepts for o in self._literals(node, _PREFERRED)):
            self.losses.append(Loss(str(self.path), "the languages of titles and aliases"))
        for node in sorted(self.about, key=str):
            if node in read:
                for predicate in sorted(self.about[node].keys() - read[node]):
                    self._lose(node, _short(predicate))
            elif not _is_blank(node):
                self._lose(node, "a resource that is neither a concept nor a scheme with concepts")

    def _lose(self, node: Node, what: str) -> None:
        self.losses.append(Loss(str(node), what))


def _drop_derived(group: DraftGroup, ontology: str) -> None:
    """Leave out the aliases that are the IRIs which writing gives anyway."""
    path = segment(group.id)
    group.aka = tuple(alias for alias in group.aka if alias != group_iri(ontology, path, None))
    scheme = group_iri(ontology, path, next(filter(is_iri, group.aka), None))
    queue = [(class_, segment(class_.id)) for class_ in group.classes]
    for class_, here in queue:  # grows as it is walked
        queue += [(below, f"{here}.{segment(below.id)}") for below in class_.classes]
    count = Counter(class_.id for class_, _ in queue)
    for class_, here in queue:
        derived = class_iri(scheme, class_.id, here, unique=count[class_.id] == 1)
        class_.aka = tuple(alias for alias in class_.aka if alias != derived)


def _key(node: Node) -> str:
    return f"_:{node}" if _is_blank(node) else str(node)


def _is_literal(node: Node) -> bool:
    from rdflib import Literal

    return isinstance(node, Literal)


def _is_blank(node: Node) -> bool:
    from rdflib import BNode

    return isinstance(node, BNode)


def _language(literal: Node) -> str:
    """The language tag of a literal; nothing where it has none."""
    return (getattr(literal, "language", None) or "").lower()


def _local(node: Node) -> str:
    """The last part of an IRI."""
    return unquote(re.split(r"[/#:]", str(node).rstrip("/#:"))[-1])


def _short(predicate: str) -> str:
    """A predicate as people write it."""
    for prefix, namespace in NAMESPACES.items():
        if predicate.startswith(namespace):
            return f"{prefix}:{predicate.removeprefix(namespace)}"
    return f"<{predicate}>"
