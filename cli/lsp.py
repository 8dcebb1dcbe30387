"""`linnaeus lsp`: a language server for editors."""

from __future__ import annotations

import logging

import click

from ..errors import fail


@click.command(short_help="Serve an editor: errors as you type, names, rename, format.")
def lsp() -> None:
    """Run the language server for ontology files on standard input and output.

    Editors start it; docs/editors.md says how. It needs the extra: pip install 'linnaeus[lsp]'
    """
    try:
        from ..lsp.server import create_server
    except ModuleNotFoundError as error:
        if error.name not in ("pygls", "lsprotocol"):
            raise
        raise fail("E171", "the language server needs pygls", help="pip install 'linnaeus[lsp]'") from None
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # the editor's log gets what failed, standard error nothing
    create_server().start_io()
