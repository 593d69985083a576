"""Rows per second beside what people would use instead, in one run on one machine.

::

    unmist evaluate speed --data DATA --peer minilm=peers/minilm -o docs/benchmarks

Contenders take turns, each in a fresh process, so that a slow minute of the machine hits all of
them; figures are medians over the rounds and the ratio is the number to look at. Writes
``speed.json`` and ``speed.md``; ``--page-only`` writes the page again from the JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from unmist.artifact import model_folder, open_folder
from unmist.errors import UsageError
from unmist.evaluate import speed_worker
from unmist.evaluate.compare.pages import write_text
from unmist.evaluate.folders import named
from unmist.evaluate.machine import machine
from unmist.evaluate.sampling import sample
from unmist.evaluate.speed_page import MATRIX, page
from unmist.labelled.data import examples

BATCHES: Final = (1, 32, 256)


@dataclass(frozen=True)
class Workload:
    """Real rows of one field, and the specialist that is asked about them."""

    field: str
    task: str
    rows: int


@dataclass(frozen=True)
class Contender:
    """``kind`` is one of the worker's; ``folder`` is empty for what has none."""

    name: str
    kind: str
    python: str
    folder: Path | None = None

    def megabytes(self) -> float | None:
        """What of its folder is read, in MB."""
        if self.folder is None:
            return None
        sizes = {p: p.stat().st_size for p in self.folder.rglob("*") if p.is_file()}
        if self.kind == "onnx-int8":
            sizes = {p: n for p, n in sizes.items() if p.suffix == ".json" or "qint8" in p.name}
        else:
            sizes = {p: n for p, n in sizes.items() if "onnx" not in p.parts}
        return round(sum(sizes.values()) / 1e6, 1)


def ask(python: str, order: Mapping[str, Any]) -> dict[str, Any]:
    """One worker once. Raises UsageError with the end of its output when it fails."""
    said = json.dumps({**order, "started": time.time()})
    # Run by its path; without PYTHONSAFEPATH the modules beside it would hide others of their name.
    environment = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": str(order["threads"]),
        "PYTHONSAFEPATH": "1",
    }
    command = [python, speed_worker.__file__, said]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise UsageError(f"{order['kind']} {order['folder']}: failed\n{done.stderr[-800:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def texts(data: Path, load: Workload) -> list[str]:
    """Rows of the task's test split, drawn with seed 0: the files are sorted by label or source."""
    return [one.text for one in sample(data / "tasks" / load.task / "test.tsv.zst", load.rows, 0)]


def middle(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Medians of numbers, also of those one level down; of other values the first."""
    first = results[0]
    out: dict[str, Any] = {}
    for key, value in first.items():
        every = [result[key] for result in results]
        if isinstance(value, Mapping):
            out[key] = middle(every)
        else:
            out[key] = statistics.median(every) if isinstance(value, int | float) else value
    return out


def compare(
    data: Path,
    loads: Sequence[Workload],
    contenders: Sequence[Contender],
    threads: Sequence[int],
    rounds: int,
    seconds: float,
) -> list[dict[str, Any]]:
    """One entry for each workload, number of threads and contender, in that order."""
    entries = []
    with tempfile.TemporaryDirectory(prefix="unmist-") as scratch:
        for load in loads:
            file, asked = Path(scratch) / f"{load.field}.jsonl", texts(data, load)
            file.write_text("".join(json.dumps(text) + "\n" for text in asked))
            known = examples(data / "tasks" / load.task / "dev.tsv.zst")
            labels = len({one.label for one in known})
            for count in threads:
                about = {"field": load.field, "task": load.task, "threads": count}
                order = about | {"texts": str(file), "batches": BATCHES, "labels": labels}
                taken = _rounds(contenders, order | {"seconds": seconds}, rounds)
                for name, results in taken.items():
                    entries.append({"contender": name, **about, **middle(results)})
    return entries


def _rounds(
    contenders: Sequence[Contender], order: Mapping[str, Any], rounds: int
) -> dict[str, list[dict[str, Any]]]:
    turns = [Contender(MATRIX, "matrix", sys.executable), *contenders]
    taken: dict[str, list[dict[str, Any]]] = {one.name: [] for one in turns}
    for _ in range(rounds):
        for one in turns:
            mine = {"kind": one.kind, "folder": str(one.folder or "")}
            taken[one.name].append(ask(one.python, {**order, **mine}))
            rate = taken[one.name][-1].get("rows_per_second", "")
            print(order["field"], order["threads"], one.name, rate, file=sys.stderr, flush=True)
    return taken


def flops(folder: Path, tokens: float, tokens_squared: float) -> float:
    """Floating-point operations of one row's way through an encoder: two for each weight of its
    layers and token, and both products of attention. Norms, softmax and the table are not in it."""
    config = open_folder(folder).config
    hidden, inner = config.hidden_size, config.intermediate_size
    weights = 4 * hidden**2 + 3 * hidden * inner
    return config.num_hidden_layers * (2 * weights * tokens + 4 * hidden * tokens_squared)


def contenders_of(args: argparse.Namespace) -> list[Contender]:
    """In the order of the page: ours, the peers', the n-grams. Raises UsageError."""
    out = []
    for size in args.ours:
        for kind in ("vectors", "verdicts"):
            out.append(Contender(f"unmist {size} {kind}", kind, sys.executable, model_folder(size)))
    for kind, given in (("openvino", args.peer), ("onnx-int8", args.int8)):
        for name, folder in named(given).items():
            if not folder.is_dir():
                said = "expected NAME=DIR, a sentence-transformers folder"
                raise UsageError(f"{name}={folder}: no such folder; {said}")
            out.append(Contender(f"{name} {kind}", kind, args.peer_python, folder))
    return [*out, Contender("n-grams", "ngrams", sys.executable)]


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with tasks/")
    parser.add_argument("--ours", nargs="*", default=["small", "edge"], help="sizes or folders")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=DIR")
    parser.add_argument(
        "--int8", action="append", default=[], metavar="NAME=DIR",
        help="a peer with onnx/model_qint8_*.onnx in its folder",
    )  # fmt: skip
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hostnames", type=int, default=8000)
    parser.add_argument("--commands", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each batch size")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    parser.add_argument("--page-only", action="store_true")
    args = parser.parse_args(argv)
    file = args.output / "speed.json"
    if not args.page_only:
        write_text(file, json.dumps(_run(args), indent=1) + "\n")
    write_text(args.output / "speed.md", page(json.loads(file.read_text())))


def _run(args: argparse.Namespace) -> dict[str, Any]:
    if args.data is None:
        raise UsageError("--data: name the folder with tasks/")
    loads = [
        Workload("hostname", "host-category", args.hostnames),
        Workload("command", "command-threat", args.commands),
    ]
    contenders = contenders_of(args)
    entries = compare(args.data, loads, contenders, args.threads, args.rounds, args.seconds)
    folders = {one.name: one for one in contenders}
    for entry in entries:
        own = folders.get(entry["contender"])
        entry["disk_mb"] = None if own is None else own.megabytes()
        if own is not None and own.folder is not None and "tokens" in entry:
            entry["flops_per_row"] = flops(own.folder, entry["tokens"], entry["tokens_squared"])
    return {
        "date": date.today().isoformat(),
        "machine": machine(),
        "command": _command(args),
        "rounds": args.rounds,
        "rows": {load.field: load.rows for load in loads},
        "entries": entries,
    }


def _command(args: argparse.Namespace) -> str:
    """What was asked for, without the folders of this machine."""
    peers = [f"--peer {value.partition('=')[0]}=DIR" for value in args.peer]
    peers += [f"--int8 {value.partition('=')[0]}=DIR" for value in args.int8]
    said = [f"--rounds {args.rounds}", f"--hostnames {args.hostnames}"]
    said += [f"--commands {args.commands}", f"--seconds {args.seconds:g}"]
    return " ".join(["unmist evaluate speed --data DATA", *peers, *said])


if __name__ == "__main__":
    main()
