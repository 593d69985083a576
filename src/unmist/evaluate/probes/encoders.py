"""Frozen encoders under one roof: a model folder of ours, or any sentence-transformers folder."""

import hashlib
import importlib
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from unmist.errors import InputError, UsageError
from unmist.io import AtomicFile
from unmist.model import Model
from unmist.text import cut

CHUNK = 250  # rows that are kept together; a run that was cut off repeats less than this


class Encoder(Protocol):
    """What the probes need: a name for the tables, a hash for the cache, and vectors."""

    name: str
    hash: str
    parameters: int

    def vectors(self, texts: Sequence[str], field: str) -> np.ndarray:
        """Rows of float32 [n, dim], in the order of ``texts``."""
        ...


class Ours:
    """A model folder of unmist, through the engine that ships."""

    def __init__(self, model: Model, name: str) -> None:
        self.name, self.hash = name, model.hash
        self.parameters = int(model.info()["parameters"])
        self._model = model

    def vectors(self, texts: Sequence[str], field: str) -> np.ndarray:
        """Mean-pooled and L2-normalised by the engine."""
        return self._model.embed(list(texts), field)


class Peer:
    """A general text model, through sentence-transformers with its own settings.

    Its tokenizer, pooling, prompt and longest input are those of its folder; it is not told the
    field. Texts are cut to the same bytes as ours before that.

    Args:
        name: for the tables.
        folder: the sentence-transformers folder.
        threads: CPU threads; None leaves torch's.
        bf16: products in bfloat16, sums in float32, which is several times as fast on a CPU with
            units for it. A cosine is then off by up to a thousandth.

    Raises:
        UsageError: sentence-transformers is not installed.
        InputError: the folder is missing or does not open.
    """

    def __init__(
        self, name: str, folder: Path, threads: int | None = None, *, bf16: bool = False
    ) -> None:
        if not (folder / "modules.json").is_file():
            raise InputError(
                "no modules.json here; expected a sentence-transformers folder, as "
                "tools/get_peers.py makes them",
                str(folder),
            )
        library = _sentence_transformers()
        if threads is not None:
            importlib.import_module("torch").set_num_threads(threads)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._model: Any = library.SentenceTransformer(
                str(folder), device="cpu", local_files_only=True
            )
        self.name, self.hash, self._bf16 = name, _hash_of(folder), bf16
        if bf16:
            self.hash = hashlib.sha256(f"{self.hash} bfloat16".encode()).hexdigest()
        self.parameters = sum(int(p.numel()) for p in self._model.parameters())

    def vectors(self, texts: Sequence[str], field: str) -> np.ndarray:
        """L2-normalised; ``field`` is not used."""
        torch: Any = importlib.import_module("torch")
        limited = [within_limit(text) for text in texts]
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            out: np.ndarray = self._model.encode(
                limited, batch_size=32, show_progress_bar=False, normalize_embeddings=True
            )
        return out.astype(np.float32)


def _sentence_transformers() -> Any:
    try:
        return importlib.import_module("sentence_transformers")
    except ImportError as error:
        raise UsageError(
            "peers need sentence-transformers; install it with: pip install 'unmist[peers]'"
        ) from error


def within_limit(text: str) -> str:
    """A text cut to the bytes that unmist reads, as text that every tokenizer takes."""
    limited, _ = cut(text)
    if isinstance(limited, bytes):
        return limited.decode("utf-8", "replace")
    return limited.encode("utf-8", "replace").decode()  # a lone surrogate is no text for them


def _hash_of(folder: Path) -> str:
    """SHA-256 over the files that decide a vector."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".json", ".safetensors"}:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


class Cached:
    """An encoder whose vectors are kept on disk, by its hash and the texts themselves.

    Rows are computed and kept in runs of :data:`CHUNK`, so a run that was cut off goes on where
    it stood, and a larger sample that begins with the same rows uses them.

    Args:
        encoder: what computes.
        folder: where vectors lie; None keeps none.
        progress: called with the number of rows done since the last call.
    """

    def __init__(
        self,
        encoder: Encoder,
        folder: Path | None,
        progress: Callable[[int], object] = lambda _rows: None,
    ) -> None:
        self.name, self.hash, self.parameters = encoder.name, encoder.hash, encoder.parameters
        self._encoder, self._progress = encoder, progress
        self._folder = None if folder is None else folder / encoder.hash[:16]
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)

    def vectors(self, texts: Sequence[str], field: str) -> np.ndarray:
        """Rows of float32 [n, dim], in the order of ``texts``."""
        parts = []
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            parts.append(self._chunk(chunk, field))
            self._progress(len(chunk))
        return np.concatenate(parts)

    def _chunk(self, texts: Sequence[str], field: str) -> np.ndarray:
        if self._folder is None:
            return self._encoder.vectors(texts, field)
        digest = hashlib.sha256(field.encode())
        for text in texts:
            digest.update(b"\0" + text.encode("utf-8", "surrogatepass"))
        path = self._folder / f"{digest.hexdigest()[:32]}.npy"
        if path.exists():
            kept: np.ndarray = np.load(path, allow_pickle=False)
            return kept
        out = self._encoder.vectors(texts, field)
        with AtomicFile(path) as file:
            np.save(file, out, allow_pickle=False)
        return out
