"""Rows per second beside what people would use instead, in one run on one machine.

    python -m unmist.evaluate.speed --rows names.txt --peer MINILM -o speed.json

Contenders take turns, each in a fresh process, so that a slow minute of the machine hits all of
them; figures are medians over the rounds and the ratio is the number to look at.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

from unmist.errors import InputError, UsageError
from unmist.evaluate import speed_worker

PEER = "sentence-transformers openvino"


def run_once(
    python: str, contender: str, folder: str, rows: Path, threads: int
) -> dict[str, float]:
    """One contender once. Raises UsageError with the end of its output when it fails."""
    command = [python, speed_worker.__file__, contender, folder, str(rows), str(threads)]
    # Run by its path; without PYTHONSAFEPATH the modules beside it would hide others of their name.
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": str(threads),
        "PYTHONSAFEPATH": "1",
    }
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise UsageError(f"{contender}: failed\n{done.stderr[-800:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(
    rows: Path, peer: Path, peer_python: str, model: str, threads: int, rounds: int
) -> dict[str, Any]:
    """Medians per contender and unmist's rate as a multiple of the peer's."""
    if not rows.is_file():
        raise InputError("no such file of texts, one a line", str(rows))
    contenders = {
        "unmist embed": (sys.executable, model),
        "unmist classify": (sys.executable, model),
        PEER: (peer_python, str(peer)),
    }
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, (python, folder) in contenders.items():
            taken[name].append(run_once(python, name, folder, rows, threads))
            print(name, taken[name][-1], file=sys.stderr, flush=True)
    medians = {
        name: {
            key: round(statistics.median(result[key] for result in results), 2)
            for key in results[0]
        }
        for name, results in taken.items()
    }
    base = medians[PEER]["rows_per_second"]
    return {
        "date": date.today().isoformat(),
        "machine": machine(),
        "threads": threads,
        "rounds": rounds,
        "rows": sum(1 for _ in rows.open("rb")),
        "peer": peer.name,
        "contenders": medians,
        "ratio": {
            name: round(figures["rows_per_second"] / base, 2) for name, figures in medians.items()
        },
    }


def machine() -> str:
    """The CPU's name, and how many of them there are."""
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=Path, required=True, help="texts, one a line")
    parser.add_argument("--peer", type=Path, required=True, help="sentence-transformers folder")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--model", default="", help="model folder (default: the shipped one)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    result = compare(args.rows, args.peer, args.peer_python, args.model, args.threads, args.rounds)
    text = json.dumps(result, indent=1) + "\n"
    if args.output is not None:
        args.output.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
