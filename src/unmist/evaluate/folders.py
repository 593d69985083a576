"""Models given on a command line as NAME=DIR."""

from collections.abc import Sequence
from pathlib import Path

from unmist.errors import UsageError


def named(values: Sequence[str]) -> dict[str, Path]:
    """``NAME=DIR`` as a mapping. Raises UsageError for anything else."""
    folders: dict[str, Path] = {}
    for value in values:
        name, equals, folder = value.partition("=")
        if not name or not equals or not folder or name in folders:
            raise UsageError(f"{value!r}: expected NAME=DIR, each name once")
        folders[name] = Path(folder)
    return folders
