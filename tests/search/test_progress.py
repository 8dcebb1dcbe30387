"""What a run tells: live bars on a terminal, few plain lines in a pipe."""

import io

import pytest

from linnaeus.search.progress import Event, duration, note, shown, silent

EVENTS = [
    note("study s: preparing data"),
    Event("search-started", "lenet", 0, 3),
    Event("trial-ended", "lenet", 1, 3, None, 400.0, {"state": "nan"}),
    Event("trial-ended", "lenet", 2, 3, 0.91, 200.0, {"state": "complete"}),
    Event("trial-ended", "lenet", 3, 3, 0.93, 0.0, {"state": "pruned"}),
    Event("search-ended", "lenet", 3, 3, 0.93),
    Event("final-started", "lenet", 0, 2),
    Event("seed-ended", "lenet", 1, 2),
    Event("final-ended", "lenet", 2, 2),
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def tell(stream):
    with shown(stream) as listen:
        for event in EVENTS:
            listen(event)
    return stream.getvalue()


def test_a_pipe_gets_the_start_and_the_end_of_each_step():
    assert tell(io.StringIO()).splitlines() == [
        "study s: preparing data",
        "lenet: search, 0 of 3 trials done",
        "lenet: search ended, best 0.9300, 3 trials",
        "lenet: 2 of 2 seeds retrained",
    ]


def test_a_terminal_shows_the_best_so_far_and_the_counts(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    text = tell(Terminal())
    assert "best 0.9300" in text
    assert "3/3" in text
    assert "2/2" in text
    assert "study s: preparing data" in text


def test_nothing_is_shown_to_nobody(capsys):
    for event in EVENTS:
        silent(event)
    assert capsys.readouterr() == ("", "")


def test_the_standard_error_is_the_stream_unless_said(capsys):
    with shown() as listen:
        listen(note("hello"))
    assert capsys.readouterr().err == "hello\n"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (45, "45 s"), (720, "12 min"), (12000, "3 h 20 min"), (3599, "1 h 0 min")]
)
def test_durations_are_said_as_people_do(seconds, text):
    assert duration(seconds) == text
