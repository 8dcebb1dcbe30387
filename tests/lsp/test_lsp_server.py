"""A scripted editor drives the server: real framing, real files, unsaved text, nonsense."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from lsprotocol import types

from linnaeus.cli.lsp import lsp
from linnaeus.dsl.fmt import format_text
from linnaeus.dsl.load import check_text
from linnaeus.errors import LinnaeusError, fail
from linnaeus.lsp.positions import Lines
from linnaeus.lsp.server import create_server

BROKEN = """ontology broken "🌳🌳" version "1.0"
import "capture.onto" as capture
use capture.environment
multiclass tree "🌳" { oak "🌳", oak, elm }
rule r { environment.nigth => elm }
"""


def spans(found: list[dict], text: str) -> list[tuple]:
    """Codes and places, lines and columns from 1, of the protocol's diagnostics."""
    lines = Lines(text)
    ends = [[d["range"][end] for end in ("start", "end")] for d in found]
    return [
        (d["code"], *(n for end in pair for n in lines.from_protocol(end["line"], end["character"])))
        for d, pair in zip(found, ends, strict=True)
    ]


def test_what_it_can_do_is_announced(client) -> None:
    editor, _ = client
    able = editor.abilities
    for name in ("hover", "definition", "references", "documentSymbol", "documentFormatting", "foldingRange"):
        assert able[f"{name}Provider"]
    assert able["renameProvider"]["prepareProvider"]
    assert able["completionProvider"]["triggerCharacters"] == [".", "`"]
    assert able["textDocumentSync"]["change"] == types.TextDocumentSyncKind.Full.value


def test_the_diagnostics_are_those_of_check(client) -> None:
    editor, folder = client
    path = folder / "broken.onto"
    found = editor.open(path, BROKEN)
    expected = [
        (d.code, d.span.line, d.span.column, d.span.end_line, d.span.end_column)
        for d in check_text(BROKEN, str(path)).diagnostics
    ]
    assert {"E107", "E131"} <= {code for code, *_ in expected}
    assert spans(found, BROKEN) == expected
    assert all("\n" in d["message"] and d["source"] == "linnaeus" for d in found)
    editor.change(path, BROKEN.replace("oak, elm", "elm").replace("nigth", "night"))
    assert editor.diagnostics(path) == []
    editor.close(path)


@pytest.mark.parametrize("case", ["characters", "names", "unclosed_inner", "empty"])
def test_the_diagnostics_of_bad_files_are_those_of_check(client, root: Path, case: str) -> None:
    editor, _ = client
    path = root / f"tests/dsl/cases/{case}.onto"
    text = path.read_bytes().decode()
    expected = check_text(text, str(path)).diagnostics
    found = editor.open(path, text)
    assert [(c, line, column) for c, line, column, *_ in spans(found, text)] == [
        (d.code, d.span.line, d.span.column) for d in expected
    ]
    editor.close(path)


def test_one_session(client) -> None:
    """Open, hover, follow a name, complete, rename, format."""
    editor, folder = client
    path, text = folder / "hawthorn.onto", (folder / "hawthorn.onto").read_text(encoding="utf-8")
    text = text.replace('"Hawthorn variety"', '"🌳"').replace("major, minor", 'major "🌳", minor')
    capture = (folder / "capture.onto").read_text(encoding="utf-8")
    assert editor.open(path, text) == []
    hover = editor.ask("textDocument/hover", **editor.at(path, text, "minor", 1))
    assert "`variety` › `chinese` › `minor`" in hover["contents"]["value"]
    assert hover["range"]["start"]["character"] == editor.at(path, text, "minor")["position"]["character"]
    assert "soft W" in editor.ask("textDocument/hover", **editor.at(path, text, "soft", 1))["contents"]["value"]
    found = editor.ask("textDocument/definition", **editor.at(path, text, "environment.night =>", 14))
    assert found["uri"] == (folder / "capture.onto").as_uri()
    assert found["range"]["start"] == editor.at(folder, capture, "night }")["position"]
    asked = {"context": {"includeDeclaration": False}} | editor.at(path, text, "chinese {")
    assert [r["uri"] for r in editor.ask("textDocument/references", **asked)] == [path.as_uri()] * 2
    marks = editor.ask("textDocument/documentHighlight", **editor.at(path, text, "chinese {"))
    assert len(marks) == 3
    items = editor.ask("textDocument/completion", **editor.at(path, text, "quality <= fair", 11))["items"]
    assert [item["label"] for item in items] == ["blurry", "fair", "sharp"]
    place = editor.at(path, text, "environment.night =>", 14)
    assert editor.ask("textDocument/prepareRename", **place)
    changes = editor.ask("textDocument/rename", newName="by night", **place)["changes"]
    assert {uri: len(edits) for uri, edits in changes.items()} == {
        path.as_uri(): 2,
        (folder / "capture.onto").as_uri(): 1,
    }
    refused = editor.reply("textDocument/rename", newName="damage", **editor.at(path, text, "healthy"))["error"]
    assert refused["code"] == types.LSPErrorCodes.RequestFailed.value
    assert "duplicate group" in refused["message"]
    about = {"textDocument": {"uri": path.as_uri()}}
    edits = editor.ask("textDocument/formatting", options={"tabSize": 4, "insertSpaces": True}, **about)
    assert replaced(text, edits) == format_text(text, str(path))
    names = [part["name"] for part in editor.ask("textDocument/documentSymbol", **about)]
    assert names[:3] == ["hawthorn", "capture", "capture.environment"]
    assert editor.ask("textDocument/foldingRange", **about)
    editor.close(path)


def replaced(text: str, edits: list[dict]) -> str:
    """A text after edits, as an editor makes them."""
    lines = Lines(text)
    starts = [0]
    for row in lines.rows:
        starts.append(starts[-1] + len(row) + 1)
    for edit in edits:
        first, last = (
            min(starts[line - 1] + column - 1, len(text))
            for line, column in (
                lines.from_protocol(edit["range"][end]["line"], edit["range"][end]["character"])
                for end in ("start", "end")
            )
        )
        text = text[:first] + edit["newText"] + text[last:]
    return text


@pytest.mark.parametrize(
    "text",
    [
        "ontology o\nbinary x",
        "ontology o\nbinary x\n\n\n\n",
        "\n\nontology o\nbinary   x\n",
        "ontology   o; binary x",
        "ontology o\n\nbinary x\n",
    ],
)
def test_formatting_edits_make_the_canonical_text(client, text: str) -> None:
    editor, folder = client
    path = folder / "layout.onto"
    editor.open(path, text)
    options = {"tabSize": 4, "insertSpaces": True}
    edits = editor.ask("textDocument/formatting", options=options, textDocument={"uri": path.as_uri()})
    assert replaced(text, edits) == format_text(text, str(path))
    editor.change(path, "ontology o\nbinary {")
    assert editor.ask("textDocument/formatting", options=options, textDocument={"uri": path.as_uri()}) == []
    editor.diagnostics(path)
    editor.close(path)


def test_a_change_in_an_import_is_seen_where_it_is_used(client) -> None:
    editor, folder = client
    path, capture = folder / "hawthorn.onto", folder / "capture.onto"
    text = capture.read_text(encoding="utf-8")
    assert editor.open(path) == []
    assert editor.open(capture) == []
    assert editor.diagnostics(path) == []  # checked again, since its import has been opened
    editor.change(capture, text.replace("sunny, overcast", "sunny, sunny"))
    assert {d["code"] for d in editor.diagnostics(capture)} == {"E107"}
    [wrong] = [d for d in editor.diagnostics(path) if d["code"] == "E122"]
    [related] = wrong["relatedInformation"]
    assert related["location"]["uri"] == capture.as_uri()
    assert related["message"].startswith("E107")
    editor.close(capture)  # what is saved counts again
    assert editor.diagnostics(path) == []
    editor.close(path)


def test_a_file_that_is_not_saved_yet_is_checked_too(client) -> None:
    editor, _ = client
    about = {"uri": "untitled:Untitled-1", "languageId": "onto", "version": 1, "text": "ontology o\nbinray x\n"}
    editor.tell("textDocument/didOpen", textDocument=about)
    message = editor.wait(lambda m: m.get("params", {}).get("uri") == "untitled:Untitled-1")
    assert [d["code"] for d in message["params"]["diagnostics"]] == ["E011"]


def test_nonsense_is_logged_and_survived(client) -> None:
    editor, folder = client
    path = folder / "plant.onto"
    text = path.read_text(encoding="utf-8")
    editor.open(path)
    for body in (b"{nonsense}", b"[]", b'"text"', b"{}", b'{"jsonrpc": "2.0", "method": 7}', b"\xff\xfe"):
        editor.raw(body)
        message = editor.wait(lambda m: m.get("method") == "window/logMessage")["params"]["message"]
        assert "Traceback" not in message
    editor.raw(json.dumps({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"no": "uri"}}).encode())
    assert editor.reply("nonsense", text="nonsense")["error"]["code"] == -32601
    for line, character in ((10**6, 0), (0, 10**9)):
        where = {"textDocument": {"uri": path.as_uri()}, "position": {"line": line, "character": character}}
        assert editor.ask("textDocument/hover", **where) is None
    away = {"textDocument": {"uri": (folder / "nowhere.onto").as_uri()}, "position": {"line": 0, "character": 0}}
    assert editor.ask("textDocument/hover", **away) is None
    assert "class `scab`" in editor.ask("textDocument/hover", **editor.at(path, text, "scab"))["contents"]["value"]
    editor.close(path)


class Sink:
    """Keeps what a server writes."""

    def __init__(self) -> None:
        self.said = b""

    def write(self, data: bytes) -> None:
        self.said += data

    def close(self) -> None: ...


def test_a_defect_inside_is_a_log_message_and_an_empty_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server, sink = create_server(), Sink()
    server.protocol.set_writer(sink)
    folder = types.WorkspaceFolder(tmp_path.as_uri(), "here")
    list(
        server.protocol.lsp_initialize(
            types.InitializeParams(capabilities=types.ClientCapabilities(), workspace_folders=[folder])
        )
    )

    def fails(*_: object) -> list[str]:
        raise RuntimeError("a defect")

    def mistaken(*_: object) -> list[str]:
        raise fail("E172", "a user's mistake", help="a next step")

    assert asyncio.run(server.answer("some/request", ["empty"], fails)(None)) == ["empty"]
    assert b"some/request failed: RuntimeError: a defect (test_lsp_server.py:" in sink.said
    with pytest.raises(Exception, match="a user's mistake; a next step"):
        asyncio.run(server.answer("some/request", [], mistaken)(None))
    server.notice("some/notice", fails)(None)
    assert b"some/notice failed: RuntimeError" in sink.said

    async def check() -> None:
        monkeypatch.setattr(server, "_findings", fails)
        server.documents.open[tmp_path / "x.onto"] = "ontology x"
        server.recheck(tmp_path / "x.onto")
        await server._checking

    asyncio.run(check())
    assert b"check of x.onto failed: RuntimeError" in sink.said


def test_without_pygls_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [m for m in sys.modules if m.startswith("linnaeus.lsp")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    result = CliRunner().invoke(lsp)
    assert isinstance(result.exception, LinnaeusError)
    [found] = result.exception.diagnostics
    assert (found.code, found.help) == ("E171", "pip install 'linnaeus[lsp]'")
