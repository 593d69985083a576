"""``unmist evaluate chart``, ``table``, ``speed`` and their like: modules with options of their
own."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

import click

from unmist.errors import UsageError

_VERBS: Final = {
    "specialists": "All specialists on their test splits, beside n-grams.",
    "chart": "Parameters against accuracy, beside peers.",
    "table": "Many tasks beside peers: who wins where.",
    "detection": "What is found at 1 % false alarms, beside detectors.",
    "ladder": "What each part of the design is worth.",
    "trials": "Ways of pretraining in the same minutes.",
    "speed": "Rows a second, latency and memory, beside peers.",
    "engines": "The same network in other runtimes and precisions.",
    "mixed": "What many specialists in one batch cost.",
    "load": "The service under more requests than it can answer.",
    "report": "Every measurement as one HTML page.",
    "cards": "A model card for each specialist.",
}


def _make(verb: str, short: str) -> click.Command:
    # The module's own parser reads everything, --help included.
    page = "docs/how-to/measure.md"

    @click.command(
        verb,
        short_help=short,
        help=f"{short} Options: ``unmist evaluate {verb} --help``; needs and time: {page}.",
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
                "pip install 'unmist[train,peers,compare,serve,bench]'"
            ) from error
        main(list(arguments), prog=f"unmist evaluate {verb}")

    return command


COMMANDS: Final = [_make(verb, short) for verb, short in _VERBS.items()]
