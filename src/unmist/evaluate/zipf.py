"""What the cache of answers is worth on traffic that repeats itself: a Zipf stream of names.

    python -m unmist.evaluate.zipf --rows names.txt -o zipf.json

The r-th most frequent name comes with a probability in proportion to r ** -s. s = 0.9 to 1 is what
studies of DNS at resolvers found (Jung et al., "DNS performance and the effectiveness of caching",
2002: 0.91). Both contenders read the same stream, through ``Model.stream``, in turn.
"""

import argparse
import json
import os
import statistics
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import unmist
from unmist.cache import ENTRIES
from unmist.errors import InputError
from unmist.evaluate.machine import machine
from unmist.model import Model
from unmist.verdict import Verdict


def zipf_stream(names: list[str], count: int, exponent: float, seed: int = 0) -> list[str]:
    """``count`` draws from ``names``, the first the most frequent after a shuffle."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(names))
    weights = np.arange(1, len(names) + 1) ** -exponent
    drawn = rng.choice(len(names), count, p=weights / weights.sum())
    return [names[order[i]] for i in drawn.tolist()]


def read_through(model: Model, stream: list[str], task: str) -> tuple[float, list[Verdict]]:
    """Seconds of processor, which other work on the machine stretches less than the clock, and
    the verdicts."""
    began = time.process_time()
    verdicts = list(model.stream(stream, task))
    return time.process_time() - began, verdicts


def compare(names: list[str], args: argparse.Namespace) -> dict[str, Any]:
    """Rows a second with and without a cache, and whether the answers are the same."""
    stream = zipf_stream(names, args.count, args.exponent)
    model_path = args.model or None
    cached = unmist.load(model_path, threads=1, cache=args.cache)
    plain = unmist.load(model_path, threads=1, cache=0)
    for model in (cached, plain):
        list(model.stream(stream[:64], args.task))
    seconds: dict[str, list[float]] = {"cache": [], "no cache": []}
    differ = 0
    for _ in range(args.rounds):
        cached.cache_clear()
        took, with_cache = read_through(cached, stream, args.task)
        seconds["cache"].append(took)
        took, without = read_through(plain, stream, args.task)
        seconds["no cache"].append(took)
        pairs = zip(with_cache, without, strict=True)
        differ += sum(a.model_label != b.model_label for a, b in pairs)
        print(seconds, file=sys.stderr, flush=True)
    info = cached.cache_info()
    rates = {who: args.count / statistics.median(taken) for who, taken in seconds.items()}
    return {
        "date": date.today().isoformat(),
        "machine": machine(),
        "load_average": os.getloadavg()[0],
        "rows": args.count,
        "names": len(names),
        "names_that_came": len(set(stream)),
        "exponent": args.exponent,
        "cache": args.cache,
        "rounds": args.rounds,
        "rows_per_processor_second": {who: round(rate) for who, rate in rates.items()},
        "ratio": round(rates["cache"] / rates["no cache"], 2),
        "share_of_distinct_lookups_answered": round(info.hits / (info.hits + info.misses), 4),
        "labels_that_differ": differ,
    }


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=Path, required=True, help="different names, one a line")
    parser.add_argument("--task", default="host-category")
    parser.add_argument("--model", default="", help="model folder (default: the shipped one)")
    parser.add_argument("--count", type=int, default=200_000, help="rows of the stream")
    parser.add_argument("--exponent", type=float, default=0.91)
    parser.add_argument("--cache", type=int, default=ENTRIES)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    if not args.rows.is_file():
        raise InputError("no such file of names, one a line", str(args.rows))
    names = list(dict.fromkeys(args.rows.read_text(encoding="utf-8").split()))
    text = json.dumps(compare(names, args), indent=1) + "\n"
    if args.output is not None:
        args.output.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
