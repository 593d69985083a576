"""Results as they come: one row a fit, written at once, so that a run goes on where it stood."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np

from unmist.errors import UsageError
from unmist.evaluate.compare.pages import write_json
from unmist.io import AtomicFile

Fit = dict[str, Any]
"""One fit: ``model``, ``how``, ``task``, ``seed``, which decide its place, and its figures."""
_KEY = ("model", "how", "task", "seed")


class Store:
    """The fits of one comparison.

    Args:
        path: the JSON file; made when the first fit is there.
        work: folder for the answers of each fit, from which paired differences are taken.
        settings: what decided the fits; a file that was made with others is not gone on with.

    Attributes:
        fits: what is known, in the order in which it came.

    Raises:
        UsageError: the file was made with other settings.
    """

    def __init__(self, path: Path, work: Path, settings: dict[str, Any]) -> None:
        self._path, self._work = path, work
        self.settings: dict[str, Any] = json.loads(json.dumps(settings))
        self.fits: list[Fit] = []
        if path.exists():
            before = json.loads(path.read_text())
            if before["settings"] != self.settings:
                was, now = before["settings"], self.settings
                odd = sorted(k for k in {*was, *now} if was.get(k) != now.get(k))
                raise UsageError(
                    f"{path}: was measured with other settings ({', '.join(odd)}); name another "
                    "output, or remove it"
                )
            self.fits = before["fits"]

    def has(self, key: dict[str, Any]) -> bool:
        """Whether a fit of which all this is true is done, its answers included."""
        return self._answers(key).exists() and any(
            all(fit.get(name) == value for name, value in key.items()) for fit in self.fits
        )

    def add(self, fit: Fit, predicted: np.ndarray) -> None:
        """Keep a fit and its answers, label numbers [n] of the test rows."""
        path = self._answers(fit)
        path.parent.mkdir(parents=True, exist_ok=True)
        with AtomicFile(path) as file:
            np.save(file, predicted.astype(np.int16), allow_pickle=False)
        named = [fit[name] for name in _KEY]
        self.fits = [old for old in self.fits if [old[name] for name in _KEY] != named] + [fit]
        self.write({})

    def predicted(self, fit: Fit) -> np.ndarray:
        """Label numbers [n] that a fit answered on the test rows."""
        out: np.ndarray = np.load(self._answers(fit), allow_pickle=False)
        return out.astype(np.int64)

    def write(self, more: dict[str, Any]) -> dict[str, Any]:
        """Write the JSON file with what else is known now; returns its content."""
        whole = {"settings": self.settings, "fits": self.fits, **more}
        write_json(self._path, whole)
        return whole

    def _answers(self, key: dict[str, Any]) -> Path:
        name = "-".join(str(key[part]) for part in _KEY)
        return self._work / "answers" / (re.sub(r"[^A-Za-z0-9.]+", "-", name) + ".npy")
