"""Which adapters stand beside the model's own; they come from disk, never through the port."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from unmist.artifact import adapter_folders
from unmist.errors import InputError


@dataclass(frozen=True)
class Adapters:
    """``named`` are always there; those in ``folder`` may come and go while the service runs."""

    named: Sequence[Path] = ()
    folder: Path | None = None

    def found(self) -> list[Path]:
        """All that are there now.

        Raises:
            InputError: there is no such folder.
        """
        if self.folder is None:
            return list(self.named)
        if not self.folder.is_dir():
            raise InputError("no folder here; expected one of adapter folders", str(self.folder))
        return [*self.named, *adapter_folders(self.folder)]
