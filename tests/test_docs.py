"""What the documentation shows runs."""

from __future__ import annotations

import pkgutil
import re
import textwrap
from pathlib import Path

from linnaeus.plugins.contracts import Backbone
from linnaeus.plugins.registry import installed, with_files
from linnaeus.search.study_file import load_study


def test_the_example_plugin_conforms(root: Path, tmp_path: Path) -> None:
    from linnaeus.plugins.testing import check_backbone

    [code] = re.findall(r"```python\n(.*?)```", (root / "docs/plugins.md").read_text(encoding="utf-8"), re.S)
    file = tmp_path / "my_net.py"
    file.write_text(code, encoding="utf-8")
    check_backbone(with_files(installed(), [file]).get(Backbone, "patches"))


def test_links_between_pages_hold(root: Path) -> None:
    pages = [root / "README.md", *(root / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(root)} -> {target}"
        for page in pages
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_what_pages_name_of_the_package_is_there(root: Path) -> None:
    pages = [root / "README.md", *(root / "docs").glob("*.md")]
    modules = re.compile(r"`(linnaeus\.(?:dsl|plugins|search|reports|lsp)[\w.]*\w)")
    named = {name for page in pages for name in modules.findall(page.read_text(encoding="utf-8"))}
    assert "linnaeus.dsl.fmt.format_text" in named
    for name in sorted(named):
        pkgutil.resolve_name(name)


def test_the_study_of_the_first_page_suits_its_ontology(root: Path, tmp_path: Path) -> None:
    page = (root / "README.md").read_text(encoding="utf-8")
    [ontology] = re.findall(r"```onto\n(.*?)```", page, re.S)
    [study] = re.findall(r"## A study\n\n((?:    .*\n)+)", page)
    (tmp_path / "plant.onto").write_text(ontology, encoding="utf-8")
    (tmp_path / "study.yaml").write_text(textwrap.dedent(study), encoding="utf-8")
    assert load_study(tmp_path / "study.yaml").ontology.name == "plant"
