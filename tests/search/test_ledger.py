"""The ledger counts every opening of a test split, once a run and contender."""

import threading

import pytest

from linnaeus.errors import LinnaeusError
from linnaeus.search.ledger import Ledger, state_folder


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    monkeypatch.setenv("LINNAEUS_STATE", str(tmp_path / "state"))
    return Ledger.of_user()


def opened(ledger, by="lenet", run="r1", test="t"):
    return ledger.opened(test, study="s", by=by, run=run, code="c")


def test_openings_are_counted_across_runs_and_each_once(ledger):
    assert [opened(ledger)["count"], opened(ledger, "mlp")["count"], opened(ledger, run="r2")["count"]] == [1, 2, 3]
    first = opened(ledger)
    assert first["count"] == 1
    assert first["by"] == "lenet"
    assert opened(ledger, test="another")["count"] == 1
    assert len(ledger.openings("t")) == 3


def test_a_torn_line_costs_nothing_else(ledger):
    opened(ledger)
    with ledger.path.open("a") as f:
        f.write('{"test": "t", "wh')
    assert opened(ledger, "mlp")["count"] == 2
    assert opened(ledger, "cnn")["count"] == 3


def test_studies_at_the_same_time_lose_no_line(ledger):
    threads = [threading.Thread(target=opened, args=(ledger, f"c{i}")) for i in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(ledger.openings("t")) == 12


def test_a_ledger_that_can_not_be_written_is_said_at_once(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LINNAEUS_STATE", str(tmp_path / "file" / "state"))
    with pytest.raises(LinnaeusError, match="LINNAEUS_STATE") as e:
        Ledger.of_user()
    assert e.value.diagnostics[0].code == "E530"


def test_the_platform_says_where_it_is(tmp_path, monkeypatch):
    monkeypatch.delenv("LINNAEUS_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_folder() == tmp_path / "linnaeus"
