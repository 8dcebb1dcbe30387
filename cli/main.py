"""The `linnaeus` command: subcommands load on demand, so that `check` never waits for what `run` needs."""

from __future__ import annotations

import importlib
import sys

import click

from .. import __version__
from ..errors import LinnaeusError
from .groups import CommandGroup

COMMANDS = {
    "check": "check:check",
    "fmt": "fmt:fmt",
    "show": "show:show",
    "diff": "diff:diff",
    "convert": "convert:convert",
    "init": "init:init",
    "infer": "infer:infer",
    "run": "run:run",
    "status": "status:status",
    "report": "report:report",
    "predict": "predict:predict",
    "plugins": "plugins:plugins",
    "lsp": "lsp:lsp",
}

EXIT_WRONG, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


class _LazyGroup(CommandGroup):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(f".{module}", __package__), name)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="linnaeus")
def linnaeus() -> None:
    """AutoML and benchmarks for image classification that know what labels mean.

    Write the meaning of the labels in an .onto file, a study in YAML, and run it:

    \b
        linnaeus init my-study
        linnaeus run my-study/study.yaml

    Exit codes: 0 done; 1 something is wrong with the ontology, study, data or run; 2 command-line usage;
    130 interrupted (the same command resumes).
    """


def main(args: list[str] | None = None) -> None:
    """Run the command line; never shows a traceback for a user's mistake."""
    try:
        sys.exit(linnaeus.main(args=args, standalone_mode=False))  # click returns the code of an Exit, else None
    except LinnaeusError as e:
        click.echo(e.render(), err=True)
        sys.exit(EXIT_WRONG)
    except click.exceptions.NoArgsIsHelpError as e:
        click.echo(e.format_message(), err=True)
        sys.exit(EXIT_USAGE)
    except click.ClickException as e:
        e.show()
        sys.exit(EXIT_USAGE if isinstance(e, click.UsageError) else EXIT_WRONG)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; the same command resumes", err=True)
        sys.exit(EXIT_INTERRUPTED)
