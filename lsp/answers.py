"""Answers to an editor's requests, in the protocol's types."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from lsprotocol import types

from ..dsl.fmt import format_text
from ..errors import LinnaeusError, Span
from .complete import Offer, offers
from .context import Context, context_at
from .describe import describe, describe_word
from .documents import Documents
from .findings import Finding
from .index import Index, Occurrence
from .positions import Encoding, Lines
from .rename import rename, renamed_at
from .structure import Part, folds, parts


class Session(Protocol):
    """What answers need of a server."""

    documents: Documents

    @property
    def encoding(self) -> Encoding:
        """What a column counts."""

    def path(self, uri: str) -> Path:
        """The file that a URI names."""

    def uri(self, path: Path) -> str:
        """A file's URI."""


class Asked(Protocol):
    """A request about a place."""

    text_document: types.TextDocumentIdentifier
    position: types.Position


_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "info": types.DiagnosticSeverity.Information,
}
_OFFERED = {
    "keyword": types.CompletionItemKind.Keyword,
    "import": types.CompletionItemKind.Module,
    "group": types.CompletionItemKind.Enum,
    "class": types.CompletionItemKind.EnumMember,
}
_PARTS = {
    "ontology": types.SymbolKind.Namespace,
    "import": types.SymbolKind.Module,
    "use": types.SymbolKind.Interface,
    "group": types.SymbolKind.Enum,
    "class": types.SymbolKind.EnumMember,
    "rule": types.SymbolKind.Function,
    "migration": types.SymbolKind.Event,
}


class Answers:
    """Answers one request: the lines of the files it touches are read once."""

    def __init__(self, session: Session):
        self.session = session
        self.documents = session.documents
        self._lines: dict[Path, Lines] = {}
        self._named: dict[str, Lines] = {}  # by the name that spans give a file

    # --- places -------------------------------------------------------------------------------------

    def lines(self, path: Path) -> Lines:
        """The lines of a file, none where it can't be read."""
        if path not in self._lines:
            self._lines[path] = Lines(self.documents.text(path) or "", self.session.encoding)
        return self._lines[path]

    def range(self, span: Span) -> types.Range:
        """A span in the protocol's units."""
        lines = self._named.get(span.file)
        if lines is None:
            lines = self._named[span.file] = self.lines(Path(span.file).resolve())
        ends = (lines.to_protocol(span.line, span.column), lines.to_protocol(span.end_line, span.end_column))
        return types.Range(*(types.Position(*end) for end in ends))

    def location(self, span: Span) -> types.Location:
        """A span with its file."""
        return types.Location(self.session.uri(Path(span.file).resolve()), self.range(span))

    def place(self, params: Asked) -> tuple[Path, int, int]:
        """The file, line and column, from 1, that a request asks about."""
        path = self.session.path(params.text_document.uri)
        return path, *self.lines(path).from_protocol(params.position.line, params.position.character)

    def named(self, params: Asked) -> tuple[Index, Occurrence] | None:
        """What is named at the place that a request asks about."""
        path, line, column = self.place(params)
        index = self.documents.index(path)
        found = index.at(line, column) if index else None
        return (index, found) if index and found else None

    def diagnostic(self, finding: Finding) -> types.Diagnostic:
        """A finding, its next step on a line of its own."""
        found = finding.found
        related = [
            types.DiagnosticRelatedInformation(self.location(d.span), f"{d.code}: {d.message}")
            for d in finding.related
            if d.span is not None
        ]
        return types.Diagnostic(
            range=self.range(finding.span),
            message=found.message + (f"\n{found.help}" if found.help else ""),
            severity=_SEVERITIES[found.severity],
            code=found.code,
            source="linnaeus",
            related_information=related or None,
        )

    # --- questions about a name ---------------------------------------------------------------------

    def hover(self, params: types.HoverParams) -> types.Hover | None:
        """What the name or word at a place means."""
        named = self.named(params)
        if named is None:
            path, line, column = self.place(params)
            text = describe_word(self.lines(path).rows[line - 1], column)
            return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text)) if text else None
        index, found = named
        symbol = index.symbols[found.key]
        text = describe(index, symbol, self.lines(Path(symbol.source.file).resolve()).rows)
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text), self.range(found.span))

    def definition(self, params: types.DefinitionParams) -> types.Location | None:
        """Where the name at a place is declared, in an import where it comes from one."""
        named = self.named(params)
        return self.location(named[0].symbols[named[1].key].source) if named else None

    def references(self, params: types.ReferenceParams) -> list[types.Location] | None:
        """Every place that names what stands at a place, in this file and those that import it."""
        named = self.named(params)
        if named is None:
            return None
        key, declared = named[1].key, params.context.include_declaration
        indices = self.documents.indices(Path(named[0].file).resolve(), Path(key[0]))
        found = (o for index in indices for o in index.places(key) if declared or not o.declares)
        return [self.location(o.span) for o in found]

    def highlight(self, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight] | None:
        """The places in this file that name what stands at a place."""
        named = self.named(params)
        return [types.DocumentHighlight(self.range(o.span)) for o in named[0].places(named[1].key)] if named else None

    # --- changes ------------------------------------------------------------------------------------

    def prepare_rename(self, params: types.PrepareRenameParams) -> types.Range:
        """The name at a place, to be changed."""
        return self.range(renamed_at(self.documents, *self.place(params)).span)

    def rename(self, params: types.RenameParams) -> types.WorkspaceEdit:
        """The edits of a rename."""
        path, line, column = self.place(params)
        edits = rename(self.documents, path, line, column, params.new_name)
        changes = {
            self.session.uri(file): [types.TextEdit(self.range(edit.span), edit.text) for edit in made]
            for file, made in edits.items()
        }
        return types.WorkspaceEdit(changes=changes)

    def formatting(self, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
        """The canonical layout, as one edit of the lines that change; a text with errors stays as it is."""
        path = self.session.path(params.text_document.uri)
        text = self.documents.text(path) or ""
        try:
            after = format_text(text, str(path)).split("\n")
        except LinnaeusError:  # which the diagnostics tell
            return []
        lines = self.lines(path)
        before = lines.rows
        if before == after:
            return []
        first = min(_common(before, after), len(before) - 1, len(after) - 1)
        last = min(_common(before[::-1], after[::-1]), len(before) - first, len(after) - first)
        if last:  # whole lines, each with its line end
            where = types.Range(types.Position(first, 0), types.Position(len(before) - last, 0))
            return [types.TextEdit(where, "".join(f"{row}\n" for row in after[first : len(after) - last]))]
        where = types.Range(types.Position(first, 0), types.Position(*lines.end()))
        return [types.TextEdit(where, "\n".join(after[first:]))]

    # --- the file -----------------------------------------------------------------------------------

    def completion(self, params: types.CompletionParams) -> types.CompletionList | None:
        """The names and words that can stand at a place."""
        path, line, column = self.place(params)
        context = context_at(self.lines(path).rows, line, column)
        found, whole = offers(context, self.documents.index(path, stale=True))
        end = params.position
        start = self.range(Span(str(path), line, column - len(context.partial), line, column)).start
        items = [_item(offer, at, types.Range(start, end), context) for at, offer in enumerate(found)]
        return types.CompletionList(is_incomplete=not whole, items=items)

    def symbols(self, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
        """The outline."""
        index = self.documents.index(self.session.path(params.text_document.uri))
        return self._symbols(parts(index.outline.document)) if index else None

    def _symbols(self, found: Iterable[Part]) -> list[types.DocumentSymbol]:
        return [
            types.DocumentSymbol(
                name=part.text or "?",  # the protocol forbids an empty one
                kind=_PARTS[part.role],
                range=self.range(part.span),
                selection_range=self.range(part.name),
                detail=part.detail,
                children=self._symbols(part.inner),
            )
            for part in found
        ]

    def folding(self, params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
        """What can be folded."""
        index = self.documents.index(self.session.path(params.text_document.uri))
        return [types.FoldingRange(a - 1, b - 1) for a, b in folds(index.outline.document)] if index else None


def _item(offer: Offer, at: int, where: types.Range, context: Context) -> types.CompletionItem:
    quote = "`" if context.partial.startswith("`") and not offer.text.startswith("`") else ""
    return types.CompletionItem(
        label=offer.text,
        kind=_OFFERED[offer.role],
        detail=offer.detail,
        label_details=types.CompletionItemLabelDetails(description=offer.title) if offer.title else None,
        sort_text=f"{at:05}",
        filter_text=f"{quote}{offer.text} {offer.title}".strip(),
        text_edit=types.TextEdit(where, offer.text),
    )


def _common(a: list[str], b: list[str]) -> int:
    """How many lines two texts begin with alike."""
    alike = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        alike += 1
    return alike
