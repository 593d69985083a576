"""The ``unmist`` command: one verb per module, imported only when it is asked for.

Exit codes: 0 all rows answered, 1 some rows bad or some inputs unreadable, 2 cannot run,
130 interrupted, 141 the reader of standard output went away.
"""

import errno
import os
import sys
from importlib import import_module
from typing import Any, Final

import click

from unmist.errors import UnmistError

_VERBS: Final = {
    "calibrate": "unmist.cli.calibrate",
    "classify": "unmist.cli.classify",
    "dedupe": "unmist.cli.dedupe",
    "embed": "unmist.cli.embed",
    "evaluate": "unmist.cli.evaluate",
    "explain": "unmist.cli.explain",
    "export": "unmist.cli.export",
    "index": "unmist.cli.index",
    "map": "unmist.cli.map",
    "model": "unmist.cli.model",
    "run": "unmist.cli.run",
    "search": "unmist.cli.search",
    "serve": "unmist.cli.serve",
    "tail": "unmist.cli.tail",
    "train": "unmist.cli.train",
}
CANNOT_RUN: Final = 2
INTERRUPTED: Final = 130
READER_GONE: Final = 141


class Cli(click.Group):
    """The verbs, imported lazily, and the one place where errors become exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Verbs in the order of the help page."""
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb's module; it must not import the model or its libraries by itself."""
        if cmd_name not in _VERBS:
            return None
        command: click.Command = import_module(_VERBS[cmd_name]).command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; a mistake of the user's is one line, never a traceback."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # a full disk or a closed pipe must show here, not at exit
        except UnmistError as error:
            _fail(ctx, str(error))
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except OSError as error:
            if error.errno != errno.EPIPE:
                _drop_output()
                _fail(ctx, _describe(error))
            _drop_output()
            ctx.exit(READER_GONE)
        return result


def _fail(ctx: click.Context, message: str) -> None:
    from unmist.visible import visible

    click.echo(f"unmist: error: {visible(message)}", err=True)
    ctx.exit(CANNOT_RUN)


def _describe(error: OSError) -> str:
    reason = error.strerror or type(error).__name__
    return f"{error.filename}: {reason}" if error.filename else f"cannot go on: {reason}"


def _drop_output() -> None:
    """Point standard output at nothing, so that the flush at exit cannot fail again."""
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    with open(os.devnull, "wb") as nothing:
        os.dup2(nothing.fileno(), output)


def _print_version(ctx: click.Context, _param: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from importlib import metadata  # slow, and only this flag needs it

    try:
        version = metadata.version("unmist")
    except metadata.PackageNotFoundError:
        version = "(not installed)"
    click.echo(f"unmist {version}")
    ctx.exit()


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Classify and embed security text: offline, on a CPU, with calibrated scores.

    \b
    Exit codes: 0 every row was answered or abstained on; 1 some rows were bad or
    some inputs could not be read; 2 unmist could not run.
    """
