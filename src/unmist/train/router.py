"""Train the router of a model folder: which field kind a text is of, and what is none.

::

    python -m unmist.train.router --data DATA --model MODEL
"""

import argparse
import json
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import torch
from safetensors.torch import save_file

from unmist.artifact import layout, manifest
from unmist.artifact.load import Router as Weights
from unmist.artifact.schema import ROUTER_FORMAT, RouterCard
from unmist.engine.router import Router, ends
from unmist.engine.wide import Wide
from unmist.text import FIELDS, normalize
from unmist.train import calibration, corpus, wide

PER_PART: Final = 6_000  # rows of one source or task
MOST: Final = 20_000  # rows of a field kind
LEAST: Final = 10_000  # rows of a field kind: one with fewer is read several times
BITS: Final = 16
FOREIGN: Final = 0.97  # share of the other kinds' dev rows that shall be unfamiliar
LEAST_ODDS: Final = 0.01  # what is less probable than this is unfamiliar in any case
KEPT: Final = 0.95  # share of a kind's own dev rows that stays familiar whatever that costs
_HELD_OUT: Final = 20  # every so many rows of a pretraining file is left for dev or test

Rows = dict[str, list[bytes]]


def gather(data: Path, seed: int = 1) -> dict[str, Rows]:
    """Texts of ``train``, ``dev`` and ``test`` by field kind.

    Tasks bring their own splits; of the pretraining files every twentieth row (by its hash) is
    dev or test. ``other`` is made up: random bytes, characters and numbers.
    """
    generator = random.Random(seed)
    found: dict[str, Rows] = {split: {} for split in ("train", "dev", "test")}
    tasks = sorted(path.parent.name for path in (data / "tasks").glob("*/task.toml"))
    for field in (field for field in FIELDS if (data / "pretrain" / field).is_dir()):
        for path in corpus.sources(data, field):
            rows = _sample(list(corpus.lines(path)), generator)
            for row in rows:
                found[_side(row)].setdefault(field, []).extend(_spellings(row, field, generator))
        for task in (task for task in tasks if corpus.field_of(data, task) == field):
            for split in found:
                rows = _sample([e.text for e in corpus.split(data, task, split)], generator)
                for row in rows:
                    found[split].setdefault(field, []).extend(_spellings(row, field, generator))
    for kinds in found.values():
        for field, texts in kinds.items():
            kinds[field] = generator.sample(texts, min(len(texts), MOST))
    for split, count in (("train", MOST), ("dev", 2_000), ("test", 2_000)):
        found[split]["other"] = [_nothing(generator) for _ in range(count)]
    return found


def _sample(rows: list[str], generator: random.Random) -> list[str]:
    return generator.sample(rows, PER_PART) if len(rows) > PER_PART else rows


def _side(row: str) -> str:
    place = zlib.crc32(row.encode("utf-8", "surrogatepass")) % (2 * _HELD_OUT)
    return {0: "dev", 1: "test"}.get(place, "train")


def _spellings(row: str, field: str, generator: random.Random) -> Iterator[bytes]:
    """A row as it is read and, for hostnames, as it may be written."""
    text = normalize(row, field)
    yield ends(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    if field == "hostname" and isinstance(text, str) and generator.random() < 0.2:
        other = generator.choice([text.upper(), text + ".", text + ":443", "www." + text])
        yield ends(other.encode("utf-8", "surrogatepass"))


def _nothing(generator: random.Random) -> bytes:
    """A text that is none of the kinds."""
    size = min(int(generator.lognormvariate(3, 1)) + 1, 250)
    kind = generator.randrange(5)
    if kind == 0:
        return ends(generator.randbytes(size)) or b"\x00"
    if kind == 1:
        characters = [chr(generator.randrange(33, 127)) for _ in range(size)]
        return "".join(characters).encode()
    if kind == 2:
        start = generator.choice([0x0400, 0x0590, 0x0E00, 0x3040, 0x4E00, 0xAC00, 0x1F300])
        return "".join(chr(start + generator.randrange(90)) for _ in range(size)).encode()
    if kind == 3:
        return str(generator.randrange(10 ** generator.randint(1, 30))).encode()
    return (
        bytes(generator.choice(b"!@#$%^&*()_+|~[]{}<>?/.,;: \t") for _ in range(size)).strip()
        or b"?"
    )


def train(rows: dict[str, Rows], seed: int = 1) -> Weights:
    """A router from texts of ``train`` and ``dev``; its card has the scores of ``test``."""
    fields = [field for field in FIELDS if rows["train"].get(field)]
    texts, labels = _level(rows["train"], fields)
    weight, bias = wide.train(wide.matrix(texts, BITS), labels, len(fields), seed)
    step = np.maximum(np.abs(weight).max(0), 1e-12) / 127
    rounded = np.round(weight / step).astype(np.int8)
    weights = (rounded, step.astype(np.float32))
    dev, actual = _level({field: rows["dev"][field] for field in fields}, fields)
    heat = calibration.temperature(Wide(*weights).logits(dev) + bias, actual)
    card = RouterCard(
        format=ROUTER_FORMAT,
        fields=fields,
        bias=[round(float(value), 6) for value in bias],
        temperature=heat,
        familiar={},
        licence="as the pretraining files and tasks of the data card",
        data="pretraining files and training splits of the tasks; other is made up",
    )
    familiar = thresholds(Router(Weights(card, weights)), rows["dev"], seed)
    scores = measure(Router(Weights(_with(card, familiar, {}), weights)), rows["test"])
    return Weights(_with(card, familiar, {"test": scores}), weights)


def thresholds(router: Router, rows: Rows, seed: int = 1, most: int = 2_000) -> dict[str, float]:
    """Per field kind, the least probability of it that makes a text familiar."""
    generator = random.Random(seed)
    chosen = {f: generator.sample(rows[f], min(len(rows[f]), most)) for f in router.fields}
    odds = {field: router.probabilities(texts) for field, texts in chosen.items()}
    found = {}
    for number, field in enumerate(router.fields):
        if field == "other":
            continue
        others = [odds[other][:, number] for other in router.fields if other != field]
        grid = np.unique(np.concatenate([odds[field][:, number], *others]))
        refused = np.mean([np.searchsorted(np.sort(o), grid) / len(o) for o in others], axis=0)
        least = max(grid[min(int(np.searchsorted(refused, FOREIGN)), len(grid) - 1)], LEAST_ODDS)
        found[field] = round(float(min(least, np.quantile(odds[field][:, number], 1 - KEPT))), 6)
    return found


def _with(
    card: RouterCard, familiar: dict[str, float], scores: dict[str, dict[str, float]]
) -> RouterCard:
    return msgspec.structs.replace(card, familiar=familiar, scores=scores)


def _level(rows: Rows, fields: list[str]) -> tuple[list[bytes], np.ndarray]:
    """Rows of all kinds and their numbers; a kind with few rows comes several times."""
    texts: list[bytes] = []
    labels: list[int] = []
    for number, field in enumerate(fields):
        repeated = rows[field] * max(round(LEAST / len(rows[field])), 1)
        texts += repeated
        labels += [number] * len(repeated)
    return texts, np.array(labels)


def measure(router: Router, rows: Rows, most: int = 2_000, seed: int = 1) -> dict[str, float]:
    """Accuracy on as many rows of each kind; by kind, the share that is recognised
    (``recall:``), stays familiar to its own (``familiar:``) and is foreign to the other kinds
    (``foreign:``)."""
    generator = random.Random(seed)
    scores: dict[str, float] = {}
    chosen = {f: generator.sample(rows[f], min(len(rows[f]), most)) for f in router.fields}
    for number, field in enumerate(router.fields):
        said = router.probabilities(chosen[field]).argmax(1)
        scores[f"recall:{field}"] = float((said == number).mean())
        if field == "other":
            continue
        scores[f"familiar:{field}"] = float(router.familiar(chosen[field], field).mean())
        away = [
            (~router.familiar(chosen[other], field)).mean()
            for other in router.fields
            if other != field
        ]
        scores[f"foreign:{field}"] = float(np.mean(away))
    recalls = [value for name, value in scores.items() if name.startswith("recall:")]
    rounded = {"accuracy": float(np.mean(recalls))} | scores
    return {name: round(value, 4) for name, value in rounded.items()}


def write(model: Path, weights: Weights) -> None:
    """Put a router into a model folder; its manifest is not touched."""
    arrays: dict[str, Any] = dict(zip(("weight", "scale"), weights.weights, strict=True))
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    save_file(tensors, model / layout.ROUTER_WEIGHTS)
    card = msgspec.json.format(msgspec.json.encode(weights.card), indent=1)
    (model / layout.ROUTER).write_bytes(card + b"\n")


def main(argv: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="model folder, changed in place")
    parser.add_argument("--version", default="0.1.0", help="version written into the manifest")
    args = parser.parse_args(argv)
    weights = train(gather(args.data))
    write(args.model, weights)
    manifest.write(args.model, f"unmist-{args.model.name}", args.version)
    print(json.dumps(weights.card.scores))


if __name__ == "__main__":
    main()
