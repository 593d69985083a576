"""Which library finds the nearest vectors: build time, recall, latency, memory, size on disk.

    unmist embed names.txt -o vectors.npy
    python -m unmist.evaluate.search --vectors vectors.npy --rows 1000000 --work W -o search.json

The last thousand vectors are the queries and are not indexed. Where there are fewer real vectors
than ``--rows``, the rest is made of them: 0.7 of one, 0.3 of another, and noise of length 0.2,
normalised. Such rows lie between real ones, so their neighbourhoods are smoother than those of
real names. Truth is one matrix product in float32. What was built stays in the work folder, so
that queries can be timed again on a quieter machine (``--step query``).
"""

import argparse
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from unmist.errors import InputError, UsageError
from unmist.evaluate.machine import machine
from unmist.evaluate.search_worker import CONTENDERS, K, vectors

QUERIES = 1000
_BLOCK = 1 << 16


def prepare(source: Path, rows: int, work: Path) -> int:
    """Write vectors, queries and the truth to the work folder; the number of real rows.

    Raises:
        InputError: ``source`` holds no vectors, or too few.
    """
    try:
        real = np.load(source, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"not an .npy file of vectors ({error})", str(source)) from None
    if real.ndim != 2 or len(real) <= 2 * QUERIES:
        raise InputError(f"expected more than {2 * QUERIES} vectors", str(source))
    work.mkdir(parents=True, exist_ok=True)
    queries = np.asarray(real[-QUERIES:], np.float32)
    real = real[: min(len(real) - QUERIES, rows)]
    held = np.lib.format.open_memmap(work / "vectors.npy", "w+", np.float16, (rows, real.shape[1]))
    rng = np.random.default_rng(0)
    for start in range(0, rows, _BLOCK):
        stop = min(start + _BLOCK, rows)
        own = np.asarray(real[start : min(stop, len(real))], np.float32)
        made = _made(real, stop - start - len(own), rng)
        held[start:stop] = np.concatenate([own, made])
    held.flush()
    np.save(work / "queries.npy", queries)
    np.save(work / "truth.npy", _truth(held, queries))
    return len(real)


def _made(real: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    one, other = rng.integers(len(real), size=(2, count))
    noise = rng.standard_normal((count, real.shape[1]), np.float32)
    noise *= 0.2 / np.linalg.norm(noise, axis=1, keepdims=True)
    mixed = 0.7 * real[one].astype(np.float32) + 0.3 * real[other].astype(np.float32) + noise
    unit: np.ndarray = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return unit


def _truth(held: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """The K nearest rows int64 [queries, K], exactly."""
    best = np.full((len(queries), K), -np.inf, np.float32)
    places = np.zeros((len(queries), K), np.int64)
    for start in range(0, len(held), _BLOCK):
        scores = queries @ np.asarray(held[start : start + _BLOCK], np.float32).T
        near = np.argpartition(-scores, min(K, scores.shape[1] - 1), axis=1)[:, :K]
        both = np.concatenate([best, np.take_along_axis(scores, near, 1)], axis=1)
        where = np.concatenate([places, near + start], axis=1)
        order = np.argsort(-both, axis=1, kind="stable")[:, :K]
        best, places = np.take_along_axis(both, order, 1), np.take_along_axis(where, order, 1)
    return places


def run(step: str, name: str, work: Path, threads: int) -> dict[str, float]:
    """One step of one contender. Raises UsageError with the end of its output when it fails."""
    command = [sys.executable, "-m", "unmist.evaluate.search_worker", step, name, str(work)]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise UsageError(f"{name}: failed\n{done.stderr[-800:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {key: round(value, 4) for key, value in result.items()}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--vectors", type=Path, required=True, help=".npy, as unmist embed writes")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--work", type=Path, required=True, help="folder for what is built")
    parser.add_argument("--step", choices=["all", "prepare", "build", "query"], default="all")
    parser.add_argument("--only", action="append", choices=list(CONTENDERS))
    parser.add_argument("--threads", type=int, default=2, help="while building; a query takes one")
    parser.add_argument("-o", "--output", type=Path, required=True, help="JSON, added to")
    asked = parser.parse_args()
    result: dict[str, Any] = {"contenders": {}}
    if asked.output.exists() and asked.step != "prepare":
        result = json.loads(asked.output.read_text())
    if asked.step in ("all", "prepare"):
        result["real_rows"] = prepare(asked.vectors, asked.rows, asked.work)
    shape = vectors(asked.work).shape
    result |= {
        "date": date.today().isoformat(),
        "machine": machine(),
        "threads": asked.threads,
        "rows": shape[0],
        "dim": shape[1],
        "queries": QUERIES,
    }
    for name in asked.only or CONTENDERS:
        figures = result["contenders"].setdefault(name, {})
        for step in ("build", "query"):
            if asked.step in ("all", step):
                figures |= run(step, name, asked.work, asked.threads if step == "build" else 1)
        print(name, figures, file=sys.stderr, flush=True)
        asked.output.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
