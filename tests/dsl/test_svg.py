"""The picture of an ontology: nothing overlaps, nothing is left out, nothing comes from elsewhere."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from PIL import ImageFont

from linnaeus.dsl.load import check_text, load_ontology
from linnaeus.dsl.ontology import Ontology
from linnaeus.dsl.picture.svg import render_svg
from linnaeus.dsl.picture.typeset import cut, width, wrap
from linnaeus.dsl.testing import random_ontology

NS = "{http://www.w3.org/2000/svg}"
WORDS = ["amber", "basil", "cedar", "delta", "ember", "fjord", "grove", "heath"]
WORDS += ["inlet", "jetty", "knoll", "larch", "marsh", "north", "ocean", "pearl"]

SCENE = """\
ontology scene "Scenes & <signs>" version "1.0"
multilabel objects { vehicle { car, boat }, toy { doll }, model_boat is boat and toy }
hierarchy place "Place" open levels kind, spot {
    inside { kitchen, hall "A hall of which the name is far too long to be drawn whole in a picture of it" }
    outside open { street { ordinal traffic { none < light < heavy < `at a stand` } } }
}
multiclass 季节 "季節の名前" when outside and not any toy { spring "春", summer, autumn }
ordinal light { `pitch-dark` < dim < fair < bright < dazzling < `hardly bearable` < `as bright as the sun at noon` }
binary young, bangs
binary glasses, thick when glasses
rule no_hair "Of hair" { not (young and bangs);  thick => young or bangs }
rule often soft 0.5 { at most 1 of { car, boat, doll, young, bangs } => light in {dim, fair, bright} and not thick }
"""


@dataclass(frozen=True)
class Box:
    x: float
    y: float
    width: float
    height: float
    style: str

    def meets(self, other: Box) -> bool:
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        return across > 0.05 and down > 0.05

    def holds(self, other: Box) -> bool:
        right, bottom = self.x + self.width, self.y + self.height
        inside = self.x - 0.15 <= other.x and other.x + other.width <= right + 0.15
        return inside and self.y - 0.15 <= other.y and other.y + other.height <= bottom + 0.15


@dataclass
class Picture:
    root: ElementTree.Element
    cards: list[Box]
    boxes: list[Box]
    marks: list[Box]
    texts: list[Box]


def read(svg: str) -> Picture:
    """The rectangles and texts of a picture, at their places on the page."""
    root = ElementTree.fromstring(svg)
    found = Picture(root, [], [], [], [])

    def visit(element: ElementTree.Element, dx: float, dy: float) -> None:
        moved = re.fullmatch(r"translate\(([\d.-]+) ([\d.-]+)\)", element.get("transform", ""))
        if moved:
            dx, dy = dx + float(moved[1]), dy + float(moved[2])
        style = element.get("class", "")
        kinds = style.split()
        if element.tag == f"{NS}rect" and "page" not in kinds:
            x, y, w, h = (float(element.get(k, "0")) for k in ("x", "y", "width", "height"))
            to = found.cards if "card" in kinds else found.marks if "mark" in kinds else found.boxes
            to.append(Box(x + dx, y + dy, w, h, style))
        if element.tag == f"{NS}text":
            text = "".join(element.itertext()) if not len(element) else element[-1].tail or ""
            x, y = float(element.get("x", "0")), float(element.get("y", "0"))
            found.texts.append(Box(x + dx - (wide(text, kinds) / 2 if "sign" in kinds else 0), y + dy - 9,
                                   wide(text, kinds), 11, style))  # fmt: skip
        for child in element:
            visit(child, dx, dy)

    visit(root, 0.0, 0.0)
    return found


def wide(text: str, kinds: list[str]) -> float:
    sizes = {"name": 19.0, "head": 14.0, "formula": 11.5, "rule": 11.5, "label": 12.0}
    size = next((s for k, s in sizes.items() if k in kinds), 11.0)
    return width(text, size, bold=bool({"name", "head", "rule", "group", "kind"} & set(kinds)), mono="formula" in kinds)


def assert_clear(svg: str) -> Picture:
    """No two boxes meet, marks neither; each text and mark stands in one box or in none, and all in one card."""
    picture = read(svg)
    page = Box(0, 0, *(float(n) for n in picture.root.get("viewBox", "").split()[2:]), "page")
    for kind in (picture.cards, picture.boxes, picture.marks, picture.texts):
        for one, other in itertools.combinations(kind, 2):
            assert not one.meets(other), (one, other)
    assert all(page.holds(card) for card in picture.cards)
    for box in picture.boxes:
        assert sum(card.holds(box) for card in picture.cards) == 1, box
    for part in picture.texts + picture.marks:
        assert page.holds(part), part
        around = [box for box in picture.boxes if box.meets(part)]
        assert len(around) <= 1, part
        assert all(box.holds(part) for box in around), (part, around)
    return picture


def flora(n: int) -> Ontology:
    """A taxonomy of `n` species, three levels deep."""
    rng = np.random.default_rng(n)
    lines, left = ['ontology flora "A flora" version "1"', "hierarchy taxa levels family, genus, species {"], n
    for family in itertools.count():
        lines.append(f'  f{family} "{WORDS[family % 16].title()}aceae {family}" {{')
        for genus in range(int(rng.integers(1, 7))):
            species = min(int(rng.integers(1, 9)), left)
            left -= species
            names = [" ".join(rng.choice(WORDS, int(rng.integers(1, 4)))) for _ in range(species)]
            listed = ", ".join(f's{family}_{genus}_{i} "{name} {i}"' for i, name in enumerate(names))
            lines.append(f"    g{genus} {{ {listed} }}" if species else f"    g{genus}")
        lines.append("  }")
        if not left:
            break
    rules = [f"rule r{i} {{ s0_0_0 => not {WORDS[i]} }}" for i in range(3)]
    return check_text("\n".join([*lines, "}", f"binary {', '.join(WORDS)}", *rules]), "flora.onto").require()


@pytest.mark.parametrize("n", [300, 40])
def test_a_taxonomy_has_no_overlaps_and_a_readable_shape(n: int) -> None:
    ontology = flora(n)
    picture = assert_clear(render_svg(ontology))
    wide, high = (float(x) for x in picture.root.get("viewBox", "").split()[2:])
    assert 0.6 < wide / high < 3
    used = sum(card.width * card.height for card in picture.cards)
    assert used > 0.5 * wide * high


def test_random_ontologies_have_no_overlaps_and_all_names() -> None:
    for seed in range(25):
        ontology = random_ontology(np.random.default_rng(seed), rules=4, groups=6, max_labels=40, consistent=False)
        svg = render_svg(ontology)
        assert_clear(svg)
        tooltips = {e.text for e in ElementTree.fromstring(svg).iter(f"{NS}title")}
        plain = {g.path for g in ontology.groups} | {label.path for label in ontology.labels}
        shown = {t for t in tooltips if t in plain}
        inner = {label.path for label in ontology.labels if ontology.groups[label.group].kind != "binary"}
        assert inner <= shown, seed


def test_the_scene_has_all_its_parts() -> None:
    ontology = check_text(SCENE, "scene.onto").require()
    svg = render_svg(ontology)
    picture = assert_clear(svg)
    styles = " ".join(b.style for b in picture.boxes)
    assert styles.count("again") == 1  # model_boat under its second parent
    assert "shade1" in styles
    assert "shade5" in styles
    text = "".join(picture.root.itertext())
    for words in ("Scenes & <signs>", "applies when", "outside and not any toy", "soft 0.5", "also a class of", "春"):
        assert words in text.replace("\u00a0", " "), words
    assert {"kind", "spot"} <= {e.text for e in picture.root.iter(f"{NS}text") if e.get("class") == "caption"}
    signs = [e.text for e in picture.root.iter(f"{NS}text") if "sign" in e.get("class", "")]
    assert {"1", "2", "a"} == set(signs)
    assert signs.count("a") == 4  # the legend, the group, and outside and toy, which it names


def test_it_stands_by_itself() -> None:
    svg = render_svg(check_text(SCENE, "scene.onto").require())
    assert set(re.findall(r'[\w:]+=?"?(?:https?|file|data):[^" ]*', svg)) == {'xmlns="http://www.w3.org/2000/svg'}
    assert not re.search(r"<script|<foreignObject|<image|href|url\(|@import|@font-face", svg)
    assert "prefers-color-scheme:dark" in svg
    assert min(float(size) for size in re.findall(r"font-size:([\d.]+)px", svg)) >= 11
    rules = re.search(r"<style>(.*)</style>", svg, re.DOTALL)
    assert rules is not None
    selectors = re.findall(r"([^{}]+)\{[^{}]*\}", rules[1].replace("@media(prefers-color-scheme:dark){", ""))
    assert all(s.strip().startswith(".linnaeus ") for selector in selectors for s in selector.split(","))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("model_boat is boat and toy", "model_boat"),
        ("thick => young or bangs", "thick => young"),
        ("< bright <", "< clear < bright <"),
    ],
)
def test_a_change_of_meaning_changes_the_picture(old: str, new: str) -> None:
    before, after = (check_text(text, "s.onto") for text in (SCENE, SCENE.replace(old, new)))
    assert render_svg(before.require()) != render_svg(after.require())


def test_examples_and_notebooks(examples: list[Path]) -> None:
    for path in examples:
        ontology = load_ontology(path)
        assert_clear(ontology._repr_html_())


def test_the_picture_in_the_docs_is_that_of_the_readme(root: Path) -> None:
    example = re.search(r"```onto\n(ontology plant .*?)```", (root / "README.md").read_text(encoding="utf-8"), re.S)
    assert example is not None
    picture = (root / "docs/ontology.svg").read_text(encoding="utf-8")
    assert picture == render_svg(check_text(example[1], "plant.onto").require())


def test_widths_are_those_of_a_wide_font() -> None:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    texts = [*WORDS, "Ankle boot", "WWW MMM @%", "größe", "Жук и ёж", "iiiill||", "T-shirt/top", "1234567890 {}<=>"]
    for name, bold, mono in (("DejaVuSans", False, False), ("DejaVuSansMono", False, True)):
        font = ImageFont.truetype(str(folder / f"{name}.ttf"), 100)
        for text in texts:
            real = font.getlength(text) * 0.12
            assert real * 0.99 <= width(text, 12, bold=bold, mono=mono) <= real * 1.4, text


def test_cut_and_wrapped_texts_fit() -> None:
    text = "God Morgon Orange Red Grapefruit Juice 季節の名前"
    for room in range(20, 400, 7):
        assert width(cut(text, room, 12), 12) <= room + 0.1
        assert all(width(line, 12) <= room + 0.1 for line in wrap(text, room, 12))
    assert " ".join(wrap(text, 150, 12)) == text
    assert cut(text, 1000, 12) == text
