"""Libraries that only the map and figures need, and one clear line where they are missing."""

from importlib import import_module
from typing import Any

from unmist.errors import UsageError


def need(module: str, extra: str = "map", what: str = "the map") -> Any:
    """Import a module of an extra, for what needs it.

    Raises:
        UsageError: it is not installed; the message says what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{what} needs {error.name or module}, which is not installed; "
            f"run: pip install 'unmist[{extra}]'"
        ) from error
