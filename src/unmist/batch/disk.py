"""What files need to survive a kill or a power cut, with failures as ``OutputError``."""

import os
from pathlib import Path

from unmist.errors import OutputError


def output_error(path: Path, error: OSError) -> OutputError:
    """One line about a failure to write; a job can be run again after any of them."""
    reason = error.strerror or str(error)
    return OutputError(
        f"{path}: cannot be written ({reason}); check the folder and its free space, "
        "then run the same command again"
    )


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut.

    Raises:
        OutputError: it cannot be done.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise output_error(folder, error) from None
