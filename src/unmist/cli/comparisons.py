"""``unmist evaluate chart``, ``table``, ``detection``, ``ladder``, ``report`` and ``cards``:
modules with options of their own."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

import click

from unmist.errors import UsageError

_VERBS: Final = {
    "chart": "Parameters against accuracy, beside peers.",
    "table": "Many tasks beside peers: who wins where.",
    "detection": "What is found at 1 % false alarms, beside detectors.",
    "ladder": "What each part of the design is worth.",
    "report": "Every measurement as one HTML page.",
    "cards": "A model card for each specialist.",
}


def _make(verb: str, short: str) -> click.Command:
    # The module's own parser reads everything, --help included.
    @click.command(
        verb,
        short_help=short,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:
        try:
            main: Callable[..., None] = import_module(f"unmist.evaluate.{verb}").main
        except ModuleNotFoundError as error:
            raise UsageError(
                f"unmist evaluate {verb} needs {error.name}; install it with: "
                "pip install 'unmist[train,peers,compare]'"
            ) from error
        main(list(arguments), prog=f"unmist evaluate {verb}")

    command.__doc__ = short
    return command


COMMANDS: Final = [_make(verb, short) for verb, short in _VERBS.items()]
