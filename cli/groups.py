"""Groups of commands that name the nearest one where a command is unknown."""

from __future__ import annotations

from typing import Any

import click

from ..errors import did_you_mean


class CommandGroup(click.Group):
    """A group that answers an unknown command with the nearest known ones."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """The command that `args` name, or a usage error."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            step = did_you_mean(args[0], known, plural="commands")
            raise click.UsageError(f"there is no command {args[0]!r}: {step}", ctx)
        return super().resolve_command(ctx, args)
