"""Ours as detectors beside those that people install: what is found at 1 % false alarms.

::

    unmist evaluate detection --data DATA --work WORK -o docs/benchmarks

Generated names by family (no family that is held out is in any training row), phishing names, and
phishing URLs. Rivals are asked as far as they are there; with ``--ours-only`` nobody but our models
is where a task has rivals, and the others' figures stay those of ``detection.json``, which were of
the same rows. Writes
``detection.json`` and ``.md``. Needs ``unmist[train,peers]``.
"""

import argparse
import json
import sys
from collections.abc import Callable, Collection, Sequence
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

_FILE: Final = "detection.json"
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
    before = _before(args.output / _FILE) if args.ours_only else None
    absent: dict[str, str] = before["absent"] if before else {}
    for task in args.tasks:
        rows, positive, others = TASKS[task]
        asked = rows(args.data)
        known = {
            f"unmist {folder.name}": (model.hash[:16], detectors.ours(model, task, positive))
            for folder, model in zip(args.model, models, strict=True)
        }
        sizes = {name: len(part) for name, part in asked.parts.items()}
        figures: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        if before is not None and others:  # first, since rows may be others
            rest = _of_others(before["tasks"].get(task), known, sizes, len(asked.harmless))
        else:
            learnt = read(args.data, task, Limits())
            known["n-grams"] = ("", detectors.ngrams(positive, learnt))
            pythons = options.pythons(args.python)
            known |= {name: ("", detectors.rival(name, pythons)) for name in others}
        for name, (weights, score) in known.items():
            kept = detectors.kept(score, args.work / "scores", f"{task} {name} {weights}")
            try:
                figures[name] = detectors.measure(asked, kept)
            except UsageError as error:
                absent[name] = str(error)
            print(f"{task}: {name}", file=sys.stderr, flush=True)
        found = {"harmless": len(asked.harmless), "parts": sizes, "detectors": figures | rest}
        tasks[task] = found
    circumstances = measure.circumstances(args.threads)
    return {"tasks": tasks, "absent": absent, "circumstances": circumstances}


def _before(path: Path) -> dict[str, Any]:
    """What was measured before. Raises UsageError where there is nothing."""
    if not path.is_file():
        raise UsageError(
            f"{path}: not there, so there are no figures to keep; leave out --ours-only"
        )
    said: dict[str, Any] = json.loads(path.read_text())
    return said


def _of_others(
    task: dict[str, Any] | None, ours: Collection[str], sizes: dict[str, int], harmless: int
) -> dict[str, Any]:
    """The figures of all other detectors on the same rows, measured before.

    Raises:
        UsageError: the rows are not the same.
    """
    if task is None or task["parts"] != sizes or task["harmless"] != harmless:
        raise UsageError(f"{_FILE} is of other rows; measure all, without --ours-only")
    return {name: one for name, one in task["detectors"].items() if name not in ours}


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
    parser.add_argument(
        "--ours-only", action="store_true", help=f"keep the others' figures of OUTPUT/{_FILE}"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write into")
    args = parser.parse_args(argv)
    args.model = args.model or [model_folder("small"), model_folder("edge")]
    whole = run(args)
    write_text(args.output / _FILE, json.dumps(whole, indent=1) + "\n")
    write_text(args.output / "detection.md", page(whole))


if __name__ == "__main__":
    main()
