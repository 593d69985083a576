"""Options that the comparisons share, and what follows from them."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from unmist.artifact import model_folder
from unmist.engine.units import has_bf16
from unmist.evaluate.compare import contenders as c
from unmist.evaluate.compare import light, names
from unmist.evaluate.compare.bodies import Body, ours, peer
from unmist.evaluate.compare.training import Recipe
from unmist.evaluate.folders import named


def add(parser: argparse.ArgumentParser) -> None:
    """Data, models, rows and recipe."""
    parser.add_argument("--data", type=Path, required=True, help="folder with tasks/")
    parser.add_argument(
        "--model", type=model_folder, default="small", help="model folder, or a shipped size"
    )
    parser.add_argument("--rows", type=int, default=20_000, help="training rows, by group")
    parser.add_argument("--rows-seed", type=int, default=1, help="which rows are drawn")
    parser.add_argument("--epochs", type=int, default=8, help="how often a row is seen")
    parser.add_argument("--batch-rows", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--minutes-per-fit", type=float, default=12.0, help="cap on the clock")
    parser.add_argument(
        "--bf16", action=argparse.BooleanOptionalAction, help="default: if the CPU has the units"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for vectors and answers, kept between runs"
    )


def add_peers(parser: argparse.ArgumentParser) -> None:
    """Models to compare with, and other sizes of ours."""
    parser.add_argument(
        "--ours", action="append", default=[], metavar="NAME=DIR", help="another size of unmist"
    )
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="sentence-transformers folder, as tools/get_peers.py makes them; may be given again",
    )


def recipe(args: argparse.Namespace) -> Recipe:
    """The recipe; sets torch's threads on the way."""
    torch.set_num_threads(args.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    return Recipe(
        epochs=args.epochs,
        batch_rows=args.batch_rows,
        minutes=args.minutes_per_fit,
        bf16=has_bf16() if args.bf16 is None else args.bf16,
    )


def settings(how: Recipe, args: argparse.Namespace, *more: str) -> dict[str, Any]:
    """What decides a fit: it must be the same when a run goes on."""
    names = ("rows", "rows_seed", *more)
    return {**vars(how), **{name: getattr(args, name) for name in names}}


def light_ones(how: Recipe, threads: int, every: bool) -> list[c.Contender]:
    """n-grams and fastText; with ``every`` a second time, on all rows."""
    found: list[c.Contender] = [c.Floor(), c.Words(how, threads)]
    return found + ([c.Floor(every=True), c.Words(how, threads, every=True)] if every else [])


def cnn(how: Recipe) -> c.Contender:
    """The character CNN."""
    return c.Tuned(names.CNN, names.WHOLE, light.character_cnn, how, scratch=True)


def of_ours(
    name: str, folder: Path, how: Recipe, args: argparse.Namespace, ways: Sequence[str]
) -> list[c.Contender]:
    """A model folder of unmist, used in each of the ways."""

    def body() -> Body:
        return ours(folder)

    encoder = c.our_encoder(name, folder, args.threads)
    every: dict[str, c.Contender] = {
        names.PROBE: c.Probed(name, encoder, folder, args.work / "vectors"),
        names.LORA: c.Tuned(name, names.LORA, body, how, folder),
        names.WHOLE: c.Tuned(name, names.WHOLE, body, how, folder),
        names.SHIPPED: c.Shipped(name, folder, args.threads),
    }
    return [every[way] for way in ways]


def sizes(args: argparse.Namespace) -> dict[str, Path]:
    """Model folders of unmist that take part, by name; the first is the one that is compared."""
    more = {name: model_folder(folder) for name, folder in named(args.ours).items()}
    return {names.OURS: args.model, **more}


def of_peer(
    name: str, folder: Path, how: Recipe, args: argparse.Namespace, ways: Sequence[str]
) -> list[c.Contender]:
    """A peer, used in each of the ways."""

    def body() -> Body:
        return peer(folder)

    vectors = args.work / "vectors" / ("bf16" if how.bf16 else "f32")
    encoder = c.peer_encoder(name, folder, args.threads)
    every: dict[str, c.Contender] = {
        names.PROBE: c.Probed(name, encoder, folder, vectors, how.bf16),
        names.LORA: c.Tuned(name, names.LORA, body, how, folder),
        names.WHOLE: c.Tuned(name, names.WHOLE, body, how, folder),
    }
    return [every[way] for way in ways]


def pythons(values: Sequence[str]) -> dict[str, str]:
    """``NAME=PATH`` of interpreters; a path stays as it is, since it may be a link."""
    return {name: str(path) for name, path in named(values).items()}
