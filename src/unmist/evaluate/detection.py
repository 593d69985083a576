"""Ours as detectors beside those that people install: what is found at 1 % false alarms.

::

    unmist evaluate detection --data DATA --work WORK -o docs/benchmarks

Generated names by family (no family that is held out is in any training row), phishing names, and
phishing URLs. Rivals are asked as far as they are there. Writes ``detection.json`` and ``.md``.
Needs ``unmist[train,peers]``.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import unmist
from unmist.artifact import model_folder
from unmist.errors import UsageError
from unmist.evaluate import detectors, rivals
from unmist.evaluate.compare import measure, options
from unmist.evaluate.compare.pages import write_text
from unmist.evaluate.compare.rows import Limits, read
from unmist.evaluate.detection_page import page

TASKS: Final[dict[str, tuple[Callable[[Path], detectors.Asked], str, tuple[str, ...]]]] = {
    "host-dga": (detectors.dga_rows, "dga", rivals.DGA),
    "host-phishing": (partial(detectors.phishing_rows, task="host-phishing"), "phishing", ()),
    "url-threat": (
        partial(detectors.phishing_rows, task="url-threat"),
        "phishing",
        rivals.PHISHING,
    ),
}


def run(args: argparse.Namespace) -> dict[str, Any]:
    """The content of ``detection.json``."""
    models = [unmist.load(folder, threads=args.threads, cache=0) for folder in args.model]
    tasks: dict[str, Any] = {}
    absent: dict[str, str] = {}
    for task in args.tasks:
        rows, positive, others = TASKS[task]
        asked = rows(args.data)
        known = {
            f"unmist {folder.name}": (model.hash[:16], detectors.ours(model, task, positive))
            for folder, model in zip(args.model, models, strict=True)
        }
        learnt = read(args.data, task, Limits())
        known["n-grams"] = ("", detectors.ngrams(positive, learnt))
        pythons = options.pythons(args.python)
        known |= {name: ("", detectors.rival(name, pythons)) for name in others}
        figures = {}
        for name, (weights, score) in known.items():
            kept = detectors.kept(score, args.work / "scores", f"{task} {name} {weights}")
            try:
                figures[name] = detectors.measure(asked, kept)
            except UsageError as error:
                absent[name] = str(error)
            print(f"{task}: {name}", file=sys.stderr, flush=True)
        sizes = {name: len(part) for name, part in asked.parts.items()}
        tasks[task] = {"harmless": len(asked.harmless), "parts": sizes, "detectors": figures}
    circumstances = measure.circumstances(args.threads)
    return {"tasks": tasks, "absent": absent, "circumstances": circumstances}


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with tasks/")
    parser.add_argument(
        "--model", type=model_folder, action="append", help="model folder, or a shipped size"
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for scores, kept between runs"
    )
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help=f"Python that has a detector, of {', '.join((*rivals.DGA, *rivals.PHISHING))}",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write into")
    args = parser.parse_args(argv)
    args.model = args.model or [model_folder("small"), model_folder("edge")]
    whole = run(args)
    write_text(args.output / "detection.json", json.dumps(whole, indent=1) + "\n")
    write_text(args.output / "detection.md", page(whole))


if __name__ == "__main__":
    main()
