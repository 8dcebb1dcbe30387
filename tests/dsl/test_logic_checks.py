"""What is said about rules: once, where it starts, with the formulas to blame and where they stand."""

import subprocess
import sys

import pytest

from linnaeus.dsl.load import check_text

PLANT = """ontology plant version "2.0"
multiclass crop { apple, grape, tomato }
multiclass health {
    healthy
    diseased {
        multilabel disease { fungal { scab, rust }, viral }
        ordinal severity { trace < mild < severe }
    }
}
binary wet
"""


def found(laws, text=PLANT):
    checked = check_text(text + laws, "plant.onto")
    return [(d.code, d.span.line, d.span.column, d.message) for d in checked.diagnostics]


def codes(laws, text=PLANT):
    return [(code, line) for code, line, *_ in found(laws, text)]


def test_good_rules_are_not_spoken_of():
    assert (
        found("rule hosts { scab => apple; rust => apple or grape; wet and diseased => not severity == trace }") == []
    )


def test_what_hangs_on_a_dead_class_is_not_said_again():
    [finding] = found("rule r { not diseased }")  # and so no disease, no severity, and always healthy
    assert finding[:3] == ("W142", 4, 5)
    assert finding[3] == "`healthy` always holds, because of `not diseased` (rule r, line 11)"
    assert codes("rule r { not fungal }") == [("W140", 6)]


def test_a_forced_class_speaks_for_its_siblings_and_all_above_it():
    tree = "ontology t\nhierarchy h { a { b { c, d }, e }, f }\n"
    assert codes("rule r { c }", tree) == [("W142", 2)]
    assert found("rule r { c }", tree)[0][2] == 23
    assert codes("rule r { scab or not diseased; diseased => trace }") == [("W142", 6), ("W142", 7)]


def test_a_binary_is_always_yes_or_no():
    assert [m for *_, m in found("rule r { wet }")] == ["`wet` is always yes, because of `wet` (rule r, line 11)"]
    assert [m for *_, m in found("rule r { not wet }")] == [
        "`wet` is always no, because of `not wet` (rule r, line 11)"
    ]


def test_a_conflict_names_its_formulas_and_no_others():
    [(code, line, column, message)] = found("rule a { apple or grape; wet => tomato }\nrule b { wet; healthy }")
    assert (code, line, column) == ("E140", 12, 10)
    assert message == (
        "no legal world: these can't all be true: `apple or grape` (rule a, line 11), "
        "`wet => tomato` (rule a, line 11) and `wet` (rule b, line 12)"
    )


def test_each_formula_that_contradicts_itself_is_named_in_place_of_a_conflict():
    assert codes("rule a { apple and grape; wet }\nrule b { scab and healthy }") == [("E141", 11), ("E141", 12)]


def test_a_soft_formula_that_is_never_true_is_no_error():
    assert codes("rule a soft 1 { apple and grape }") == [("W145", 11)]


def test_forcing_formulas_get_a_guard():
    checked = check_text(PLANT + "rule r { tomato => severity <= mild }", "plant.onto")
    [info] = checked.diagnostics
    assert (info.code, info.severity) == ("I140", "info")
    assert info.help == "unless that is meant, write: tomato and diseased => severity <= mild"
    [info] = check_text(PLANT + "rule r { severity <= mild or any disease or wet }", "plant.onto").diagnostics
    assert "`disease` and `severity` do not apply" in info.message
    assert info.help.endswith("diseased => severity <= mild or any disease or wet")
    when = "multiclass season when wet or apple { spring, autumn }\nrule r { tomato => spring }"
    [info] = check_text(PLANT + when, "plant.onto").diagnostics
    assert info.help.endswith("tomato and applies season => spring")
    assert check_text(PLANT + "rule r { tomato and diseased => severity <= mild }", "plant.onto").diagnostics == ()


@pytest.mark.parametrize(
    "law", ["wet => severity == trace", "tomato => not (wet and not any disease)", "spring <=> tomato"]
)
def test_the_suggested_formula_is_fine(law):
    season = PLANT + "multiclass season when wet or apple { spring, autumn }\n"
    checked = check_text(f"{season}rule r {{ {law} }}", "plant.onto")
    infos = [d for d in checked.diagnostics if d.code == "I140"]
    assert len(infos) == 1
    better = infos[0].help.removeprefix("unless that is meant, write: ")
    assert "I140" not in {d.code for d in check_text(f"{season}rule r {{ {better} }}", "plant.onto").diagnostics}


def test_counts():
    things = "{ scab, rust, viral }"
    assert codes(f"rule r {{ at most 3 of {things} }}") == [("W147", 11)]
    assert codes(f"rule r {{ wet => at least 0 of {things} }}") == [("W147", 11)]
    assert codes(f"rule r {{ exactly 4 of {things} => wet }}") == [("E142", 11)]
    assert codes(f"rule r {{ wet => at most 2 of {things} }}") == []
    assert codes(f"binary x when at least 4 of {things}")[0] == ("E142", 11)


def test_an_import_is_told_off_at_home_unless_this_file_is_to_blame(tmp_path):
    far = """ontology far
multiclass crop { apple, grape, tomato }
binary wet, ripe
rule odd { not tomato; apple => not grape }
rule tie { wet => apple }
"""
    (tmp_path / "far.onto").write_text(far)

    def here(laws):
        text = f'ontology here\nimport "far.onto"\nuse far\nbinary dry\n{laws}'
        checked = check_text(text, str(tmp_path / "here.onto"))
        return checked, [d.code for d in checked.diagnostics if d.span.file.endswith("here.onto")]

    assert here("")[1] == []
    checked, mine = here("rule r { dry => not wet }")
    assert mine == []
    checked, mine = here("rule r { not grape; grape or tomato or dry }")
    dead = [d for d in checked.diagnostics if d.code in ("W140", "W142")]
    assert any("rule r, line 5" in d.message for d in dead)
    checked, mine = here("rule r { wet => not grape }")  # the import's rule says more
    assert "W144" in mine
    checked, mine = here("rule r { wet; tomato or grape }")
    assert mine == ["E140"]
    [conflict] = [d for d in checked.diagnostics if d.code == "E140"]
    assert "rule far.tie" in conflict.message


def test_plain_files_load_no_solver(root):
    code = (
        "import sys; from linnaeus.dsl.load import load_ontology; load_ontology(sys.argv[1]); "
        "sys.exit('pysat' in sys.modules)"
    )
    plain = next((root / "examples").glob("*/*.onto"))
    assert subprocess.run([sys.executable, "-c", code, str(plain)], check=False).returncode == 0
