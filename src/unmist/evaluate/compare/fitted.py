"""A trained classifier of our shape in a folder, and asked in a process of its own."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.torch import save as to_bytes
from torch import Tensor

from unmist.errors import UsageError
from unmist.evaluate.compare import fitted_worker
from unmist.evaluate.compare.contenders import Tuned
from unmist.evaluate.compare.pages import write_json
from unmist.evaluate.compare.rows import TaskData
from unmist.evaluate.compare.training import Classifier
from unmist.io import AtomicFile

WEIGHTS: Final = "weights.safetensors"
ABOUT: Final = "about.json"


def folder(parent: Path, tuned: Tuned, key: dict[str, Any], settings: dict[str, Any]) -> Path:
    """Where a fit lies. The same weights, rows and settings lie in the same place, whatever asks
    them; a random start differs by what is trained from it."""
    own = {name: key[name] for name in ("task", "seed", "weights", "data")}
    own |= {"way": tuned.how, "start": key["model"] if tuned.folder is None else ""}
    text = json.dumps([own, settings], sort_keys=True)
    return parent / hashlib.sha256(text.encode()).hexdigest()[:16]


def saved(place: Path, tuned: Tuned, data: TaskData, seed: int) -> dict[str, Any]:
    """Train into a folder, unless it is there.

    Returns:
        ``parameters``, ``trained``, ``rows``, ``examples``, ``cut``, ``seconds``.
    """
    about = place / ABOUT
    if not about.exists():
        classifier, course = tuned.train(data, seed)
        place.mkdir(parents=True, exist_ok=True)
        weights = merged(classifier)
        with AtomicFile(place / WEIGHTS) as file:
            file.write(to_bytes(weights))
        encoder: Any = classifier.body.inner.encoder
        count = sum(weight.numel() for weight in weights.values())
        course_said = {"parameters": count, "rows": len(data.train), **vars(course)}
        write_json(about, {"shape": encoder.shape.as_dict(), "course": course_said})
    course_read: dict[str, Any] = json.loads(about.read_text())["course"]
    return course_read


def merged(classifier: Classifier) -> dict[str, Tensor]:
    """Tensors of the encoder under our names, LoRA factors added in, and of the head."""
    for module in classifier.body.modules():
        if hasattr(module, "lora_A"):
            module.merge()  # type: ignore[operator]
    prefix = "inner.encoder."
    tensors = {}
    for name, value in classifier.body.state_dict().items():
        if ".lora_" not in name:
            short = name.removeprefix(prefix).replace(".base_layer.", ".")
            tensors[f"encoder.{short}"] = value.detach().clone().contiguous()
    for name, value in classifier.head.state_dict().items():
        tensors[f"head.{name}"] = value.detach().clone().contiguous()
    return tensors


def ask(
    place: Path, engine: str, ids: Sequence[Sequence[int]], threads: int, alone: int
) -> tuple[np.ndarray, dict[str, float]]:
    """What a fit answers in a process of its own.

    Args:
        place: its folder.
        engine: of :data:`fitted_worker.ENGINES`.
        ids: token ids of the rows.
        threads: of the processor.
        alone: so many rows are asked one at a time.

    Returns:
        Label numbers int64 [n]; ``tokens_per_row``, ``alone_ms``, ``rows_per_second``,
        ``peak_memory_mb`` and ``libraries_mb``, which were taken before the model was there.

    Raises:
        UsageError: it failed; the message has the end of its output.
    """
    with tempfile.TemporaryDirectory() as scratch:
        rows, out = Path(scratch) / "rows.npz", Path(scratch) / "said.npy"
        lengths = np.array([len(row) for row in ids])
        np.savez(rows, tokens=np.concatenate([np.array(r, np.int32) for r in ids]), lengths=lengths)
        command = [sys.executable, "-m", fitted_worker.__name__, engine, str(place), str(rows)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        done = subprocess.run(
            [*command, str(threads), str(alone), str(out)],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if done.returncode:
            raise UsageError(f"{engine}: failed\n{done.stderr[-800:]}")
        cost: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        said: np.ndarray = np.load(out)
    return said, {"tokens_per_row": round(float(lengths.mean()), 3), **cost}
