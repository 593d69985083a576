"""The approximate index: inverted lists over 8-bit vectors, by faiss.

Vectors are sorted into lists by k-means, and a query looks into the lists nearest to it (Jegou,
Douze, Schmid, PAMI 33 (2011)). What it finds is ranked again by the vectors on the disk. Why this
and not a graph: ``docs/decisions.md``. This is the one module that knows the library.
"""

import importlib.util
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from unmist.errors import InputError
from unmist.search.manifest import Manifest, entry
from unmist.search.vectors import Vectors

EXACT: Final = 200_000
"""Up to so many vectors are compared one by one, and need no approximate index."""

MARGIN: Final = 5
"""So many times as many are asked for as are wanted, since 8 bits order them roughly."""

_PROBED: Final = 8  # one of so many lists is looked into
_SAMPLE: Final = 40  # vectors that a list is trained on
_GROWTH: Final = 2  # times as many vectors, and the lists are laid out again

Near = Callable[[np.ndarray, int], np.ndarray]
"""(unit vector float32 [dim], how many) to the numbers int64 of vectors near to it."""


def available() -> bool:
    """Whether the library is installed."""
    return importlib.util.find_spec("faiss") is not None


def laid_out(folder: Path, manifest: Manifest, number: int) -> Manifest:
    """Bring the approximate index of a folder up to its vectors.

    Args:
        folder: where the vectors are.
        manifest: names them.
        number: of the file to write.

    Returns:
        The manifest with the new file in place of the old one; without one where there are few
        vectors, or where the library is not installed.

    Raises:
        OSError: it cannot be written.
    """
    olds = manifest.names("near")
    files = {name: file for name, file in manifest.files.items() if name not in olds}
    if manifest.vectors <= EXACT or not available():
        return msgspec.structs.replace(manifest, files=files, trained=0)
    import faiss

    vectors, trained = Vectors(folder, manifest), manifest.trained
    if olds and len(vectors) <= _GROWTH * trained:
        index = faiss.read_index(str(folder / olds[0]))
    else:
        index, trained = _train(faiss, vectors), len(vectors)
    for _, block in vectors.blocks(index.ntotal):
        index.add(block)
    path = folder / f"near-{number:04d}.faiss"
    faiss.write_index(index, str(path))
    with path.open("rb") as file:
        os.fsync(file.fileno())
    files[path.name] = entry(path)
    return msgspec.structs.replace(manifest, files=files, trained=trained)


def open_index(folder: Path, manifest: Manifest) -> Near | None:
    """The approximate index of a folder, mapped; ``None`` without one, or without the library.

    Raises:
        InputError: it is damaged, or does not hold the vectors of the manifest.
    """
    names = manifest.names("near")
    if not names or not available():
        return None
    import faiss

    path = folder / names[0]
    try:
        index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
        count, width = index.ntotal, index.d
    except (RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0]
        message = f"damaged index ({reason}); restore it, or index again"
        raise InputError(message, str(path)) from None
    if (count, width) != (manifest.vectors, manifest.dim):
        message = f"holds {count:,} vectors of width {width}; restore it, or index again"
        raise InputError(message, str(path))
    index.nprobe = max(index.nlist // _PROBED, 1)

    def find(vector: np.ndarray, wanted: int) -> np.ndarray:
        numbers: np.ndarray = index.search(vector[None], wanted)[1][0]
        return numbers[numbers >= 0]

    return find


def _train(faiss: Any, vectors: Vectors) -> Any:
    lists = 1 << round(math.log2(2 * math.sqrt(len(vectors))))
    index = faiss.index_factory(vectors.dim, f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    count = min(len(vectors), _SAMPLE * lists)
    chosen = np.random.default_rng(0).choice(len(vectors), count, replace=False)
    index.train(vectors.gather(np.sort(chosen)))
    return index
