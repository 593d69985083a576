"""Pretraining on a CPU within a wall-clock budget; resumable, logged as JSON lines.

python -m unmist.train.pretrain --data DATA --tokenizer tokenizer.json --run DIR --minutes 60
"""

import argparse
import json
from pathlib import Path

import torch

from unmist.text import Tokenizer
from unmist.train import shares
from unmist.train.encoder import SIZES, Shape
from unmist.train.heldout import PROBES, HeldOut
from unmist.train.mixture import Mixture, prepare
from unmist.train.pairs import Pairs
from unmist.train.pretrain_recipe import Recipe
from unmist.train.run import Run


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with pretrain/ and tasks/")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--mixture", type=Path, help="prepared mixture (default: RUN/mixture…)")
    parser.add_argument(
        "--fields", default=" ".join(shares.FIELD_SHARES), help="separated by spaces"
    )
    parser.add_argument("--tasks", default="", help="task folders whose training split is added")
    parser.add_argument(
        "--written",
        type=int,
        default=0,
        help="times each template of rows by hand is filled; pairs then have owners by hand, too",
    )
    parser.add_argument("--probes", default=" ".join(PROBES), help="tasks probed on the way")
    parser.add_argument(
        "--run", type=Path, required=True, help="folder of the run; resumed if there"
    )
    parser.add_argument("--threads", type=int, default=2)
    for name, default in vars(Recipe()).items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=default)
        elif name != "shape":
            parser.add_argument(flag, type=type(default), default=default)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    args.run.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(args.tokenizer)
    mixture_path = args.mixture or args.run / "mixture.safetensors"
    if not mixture_path.exists():
        fields, tasks = args.fields.split(), args.tasks.split()
        prepare(args.data, tokenizer, fields, tasks, mixture_path, args.written)
    recipe = Recipe(**{k: getattr(args, k) for k in vars(Recipe()) if k != "shape"})
    stored = args.run / "recipe.json"
    if stored.exists():
        recipe = Recipe(**json.loads(stored.read_text()) | {"minutes": args.minutes})
    else:
        recipe.shape = shape_of(args.size, tokenizer.size).as_dict()
    stored.write_text(json.dumps(vars(recipe), indent=1) + "\n")
    by_hand = args.written > 0
    compared = Pairs(args.data, tokenizer, by_hand=by_hand) if recipe.pairs else None
    run = Run(args.run, recipe, Mixture(mixture_path), tokenizer, compared)
    run.train(probe=HeldOut(args.data, tokenizer, args.probes.split()))


def shape_of(size: str, vocabulary: int) -> Shape:
    """The shape of a named size, or ``LAYERSxWIDTH``, with the tokenizer's vocabulary."""
    if size in SIZES:
        return Shape(**SIZES[size].as_dict() | {"vocabulary": vocabulary})
    layers, hidden = map(int, size.split("x"))
    return Shape(layers=layers, hidden=hidden, vocabulary=vocabulary)


if __name__ == "__main__":
    main()
