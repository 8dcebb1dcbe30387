"""SKOS: what is written is the graph that was meant, and vocabularies as others write them are read."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from rdflib import DCTERMS, OWL, RDF, SKOS, Graph, Literal, URIRef
from rdflib.compare import isomorphic

from linnaeus.dsl.convert.conversion import read_as_text
from linnaeus.dsl.convert.formats import FOLDER, FORMATS
from linnaeus.dsl.load import check_text, load_ontology
from linnaeus.dsl.ontology import Kind, Ontology
from linnaeus.errors import LinnaeusError

CASES = Path(__file__).with_name("convert_cases")


def graph_of(text: str | dict[str, str], format: str = "turtle") -> Graph:
    assert isinstance(text, str)
    return Graph().parse(data=text, format=format)


def read(text: str, folder: Path, name: str = "v.ttl") -> tuple[Ontology, dict[str, set[str]]]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    onto, losses = read_as_text(path, FORMATS["skos"], "v.onto")
    places: dict[str, set[str]] = {}
    for loss in losses:
        places.setdefault(loss.what, set()).add(loss.where.rpartition("/")[2])
    return check_text(onto, "v.onto").require(), places


def test_turtle_comes_back_as_the_same_graph() -> None:
    text, losses = read_as_text(CASES / "hawthorn.ttl", FORMATS["skos"], "hawthorn.onto")
    assert losses == []
    assert text == (CASES / "hawthorn.onto").read_text(encoding="utf-8")
    theirs = (CASES / "hawthorn.ttl").read_text(encoding="utf-8")
    ontology = load_ontology(CASES / "hawthorn.onto")
    for name, format in (("skos", "turtle"), ("skos-xml", "xml")):
        written = FORMATS[name].converter().write(ontology)
        assert written.losses == []
        assert isomorphic(graph_of(written.text, format), graph_of(theirs))


def test_graph_is_the_one_that_an_ontology_means() -> None:
    text = 'ontology o "O"\nhierarchy tree "The tree" { a "A \\"b\\" \\\\" aka "c<d>&" { `x.y` }; b { a } }'
    ontology = check_text(text, "o.onto").require()
    meant = Graph()
    base = "urn:x-onto:o"
    iri = {p: URIRef(f"{base}:tree:{p}") for p in ("a", "b", "x%2Ey", "b.a")}
    meant.add((URIRef(base), RDF.type, OWL.Ontology))
    meant.add((URIRef(base), DCTERMS.title, Literal("O")))
    scheme = URIRef(f"{base}:tree")
    meant.add((scheme, RDF.type, SKOS.ConceptScheme))
    meant.add((scheme, DCTERMS.title, Literal("The tree")))
    meant.add((scheme, SKOS.notation, Literal("tree")))
    iri["a"] = URIRef(f"{base}:tree:a")
    names = {"a": 'A "b" \\', "b": "b", "x%2Ey": "x.y", "b.a": "a"}
    notations = {"a": "a", "x%2Ey": "x.y"}
    for path, above in (("a", None), ("b", None), ("x%2Ey", "a"), ("b.a", "b")):
        meant.add((iri[path], RDF.type, SKOS.Concept))
        meant.add((iri[path], SKOS.prefLabel, Literal(names[path])))
        if path in notations:
            meant.add((iri[path], SKOS.notation, Literal(notations[path])))
        if above is None:
            meant.add((scheme, SKOS.hasTopConcept, iri[path]))
            meant.add((iri[path], SKOS.topConceptOf, scheme))
        else:
            meant.add((iri[path], SKOS.broader, iri[above]))
            meant.add((iri[path], SKOS.inScheme, scheme))
    meant.add((iri["a"], SKOS.altLabel, Literal("c<d>&")))
    for name, format in (("skos", "turtle"), ("skos-xml", "xml")):
        assert isomorphic(graph_of(FORMATS[name].converter().write(ontology).text, format), meant)


def test_vocabulary_as_others_write_it(tmp_path: Path) -> None:
    ontology, losses = read((CASES / "fruit.ttl").read_text(encoding="utf-8"), tmp_path)
    assert [(g.path, g.name, g.kind) for g in ontology.groups] == [
        ("fruit", "Fruit", Kind.HIERARCHY),
        ("scheme", "scheme", Kind.HIERARCHY),
    ]
    assert [(label.path, label.title, label.aka) for label in ontology.labels] == [
        ("fruit.pome", "Pome", ("https://vocabularies.example/fruit#pome",)),
        ("fruit.pome.100", "Apple", ("https://vocabularies.example/fruit#apple", "Malus", "appel")),
        ("scheme.birne", "Birne", ("https://vocabularies.example/fruit#pear",)),
    ]
    assert losses == {
        "a further notation": {"fruit#apple"},
        "a resource that is neither a concept nor a scheme with concepts": {"fruit#basket"},
        "dcterms:creator": {"fruit"},
        "skos:altLabel in another language": {"fruit#apple"},
        "skos:exactMatch": {"fruit#apple"},
        "skos:prefLabel in another language": {"fruit#pome"},
        "that a concept is broader which is in another scheme": {"fruit#pear"},
        "that a label is hidden: it is an alias": {"fruit#apple"},
        "the languages of titles and aliases": {"v.ttl"},
    }


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    text = "<urn:x-onto:a%60b> a <http://www.w3.org/2002/07/owl#Ontology> . e:%60 a s:Concept; s:notation '`', ' ' ."
    ontology, _ = read(PREFIX + text, tmp_path)
    assert (ontology.name, [label.id for label in ontology.labels]) == ("v", ["_"])


PREFIX = "@prefix s: <http://www.w3.org/2004/02/skos/core#> .\n@prefix e: <http://e.example/> .\n"


def test_language_that_most_concepts_have(tmp_path: Path) -> None:
    text = 'e:a a s:Concept; s:prefLabel "eins"@de, "un"@fr . e:b a s:Concept; s:prefLabel "zwei"@de .'
    ontology, _ = read(PREFIX + text, tmp_path)
    assert [label.id for label in ontology.labels] == ["eins", "zwei"]
    assert ontology.groups[0].kind is Kind.MULTICLASS


def test_relative_iris_leave_no_trace_of_the_folder(tmp_path: Path) -> None:
    ontology, losses = read(PREFIX + '<#a> a s:Concept; s:prefLabel "a". <b> a s:Concept .', tmp_path)
    assert [(label.id, label.aka) for label in ontology.labels] == [("a", ()), ("b", ())]
    assert losses.keys() == {"the IRI: it is relative, or neither of http nor https nor urn"}


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("e:a s:broader e:b . e:b s:broader e:c . e:c s:broader e:b .", "E165", "a cycle: b < c < b"),
        ("e:a s:narrower e:a .", "E165", "a cycle: a < a"),
        ('e:a s:prefLabel "x" .', "E162", "there are no concepts"),
        ("e:a s:broader [] ; \n\n;; ,", "E160", "line 5"),
        ('e:a s:prefLabel "x\n" .', "E160", "line 3"),
        ("\n".join(f"e:a{i} s:broader e:a{i + 1} ." for i in range(3000)), "E168", "others above it"),
    ],
    ids=["cycle", "loop", "none", "syntax", "string", "deep"],
)
def test_broken_turtle(text: str, code: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(LinnaeusError, match=said) as error:
        read(PREFIX + text, tmp_path)
    assert error.value.diagnostics[0].code == code
    assert str(tmp_path) in str(error.value) or code in ("E165", "E168")


def test_broken_xml(tmp_path: Path) -> None:
    head = '<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\n'
    for text, said in (
        (head + "<a></rdf:RDF>", "line 3"),
        (head + '<rdf:Description rdf:ID="a b"/></rdf:RDF>', "NCName"),
    ):
        with pytest.raises(LinnaeusError, match=said) as error:
            read(text, tmp_path, "v.rdf")
        assert error.value.diagnostics[0].code == "E160"


def test_entities_are_refused(tmp_path: Path) -> None:
    bomb = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "haha">{bomb}<!ENTITY f SYSTEM "file:///etc/hostname">]>'
    body = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="a">'
    for entity in ("e9", "f"):
        with pytest.raises(LinnaeusError) as error:
            read(f"{head}{body}<rdf:value>&{entity};</rdf:value></rdf:Description></rdf:RDF>", tmp_path, "v.rdf")
        assert error.value.diagnostics[0].code == "E160"
    short = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY s "http://www.w3.org/2004/02/skos/core#">]>'
    concept = '<rdf:type rdf:resource="&s;Concept"/></rdf:Description></rdf:RDF>'
    ontology, _ = read(short + body.replace('"a"', '"http://e.example/a"') + concept, tmp_path, "v.rdf")
    assert [label.id for label in ontology.labels] == ["a"]


def test_missing_rdflib_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rdflib", None)
    with pytest.raises(LinnaeusError, match=r"linnaeus\[skos\]") as error:
        read(PREFIX, tmp_path)
    assert error.value.diagnostics[0].code == "E166"
    assert FORMATS["skos"].converter().write(load_ontology(CASES / "hawthorn.onto")).losses == []


def test_page_says_what_the_converter_does(root: Path, tmp_path: Path) -> None:
    page = (root / "docs/convert.md").read_text(encoding="utf-8")
    (tmp_path / "fruit.ttl").write_text(page.split("```turtle\n")[1].split("```")[0], encoding="utf-8")
    text, losses = read_as_text(tmp_path / "fruit.ttl", FORMATS["skos"], "fruit.onto")
    assert text == page.split("```onto\n")[1].split("```")[0]
    said = ["skos:prefLabel in another language", "the languages of titles and aliases", "skos:related"]
    assert [loss.what for loss in losses] == said
    rows = page.split("\n| Format | `--from`")[1].split("\n\n")[0].splitlines()[2:]
    listed = [re.findall("`([^`]+)`", row) for row in rows]
    for (name, *suffixes), line in zip(listed, rows, strict=True):
        given = (*suffixes, FOLDER) if re.search(r"\| a folder\b", line) else tuple(suffixes)
        assert sorted(given) == sorted(FORMATS[name].suffixes)
    assert [name for name, *_ in listed] == list(FORMATS)
