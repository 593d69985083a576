"""Vectors of a general sentence encoder, computed once, that the vector shall predict.

A general model has read what our corpora do not hold: which words mean a printer, which names a
product or a company. Rows of the mixture carry its vector; a linear map that is thrown away
afterwards leads from our vector to it.

::

    python -m unmist.train.general --mixture mixture.safetensors --tokenizer tokenizer.json \
        --general PEER -o general.safetensors

Source: Reimers and Gurevych, "Making Monolingual Sentence Embeddings Multilingual using Knowledge
Distillation", arXiv 2004.09813.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from unmist.text import Tokenizer
from unmist.train.mixture import Batch, Mixture

# Rows of each field kind that are read; a general model knows least of hostnames, which are most.
ROWS: Final = {
    "hostname": 80_000,
    "url": 8_000,
    "http": 5_000,
    "header": 20_000,
    "command": 14_000,
    "path": 8_000,
    "certificate": 3_000,
    "log": 10_000,
    "cloud": 6_000,
    "prose": 6_000,
}
_MOST_TOKENS: Final = 64  # longer rows are left out: they cost most and say least of a word
_JOINTS: Final = re.compile(r"[.\-_]+")


class GeneralVectors(nn.Module):
    """Vectors of :func:`vectors` and the map from the learner's vectors to them."""

    def __init__(self, path: Path, mixture: Mixture, hidden: int) -> None:
        super().__init__()
        with safe_open(path, "np") as file:
            rows, self._vectors = file.get_tensor("rows"), file.get_tensor("vectors")
        self._place = np.full(len(mixture.labels), -1, np.int32)
        self._place[rows] = np.arange(len(rows))
        self.lift = nn.Linear(hidden, self._vectors.shape[1])

    def loss(self, batch: Batch, pooled: Tensor) -> Tensor:
        """One minus the cosine, in the mean over the rows that have a vector; zero without any.

        Args:
            batch: rows of the mixture.
            pooled: the learner's vectors [rows, hidden].
        """
        place = self._place[batch.rows]
        known = np.flatnonzero(place >= 0)
        if not len(known):
            return torch.zeros(())
        wanted = torch.from_numpy(self._vectors[place[known]].astype(np.float32))
        lifted = self.lift(pooled[torch.from_numpy(known)]).float()
        return 1 - F.cosine_similarity(lifted, wanted).mean()


def chosen(mixture: Mixture, limits: Mapping[str, int], seed: int) -> dict[str, np.ndarray]:
    """Rows of each field kind, as many of each of its parts as there are, up to the limit.

    They are the first that a run of that seed draws.
    """
    found: dict[str, np.ndarray] = {}
    for field, limit in limits.items():
        parts = [i for i, part in enumerate(mixture.parts) if part.field == field]
        counts, left = [0] * len(mixture.parts), limit
        sizes = {i: mixture.parts[i].stop - mixture.parts[i].start for i in parts}
        for place, i in enumerate(sorted(parts, key=lambda i: sizes[i])):  # what the small leave
            counts[i] = min(sizes[i], left // (len(parts) - place))
            left -= counts[i]
        rows = np.concatenate(mixture.draw(counts, [0] * len(counts), seed))
        found[field] = rows[mixture.lengths[rows] <= _MOST_TOKENS]
    return found


def vectors(folder: Path, texts: list[str]) -> Tensor:
    """Unit vectors [n, dimensions] float16 of a local sentence-transformers folder."""
    import sentence_transformers

    model = sentence_transformers.SentenceTransformer(
        str(folder), device="cpu", local_files_only=True
    )
    model.max_seq_length = _MOST_TOKENS
    with torch.autocast("cpu", torch.bfloat16):
        said = model.encode(
            texts, batch_size=256, show_progress_bar=True, normalize_embeddings=True
        )
    return torch.from_numpy(centred(said).astype(np.float16))


def centred(said: np.ndarray) -> np.ndarray:
    """Unit vectors without what they have in common.

    Vectors of some encoders (multilingual-e5) all point the same way by and large; a cosine with
    them as they are is near one whatever is learnt.
    """
    apart: np.ndarray = said.astype(np.float32) - said.mean(0, dtype=np.float32)
    apart /= np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6)
    return apart


def readable(text: str, field: str) -> str:
    """A text as a general model reads it best: a hostname is words."""
    return _JOINTS.sub(" ", text) if field == "hostname" else text


def main(argv: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--mixture", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--general", type=Path, required=True, help="sentence-transformers folder")
    parser.add_argument("--seed", type=int, default=1, help="of the run that will read them")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args(argv)
    mixture, tokenizer = Mixture(args.mixture), Tokenizer(args.tokenizer)
    rows = chosen(mixture, ROWS, args.seed)
    texts = [
        readable(text, field)
        for field, found in rows.items()
        for text in mixture.texts(found, tokenizer)
    ]
    arrays: dict[str, Any] = {
        "rows": torch.from_numpy(np.concatenate(list(rows.values()))),
        "vectors": vectors(args.general, texts),
    }
    save_file(arrays, args.output)
    print(f"{len(texts)} rows")


if __name__ == "__main__":
    main()
