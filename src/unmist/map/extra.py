"""Libraries that only the map needs, and one clear line where they are missing."""

from importlib import import_module
from typing import Any

from unmist.errors import UsageError


def need(module: str) -> Any:
    """Import a module of the extra ``[map]``.

    Raises:
        UsageError: it is not installed; the message says what to install.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the map needs {error.name or module}, which is not installed; "
            "run: pip install 'unmist[map]'"
        ) from error
