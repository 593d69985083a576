"""Answers that were computed before, so that traffic which repeats itself costs little."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

ENTRIES: Final = 65_536
"""Answers kept by default: about 20 MB when they are those of hostnames."""

MAX_TEXT: Final = 256
"""Characters of the longest text that is kept; any name in the DNS is shorter."""


class CacheInfo(NamedTuple):
    """What a cache did so far.

    Attributes:
        hits: texts answered without the network.
        misses: texts that the network was asked about. A text that stands in one call several
            times is looked up once.
        entries: answers kept now.
        limit: answers kept at most; 0 when there is no cache.
    """

    hits: int
    misses: int
    entries: int
    limit: int


class Cache:
    """Rows of probabilities by (task, normalised text); the least recently used one goes first.

    It belongs to one model and dies with it, so the model's hash is not part of the key. What comes
    out is bit for bit what was put in. Not for two threads at once.

    Args:
        limit: rows kept at most; 0 keeps none.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rows: OrderedDict[tuple[str, str | bytes], bytes] = OrderedDict()
        self._hits = self._misses = 0

    def find(self, task: str, texts: Sequence[str | bytes]) -> list[bytes | None]:
        """The row of each text as float32 bytes, None where there is none."""
        if not self._limit:
            return [None] * len(texts)
        rows, found = self._rows, []
        for text in texts:
            key = (task, text)
            row = rows.get(key)
            if row is not None:
                rows.move_to_end(key)
            found.append(row)
        missing = found.count(None)
        self._misses += missing
        self._hits += len(found) - missing
        return found

    def keep(self, task: str, texts: Sequence[str | bytes], rows: np.ndarray) -> None:
        """Keep ``rows`` float32 [n, labels], those of long texts excepted."""
        if not self._limit or not len(rows):
            return
        data, width = rows.tobytes(), rows.shape[1] * rows.itemsize
        kept = self._rows
        for i, text in enumerate(texts):
            if len(text) <= MAX_TEXT:
                kept[task, text] = data[i * width : (i + 1) * width]
        while len(kept) > self._limit:
            kept.popitem(last=False)

    def clear(self) -> None:
        """Forget the rows and the counts."""
        self._rows.clear()
        self._hits = self._misses = 0

    def info(self) -> CacheInfo:
        """Counts so far."""
        return CacheInfo(self._hits, self._misses, len(self._rows), self._limit)
