"""The page on conversion says what the converters do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from linnaeus.dsl.convert.conversion import read_as_text
from linnaeus.dsl.convert.formats import FORMATS, Format
from linnaeus.dsl.load import check_text
from linnaeus.dsl.ontology import Ontology

LISTED = {  # snippets that provoke the losses that the fixtures do not
    "xtreme1": '{"classifications": ['
    '{"name": "a", "isRequired": true, "inputType": "RADIO", "options": [{"name": "x"}]},'
    '{"name": "b", "isRequired": true, "inputType": "RADIO", "options": []},'
    '{"name": "c", "isRequired": true, "inputType": "RADIO", "options": [{"name": "Yes"}, {"name": "No"}]},'
    '{"name": "d", "inputType": "RADIO", "options": [{"name": "x"}, {"name": "Other"}, {"name": "other"}]}]}',
    "label-studio": '<View><Choices name="a" required="false"><Choice value="x"/><Choice value="y"/></Choices>'
    '<Choices name="b" toName="i"><Choice value="x"/></Choices><Choices name="c" toName="i"/>'
    '<Choices name="d" toName="i"><Choice value="True"/><Choice value="False"/></Choices>'
    '<Choices name="e"><Choice value="x"/><Choice value="Other"/><Choice value="other"/></Choices></View>',
    "labelbox": '{"tools": [{"tool": "line", "name": "t", "required": true}], "classifications": ['
    '{"type": "dropdown", "name": "a", "required": false, "options": [{"value": "x"}, {"value": "y"}]},'
    '{"type": "radio", "name": "b", "options": [{"value": "x"}]}, {"type": "checklist", "name": "c", "options": []},'
    '{"type": "radio", "name": "d", "options": [{"value": "Yes"}, {"value": "No"}]},'
    '{"type": "radio", "name": "e", "options": [{"value": "x"}, {"value": "Other"}, {"value": "other"}]}]}',
    "cvat": '[{"name": "image", "type": "tag", "attributes": ['
    '{"name": "a", "input_type": "select", "default_value": "y", "values": ["x", "y"]},'
    '{"name": "b", "input_type": "select", "values": ["x"]}, {"name": "c", "input_type": "select", "values": []},'
    '{"name": "d", "input_type": "select", "values": ["x", "Other", "other"]}]}]',
}
CASES = Path(__file__).with_name("convert_cases")


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs/convert.md").read_text(encoding="utf-8")


def table(page: str, first: str) -> tuple[list[str], list[list[str]]]:
    """The formats in a table's header, and its rows, by what stands in its first cell."""
    lines = page.split(f"\n| {first} |")[1].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return [name.strip(" `") for name in lines[0].strip("|").split("|")], rows


def fate(ontology: Ontology, format: Format, folder: Path) -> str:
    written = format.converter().write(ontology)
    file = folder / f"{ontology.name}{format.suffixes[0]}"
    file.write_text(str(written.text), encoding="utf-8")
    back = check_text(read_as_text(file, format, "back.onto")[0], "back.onto").require()
    assert bool(written.losses) or back == ontology, "dropped in silence"
    return "lost" if written.losses else "kept"


def test_what_each_format_keeps_of_an_ontology(page: str, tmp_path: Path) -> None:
    formats, rows = table(page, "Ontology")
    wrong = []
    for snippet, *said in rows:
        text = (
            f"ontology o\n{snippet.strip('`').strip()}"
            if not snippet.startswith("`` ")
            else f"ontology o\n{snippet[3:-3]}"
        )
        ontology = check_text(text, "o.onto").require()
        found = [fate(ontology, FORMATS[name], tmp_path) for name in formats]
        if found != said:
            wrong.append((snippet, found))
    assert len(rows) > 20
    assert not wrong


def test_what_reading_lists_as_lost(page: str, tmp_path: Path) -> None:
    formats, rows = table(page, "Listed")
    said = {
        (name, row[0].split(" (colours")[0])
        for row in rows
        for name, cell in zip(formats, row[1:], strict=True)
        if cell
    }
    found = set()
    for name in formats:
        format = FORMATS[name]
        file = tmp_path / f"f{format.suffixes[0]}"
        file.write_text(LISTED[name], encoding="utf-8")
        for source in (file, CASES / f"orchard.{name}{format.suffixes[0]}"):
            found |= {(name, general(loss.what)) for loss in format.converter().read(source).losses}
    assert found == said


def general(what: str) -> str:
    """A loss without the name of the key, tag or attribute."""
    what = re.sub(r"^the key '.*'$", "the key '…'", what)
    what = re.sub(r"^the (attribute|tag) \S+$", r"the \1 …", what)
    return re.sub(r"selected or not \(.*\)", "selected or not (…)", what)


def test_the_example_is_what_the_converter_does(page: str, tmp_path: Path) -> None:
    source, result, said = re.findall(r"```(?:json)?\n(.*?)```", page.split("\n## Data sets")[0], re.S)
    file = tmp_path / "orchard.json"
    file.write_text(source, encoding="utf-8")
    text, losses = read_as_text(file, FORMATS["xtreme1"], "orchard.onto")
    assert text == result
    assert [line.strip() for line in said.splitlines()[1:]] == [losses[0].what, losses[0].where]
    assert len(losses) == 1
