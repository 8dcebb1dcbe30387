"""`linnaeus fmt`: what is written, what is said, and that no file is ever lost."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from linnaeus.cli import writing

UGLY = "ontology  x # a\r\nbinary a ;binary b"
NEAT = "ontology x  # a\nbinary a\nbinary b\n"
WRONG = "ontology x\nmulticlass g { a b }\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in" / ".hidden").mkdir(parents=True)
    (tmp_path / "ugly.onto").write_bytes(UGLY.encode())
    (tmp_path / "in" / "neat.onto").write_bytes(NEAT.encode())
    (tmp_path / "in" / "notes.txt").write_text("not an ontology")
    (tmp_path / "in" / ".hidden" / "ugly.onto").write_bytes(UGLY.encode())
    return tmp_path


def test_files_are_formatted_in_place_and_keep_their_mode(linnaeus, folder: Path) -> None:
    (folder / "ugly.onto").chmod(0o640)
    before = (folder / "in/neat.onto").stat()
    done = linnaeus("fmt", "ugly.onto", "in/neat.onto")
    assert (done.code, done.out) == (0, "ugly.onto: formatted\n")
    assert done.err == "1 file formatted, 1 file in order\n"
    assert (folder / "ugly.onto").read_bytes() == NEAT.encode()
    assert (folder / "ugly.onto").stat().st_mode & 0o777 == 0o640
    after = (folder / "in/neat.onto").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert sorted(p.name for p in folder.iterdir()) == ["in", "ugly.onto"]


def test_folders_are_walked(linnaeus, folder: Path) -> None:
    (folder / "in" / "ugly.onto").write_bytes(UGLY.encode())
    done = linnaeus("fmt", ".")
    assert (done.code, done.out.splitlines()) == (0, ["in/ugly.onto: formatted", "ugly.onto: formatted"])
    assert (folder / "in/.hidden/ugly.onto").read_bytes() == UGLY.encode()
    assert (folder / "in/notes.txt").read_text() == "not an ontology"
    (folder / "empty").mkdir()
    done = linnaeus("fmt", "empty")
    assert done.code == 1
    assert "E173" in done.err


def test_check_writes_nothing_and_fails_where_something_would_change(linnaeus, folder: Path) -> None:
    done = linnaeus("fmt", "--check", ".")
    assert (done.code, done.out) == (1, "ugly.onto: would be formatted\n")
    assert (folder / "ugly.onto").read_bytes() == UGLY.encode()
    done = linnaeus("fmt", "--check", "in")
    assert (done.code, done.out, done.err) == (0, "", "1 file in order\n")


def test_diff_shows_what_would_change_as_a_patch(linnaeus, folder: Path) -> None:
    (folder / "ugly.onto").write_text("ontology x\nbinary a;binary b")
    done = linnaeus("fmt", "--diff", "ugly.onto", "in/neat.onto")
    assert done.code == 0
    assert done.out.splitlines() == [
        "--- ugly.onto",
        "+++ ugly.onto (formatted)",
        "@@ -1,2 +1,3 @@",
        " ontology x",
        "-binary a;binary b",
        "\\ No newline at end of file",
        "+binary a",
        "+binary b",
    ]
    assert (folder / "ugly.onto").read_text() == "ontology x\nbinary a;binary b"
    assert linnaeus("fmt", "--diff", "--check", "ugly.onto").code == 1


def test_a_file_with_errors_is_left_and_the_others_are_done(linnaeus, folder: Path) -> None:
    (folder / "wrong.onto").write_text(WRONG)
    (folder / "latin.onto").write_bytes(b"ontology x # \xe9\n")
    done = linnaeus("fmt", "wrong.onto", "ugly.onto", "missing.onto", "latin.onto")
    assert done.code == 1
    assert done.out == "ugly.onto: formatted\n"
    for said in ("E013", "wrong.onto:2:18", "wrong.onto: left as it was", "E001", "E002", "3 files not formatted"):
        assert said in done.err
    assert (folder / "wrong.onto").read_text() == WRONG
    assert (folder / "ugly.onto").read_text() == NEAT


@pytest.mark.parametrize(
    ("options", "text", "code", "out"),
    [
        ((), UGLY, 0, NEAT),
        ((), NEAT, 0, NEAT),
        ((), WRONG, 1, ""),
        (("--check",), UGLY, 1, "<stdin>: would be formatted\n"),
        (("--check",), NEAT, 0, ""),
        (("--diff",), NEAT, 0, ""),
    ],
)
def test_standard_input(linnaeus, monkeypatch: pytest.MonkeyPatch, options, text: str, code: int, out: str) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text.encode())))
    done = linnaeus("fmt", *options, "-")
    assert (done.code, done.out) == (code, out)
    assert ("E013" in done.err) == (text == WRONG)


def test_a_pipe_gets_line_feeds_and_utf_8() -> None:
    code = "from linnaeus.cli.main import main; main(['fmt', '-'])"
    text = "ontology größe\r\nbinary 棕色".encode()
    done = subprocess.run([sys.executable, "-c", code], input=text, capture_output=True, check=True)
    assert done.stdout == "ontology größe\nbinary 棕色\n".encode()


def test_a_link_still_links(linnaeus, folder: Path) -> None:
    (folder / "in" / "link.onto").symlink_to("../ugly.onto")
    assert linnaeus("fmt", "in/link.onto").code == 0
    assert (folder / "in/link.onto").is_symlink()
    assert (folder / "ugly.onto").read_text() == NEAT


@pytest.mark.parametrize("broken", ["fsync", "chmod", "replace"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_what_is_interrupted_leaves_the_file_as_it_was(
    linnaeus, folder: Path, monkeypatch: pytest.MonkeyPatch, broken: str, error: BaseException
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(writing.os, broken, fails)
    done = linnaeus("fmt", "ugly.onto")
    assert done.code == (1 if isinstance(error, OSError) else 130)
    assert ("E174" in done.err) == isinstance(error, OSError)
    assert (folder / "ugly.onto").read_bytes() == UGLY.encode()
    assert sorted(p.name for p in folder.iterdir()) == ["in", "ugly.onto"]


def test_a_read_only_file_is_not_written(linnaeus, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing.os, "access", lambda path, mode: mode != os.W_OK)
    done = linnaeus("fmt", "ugly.onto")
    assert done.code == 1
    assert "E174" in done.err
    assert "read-only" in done.err
    assert (folder / "ugly.onto").read_bytes() == UGLY.encode()
