"""Where resolving goes wrong at its edges: several files, depth, circles, what was not read."""

from __future__ import annotations

from pathlib import Path

import pytest

from linnaeus.dsl.load import Checked, check_file, check_text


def checked(folder: Path, **files: str) -> Checked:
    for name, text in files.items():
        (folder / f"{name}.onto").write_text(text, encoding="utf-8")
    return check_file(folder / "main.onto")


def places(found: Checked) -> list[tuple[str, str, int]]:
    """Code, file and line of every finding."""
    return [(d.code, Path(d.span.file).stem, d.span.line) for d in found.diagnostics if d.span]


def codes(text: str) -> list[str]:
    return [d.code for d in check_text(text, "x.onto").diagnostics]


def test_a_warning_of_the_text_hides_no_unknown_name() -> None:
    assert codes("ontology x\nbinary\u00a0a\nrule r { b }\n") == ["W105", "E131"]


def test_a_broken_file_imported_by_two_ways_is_told_once(tmp_path: Path) -> None:
    sides = {side: f'ontology {side}\nimport "base.onto"\nuse base\n' for side in ("left", "right")}
    main = 'ontology main\nimport "left.onto"\nimport "right.onto"\nuse left\n'
    found = places(checked(tmp_path, main=main, **sides, base="ontology base\nmulticlass z { a }\n"))
    assert found.count(("E110", "base", 2)) == 1
    assert [place for place in found if place[1] == "main"] == [("E122", "main", 2), ("E122", "main", 3)]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("hierarchy h { a open { x, y, use c.light as other }, b }", "E106", 3),
        ("hierarchy h { a, b\n use c.light }", "E116", 4),
        ("ordinal h { a { use c.light } < b }", "E114", 3),
        ('binary x "Light"\nuse c.light', "E108", 4),
    ],
)
def test_a_misplaced_use_is_told_where_it_stands(tmp_path: Path, text: str, code: str, line: int) -> None:
    found = checked(
        tmp_path, main=f'ontology main\nimport "c.onto"\n{text}\n', c='ontology c\n\n\n\n\n\nbinary light "Light"\n'
    )
    assert places(found) == [(code, "main", line)]


def test_only_what_stands_in_a_circle_depends_on_itself() -> None:
    found = check_text("ontology x\nbinary a when b\nbinary b when a\nbinary c when b\n", "x.onto")
    assert places(found) == [("E136", "x", 2), ("E136", "x", 3)]
    found = check_text("ontology x\nmultilabel m { a is b, b is a, c is b }\n", "x.onto")
    assert [d.message for d in found.diagnostics] == [f"`m.{c}` would stand above itself" for c in "ab"]


def test_two_versions_meet_however_deep(tmp_path: Path) -> None:
    files = {
        "old": 'ontology base version "1"\nbinary x\n',
        "new": 'ontology base version "2"\nbinary y\n',
        "inner": 'ontology inner\nimport "old.onto"\nuse base\n',
        "outer": 'ontology outer\nimport "inner.onto"\nuse inner\n',
        "main": 'ontology main\nimport "outer.onto"\nimport "new.onto"\nuse outer\nuse base\n',
    }
    assert places(checked(tmp_path, **files)) == [("E124", "main", 3)]


def test_a_rule_may_not_be_called_as_an_imported_one(tmp_path: Path) -> None:
    other = "ontology c\nbinary a, b\nrule r { a => b }\n"
    main = 'ontology main\nimport "c.onto"\nuse c\nrule `c.r` { b or a }\n'
    assert places(checked(tmp_path, main=main, c=other)) == [("E137", "main", 4)]


def test_a_weight_is_a_number() -> None:
    assert codes(f"ontology x\nbinary a\nrule r soft {'9' * 400} {{ a }}\n") == ["E135"]


def test_depth_is_an_error_however_it_comes_about(tmp_path: Path) -> None:
    levels = [f"l{i}" for i in range(1500)]
    (tmp_path / "t.csv").write_text(f"{','.join(levels)}\n{','.join(levels)}\n", encoding="utf-8")
    deep = f'ontology main\nhierarchy h from "t.csv" levels {", ".join(levels)}\n'
    assert places(checked(tmp_path, main=deep)) == [("E130", "main", 2)]
    row = {f"f{i}": f'ontology f{i}\nimport "f{i + 1}.onto"\nuse f{i + 1}\n' for i in range(250)}
    found = places(checked(tmp_path, main='ontology main\nimport "f0.onto"\nuse f0\n', **row))
    assert found[0][0] == "E120"
    assert found[-1] == ("E122", "main", 2)
    inside = "a { " * 40 + "b; use f{n}" + " }" * 40
    nest = {
        f"f{i}": f'ontology f{i}\nimport "f{i + 1}.onto"\nhierarchy h {{ {inside.replace("{n}", str(i + 1))}, z }}\n'
        for i in range(2)
    }
    assert places(
        checked(tmp_path, main='ontology main\nimport "f0.onto"\nuse f0\n', **nest, f2="ontology f2\nbinary x\n")
    )[0] == ("E010", "f0", 3)


def test_a_column_of_a_taxonomy_is_there_once(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b,b\nx,y,z\nx,w,v\n", encoding="utf-8")
    assert places(checked(tmp_path, main='ontology main\nhierarchy h from "t.csv" levels a, b\n')) == [
        ("E130", "main", 2)
    ]


def test_imports_that_part_and_meet_again_are_walked_once(tmp_path: Path) -> None:
    files = {"d0": "ontology d0\nbinary x, y\n"}
    for i in range(1, 24):
        sides = "".join(f'import "d{i - 1}.onto" as {side}\nuse {side}.{side}\n' for side in "xy")
        files[f"d{i}"] = f"ontology d{i}\n{sides}"
    assert checked(tmp_path, main='ontology main\nimport "d23.onto"\nuse d23\n', **files).ontology is not None
