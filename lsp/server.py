"""The language server: the protocol's requests, answered by the modules beside this one."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls import uris
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from .. import __version__
from ..errors import LinnaeusError
from .answers import Answers
from .documents import Documents
from .findings import findings
from .positions import Encoding

R = TypeVar("R")

_PAUSE = 0.25
"""Seconds to wait for more typing before a file is checked whose last check took longer than that."""


class OntologyServer(LanguageServer):
    """Speaks for one session's files. Whatever fails inside becomes a log message and an empty answer."""

    def __init__(self) -> None:
        super().__init__("linnaeus", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.documents = Documents()
        self.uris: dict[Path, str] = {}
        self._waiting: dict[Path, float] = {}  # files to check, and how long their last check took
        self._took: dict[Path, float] = {}
        self._checking: asyncio.Task[None] | None = None

    @property
    def encoding(self) -> Encoding:
        """What a column counts for this client."""
        return types.PositionEncodingKind(self.workspace.position_encoding or "utf-16").value

    # --- files --------------------------------------------------------------------------------------

    def path(self, uri: str) -> Path:
        """The file that a URI names; one that is not saved yet gets a path that is nobody's."""
        name = uris.to_fs_path(uri)
        return Path(name).resolve() if name else Path("/", uri.replace("/", "_"))

    def uri(self, path: Path) -> str:
        """A file's URI, as the editor writes it where it is open."""
        return self.uris.get(path) or path.as_uri()

    def changed(self, uri: str) -> None:
        """A file was opened or edited: check it, and the open files that rest on it, soon."""
        path = self.path(uri)
        self.uris[path] = uri
        self.documents.open[path] = self.workspace.get_text_document(uri).source
        self.recheck(path, *self.documents.importers(path))

    def closed(self, uri: str) -> None:
        """A file was closed: what stands on disk counts again."""
        path = self.path(uri)
        self.documents.open.pop(path, None)
        self.uris.pop(path, None)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))
        self.recheck(*self.documents.importers(path))

    def forget(self) -> None:
        """Files on disk may have changed: check all open ones again."""
        self.documents.forget()
        self.recheck(*self.documents.open)

    def look_around(self) -> None:
        """Know the folders that the editor shows."""
        folders = [folder.uri for folder in self.workspace.folders.values()]
        if not folders and self.workspace.root_uri:
            folders = [self.workspace.root_uri]
        self.documents.folders = [self.path(uri) for uri in folders]

    # --- diagnostics --------------------------------------------------------------------------------

    def recheck(self, *paths: Path) -> None:
        """Check files soon, one after the other, outside the loop that answers requests."""
        self._waiting.update((path, self._took.get(path, 0.0)) for path in paths)
        if self._checking is None or self._checking.done():
            self._checking = asyncio.get_running_loop().create_task(self._check_all())

    async def _check_all(self) -> None:
        while self._waiting:
            if max(self._waiting.values()) > _PAUSE:
                await asyncio.sleep(_PAUSE)
            path = next(iter(self._waiting))
            del self._waiting[path]
            text = self.documents.open.get(path)
            if text is None:
                continue
            start = time.monotonic()
            try:
                found = await asyncio.to_thread(self._findings, path)
            except Exception as error:  # noqa: BLE001  # the server outlives any defect of a check
                self.log(f"check of {path.name}", error)
                continue
            self._took[path] = time.monotonic() - start
            if self.documents.open.get(path) == text:
                params = types.PublishDiagnosticsParams(uri=self.uri(path), diagnostics=found)
                self.text_document_publish_diagnostics(params)

    def _findings(self, path: Path) -> list[types.Diagnostic]:
        reading, answers = self.documents.read(path), Answers(self)
        return [answers.diagnostic(f) for f in findings(str(path), reading.checked)] if reading else []

    # --- mistakes -----------------------------------------------------------------------------------

    def log(self, what: str, error: Exception) -> None:
        """Tell the editor's log that something failed, and where."""
        steps = traceback.extract_tb(error.__traceback__)
        place = f" ({Path(steps[-1].filename).name}:{steps[-1].lineno})" if steps else ""
        message = f"{what} failed: {type(error).__name__}: {error}{place}"
        self.window_log_message(types.LogMessageParams(type=types.MessageType.Error, message=message))

    def report_server_error(self, error: Exception, source: Any) -> None:  # Any: pygls leaves its alias unexported
        """What pygls itself could not do with a message, such as one that is no JSON."""
        if not isinstance(error, JsonRpcException) or error.code != types.LSPErrorCodes.RequestFailed:
            self.log("a message", error)

    def answer(self, method: str, empty: R, compute: Callable[[Answers, Any], R]) -> Callable[[Any], Awaitable[R]]:
        """A handler that answers `empty` when something inside fails, and says a user's mistake in its own words.

        It computes outside the loop, so that a large file delays no other answer.
        """

        async def handler(params: Any) -> R:  # Any: each method has parameters of its own
            try:
                return await asyncio.to_thread(compute, Answers(self), params)
            except LinnaeusError as error:
                found = error.diagnostics[0]
                message = found.message + (f"; {found.help}" if found.help else "")
                raise JsonRpcException(message=message, code=types.LSPErrorCodes.RequestFailed) from None
            except Exception as error:  # noqa: BLE001  # the server outlives any defect of an answer
                self.log(method, error)
                return empty

        return handler

    def notice(self, method: str, react: Callable[[OntologyServer, Any], None]) -> Callable[[Any], None]:
        """A handler of a notification, in the order in which they come."""

        def handler(params: Any) -> None:  # Any: each method has parameters of its own
            try:
                react(self, params)
            except Exception as error:  # noqa: BLE001  # the server outlives any defect of a reaction
                self.log(method, error)

        return handler


def create_server() -> OntologyServer:
    """A server that knows what to answer."""
    server = OntologyServer()
    for method, empty, compute, options in _ANSWERS:
        server.feature(method, options)(server.answer(method, empty, compute))
    for method, react in _NOTICES:
        server.feature(method)(server.notice(method, react))
    return server


_ANSWERS: tuple[tuple[str, Any, Callable[[Answers, Any], Any], Any], ...] = (
    (types.TEXT_DOCUMENT_HOVER, None, Answers.hover, None),
    (types.TEXT_DOCUMENT_DEFINITION, None, Answers.definition, None),
    (types.TEXT_DOCUMENT_REFERENCES, None, Answers.references, None),
    (types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, None, Answers.highlight, None),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, None, Answers.prepare_rename, None),
    (types.TEXT_DOCUMENT_RENAME, None, Answers.rename, types.RenameOptions(prepare_provider=True)),
    (types.TEXT_DOCUMENT_FORMATTING, None, Answers.formatting, None),
    (types.TEXT_DOCUMENT_COMPLETION, None, Answers.completion, types.CompletionOptions(trigger_characters=[".", "`"])),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, None, Answers.symbols, None),
    (types.TEXT_DOCUMENT_FOLDING_RANGE, None, Answers.folding, None),
)
"""For each request: the empty answer, what answers it, its options."""

_NOTICES: tuple[tuple[str, Callable[[OntologyServer, Any], None]], ...] = (
    (types.INITIALIZED, lambda server, _: server.look_around()),
    (types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, lambda server, _: server.look_around()),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, lambda server, _: server.forget()),
    (types.TEXT_DOCUMENT_DID_OPEN, lambda server, params: server.changed(params.text_document.uri)),
    (types.TEXT_DOCUMENT_DID_CHANGE, lambda server, params: server.changed(params.text_document.uri)),
    (types.TEXT_DOCUMENT_DID_SAVE, lambda server, _: server.forget()),
    (types.TEXT_DOCUMENT_DID_CLOSE, lambda server, params: server.closed(params.text_document.uri)),
)
"""For each notification: what is done."""
