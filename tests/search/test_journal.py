"""A journal survives a cut at any byte, and says where it is corrupt."""

import optuna
import pytest

from linnaeus.errors import LinnaeusError
from linnaeus.search.journal import cut_torn_record, open_journal, open_study


def filled(path, trials=3):
    study = open_study(open_journal(path), "s")
    for x in range(trials):
        study.add_trial(
            optuna.create_trial(
                params={"x": x / 7},
                distributions={"x": optuna.distributions.FloatDistribution(0, 1)},
                value=x / 3,
                intermediate_values={1: 0.5},
                user_attrs={"state": "complete"},
            )
        )
    return study


def test_a_journal_cut_at_any_byte_opens_with_its_whole_records_and_takes_new_ones(tmp_path):
    whole = tmp_path / "whole.log"
    filled(whole)
    content = whole.read_bytes()
    last = content.rfind(b"\n", 0, -1) + 1
    for end in (last, last + 1, (last + len(content)) // 2, len(content) - 1, len(content)):
        torn = tmp_path / f"torn-{end}.log"
        torn.write_bytes(content[:end])
        study = open_study(open_journal(torn), "s")
        assert len(study.trials) == (3 if end == len(content) else 2)
        study.add_trial(optuna.create_trial(value=0.1))
        again = open_study(open_journal(torn), "s")
        assert [t.value for t in again.trials] == [t.value for t in study.trials]


def test_a_last_line_of_zeros_is_cut(tmp_path):
    path = tmp_path / "journal.log"
    filled(path)
    size = path.stat().st_size
    with path.open("ab") as f:
        f.write(b"\0" * 40 + b"\n")
    assert cut_torn_record(path) == 41
    assert path.stat().st_size == size


def test_a_corrupt_record_is_named_by_its_line(tmp_path):
    path = tmp_path / "journal.log"
    filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = b'{"op_code": 4, "wor\n'
    path.write_bytes(b"".join(lines))
    with pytest.raises(LinnaeusError, match="line 3") as e:
        open_journal(path)
    assert e.value.diagnostics[0].code == "E507"


def test_records_that_optuna_can_not_replay_are_an_error_of_ours(tmp_path):
    path = tmp_path / "journal.log"
    filled(path)
    with path.open("ab") as f:
        f.write(b'{"op_code": 4, "worker_id": "someone"}\n')
    with pytest.raises(LinnaeusError, match="corrupt") as e:
        open_journal(path)
    assert e.value.diagnostics[0].code == "E507"


def test_a_stale_lock_of_optuna_does_not_delay(tmp_path):
    path = tmp_path / "journal.log"
    (tmp_path / "journal.log.lock").symlink_to("nowhere")
    filled(path, trials=1)
    assert len(open_study(open_journal(path), "s").trials) == 1


def test_a_journal_that_is_not_there_has_nothing_to_cut(tmp_path):
    assert cut_torn_record(tmp_path / "none.log") == 0
