"""A run folder belongs to one study and one supervisor."""

import errno
import subprocess
import sys
from types import SimpleNamespace

import pytest
import yaml

from linnaeus.errors import LinnaeusError
from linnaeus.search.run_folder import RunFolder, claim, empty_folder, plugin_copies, writing
from linnaeus.search.yaml12 import parse


@pytest.fixture
def study(tmp_path):
    return a_study(tmp_path)


def a_study(folder, **resolved):
    ontology_file, plugin = folder / "o.onto", folder / "mine.py"
    ontology_file.write_text("ontology o\n")
    plugin.write_text("x = 1\n")
    return SimpleNamespace(
        name="s",
        file=folder / "study.yaml",
        ontology_file=ontology_file,
        ontology_sources=(ontology_file,),
        ontology=SimpleNamespace(name="o", version=None, hash="a" * 64, to_dict=lambda: {"name": "o"}),
        registry=SimpleNamespace(files={"mine.py": "b" * 64}),
        plugin_files=(plugin,),
        resolved={"name": "s", "seed": 0, "search": {"budget": {"trials": 4}}, "report": {"rope": 0.01}} | resolved,
    )


def code(e):
    return e.value.diagnostics[0].code


def test_a_new_folder_holds_resolved_copies_and_hashes(tmp_path, study):
    with claim(study, tmp_path / "runs" / "s") as folder:
        assert not folder.begun
        assert (folder.path / "ontology" / "o.onto").read_text() == "ontology o\n"
        assert (folder.path / "plugins" / "mine.py").is_file()
        assert "trials: 4" in (folder.path / "study.yaml").read_text()
        identity = folder.identity()
    assert identity["ontology"]["hash"] == "a" * 64
    assert identity["plugins"] == {"mine.py": "b" * 64}
    with claim(study, tmp_path / "runs" / "s") as again:
        assert again.identity() == identity


def test_a_changed_study_is_refused_with_the_difference_or_forked(tmp_path, study):
    out = tmp_path / "runs" / "s"
    with claim(study, out) as folder:
        folder.journal.touch()
    changed = a_study(tmp_path, search={"budget": {"trials": 9}})
    with pytest.raises(LinnaeusError) as e, claim(changed, out):
        pass
    assert code(e) == "E504"
    assert "-    trials: 4" in str(e.value)
    assert "+    trials: 9" in str(e.value)
    assert "--fork" in str(e.value)
    for _ in range(2):  # the fork is found again, not made anew
        with claim(changed, out, fork=True) as folder:
            assert folder.path.name == "s-2"


def test_a_study_that_never_began_may_change(tmp_path, study):
    with claim(study, tmp_path / "run") as folder:
        before = folder.identity()
    changed = a_study(tmp_path, search={"budget": {"trials": 9}})
    with claim(changed, tmp_path / "run") as folder:
        assert folder.identity()["text"] != before["text"]
        assert "trials: 9" in (folder.path / "study.yaml").read_text()


def test_the_copy_of_the_study_reads_as_the_same_study(tmp_path):
    study = a_study(tmp_path, data={"missing": ["0o7", "1e5", "yes", "12:30", "~"]}, rate=1e-7)
    with claim(study, tmp_path / "run") as folder:
        text = (folder.path / "study.yaml").read_text(encoding="utf-8")
    assert parse(text, "study.yaml").plain == yaml.safe_load(text) == study.resolved


def test_the_copies_are_of_the_study_that_runs(tmp_path, study):
    with claim(study, tmp_path / "run"):
        pass
    changed = a_study(tmp_path, seed=1)
    changed.ontology_file = study.ontology_file.rename(tmp_path / "other.txt")
    changed.ontology_sources = (changed.ontology_file,)
    (tmp_path / "more").mkdir()
    changed.plugin_files = (study.plugin_files[0], tmp_path / "more" / "mine.py")
    changed.plugin_files[1].write_text("x = 2\n")
    with claim(changed, tmp_path / "run") as folder:
        assert sorted(p.name for p in (folder.path / "ontology").iterdir()) == ["ontology.json", "other.txt"]
        copies = [(folder.path / "plugins" / name).read_text() for name in plugin_copies(changed)]
        assert copies == ["x = 1\n", "x = 2\n"]
        assert len(list((folder.path / "plugins").rglob("*.py"))) == 2


@pytest.mark.parametrize("part", ["ontology", "registry"])
def test_a_changed_ontology_or_plugin_is_a_changed_study(tmp_path, study, part):
    out = tmp_path / "run"
    with claim(study, out) as folder:
        folder.journal.touch()
    if part == "ontology":
        study.ontology.hash = "c" * 64
    else:
        study.registry.files["mine.py"] = "c" * 64
    with pytest.raises(LinnaeusError, match="cccccccccccc") as e, claim(study, out):
        pass
    assert code(e) == "E504"


def test_what_only_the_report_shows_may_change(tmp_path, study):
    with claim(study, tmp_path / "run"):
        pass
    with claim(a_study(tmp_path, report={"rope": 0.5}), tmp_path / "run") as folder:
        assert folder.path == tmp_path / "run"


def test_changed_data_are_refused(tmp_path, study):
    with claim(study, tmp_path / "run") as folder:
        folder.check_data("c" * 64)
        folder.check_data("d" * 64)  # nothing has begun
        folder.journal.touch()
        folder.check_data("d" * 64)
        with pytest.raises(LinnaeusError) as e:
            folder.check_data("e" * 64)
    assert code(e) == "E505"


def test_a_second_supervisor_is_refused_while_the_first_works(tmp_path, study):
    with claim(study, tmp_path / "run"):
        with pytest.raises(LinnaeusError) as e, claim(study, tmp_path / "run"):
            pass
        assert code(e) == "E502"
    with claim(study, tmp_path / "run"):
        pass


def test_a_folder_of_someone_else_is_left_alone(tmp_path, study):
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter.tex").write_text("precious")
    with pytest.raises(LinnaeusError) as e, claim(study, other, fork=True):
        pass
    assert code(e) == "E501"
    assert [p.name for p in other.iterdir()] == ["chapter.tex"]
    with pytest.raises(LinnaeusError):
        RunFolder(other).identity()


def test_no_permission_is_a_clear_error(tmp_path, study):
    (tmp_path / "file").write_text("")
    with pytest.raises(LinnaeusError) as e, claim(study, tmp_path / "file" / "run"):
        pass
    assert code(e) == "E503"
    assert "--out" in str(e.value)


def test_a_full_disk_is_a_clear_error(tmp_path, study):
    with pytest.raises(LinnaeusError) as e, claim(study, tmp_path / "run"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert code(e) == "E506"
    with pytest.raises(OSError, match="other"), writing(tmp_path):
        raise OSError(errno.EIO, "other")


def test_a_lock_dies_with_its_process(tmp_path, study):
    path = tmp_path / "run"
    with claim(study, path):
        pass
    script = (
        "import os, sys; from filelock import FileLock; FileLock(sys.argv[1]).acquire(); "
        "print('locked', flush=True); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(path / ".lock")], check=False, capture_output=True)
    with claim(study, path) as folder:
        assert folder.path == path


def test_an_emptied_folder_keeps_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").write_text("x")
    assert list(empty_folder(tmp_path / "a").iterdir()) == []
