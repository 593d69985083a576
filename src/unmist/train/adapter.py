"""Train one specialist on a model folder: LoRA factors by PEFT and a linear head, calibrated.

::

    python -m unmist.train.adapter host-category --data DATA --model MODEL --minutes 15
"""

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from unmist.artifact import layout, manifest
from unmist.engine.wide import Wide
from unmist.errors import ModelError
from unmist.evaluate.task import score
from unmist.text import Tokenizer
from unmist.train import calibration, corpus
from unmist.train import wide as wide_head
from unmist.train.export import load_encoder
from unmist.train.fitting import Report, fit, print_json
from unmist.train.specialist import (
    TARGETS,
    Recipe,
    Rows,
    Specialist,
    encode,
    go_on_from,
    start_head,
)


@dataclass(frozen=True)
class About:
    """What a card says of a task and its data."""

    title: str
    field: str
    labels: list[str]
    licence: str
    data: str


def train_task(
    model: Path, data: Path, task: str, recipe: Recipe, go_on: Path | None = None
) -> dict[str, Any]:
    """Train one specialist of the data folder into a model folder; the encoder stays as it is.

    With ``go_on`` it starts from that adapter folder.

    Returns:
        The content of ``task.json``.
    """
    said = corpus.about(data, task)
    about = About(
        title=said["title"],
        field=str(said["field"]),
        labels=list(said["labels"]),
        licence=said["licence"],
        data=f"{task}, split {said['split']}; known noise: {said['known_noise']}",
    )
    examples = {name: corpus.split(data, task, name) for name in ("train", "dev", "test")}
    return specialise(model, layout.adapter_folder(model, task), about, examples, recipe, go_on)


def specialise(
    model: Path,
    folder: Path,
    about: About,
    examples: dict[str, list[corpus.Example]],
    recipe: Recipe,
    go_on: Path | None = None,
    report: Report = print_json,
) -> dict[str, Any]:
    """Train, calibrate and write one specialist into ``folder``, whose name is the task's.

    Args:
        model: the model folder that it stands on; not written to, unless ``folder`` is inside.
        folder: where the adapter is written.
        about: what its card says.
        examples: rows of ``train``, ``dev`` and ``test``.
        recipe: how to train.
        go_on: an adapter folder to start from.
        report: is told how far it is.

    Returns:
        The content of ``task.json``.

    Raises:
        ModelError: training changed the encoder, which must never happen.
    """
    before = _sha256(model / layout.WEIGHTS)
    torch.manual_seed(recipe.seed)
    tokenizer, encoder = Tokenizer(model / layout.TOKENIZER), load_encoder(model)
    limit = encoder.shape.max_tokens
    rows = {
        name: encode(part, tokenizer, about.field, about.labels, limit)
        for name, part in examples.items()
    }
    frozen = {name: value.clone() for name, value in encoder.state_dict().items()}
    specialist = Specialist(encoder, len(about.labels), recipe)
    if go_on is not None:
        go_on_from(specialist, go_on, about.labels)
    else:
        start_head(specialist.head, model, folder.name, about.labels)
    log = fit(specialist, rows["train"], rows["dev"], recipe, report)
    logits = {name: specialist.logits(part) for name, part in rows.items() if name != "train"}
    wide = None
    if recipe.wide_bits:
        texts = {n: [tokenizer.decode(ids) for ids in part.ids] for n, part in rows.items()}
        wide = _widen(specialist, logits, rows, texts, recipe)
    calibrated = _calibrate(logits, rows, about.labels, recipe.precision)
    training = {"recipe": vars(recipe), "rows": len(rows["train"].ids), "log": log}
    if go_on is not None:
        training["before"] = json.loads((go_on / layout.TASK).read_text())["training"]
    head = {"format": 1, "task": folder.name, **vars(about), "encoder": before}
    card = head | calibrated | {"training": training}
    _write(folder, specialist, card)
    if wide is not None:
        save_file(
            {"weight": torch.from_numpy(wide.weight), "scale": torch.from_numpy(wide.scale)},
            folder / layout.WIDE,
        )
    _check_unchanged(specialist, frozen)
    if _sha256(model / layout.WEIGHTS) != before:
        raise ModelError(f"{model / layout.WEIGHTS}: changed while training an adapter")
    return card


def _widen(
    specialist: Specialist,
    logits: dict[str, np.ndarray],
    rows: dict[str, Rows],
    texts: dict[str, list[bytes]],
    recipe: Recipe,
) -> Wide:
    """A wide head beside the adapter's, whose share goes into its weights; ``logits`` become those
    of both."""
    labels, dev = rows["train"].labels, rows["dev"]
    count = specialist.head.out_features
    weight, bias = wide_head.train(texts["train"], labels, count, recipe.wide_bits, recipe.seed)
    mixed = wide_head.mix(weight, bias, logits["dev"], texts["dev"], dev.labels)
    with torch.no_grad():
        specialist.head.weight.mul_(mixed.network)
        specialist.head.bias.mul_(mixed.network).add_(torch.from_numpy(mixed.bias))
    for name in logits:
        said = mixed.network * logits[name] + mixed.bias + mixed.wide.logits(texts[name])
        logits[name] = said.astype(np.float32)
    return mixed.wide


def _calibrate(
    logits: dict[str, np.ndarray], rows: dict[str, Rows], labels: list[str], precision: float
) -> dict[str, Any]:
    """Temperature and thresholds from dev, and what they do on dev and test."""
    dev = logits["dev"]
    heat = calibration.temperature(dev, rows["dev"].labels)
    chosen = calibration.thresholds(
        np.exp(calibration.log_softmax(dev / heat)), rows["dev"].labels, precision
    )
    scores = {}
    for name in ("dev", "test"):
        if not rows[name].ids:
            continue
        probabilities = np.exp(calibration.log_softmax(logits[name] / heat))
        whole = score(probabilities, rows[name].labels, chosen, labels)
        scores[name] = {k: v for k, v in whole.items() if isinstance(v, float)}
    return {
        "temperature": heat,
        "thresholds": dict(zip(labels, chosen.tolist(), strict=True)),
        "precision": precision,
        "scores": scores,
    }


def _write(folder: Path, specialist: Specialist, card: dict[str, Any]) -> None:
    specialist.encoder.save_pretrained(str(folder))
    for extra in folder.iterdir():
        if extra.suffix not in layout.SUFFIXES:
            extra.unlink()  # PEFT adds a README template
    config = json.loads((folder / layout.ADAPTER_CONFIG).read_text())
    config |= {"base_model_name_or_path": None, "target_modules": TARGETS, "inference_mode": True}
    config["auto_mapping"] = None
    (folder / layout.ADAPTER_CONFIG).write_text(json.dumps(config, indent=2) + "\n")
    head = {
        "weight": specialist.head.weight.detach().contiguous(),
        "bias": specialist.head.bias.detach().contiguous(),
    }
    save_file(head, folder / layout.HEAD, {"format": "pt"})
    (folder / layout.TASK).write_text(json.dumps(card, indent=1) + "\n")


def _check_unchanged(specialist: Specialist, frozen: dict[str, Tensor]) -> None:
    state = specialist.encoder.get_base_model().state_dict()
    for name, value in frozen.items():
        module, _, kind = name.rpartition(".")
        now = state.get(name, state.get(f"{module}.base_layer.{kind}"))
        if now is None or not torch.equal(now, value):
            raise ModelError(f"{name}: changed while training an adapter")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("task")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="model folder, changed in place")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--version", default="0.1.0", help="version written into the manifest")
    parser.add_argument("--continue", dest="go_on", type=Path, help="adapter folder to start from")
    for name, default in vars(Recipe()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    recipe = Recipe(**{name: getattr(args, name) for name in vars(Recipe())})
    card = train_task(args.model, args.data, args.task, recipe, args.go_on)
    manifest.write(args.model, f"unmist-{args.model.name}", args.version)
    print(json.dumps(card["scores"]))


if __name__ == "__main__":
    main()
