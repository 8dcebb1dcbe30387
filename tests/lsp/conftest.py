from __future__ import annotations

import json
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from linnaeus.lsp.documents import Documents


class Client:
    """An editor: speaks JSON-RPC in its framing with a server at the other end of two pipes."""

    def __init__(self, root: Path):
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "linnaeus", "lsp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.asked = 0
        self.arrived: queue.Queue[dict[str, Any]] = queue.Queue()
        self.kept: list[dict[str, Any]] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        able = {"textDocument": {"rename": {"prepareSupport": True}}}
        told = self.ask("initialize", processId=None, rootUri=root.as_uri(), capabilities=able)
        self.abilities = told["capabilities"]
        self.tell("initialized")

    def raw(self, body: bytes) -> None:
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def tell(self, method: str, **params: Any) -> None:
        self.raw(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode())

    def ask(self, method: str, **params: Any) -> Any:
        reply = self.reply(method, **params)
        assert "error" not in reply, reply
        return reply["result"]

    def reply(self, method: str, **params: Any) -> dict[str, Any]:
        self.asked += 1
        request = {"jsonrpc": "2.0", "id": self.asked, "method": method}
        self.raw(json.dumps(request | ({"params": params} if params else {})).encode())
        return self.wait(lambda m: m.get("id") == self.asked)

    def wait(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message that is wanted, in the order of arrival; the others are kept."""
        while True:
            for at, message in enumerate(self.kept):
                if wanted(message):
                    return self.kept.pop(at)
            self.kept.append(self.arrived.get(timeout=20))

    def open(self, path: Path, text: str | None = None) -> list[dict[str, Any]]:
        text = path.read_text(encoding="utf-8") if text is None else text
        about = {"uri": path.as_uri(), "languageId": "onto", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=about)
        return self.diagnostics(path)

    def change(self, path: Path, text: str) -> None:
        about = {"uri": path.as_uri(), "version": 2}
        self.tell("textDocument/didChange", textDocument=about, contentChanges=[{"text": text}])

    def close(self, path: Path) -> None:
        self.tell("textDocument/didClose", textDocument={"uri": path.as_uri()})
        assert self.diagnostics(path) == []

    def diagnostics(self, path: Path) -> list[dict[str, Any]]:
        name = "textDocument/publishDiagnostics"
        message = self.wait(lambda m: m.get("method") == name and m["params"]["uri"] == path.as_uri())
        return message["params"]["diagnostics"]

    def at(self, path: Path, text: str, needle: str, shift: int = 0) -> dict[str, Any]:
        """The place of a needle in a text, as a request says it: columns in UTF-16 code units."""
        before = text[: text.index(needle) + shift]
        row = before.rpartition("\n")[2]
        position = {"line": before.count("\n"), "character": len(row.encode("utf-16-le")) // 2}
        return {"textDocument": {"uri": path.as_uri()}, "position": position}

    def stop(self) -> tuple[int, bytes]:
        self.ask("shutdown")
        self.tell("exit")
        code = self.process.wait(30)
        self.reader.join()
        rest = self.process.stderr.read()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
        return code, rest

    def _read(self) -> None:
        while head := self.process.stdout.readline():
            length = int(head.split(b":")[1]) if head.lower().startswith(b"content-length") else 0
            while self.process.stdout.readline() != b"\r\n":
                pass
            self.arrived.put(json.loads(self.process.stdout.read(length)))


@pytest.fixture(scope="session")
def language(root: Path) -> Path:
    """The folder with the examples of the whole language."""
    return root / "tests/dsl/language"


@pytest.fixture
def folder(language: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return shutil.copytree(language, tmp_path / "language")


@pytest.fixture
def documents(folder: Path) -> Documents:
    """A session with that folder as its workspace, no file open."""
    return Documents(folders=[folder])


@pytest.fixture(scope="module")
def client(language: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, Path]]:
    """A server with a copy of the examples as its workspace. It must end well, and say nothing on standard error."""
    folder = shutil.copytree(language, tmp_path_factory.mktemp("lsp") / "language")
    client = Client(folder)
    yield client, folder
    code, said = client.stop()
    assert (code, said) == (0, b"")
