"""What needs no transformer: n-grams, fastText, a small character CNN."""

import importlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from torch import Tensor, nn

from unmist.errors import UsageError
from unmist.evaluate.compare.bodies import Body
from unmist.labelled.data import Example
from unmist.labelled.ngram import NgramClassifier
from unmist.text.normalize import normalize

_BYTES: Final = 256  # that the CNN reads of a text
_WIDTHS: Final = (32, 96, 128, 96)  # of the embedding and of three convolutions


class Ngrams(NgramClassifier):
    """The floor, trained on rows as they stand; ``labels`` are label numbers."""

    def __init__(self, rows: Sequence[Example], numbers: np.ndarray, seed: int) -> None:
        super().__init__([row.text for row in rows], numbers.tolist(), seed)

    def predict(self, rows: Sequence[Example]) -> np.ndarray:
        """Label numbers int64 [n]."""
        odds = self.probabilities([row.text for row in rows])
        out: np.ndarray = np.array(self.labels, np.int64)[odds.argmax(1)]
        return out

    def parameter_count(self) -> int:
        """Weights that are not zero: the table has room for many n-grams that never occurred."""
        return int(np.count_nonzero(self._classifier.coef_)) + len(self._classifier.intercept_)


class FastText:
    """fastText's own supervised classifier on words and character n-grams.

    Source: Joulin et al., "Bag of Tricks for Efficient Text Classification", arXiv 1607.01759.

    Raises:
        UsageError: fastText is not installed.
    """

    def __init__(
        self, rows: Sequence[Example], numbers: np.ndarray, seed: int, epochs: int, threads: int
    ) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.txt"
            lines = (
                f"__label__{number} {_line(row.text)}\n"
                for number, row in zip(numbers.tolist(), rows, strict=True)
            )
            path.write_text("".join(lines), encoding="utf-8")
            self._model: Any = _fasttext().train_supervised(
                input=str(path), epoch=epochs, lr=0.5, dim=64, minn=2, maxn=5, bucket=2**18,
                minCount=1, thread=threads, seed=seed, verbose=0,
            )  # fmt: skip

    def predict(self, rows: Sequence[Example]) -> np.ndarray:
        """Label numbers int64 [n]."""
        labels, _ = self._model.predict([_line(row.text) for row in rows])
        return np.array([int(said[0].removeprefix("__label__")) for said in labels], np.int64)

    def parameter_count(self) -> int:
        """Both of its matrices; most of it is room for n-grams."""
        matrices = (self._model.get_input_matrix(), self._model.get_output_matrix())
        return sum(int(matrix.size) for matrix in matrices)


def _fasttext() -> Any:
    try:
        return importlib.import_module("fasttext")
    except ImportError as error:
        raise UsageError(
            "fastText is not installed; install it with: pip install 'unmist[compare]'"
        ) from error


def _line(text: str) -> str:
    """A text on one line; fastText reads lines, and takes an empty one for the end."""
    return " ".join(text.encode("utf-8", "replace").decode().split()) or "-"


def character_cnn() -> Body:
    """Three convolutions over bytes and the largest value of each channel: 90,000 weights, about
    as many as the DGA detectors that people install. Random weights."""
    return Body(_Convolutions(), _WIDTHS[-1], _byte_ids)


def _byte_ids(texts: Sequence[str], field: str) -> list[list[int]]:
    rows = []
    for text in texts:
        said = normalize(text, field)
        raw = said if isinstance(said, bytes) else said.encode("utf-8", "surrogatepass")
        rows.append(list(raw[:_BYTES]) or [0])
    return rows


class _Convolutions(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        first, *widths = _WIDTHS
        self.table = nn.Embedding(256, first)
        layers: list[nn.Module] = []
        for narrow, wide in zip([first, *widths], widths, strict=False):
            layers += [nn.Conv1d(narrow, wide, 3, padding=1), nn.GELU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, ids: Tensor) -> Tensor:
        out: Tensor = self.layers(self.table(ids).transpose(1, 2)).amax(2)
        return out
