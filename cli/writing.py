"""Writing files so that none is ever half written."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from ..errors import fail


def replace_file(path: Path, text: str) -> None:
    """Write a text in the place of an existing file: all of it or, when interrupted, nothing. Its mode is kept, and a
    link still links.

    Raises:
        LinnaeusError: E174, the file or its folder can't be written to.
    """
    target = path.resolve()
    part: str | None = None
    try:
        if not os.access(target, os.W_OK):
            raise PermissionError("the file is read-only")
        descriptor, part = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(part, target.stat().st_mode & 0o7777)
        os.replace(part, target)
        part = None
    except OSError as error:
        reason = error.strerror or str(error)
        raise fail(
            "E174", f"can't write {path}: {reason}", help="check the permissions of the file and folder"
        ) from None
    finally:
        if part is not None:
            with suppress(OSError):
                os.unlink(part)
