"""What the documentation shows runs."""

from __future__ import annotations

import re
from pathlib import Path

from linnaeus.plugins.contracts import Backbone
from linnaeus.plugins.registry import installed, with_files


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
