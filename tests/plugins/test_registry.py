import importlib.metadata
import tomllib
from pathlib import Path

import pytest

from linnaeus.errors import LinnaeusError
from linnaeus.plugins import contracts, registry
from linnaeus.plugins.registry import Entry, Registry, installed, load, with_files

HEAD = """
from dataclasses import dataclass
from linnaeus.plugins.contracts import Backbone, Dataset, Head, Metric, Plugin
from linnaeus.plugins.hyperparameters import Choices, Range, option, static, traced
"""
GOOD = """
@dataclass(frozen=True)
class Mine(Backbone):
    name = "mine"
    width: int = static(8, "channels", search=(8, 16))
    def build(self, shape, rngs): ...
"""
BROKEN = {
    "no name": ("@dataclass(frozen=True)\nclass A(Backbone):\n    def build(self, shape, rngs): ...", "A.name is None"),
    "abstract": ('@dataclass(frozen=True)\nclass A(Backbone):\n    name = "a"', "A lacks build"),
    "not frozen": ('@dataclass\nclass A(Backbone):\n    name = "a"\n    def build(self, shape, rngs): ...', "frozen"),
    "no dataclass": ('class A(Backbone):\n    name = "a"\n    def build(self, shape, rngs): ...', "frozen"),
    "flags": (
        '@dataclass(frozen=True)\nclass A(Head):\n    name = "a"\n    normalised = True\n'
        "    def build(self, tables, features, rngs): ...",
        "does not set coherent, obeys_rules",
    ),
    "bare field": (
        '@dataclass(frozen=True)\nclass A(Backbone):\n    name = "a"\n    width: int = 3\n'
        "    def build(self, shape, rngs): ...",
        "fields width are not declared",
    ),
    "default outside": (
        '@dataclass(frozen=True)\nclass A(Backbone):\n    name = "a"\n'
        '    width: int = static(0, "w", legal=Range(1, 9))\n    def build(self, shape, rngs): ...',
        "0 is outside 1 … 9",
    ),
    "range outside": (
        '@dataclass(frozen=True)\nclass A(Backbone):\n    name = "a"\n'
        '    width: int = static(1, "w", search=Range(1, 10), legal=Range(1, 9))\n'
        "    def build(self, shape, rngs): ...",
        "10 is outside 1 … 9",
    ),
    "wrong default": (
        '@dataclass(frozen=True)\nclass A(Backbone):\n    name = "a"\n    rate: float = traced("x", "r")\n'
        "    def build(self, shape, rngs): ...",
        "a number expected",
    ),
    "unknown type": (
        '@dataclass(frozen=True)\nclass A(Backbone):\n    name = "a"\n    rate: "Gone" = traced(1.0, "r")\n'
        "    def build(self, shape, rngs): ...",
        "'Gone' is not defined",
    ),
    "own kind": (
        '@dataclass(frozen=True)\nclass A(Backbone):\n    kind = "spine"\n    name = "a"\n'
        "    def build(self, shape, rngs): ...",
        "A.kind is 'spine', not 'backbone'",
    ),
    "key of data": (
        '@dataclass(frozen=True)\nclass A(Dataset):\n    name = "a"\n    image: str = option("i", default="")\n'
        "    def load(self, image, base, cache): ...",
        "'image' is a key of every study's data",
    ),
}


def write(folder: Path, code: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(HEAD + code)
    return path


def error_of(files) -> LinnaeusError:
    with pytest.raises(LinnaeusError) as e:
        with_files(Registry({}), files, "plugins[0]")
    assert all(d.where for d in e.value.diagnostics)
    return e.value


@pytest.mark.parametrize("case", BROKEN)
def test_a_plugin_that_breaks_its_contract_is_refused_at_registration(tmp_path, case):
    code, message = BROKEN[case]
    (found,) = error_of([write(tmp_path, code)]).diagnostics
    assert found.code in ("E412", "E421", "E423")
    assert message in found.message


def test_a_local_file_adds_its_plugins_and_its_hash(tmp_path):
    path = write(tmp_path, GOOD + "class _Hidden(Backbone): ...\n")
    found = with_files(Registry({}), [path])
    plugin = found.get(contracts.Backbone, "mine")
    assert plugin().width == 8
    assert found.names("backbone") == ["mine"]
    assert list(found.files) == ["mine.py"]
    assert len(found.files["mine.py"]) == 64
    assert with_files(Registry({}), [path]).get(contracts.Backbone, "mine") is plugin


def test_a_changed_local_file_is_another_module(tmp_path):
    first = with_files(Registry({}), [write(tmp_path, GOOD)]).get(contracts.Backbone, "mine")
    second = with_files(Registry({}), [write(tmp_path, GOOD.replace("(8, ", "(4, ", 1))]).get(
        contracts.Backbone, "mine"
    )
    assert (first().width, second().width) == (8, 4)


def test_two_files_of_one_name_both_keep_their_hash(tmp_path):
    (tmp_path / "b").mkdir()
    files = [write(tmp_path, GOOD), write(tmp_path / "b", GOOD.replace('"mine"', '"other"'))]
    assert sorted(with_files(Registry({}), files).files) == ["b/mine.py", "mine.py"]


@pytest.mark.parametrize(
    ("code", "number", "message"),
    [
        ("raise RuntimeError('boom')", "E415", "RuntimeError: boom"),
        ("import nowhere_at_all", "E415", "No module named 'nowhere_at_all'"),
        ("def f(:", "E415", "SyntaxError"),
        ("raise SystemExit(3)", "E415", "SystemExit"),
        ("x = 1", "E416", "defines no plugin"),
    ],
)
def test_a_local_file_whose_code_fails_is_refused(tmp_path, code, number, message):
    (found,) = error_of([write(tmp_path, code)]).diagnostics
    assert found.code == number
    assert message in found.message


def test_a_missing_file_and_one_that_is_no_python_are_refused(tmp_path):
    assert error_of([tmp_path / "gone.py"]).diagnostics[0].code == "E414"
    assert error_of([write(tmp_path, GOOD, "mine.txt")]).diagnostics[0].code == "E415"


def test_a_taken_name_is_refused(tmp_path):
    taken = Registry({("backbone", "mine"): Entry("backbone", "mine", "some-package")})
    with pytest.raises(LinnaeusError, match=r"'mine' exists already \(some-package\)"):
        with_files(taken, [write(tmp_path, GOOD)])


def test_an_unknown_name_gets_the_nearest_ones():
    entries = {("backbone", n): Entry("backbone", n, "x") for n in ("lenet", "resnet", "mlp")}
    with pytest.raises(LinnaeusError, match=r"did you mean 'lenet' or 'resnet'\?") as e:
        Registry(entries).get(contracts.Backbone, "lennet", "search.space.backbone.lennet")
    assert e.value.diagnostics[0].where == "search.space.backbone.lennet"
    with pytest.raises(LinnaeusError, match="there are no heads"):
        Registry(entries).get(contracts.Head, "flat")


def test_a_broken_entry_point_is_a_line_in_the_list(tmp_path, monkeypatch):
    (tmp_path / "broken_plugin_module.py").write_text("raise OSError('no such library')")
    monkeypatch.syspath_prepend(tmp_path)
    point = importlib.metadata.EntryPoint("bad", "broken_plugin_module:Bad", "linnaeus.backbones")
    entry = load(Entry("backbone", "bad", "some-package", point))
    assert entry.error == "OSError: no such library"
    assert load(entry) is entry
    with pytest.raises(LinnaeusError, match=r"the backbone 'bad' \(some-package\) can't be used: OSError"):
        Registry({("backbone", "bad"): entry}).get(contracts.Backbone, "bad")


def test_an_entry_point_to_something_else_says_so():
    point = importlib.metadata.EntryPoint("path", "pathlib:Path", "linnaeus.backbones")
    assert "not a subclass of Backbone" in str(load(Entry("backbone", "path", "x", point)).error)


def test_the_declared_entry_points_are_the_installed_ones_and_keep_their_contracts(root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    groups = {group: names for group, names in project["entry-points"].items() if group.startswith("linnaeus.")}
    declared = {(group, name) for group, names in groups.items() for name in names}
    found = {(f"linnaeus.{kind}s", name) for kind, name in installed().entries}
    assert declared <= found, "run: pip install -e . again (entry points freeze at install)"
    assert set(groups) == {f"linnaeus.{kind}s" for kind in registry.KINDS}
    errors = {key: load(entry).error for key, entry in installed().entries.items() if entry.origin == "linnaeus"}
    assert {key: error for key, error in errors.items() if error} == {}


def test_nothing_installed_says_what_to_do(monkeypatch):
    monkeypatch.setattr(registry, "entry_points", lambda group: [])
    with pytest.raises(LinnaeusError, match="pip install -e"):
        installed.__wrapped__()
