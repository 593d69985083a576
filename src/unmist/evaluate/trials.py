"""Ways of pretraining from nothing, each given the same minutes on one thread.

::

    unmist evaluate trials --data DATA --mixture mixture.safetensors --general general.safetensors \
        --work WORK -o docs/benchmarks

Every trial changes one thing of the first. Judged by bits a byte of masked tokens and by linear
probes of every task on dev rows; the first is run with several seeds, which tells what is chance.
Two processes, one a core, share the work with ``--lane 1/2`` and ``--lane 2/2``; the same command
goes on where it stood. Writes ``trials.json`` and ``trials.md``. Needs ``unmist[train]``.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from unmist.artifact import layout, model_folder
from unmist.evaluate.compare import measure
from unmist.evaluate.compare.pages import markdown_table, write_json, write_text
from unmist.text import Tokenizer
from unmist.train.heldout import HeldOut
from unmist.train.mixture import Mixture
from unmist.train.pretrain import shape_of
from unmist.train.pretrain_recipe import Recipe
from unmist.train.run import Run
from unmist.train.tried import KINDS

_SEEDS: Final = 3
_NOWHERE: Final = 10**9  # reports between probes: only the last counts
_BASE: Final = {"batches_a_step": 2, "bf16": True}


@dataclass(frozen=True)
class Trial:
    """One way of pretraining.

    Attributes:
        name: what is other than in the first.
        letter: the question it belongs to.
        recipe: fields of :class:`Recipe` that are other.
        kind: the class of :mod:`unmist.train.tried` that runs it.
        words: whether it names hidden tokens, so that bits a byte mean something.
    """

    name: str
    letter: str
    recipe: dict[str, Any] = field(default_factory=dict)
    kind: str = Run.__name__
    words: bool = True


FIRST: Final = "30 % masked, lists and labels beside"


def trials(general: str) -> list[Trial]:
    """All of them; ``general`` is the file with a sentence encoder's vectors."""
    seeds = [
        Trial(f"{FIRST}, seed {seed}", "seed", {"seed": seed}) for seed in range(1, _SEEDS + 1)
    ]
    alone = {"label_weight": 0.0, "whole_rows": 0.0, "anneal_whole_rows": 0.0}
    no_words = {"mask_rate": 0.0, "whole_rows": 1.0, "anneal_whole_rows": 1.0}
    return [
        *seeds,
        Trial("masked tokens alone", "objective", alone),
        Trial("lists and labels alone", "objective", no_words, words=False),
        Trial("15 % masked", "mask", {"mask_rate": 0.15}),
        Trial("45 % masked", "mask", {"mask_rate": 0.45}),
        Trial("whole labels and words masked", "mask", kind="WholeLabels"),
        Trial("n-grams of a piece added to its input", "input", kind="Spelt"),
        Trial("n-grams of a piece part of its row of the table", "input", {"spelling": True}),
        Trial("pairs of pieces added to the input", "input", kind="Paired"),
        Trial("a sentence encoder's vectors predicted", "distillation", {"general": general}),
        Trial("replaced tokens told beside", "detection", kind="Detected"),
        Trial("replaced tokens told instead (ELECTRA)", "detection", kind="Electra", words=False),
        Trial("8 layers of 192", "shape", {"size": "8x192"}),
        Trial("2 layers of 384", "shape", {"size": "2x384"}),
        Trial("AdamW for everything", "optimizer", {"muon": False}),
        Trial("twice as many tokens a step", "optimizer", {"batches_a_step": 4}),
        Trial("rate falls in the last tenth", "optimizer", {"decay": 0.1}),
    ]


def run(args: argparse.Namespace) -> None:
    """Run this lane's trials that are not done; each leaves ``result.json`` in its folder."""
    lane, lanes = map(int, args.lane.split("/"))
    tokenizer = Tokenizer(args.model / layout.TOKENIZER)
    mixture = Mixture(args.mixture)
    tasks = [path.name for path in sorted((args.data / "tasks").iterdir()) if path.is_dir()]
    asked = HeldOut(args.data, tokenizer, _first("host-category", tasks), every=_NOWHERE)
    for trial in trials(str(args.general))[lane - 1 :: lanes]:
        folder = args.work / _slug(trial.name)
        if (folder / "result.json").exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        recipe = Recipe(**_BASE | {"size": args.size, "minutes": args.minutes} | trial.recipe)
        recipe.shape = shape_of(recipe.size, tokenizer.size).as_dict()
        training = KINDS[trial.kind](folder, recipe, mixture, tokenizer)
        training.train(probe=asked)
        last = json.loads((folder / "log.jsonl").read_text().splitlines()[-1])
        write_json(folder / "result.json", last | {"circumstances": measure.circumstances(1)})
        training.checkpoint.unlink()
        print(trial.name, last, file=sys.stderr, flush=True)


def _first(name: str, names: Sequence[str]) -> list[str]:
    return sorted(names, key=lambda one: (one != name, one))


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split())


def collect(args: argparse.Namespace) -> dict[str, Any]:
    """What is done so far, as ``trials.json`` holds it."""
    done, then = [], None
    for trial in trials(str(args.general)):
        path = args.work / _slug(trial.name) / "result.json"
        if path.exists():
            found = json.loads(path.read_text())
            then = found["circumstances"]
            probes = {k: found[k] for k in found if (args.data / "tasks" / k).is_dir()}
            done.append(
                {
                    "name": trial.name,
                    "question": trial.letter,
                    "tokens": found["tokens"],
                    "steps": found["step"],
                    "bits_per_byte": found["bits_per_byte"] if trial.words else None,
                    "probes": probes,
                    "mean": round(statistics.mean(probes.values()), 4),
                }
            )
    return {
        "size": args.size,
        "minutes": args.minutes,
        "circumstances": then,
        "trials": done,
    }


def page(whole: dict[str, Any]) -> str:
    """``trials.md`` from the content of ``trials.json``."""
    done = whole["trials"]
    seeds = [one["mean"] for one in done if one["question"] == "seed"]
    base = statistics.mean(seeds)
    spread = max(seeds) - min(seeds)
    head = ["trial", "question", "tokens", "bits a byte", "host-category", "mean of probes"]
    then = whole["circumstances"]
    return "\n".join(
        [
            "# What pretraining learns in the same minutes",
            "",
            f"From random weights, {whole['size']} where the trial says nothing else, "
            f"{whole['minutes']:g} minutes of one thread each. Every trial changes one thing of "
            f"the first, which was run with {len(seeds)} seeds: their means lie {spread:.3f} "
            "apart, so a smaller difference is chance. *bits a byte*: of masked tokens of "
            "held-out hostnames. *mean of probes*: accuracy of a linear probe on frozen vectors, "
            f"dev rows, in the mean over {len(done[0]['probes'])} tasks; *difference*: what that "
            "is above the mean of the first's seeds.",
            "",
            f"Written by `unmist evaluate trials`, {then['date']}, {then['machine']}.",
            "",
            *markdown_table([*head, "difference"], [_row(one, base) for one in done]),
            "",
        ]
    )


def _row(one: dict[str, Any], base: float) -> list[str]:
    bits = one["bits_per_byte"]
    return [
        one["name"],
        one["question"],
        f"{one['tokens']:,}",
        "" if bits is None else f"{bits:.3f}",
        f"{one['probes']['host-category']:.3f}",
        f"{one['mean']:.4f}",
        f"{one['mean'] - base:+.4f}",
    ]


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with tasks/")
    parser.add_argument("--model", type=model_folder, default="small", help="whose tokenizer it is")
    parser.add_argument("--mixture", type=Path, help="of unmist.train.pretrain, with all tasks")
    parser.add_argument("--general", type=Path, help="of unmist.train.general, for that mixture")
    parser.add_argument("--work", type=Path, required=True, help="a folder of each trial's own")
    parser.add_argument("--size", default="4x256")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--lane", default="1/1", help="which trials: 1/2 takes every other one")
    parser.add_argument("--page-only", action="store_true", help="measure nothing")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write into")
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    if not args.page_only:
        run(args)
    whole = collect(args)
    write_json(args.output / "trials.json", whole)
    write_text(args.output / "trials.md", page(whole))


if __name__ == "__main__":
    main()
