"""What specialists on one shared encoder cost: a mixed batch, one text asked by many.

::

    unmist evaluate mixed --data DATA -o docs/benchmarks/mixed.json

CPU time of one thread, so that other work on the machine matters little; medians of rounds in
which the cases take turns.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

from unmist.artifact import model_folder, open_folder
from unmist.engine import Engine
from unmist.errors import UsageError
from unmist.evaluate.compare.pages import write_text
from unmist.evaluate.machine import machine
from unmist.evaluate.sampling import sample
from unmist.text import normalize

SPECIALISTS: Final = 8
ROWS: Final = 256
_CARRIER: Final = "host-category"  # the task whose test names are asked about


def measure(model: Path, names: list[str], rounds: int) -> dict[str, Any]:
    """CPU milliseconds of each case, and the three ratios.

    Args:
        model: a model folder with eight specialists or more.
        names: hostnames; the first :data:`ROWS` are asked about.
        rounds: of all cases.

    Raises:
        UsageError: the model has fewer specialists.
    """
    folder = open_folder(model)
    engine = Engine(folder, threads=1)
    tasks = engine.tasks[:SPECIALISTS]
    if len(tasks) < SPECIALISTS:
        raise UsageError(f"{model}: {len(tasks)} specialists, expected {SPECIALISTS} or more")
    kept = [normalize(name, "hostname") for name in names[:ROWS]]
    rows = folder.tokenizer.encode_batch(kept, "hostname")
    alone, first = [(i, tasks[0]) for i in range(len(rows))], rows[:1]
    spread = [(i, tasks[i % SPECIALISTS]) for i in range(len(rows))]
    cases: dict[str, Callable[[], object]] = {
        "encoder alone": lambda: engine.run(rows),
        "one specialist": lambda: engine.run_mixed(rows, alone),
        "eight specialists, a row each": lambda: engine.run_mixed(rows, spread),
        "one text, one specialist": lambda: engine.run_mixed(first, [(0, tasks[0])]),
        "one text, eight specialists": lambda: engine.run_mixed(first, [(0, t) for t in tasks]),
        "each text, eight specialists": lambda: engine.run_mixed(
            rows, [(i, task) for i in range(len(rows)) for task in tasks]
        ),
    }
    milliseconds = {name: statistics.median(t) for name, t in _turns(cases, rounds).items()}
    one, many = milliseconds["one specialist"], milliseconds["eight specialists, a row each"]
    single = milliseconds["one text, one specialist"]
    return {
        "engine": engine.name,
        "cpu_ms": {name: round(value, 3) for name, value in milliseconds.items()},
        "specialist_over_encoder": round(one / milliseconds["encoder alone"], 3),
        "mixed_over_one": round(many / one, 3),
        "eight_over_one_single_text": round(
            milliseconds["one text, eight specialists"] / single, 3
        ),
        "eight_over_one_in_a_batch": round(milliseconds["each text, eight specialists"] / one, 3),
    }


def _turns(cases: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, ask in cases.items():
            ask()  # what the case before it left in caches and memory is not its cost
            began = time.process_time()
            ask()
            taken[name].append((time.process_time() - began) * 1e3)
    return taken


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with tasks/")
    parser.add_argument("--model", type=model_folder, default="small", help="folder or size")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args(argv)
    chosen = sample(args.data / "tasks" / _CARRIER / "test.tsv.zst", ROWS, 0)
    names = [one.text for one in chosen]
    said = {"date": date.today().isoformat(), "machine": machine(), "rounds": args.rounds}
    found = measure(args.model, names, args.rounds)
    write_text(args.output, json.dumps(said | found, indent=1) + "\n")


if __name__ == "__main__":
    main()
