"""Files as others wrote them: whatever is wrong with one is a mistake with its place, never a traceback."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from linnaeus.dsl.convert.conversion import read_as_text
from linnaeus.dsl.convert.documents import read_json, read_xml
from linnaeus.dsl.convert.formats import FORMATS
from linnaeus.errors import LinnaeusError

CASES = Path(__file__).with_name("convert_cases")
TOOLS = {"xtreme1": ".json", "labelbox": ".json", "cvat": ".json", "label-studio": ".xml"}
BILLION = '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><View>&y;</View>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><View>&x;</View>'

JSON_MISTAKES = [
    ('{"a": 1,\n "b" 2}', "E160", "line 2, column 6"),
    ("", "E160", "line 1, column 1"),
    ('{"a": [{"x/y": 1, "x/y": 2}]}', "E160", "at /a/0/x~1y"),
    ("[" * 5000 + "]" * 5000, "E160", ""),
    ('{"a":' * 150 + "1" + "}" * 150, "E160", ""),
    ('{"a": NaN}', "E160", ""),
    ('{"a": ' + "9" * 5000 + "}", "E160", ""),
]


@pytest.mark.parametrize(("text", "code", "place"), JSON_MISTAKES, ids=range(len(JSON_MISTAKES)))
def test_what_is_no_json(text: str, code: str, place: str, tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LinnaeusError) as error:
        read_json(file)
    [found] = error.value.diagnostics
    assert found.code == code
    assert place in str(found.where)
    assert str(file) in str(found.where)


XML_MISTAKES = [
    ("<View>\n <a></b>\n</View>", "line 2, column 7"),
    ("", "line 1, column 1"),
    (BILLION, "line 1"),
    (OUTSIDE, "line 1"),
    ("<a>" * 200 + "</a>" * 200, ""),
    ('<a x="1" x="2"/>', "line 1"),
    ("<a>&nothing;</a>", "line 1"),
]


@pytest.mark.parametrize(("text", "place"), XML_MISTAKES, ids=range(len(XML_MISTAKES)))
def test_what_is_no_xml(text: str, place: str, tmp_path: Path) -> None:
    file = tmp_path / "f.xml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LinnaeusError) as error:
        read_xml(file)
    assert [d.code for d in error.value.diagnostics] == ["E160"]
    assert place in str(error.value.diagnostics[0].where)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(LinnaeusError, match="E002"):
        read_json(file)
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(file).data == {"a": 1}


OF_QUESTION = '{"classifications": [{"name": "a", "inputType": "RADIO", "isRequired": %s, "options": %s}]}'
SHAPES = [
    ("xtreme1", "[]", "expected an object, found a list", ""),
    ("xtreme1", '{"classifications": {}}', "expected a list, found an object", "/classifications"),
    ("xtreme1", OF_QUESTION % ("1", "[]"), "expected true or false, found a number", "/classifications/0/isRequired"),
    ("xtreme1", OF_QUESTION % ("true", '[{"name": " "}]'), "an empty text", "/classifications/0/options/0/name"),
    ("xtreme1", OF_QUESTION % ("true", '["a"]'), "expected an object, found a text", "/classifications/0/options/0"),
    ("xtreme1", '{"classifications": [{"name": "a"}]}', "the key 'type' is missing", "/classifications/0"),
    ("xtreme1", '{"classifications": [{"inputType": "X"}]}', "unknown type 'X'", "/classifications/0/inputType"),
    ("labelbox", '{"classifications": [{"type": "x"}]}', "unknown type 'x'", "/classifications/0/type"),
    ("labelbox", '{"tools": [{"tool": "line"}]}', "the key 'name' is missing", "/tools/0"),
    (
        "cvat",
        '[{"name": "a", "attributes": [{"name": "b", "input_type": "x"}]}]',
        "unknown input type 'x'",
        "/0/attributes/0",
    ),
    (
        "cvat",
        '[{"name": "a", "attributes": [{"name": "b", "input_type": "number"}]}]',
        "three values",
        "/0/attributes/0",
    ),
    ("label-studio", "<Choices/>", "the root is 'Choices'", "line 1"),
    ("label-studio", "<View>\n<Choices/></View>", "a Choices without a name", "line 2"),
    ("label-studio", '<View>\n<Rating name="a"/>\n<Rating name="a"/></View>', "two tags are called 'a'", "line 3"),
    ("label-studio", '<View><Rating name="a" maxRating="x"/></View>', "maxRating is 'x'", "line 1"),
    ("label-studio", '<View><Choices name="a">\n<Choice/></Choices></View>', "a Choice without a value", "line 2"),
    ("label-studio", '<View><Choices name="a" choice="x"/></View>', "unknown choice 'x'", "line 1"),
    (
        "label-studio",
        '<View><Rating name="a" visibleWhen="choice-selected" whenTagName="b"/></View>',
        "whenTagName names 'b'",
        "line 1",
    ),
    (
        "label-studio",
        '<View>\n<Rating name="a"/>\n'
        '<Rating name="b" visibleWhen="choice-selected" whenTagName="a" whenChoiceValue="9"/></View>',
        "whenChoiceValue names '9', which a has not",
        "line 3",
    ),
]


@pytest.mark.parametrize(("tool", "text", "said", "place"), SHAPES, ids=range(len(SHAPES)))
def test_what_has_another_shape(tool: str, text: str, said: str, place: str, tmp_path: Path) -> None:
    file = tmp_path / f"f{TOOLS[tool]}"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LinnaeusError) as error:
        FORMATS[tool].converter().read(file)
    [found] = error.value.diagnostics
    assert found.code == "E162"
    assert said in found.message
    assert place in str(found.where)


def test_what_no_ontology_can_say_has_the_place_in_its_source(tmp_path: Path) -> None:
    def hidden(name: str, after: str) -> str:
        when = f'visibleWhen="choice-unselected" whenTagName="{after}" whenChoiceValue="x"'
        return f'<Choices name="{name}" {when}><Choice value="x"/><Choice value="y"/></Choices>'

    file = tmp_path / "f.xml"
    file.write_text(f"<View>\n{hidden('a', 'b')}\n{hidden('b', 'a')}</View>", encoding="utf-8")
    with pytest.raises(LinnaeusError) as error:
        read_as_text(file, FORMATS["label-studio"], "f.onto")
    assert {d.code for d in error.value.diagnostics} == {"E163"}
    assert {str(d.where).removeprefix(str(file)) for d in error.value.diagnostics} <= {", at line 2", ", at line 3"}
    assert "[E136]" in error.value.diagnostics[0].message


def test_an_empty_file_makes_no_ontology(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_text('{"classes": [], "classifications": []}', encoding="utf-8")
    with pytest.raises(LinnaeusError, match=r"E163.*no ontology can say this: the ontology has no group \[E103\]"):
        read_as_text(file, FORMATS["xtreme1"], "f.onto")


def test_what_nests_deeper_than_an_ontology_may(tmp_path: Path) -> None:
    file = tmp_path / "f.xml"
    choices = "".join(f'<Choice value="c{i}">' for i in range(90)) + "</Choice>" * 90
    file.write_text(f'<View><Taxonomy name="g">{choices}</Taxonomy></View>', encoding="utf-8")
    with pytest.raises(LinnaeusError) as error:
        read_as_text(file, FORMATS["label-studio"], "f.onto")
    assert [(d.code, d.where) for d in error.value.diagnostics] == [("E163", str(file))]


@pytest.mark.parametrize("tool", TOOLS)
def test_broken_files_never_show_a_traceback(tool: str, tmp_path: Path) -> None:
    """Mutations of the fixtures: bytes taken out, doubled, exchanged; JSON values exchanged for others."""
    source = (CASES / f"orchard.{tool}{TOOLS[tool]}").read_text(encoding="utf-8")
    rng = random.Random(tool)
    file = tmp_path / f"f{TOOLS[tool]}"
    codes: set[str] = set()
    read, refused, slowest = 0, 0, 0.0
    for _ in range(60):
        text = exchanged(source, rng) if tool != "label-studio" and rng.random() < 0.7 else mutated(source, rng)
        file.write_text(text, encoding="utf-8")
        begin = time.perf_counter()
        try:
            read_as_text(file, FORMATS[tool], "f.onto")
            read += 1
        except LinnaeusError as error:
            refused += 1
            codes |= {d.code for d in error.diagnostics}
        slowest = max(slowest, time.perf_counter() - begin)
    assert codes <= {"E160", "E162", "E163"}
    assert read
    assert refused
    assert slowest < 20  # a tenth of a second; a hang is what this looks for


def mutated(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 3)):
        a, b = sorted(rng.randrange(len(text)) for _ in range(2))
        b = min(b, a + 30)
        text = rng.choice(
            [text[:a] + text[b:], text[:b] + text[a:], text[:a] + rng.choice('"<>{}[],:`\\é\u202e') + text[b:]]
        )
    return text


def exchanged(text: str, rng: random.Random) -> str:
    """A JSON text in which one value or key is another one."""
    data = json.loads(text)
    places: list[tuple[object, object]] = []
    queue = [data]
    for item in queue:  # grows as it is walked
        keys = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else []
        places += [(item, key) for key in keys]
        queue += [item[key] for key in keys]
    values = [
        None,
        0,
        1.5,
        True,
        [],
        {},
        "",
        "other",
        "`x`",
        "a.b",
        "rule",
        "\n",
        "x" * 300,
        queue[rng.randrange(len(queue))],
    ]
    holder, key = rng.choice(places)
    holder[key] = json.loads(json.dumps(rng.choice(values)))  # type: ignore[index]  # a dict or a list
    return json.dumps(data)
