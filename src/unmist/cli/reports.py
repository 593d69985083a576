"""What is said on standard error while a verb runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click

from unmist.visible import visible

if TYPE_CHECKING:
    from tqdm import tqdm

    from unmist.io import Row

BAD_ROWS_NAMED: Final = 20


def report(message: str) -> None:
    """Say one line; progress and the message do not overwrite each other."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        tqdm.write(f"unmist: {visible(message)}", file=sys.stderr)
    else:
        click.echo(f"unmist: {visible(message)}", err=True)


def warn_if_all_filtered(rows: int, filtered: int) -> None:
    """Say that nothing was asked about; a mistyped ``--column`` looks like that."""
    if filtered and not rows:
        report(
            f"warning: no row was answered, because none of {filtered:,} records holds such a "
            "text; check --column, --format and the kind of text that is asked for"
        )


def row_progress(*, quiet: bool, shares_screen: bool) -> tqdm[None]:
    """A bar counting rows, silent unless standard error is a terminal of its own.

    Args:
        quiet: never show it.
        shares_screen: whether standard output prints rows on the same screen.
    """
    from tqdm import tqdm

    hidden = quiet or shares_screen or not sys.stderr.isatty()
    return tqdm(unit=" rows", unit_scale=True, leave=False, disable=hidden, file=sys.stderr)


class BadRows:
    """Names the first bad rows on standard error and counts the rest."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, row: Row) -> None:
        """Take one bad row."""
        self.count += 1
        if self.count <= BAD_ROWS_NAMED:
            report(f"{row.source}:{row.line}: {row.problem}")

    def close(self) -> None:
        """Say how many were not named."""
        if self.count > BAD_ROWS_NAMED:
            report(f"and {self.count - BAD_ROWS_NAMED:,} more bad rows")
