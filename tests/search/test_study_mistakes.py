from pathlib import Path

import pytest

from linnaeus.errors import LinnaeusError
from linnaeus.plugins.hyperparameters import Range
from linnaeus.search.overrides import apply_overrides
from linnaeus.search.study_file import load_study, parse_study
from linnaeus.search.yaml12 import parse

LEAST = "ontology: toys.onto\ndata: {source: toy}\n"


def read(base: Path, text: str, *overrides: str):
    return parse_study(text, base / "study.yaml", overrides)


def mistakes(base: Path, text: str, *overrides: str):
    """(code, key, line, column) of each mistake, in order; each is shown with its line and a caret."""
    with pytest.raises(LinnaeusError) as e:
        read(base, text, *overrides)
    shown = e.value.render()
    assert shown.count("^") >= len(e.value.diagnostics)
    return [(d.code, d.where, d.span.line, d.span.column) for d in e.value.diagnostics]


def message(base: Path, text: str, *overrides: str) -> str:
    with pytest.raises(LinnaeusError) as e:
        read(base, text, *overrides)
    return e.value.render()


# --- what is wrong ---------------------------------------------------------------------------------

WRONG = [
    ("sead: 1", [("E304", "sead", 3, 1)]),
    ("seed: 1.5", [("E305", "seed", 3, 7)]),
    ("seed: -1", [("E306", "seed", 3, 7)]),
    ("seed: true", [("E305", "seed", 3, 7)]),
    ("seed: '1'", [("E305", "seed", 3, 7)]),
    ("seed:", [("E305", "seed", 3, 6)]),
    ("name: 5", [("E305", "name", 3, 7)]),
    ("name: ../up", [("E306", "name", 3, 7)]),
    ("name: prior", [("E306", "name", 3, 7)]),
    ("linnaeus: 2", [("E309", "linnaeus", 3, 11)]),
    ("linnaeus: 1.0", [("E309", "linnaeus", 3, 11)]),
    ("search: 3", [("E305", "search", 3, 9)]),
    ("search: {samplr: tpe}", [("E304", "search.samplr", 3, 10)]),
    ("search: {sampler: bayes}", [("E306", "search.sampler", 3, 19)]),
    ("search: {repeats: 3}", [("E308", "search.repeats", 3, 19)]),
    ("search: {repeats: 0}", [("E306", "search.repeats", 3, 19)]),
    ("search: {budget: {trials: 0, epochs: x, seconds: 0}}", [
        ("E306", "search.budget.trials", 3, 27), ("E305", "search.budget.epochs", 3, 38),
        ("E306", "search.budget.seconds", 3, 50)]),
    ("compare: backbone", [("E305", "compare", 3, 10)]),
    ("compare: [backbone, backbone]", [("E306", "compare[1]", 3, 21)]),
    ("compare: [spine]", [("E306", "compare[0]", 3, 11)]),
    ("compare: [decoder]", [("E308", "compare[0]", 3, 11)]),
    ("decoder: greedy", [("E410", "decoder", 3, 10)]),
    ("baselines: [chance]", [("E306", "baselines[0]", 3, 13)]),
    ("final: {seeds: 0, epochs: worst}", [("E306", "final.seeds", 3, 16), ("E306", "final.epochs", 3, 27)]),
    ("final: {epochs: 1.5}", [("E305", "final.epochs", 3, 17)]),
    ("report: {formats: [pdf], confidence: 1, rope: -1}", [
        ("E306", "report.formats[0]", 3, 20), ("E306", "report.confidence", 3, 38), ("E306", "report.rope", 3, 47)]),
    ("run: {workers: 4, population: 8}", [("E308", "run.workers", 3, 16), ("E308", "run.population", 3, 31)]),
    ("run: {workers: many}", [("E305", "run.workers", 3, 16)]),
    ("run: {device: tpuu, trial_seconds: .nan}", [("E306", "run.device", 3, 15), ("E306", "run.trial_seconds", 3, 36)]),
    ("objective: {metric: acuracy, of: digit}", [("E331", "objective.metric", 3, 21)]),
    ("objective: {metric: accuracy, of: digits}", [("E330", "objective.of", 3, 35)]),
    ("plugins: [gone.py]", [("E414", "plugins[0]", 3, 11)]),
    ("plugins: gone.py", [("E305", "plugins", 3, 10)]),
    ("? [a]\n: 1", [("E301", None, 3, 3)]),
    ("seed: 1\nseed: 2", [("E302", "seed", 4, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_key_is_named_with_its_place(base, text, expected):
    assert mistakes(base, LEAST + text) == expected


WRONG_DATA = [
    ("{source: toy, sorce: 1}", [("E304", "data.sorce", 2, 21)]),
    ("{source: toyy}", [("E410", "data.source", 2, 16)]),
    ("{}", [("E307", "data", 2, 7)]),
    ("[]", [("E305", "data", 2, 7)]),
    ("{source: table}", [("E307", "data", 2, 7)]),
    ("{source: table, path: 3, limit: 100}", [("E423", "data.path", 2, 29), ("E421", "data.limit", 2, 39)]),
    ("{source: toy, hide: {fraction: .9}}", [("E308", "data.hide", 2, 27)]),
    ("{source: toy, bad: {illegal: soften}}", [("E308", "data.bad.illegal", 2, 36)]),
    ("{source: toy, bad: {unreadable: skip}}", [("E306", "data.bad.unreadable", 2, 39)]),
    ("{source: toy, image: {size: 0, channels: gray}}",
        [("E306", "data.image.size", 2, 35), ("E306", "data.image.channels", 2, 48)]),
    ("{source: toy, unlisted: none}", [("E306", "data.unlisted", 2, 31)]),
    ("{source: toy, missing: [[a]]}", [("E305", "data.missing[0]", 2, 31)]),
    ("{source: toy, split: {test: 1}}", [("E306", "data.split.test", 2, 35)]),
    ("{source: toy, split: {test: offical}}", [("E306", "data.split.test", 2, 35)]),
    ("{source: toy, split: {test: 0.5, validation: 0.5}}", [("E306", "data.split", 2, 28)]),
    ("{source: toy, split: {from: fold, test: 0.5}}", [("E306", "data.split.test", 2, 41)]),
    ("{source: toy, bind: {digit: [a]}}", [("E305", "data.bind.digit", 2, 35)]),
    ("{source: toy, bind: {digit: }}", [("E305", "data.bind.digit", 2, 34)]),
    ("{source: toy, bind: {digit: {form: a}}}", [("E304", "data.bind.digit.form", 2, 36)]),
    ("{source: toy, bind: {digit: {}}}", [("E307", "data.bind.digit", 2, 35)]),
    ("{source: toy, bind: {digit: {from: a, values: [1]}}}", [("E305", "data.bind.digit.values", 2, 53)]),
    ("{source: toy, bind: {digit: {from: a, values: {1: {a: b}}}}}", [("E305", "data.bind.digit.values.1", 2, 57)]),
    ("{source: toy, bind: {digit: {from: a, path: [b, c]}}}", [("E306", "data.bind.digit", 2, 35)]),
    ("{source: toy, bind: {digit: {from: a, pattern: '('}}}", [("E306", "data.bind.digit.pattern", 2, 54)]),
    ("{source: toy, bind: {digit: {from: a, pattern: 'a'}}}", [("E306", "data.bind.digit.pattern", 2, 54)]),
    ("{source: toy, bind: {digit: {from: a, pattern: '(?P<x>a)(?P<y>b)'}}}", [("E306", "data.bind.digit", 2, 35)]),
    ("{source: toy, bind: {digit: {path: [a, b], values: {x: y}}}}", [("E306", "data.bind.digit", 2, 35)]),
    ("{source: toy, bind: {digit: {from: a, capture: x}}}", [("E306", "data.bind.digit", 2, 35)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRONG_DATA, ids=[w[0] for w in WRONG_DATA])
def test_a_wrong_key_of_the_data_is_named_with_its_place(base, text, expected):
    assert mistakes(base, f"ontology: toys.onto\ndata: {text}\n") == expected


WRONG_SPACE = [
    ("backbone: {}", [("E313", "search.space.backbone", 3, 28)]),
    ("backbone: {lennet: {}}", [("E410", "search.space.backbone.lennet", 3, 29)]),
    ("backbone: lennet", [("E410", "search.space.backbone.lennet", 3, 28)]),
    ("backbone: [lenet]", [("E305", "search.space.backbone", 3, 28)]),
    ("bakbone: {lenet: {}}", [("E304", "search.space.bakbone", 3, 18)]),
    ("backbone: {lenet: {widht: 8}}", [("E304", "search.space.backbone.lenet.widht", 3, 37)]),
    ("backbone: {lenet: {width: 8.5}}", [("E423", "search.space.backbone.lenet.width", 3, 44)]),
    ("backbone: {lenet: {width: 1000}}", [("E421", "search.space.backbone.lenet.width", 3, 44)]),
    ("backbone: {lenet: {stem: huge}}", [("E420", "search.space.backbone.lenet.stem", 3, 43)]),
    ("backbone: {lenet: {width: [8, 16]}}", [("E311", "search.space.backbone.lenet.width", 3, 44)]),
    ("backbone: {lenet: {width: {choice: [8]}}}", [("E304", "search.space.backbone.lenet.width.choice", 3, 45)]),
    ("backbone: {lenet: {width: {choices: 8}}}", [("E305", "search.space.backbone.lenet.width.choices", 3, 54)]),
    ("backbone: {lenet: {width: {choices: []}}}", [("E425", "search.space.backbone.lenet.width", 3, 44)]),
    ("backbone: {lenet: {width: {choices: [8, x]}}}", [("E423", "search.space.backbone.lenet.width", 3, 44)]),
    ("backbone: {lenet: {width: {choices: [8], low: 1}}}", [("E311", "search.space.backbone.lenet.width", 3, 44)]),
    ("backbone: {lenet: {width: {low: 1}}}", [("E307", "search.space.backbone.lenet.width", 3, 44)]),
    ("backbone: {lenet: {width: {low: 9, high: 8}}}", [("E427", "search.space.backbone.lenet.width", 3, 44)]),
    ("backbone: {lenet: {dropout: {low: 0, high: 1, log: true}}}",
        [("E427", "search.space.backbone.lenet.dropout", 3, 46)]),
    ("backbone: {lenet: {dropout: {low: 0, high: 1, log: yes}}}",
        [("E305", "search.space.backbone.lenet.dropout.log", 3, 69)]),
    ("backbone: {lenet: {stem: {low: 0, high: 1}}}", [("E426", "search.space.backbone.lenet.stem", 3, 43)]),
    ("backbone: {lenet: 8}", [("E305", "search.space.backbone.lenet", 3, 36)]),
    ("train: {batch_sise: 64}", [("E304", "search.space.train.batch_sise", 3, 26)]),
    ("train: {batch_size: 0}", [("E421", "search.space.train.batch_size", 3, 38)]),
    ("augment: {shft: {}}", [("E410", "search.space.augment.shft", 3, 28)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRONG_SPACE, ids=[w[0] for w in WRONG_SPACE])
def test_a_wrong_key_of_the_space_is_named_with_its_place(base, text, expected):
    assert mistakes(base, LEAST + f"search: {{space: {{{text}}}}}") == expected


def test_all_mistakes_come_at_once_in_the_order_of_the_file(base):
    (base / "toys.onto").write_text("ontology toys\nmulticlass digit { zero, zero }\n")
    text = "seed: x\nontology: toys.onto\ndata: {source: toy, tst: 1}\nrun: {workers: 3}\nfinal: {seeds: 0}\n"
    with pytest.raises(LinnaeusError) as e:
        read(base, text)
    places = [(Path(d.span.file).name, d.span.line) for d in e.value.diagnostics]
    assert places[:4] == [("study.yaml", 1), ("study.yaml", 3), ("study.yaml", 4), ("study.yaml", 5)]
    assert all(name == "toys.onto" for name, _ in places[4:])
    assert len(places) > 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sead: 1", "did you mean 'seed' or 'search'?"),
        ("search: {budget: {trails: 1}}", "did you mean 'trials'?"),
        ("search: {space: {backbone: {lennet: {}}}}", "did you mean 'lenet'?"),
        ("search: {space: {backbone: {lenet: {stem: larg}}}}", "did you mean 'large'?"),
        ("search: {repeats: 2}", "not supported in this version"),
        ("run: {workers: 2}", "not supported in this version"),
        ("name: 5", "put it in quotes"),
        ("seed: 1.5", "a whole number expected, not a number (1.5)"),
    ],
)
def test_the_next_step_is_said(base, text, expected):
    assert expected in message(base, LEAST + text)


def test_a_missing_ontology_or_data_is_named(base):
    assert [m[0] for m in mistakes(base, "seed: 0")] == ["E307", "E307"]
    assert message(base, "").count("E307") == 2
    assert mistakes(base, "ontology: toy.onto\ndata: {source: toy}") == [("E314", "ontology", 1, 11)]
    assert "did you mean 'toys.onto'?" in message(base, "ontology: toy.onto\ndata: {source: toy}")


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(LinnaeusError, match="No such file"):
        load_study(tmp_path / "gone.yaml")
    with pytest.raises(LinnaeusError, match="E300"):
        load_study(tmp_path)
    (tmp_path / "latin.yaml").write_bytes("name: Bär".encode("latin-1"))
    with pytest.raises(LinnaeusError, match="not UTF-8"):
        load_study(tmp_path / "latin.yaml")


# --- --set -----------------------------------------------------------------------------------------


def test_overrides_win_and_make_missing_keys(base):
    study = read(
        base, LEAST, "search.budget.trials=8", "search.space.backbone.lenet.dropout={low: 1e-3, high: 0.1, log: true}",
        "data.unlisted=no", "search.budget.trials=9",
    )  # fmt: skip
    assert study.search.budget.trials == 9
    assert study.data.unlisted == "no"
    assert list(study.search.space.plugins["backbone"]) == ["lenet"]
    assert study.search.space.plugins["backbone"]["lenet"]["dropout"] == Range(1e-3, 0.1, log=True)
    assert study.resolved["search"]["budget"]["trials"] == 9


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("search.budget.trials=x", ("E305", "search.budget.trials", 1, 22)),
        ("search.budget.trails=8", ("E304", "search.budget.trails", 1, 1)),
        ("seed", ("E310", None, 1, 1)),
        ("=8", ("E310", None, 1, 1)),
        ("a..b=8", ("E310", None, 1, 1)),
        ("seed.of.what=8", ("E310", None, 1, 1)),
        ("seed=[1", ("E301", None, 1, 8)),
    ],
)
def test_a_wrong_override_is_shown_in_its_own_text(base, override, expected):
    assert mistakes(base, LEAST + "seed: 3", override) == [expected]
    assert f" | {override}" in message(base, LEAST + "seed: 3", override)


def test_an_override_leaves_the_rest_of_the_tree(base):
    before = parse("a: {b: 1, c: [2]}\n", "f")
    after, _ = apply_overrides(before, ["a.b=5", "d.e=[x]"])
    assert after.plain == {"a": {"b": 5, "c": [2]}, "d": {"e": ["x"]}}
    assert before.plain == {"a": {"b": 1, "c": [2]}}
