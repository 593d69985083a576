"""Vectors of distinct texts: embedded once, or taken from inputs that come with them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unmist.errors import UsageError
from unmist.search.rows import Rows
from unmist.search.vectors import key

if TYPE_CHECKING:
    from unmist.model import Model


class Added(NamedTuple):
    """What some rows brought.

    Attributes:
        numbers: number of the vector of each row.
        keys: keys of the new vectors.
        vectors: the new unit vectors, float16 [new, dim]; their numbers follow on the old ones.
    """

    numbers: list[int]
    keys: list[bytes]
    vectors: np.ndarray


class Distinct:
    """Numbers texts in the order in which they first come; all vectors are of one model.

    Attributes:
        model_hash: of the model; ``None`` before the first row.
        dim: width of a vector; 0 before the first row.

    Args:
        model: gives the model; called once a text has to be embedded.
        field: field kind of the texts.
        known: keys of texts that have their numbers, which are 0, 1, ...
        model_hash: of the model of those.
        dim: width of those.
    """

    def __init__(
        self,
        model: Callable[[], "Model"],
        field: str,
        known: Sequence[bytes] = (),
        model_hash: str | None = None,
        dim: int = 0,
    ) -> None:
        self._model, self._field = model, field
        self._places = {one: number for number, one in enumerate(known)}
        self.model_hash, self.dim = model_hash, dim

    def __len__(self) -> int:
        return len(self._places)

    def add(self, rows: Rows, source: str) -> Added:
        """Take some rows.

        Raises:
            UsageError: they come with vectors of another model, or of another width.
        """
        keys = [key(text, self._field) for text in rows.texts]
        fresh: dict[bytes, int] = {}
        for place, one in enumerate(keys):
            if one not in self._places:
                fresh.setdefault(one, place)
        vectors = self._vectors(rows, list(fresh.values()), source)
        for one in fresh:
            self._places[one] = len(self._places)
        unit = vectors.astype(np.float32)
        unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-12)
        return Added([self._places[k] for k in keys], list(fresh), unit.astype("<f2"))

    def _vectors(self, rows: Rows, places: list[int], source: str) -> np.ndarray:
        if rows.vectors is not None:
            self._require(str(rows.model_hash), rows.vectors.shape[1], source)
            own: np.ndarray = rows.vectors[places]
            return own
        model = self._model()
        self._require(model.hash, model.dim, source)
        if not places:
            return np.empty((0, model.dim), np.float32)
        return model.embed([rows.texts[i] for i in places], self._field)

    def _require(self, model_hash: str, width: int, source: str) -> None:
        self.model_hash = self.model_hash or model_hash
        self.dim = self.dim or width
        if model_hash != self.model_hash:
            raise MixedModelsError(
                f"{source}: vectors of model {model_hash[:12]} among those of model "
                f"{self.model_hash[:12]}; vectors of two models do not compare: use one model"
            )
        if width != self.dim:
            raise MixedModelsError(f"{source}: vectors of width {width}, others have {self.dim}")


class MixedModelsError(UsageError):
    """Vectors of two models would meet."""
