"""Which rows a specialist will be asked about, once it stands in a model folder.

Others are ``unfamiliar``: the router says that they are of another field kind, or they are names
that mean something only inside one network. Figures of a card count them as not answered.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from unmist.artifact.load import open_router
from unmist.engine.router import Router
from unmist.text import normalize, reads_name


class Familiar:
    """Args:
    model: the model folder; without a router every text is of the kind that it is taken for.
    field: the specialist's field kind.
    special_use: whether it has learnt names without meaning outside one network.
    """

    def __init__(self, model: Path, field: str, special_use: bool) -> None:
        weights = open_router(model)
        self._router = Router(weights) if weights is not None else None
        self._field = field
        self._special_use = special_use

    def __call__(self, texts: Sequence[str | bytes]) -> np.ndarray:
        """bool [n], of texts as they come."""
        plain = [normalize(text, self._field) for text in texts]
        reads = [reads_name(text, self._field, self._special_use) for text in plain]
        found = np.array(reads, bool)
        if self._router is None or not plain:
            return found
        # The router reads the ends of a text, which are those of what the encoder reads of it.
        read = [t if isinstance(t, bytes) else t.encode("utf-8", "surrogatepass") for t in plain]
        out: np.ndarray = found & self._router.familiar(read, self._field)
        return out
