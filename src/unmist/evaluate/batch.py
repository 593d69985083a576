"""A job's rows per second beside those of the engine alone, on one Parquet file.

    python -m unmist.evaluate.batch --names names.txt --rows 2000000 -o batch.json
    python -m unmist.evaluate.batch --names names.txt --rows 10000000 --zipf 1.1 -o zipf.json

The file is made of the names, each once, or drawn with a frequency that falls with the rank as
``rank ** -zipf``. The engine alone answers the same texts in the same chunks from memory. The two
take turns, a share of the file each, so that a slow minute of the machine hits both; the ratio of
the two rates is the figure to look at. With ``--zipf`` the engine alone is not asked, because what
repeats itself costs it less; the rows that it would have been asked about are counted instead.
"""

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unmist.batch import Annotate, Settings, run_job
from unmist.batch.plan import PART_ROWS
from unmist.errors import InputError, UsageError
from unmist.evaluate.machine import machine
from unmist.io.records import CHUNK_ROWS

CACHE: Final = 65_536
_GROUP: Final = 1 << 20


def make(names: Path, rows: int, zipf: float | None, out: Path) -> None:
    """Write a Parquet file of ``rows`` names, in constant memory for its rows."""
    texts = list(dict.fromkeys(names.read_text(errors="replace").split()))
    chance = np.random.default_rng(1)
    if zipf is None and len(texts) < rows:
        raise UsageError(f"{names}: {len(texts):,} distinct names, {rows:,} wanted")
    if not texts:
        raise InputError("holds no names", str(names))
    values = pa.array(texts)
    weights = np.cumsum(np.arange(1, len(texts) + 1, dtype=np.float64) ** -(zipf or 0.0))
    order = chance.permutation(len(texts))
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for start in range(0, rows, _GROUP):
            ids = np.arange(start, min(start + _GROUP, rows))
            places = order[ids] if zipf is None else order[_drawn(weights, chance, len(ids))]
            writer.write_table(pa.table([pa.array(ids), values.take(pa.array(places))], schema))


def _drawn(weights: np.ndarray, chance: np.random.Generator, count: int) -> np.ndarray:
    ranks: np.ndarray = np.searchsorted(weights, chance.random(count) * weights[-1])
    return ranks


class Clock:
    """Seconds, and seconds of CPU time, which do not count what other processes take.

    Attributes:
        wall: seconds so far.
        cpu: CPU seconds of this process so far.
    """

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    def __enter__(self) -> None:
        self._started = perf_counter(), process_time()

    def __exit__(self, *_: object) -> None:
        self.wall += perf_counter() - self._started[0]
        self.cpu += process_time() - self._started[1]


def engine_alone(model: Any, task: str, texts: list[str]) -> None:
    """Let the model answer the texts, a chunk at a time, without its cache."""
    for at in range(0, len(texts), CHUNK_ROWS):
        model.cache_clear()
        model.probabilities(texts[at : at + CHUNK_ROWS], task)


def run_part(source: Path, out: Path, task: str, annotate: Annotate) -> tuple[float, int]:
    """Seconds that a job takes for a file, and its rows."""
    settings = Settings(tasks=(task,))
    started = perf_counter()
    summary = run_job(out, [str(source)], settings, annotate).summary
    return perf_counter() - started, summary.rows_in


def compare(names: Path, rows: int, task: str, annotate: Annotate, rounds: int) -> dict[str, Any]:
    """Both rates on distinct names, taking turns in ``rounds`` shares of the file."""
    alone, job, done = Clock(), Clock(), 0
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.parquet"
        make(names, rows, None, whole)
        table = pq.read_table(whole)
        model = annotate.model
        model.probabilities(table["text"].slice(0, 256).to_pylist(), task)  # compiles
        for number in range(rounds):
            start = rows * number // rounds
            share = table.slice(start, rows * (number + 1) // rounds - start)
            part = Path(folder) / f"{number}.parquet"
            pq.write_table(share, part, compression="zstd")
            turns = ["job", "engine"] if number % 2 else ["engine", "job"]
            for turn in turns:
                if turn == "engine":
                    texts = share["text"].to_pylist()
                    with alone:
                        engine_alone(model, task, texts)
                else:
                    with job:
                        done += run_part(part, Path(folder) / f"out-{number}", task, annotate)[1]
            rates = f"{done / job.wall:.0f}/s, engine {done / alone.wall:.0f}/s"
            print(f"{done:,} rows: {rates}", file=sys.stderr, flush=True)
            shutil.rmtree(Path(folder) / f"out-{number}")
    return {
        "rows": done,
        "engine_rows_per_second": round(done / alone.wall, 1),
        "job_rows_per_second": round(done / job.wall, 1),
        "ratio": round(alone.wall / job.wall, 4),
        "cpu_ratio": round(alone.cpu / job.cpu, 4),
    }


def repeated(names: Path, rows: int, zipf: float, task: str, annotate: Annotate) -> dict[str, Any]:
    """A job on names that repeat themselves: its rate, and how much was computed."""
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.parquet"
        make(names, rows, zipf, whole)
        column = pq.read_table(whole, columns=["text"])["text"]
        windows = (column.slice(at, PART_ROWS) for at in range(0, rows, PART_ROWS))
        distinct = sum(len(window.unique()) for window in windows)
        everywhere = len(column.unique())
        del column
        seconds, done = run_part(whole, Path(folder) / "out", task, annotate)
    return {
        "rows": done,
        "zipf": zipf,
        "distinct": everywhere,
        "asked": distinct,
        "asked_share": round(distinct / rows, 4),
        "job_rows_per_second": round(done / seconds, 1),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--names", type=Path, required=True, help="names, one a line")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--zipf", type=float, help="exponent; names then repeat themselves")
    parser.add_argument("--task", default="host-category")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("-o", "--out", type=Path, required=True)
    args = parser.parse_args()
    annotate = Annotate([args.task], "text", args.model, threads=args.threads, cache=CACHE)
    if args.zipf is None:
        found = compare(args.names, args.rows, args.task, annotate, args.rounds)
    else:
        found = repeated(args.names, args.rows, args.zipf, args.task, annotate)
    head = {
        "date": date.today().isoformat(),
        "machine": machine(),
        "threads": args.threads,
        "load_at_end": round(os.getloadavg()[0], 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    args.out.write_text(json.dumps(head | found, indent=1) + "\n")
    print(json.dumps(head | found))


if __name__ == "__main__":
    main()
