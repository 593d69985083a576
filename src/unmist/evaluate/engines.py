"""Engines side by side on one model: speed, size, and what they cost in accuracy.

    pip install 'unmist[bench]'
    unmist evaluate engines --data dev.tsv.zst -o engines.json

Rows are tokenised once; an engine gets token ids. Every engine runs in a process of its own for
every number of threads, and rounds take turns, so that a busy minute of the machine hits all.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

import unmist
from unmist.artifact import model_folder, open_folder
from unmist.engine.wide import Wide
from unmist.errors import UsageError
from unmist.evaluate import engines_worker
from unmist.evaluate.compare.pages import write_text
from unmist.evaluate.machine import machine
from unmist.labelled.data import examples
from unmist.model import Model
from unmist.text import normalize

BASE: Final = "openvino f32"


def tokens(model: Model, texts: list[str], task: str) -> np.ndarray:
    """Token ids int32 [n, longest], padded with 0."""
    field = model.field_of(task)
    rows = model._answerer.encode([normalize(text, field) for text in texts], field)[0]
    ids = np.zeros((len(rows), max(map(len, rows))), np.int32)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
    return ids


def run_once(
    engine: str, model: Path, inputs: Path, threads: int
) -> tuple[dict[str, Any], np.ndarray]:
    """One engine once: its figures, and its logits. Raises UsageError when it fails."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", engines_worker.__name__, engine, str(model), str(inputs)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        done = subprocess.run(
            [*command, str(threads), out],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        if done.returncode:
            raise UsageError(f"{engine}: failed\n{done.stderr[-800:]}")
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result, np.load(Path(out) / "logits.npy")


def compare(args: argparse.Namespace) -> dict[str, Any]:
    """All engines and numbers of threads."""
    folder = model_folder(args.model or None)
    model = unmist.load(folder, threads=1, cache=0)
    # The files are sorted by label or source, and the first rows would be of one kind.
    chosen = random.Random(0).sample(examples(args.data), args.calibration + args.rows)
    known = [one.text for one in chosen[: args.calibration]]
    asked = [one.text for one in chosen[args.calibration :]]
    labels = model.labels(args.task)
    truth = np.array([labels.index(one.label) for one in chosen[args.calibration :]])
    rows, calibration = (tokens(model, part, args.task) for part in (asked, known))
    head = open_folder(folder).adapters[args.task].wide
    read = [model.tokenizer.decode(row) for row in rows]
    beside = Wide(*head).logits(read) if head is not None else 0.0
    found: dict[str, Any] = {}
    answers: dict[str, np.ndarray] = {}
    with tempfile.TemporaryDirectory() as place:
        inputs = Path(place) / "inputs.npz"
        np.savez(inputs, rows=rows, calibration=calibration, task=np.array(args.task))
        for threads in args.threads:
            for engine in args.engines:
                figures, logits = run_once(engine, folder, inputs, threads)
                answers.setdefault(engine, (logits + beside).argmax(1))
                about = found.setdefault(engine, quality(answers, engine, truth))
                about[f"{threads} threads"] = figures
                print(engine, threads, about, file=sys.stderr, flush=True)
    return {
        "date": date.today().isoformat(),
        "machine": machine(),
        "load_average": os.getloadavg()[0],
        "task": args.task,
        "rows": len(truth),
        "calibration_rows": len(known),
        "engines": found,
    }


def quality(answers: dict[str, np.ndarray], engine: str, truth: np.ndarray) -> dict[str, Any]:
    """Accuracy of an engine's answers, and beside those of the base where they are known."""
    given = answers[engine]
    figures = {"accuracy": round(float((given == truth).mean()), 4)}
    if BASE in answers:
        base = answers[BASE]
        loss = float((base == truth).mean() - (given == truth).mean())
        figures["accuracy_loss_points"] = round(loss * 100, 2)
        figures["label_agreement"] = round(float((given == base).mean()), 5)
    return figures


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="labelled TSV")
    parser.add_argument("--task", default="host-category")
    parser.add_argument("--model", type=Path, help="model folder (default: the shipped one)")
    parser.add_argument("--rows", type=int, default=4000, help="rows to ask about")
    parser.add_argument("--calibration", type=int, default=512, help="rows before them, for int8")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--engines", nargs="+", default=list(engines_worker.ENGINES))
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args(argv)
    text = json.dumps(compare(args), indent=1) + "\n"
    if args.output is not None:
        write_text(args.output, text)
    print(text, end="")


if __name__ == "__main__":
    main()
