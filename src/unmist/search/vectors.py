"""Vectors of an index on the disk: several files as one matrix, and the keys beside it."""

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Final

import numpy as np

from unmist.search.manifest import Manifest
from unmist.text import normalize

BLOCK: Final = 1 << 15
KEY_BYTES: Final = 16


def key(text: str | bytes, field: str) -> bytes:
    """What equal texts have in common: a hash of the text as the model reads it."""
    plain = normalize(text, field)
    data = plain.encode("utf-8", "surrogatepass") if isinstance(plain, str) else plain
    return blake2b(data, digest_size=KEY_BYTES).digest()


class Vectors:
    """The vectors float16 [n, dim] of an index, mapped, not loaded."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.dim = manifest.dim
        self._parts = [
            np.memmap(folder / name, "<f2", "r").reshape(-1, self.dim)
            for name in manifest.names("vectors")
            if manifest.files[name].bytes  # adding only texts that were known leaves it empty
        ]
        self._keys = [folder / name for name in manifest.names("keys")]
        self._starts = np.cumsum([0, *map(len, self._parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def blocks(self, first: int = 0) -> Iterator[tuple[int, np.ndarray]]:
        """Number of the first vector, and float32 [at most BLOCK, dim], from ``first`` on."""
        for start, part in zip(self._starts.tolist(), self._parts, strict=False):
            for begin in range(max(first - start, 0), len(part), BLOCK):
                yield start + begin, np.asarray(part[begin : begin + BLOCK], np.float32)

    def gather(self, numbers: np.ndarray) -> np.ndarray:
        """Vectors float32 [len(numbers), dim], in that order."""
        out = np.empty((len(numbers), self.dim), np.float32)
        places = np.searchsorted(self._starts, numbers, side="right") - 1
        for place in np.unique(places):
            own = places == place
            out[own] = self._parts[place][numbers[own] - self._starts[place]]
        return out

    def keys(self) -> np.ndarray:
        """The keys, uint8 [n, 16]."""
        parts = [np.fromfile(path, np.uint8).reshape(-1, KEY_BYTES) for path in self._keys]
        return np.concatenate([*parts, np.empty((0, KEY_BYTES), np.uint8)])
