"""Train one specialist on a model folder: LoRA factors by PEFT and a linear head, calibrated.

::

    python -m unmist.train.adapter host-category --data DATA --model MODEL --minutes 15
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import peft
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from unmist.artifact import layout, manifest
from unmist.errors import ModelError
from unmist.evaluate.task import score
from unmist.text import Tokenizer, both_ends, normalize
from unmist.train import calibration, corpus
from unmist.train.encoder import Encoder
from unmist.train.export import load_encoder

MAX_TOKENS = 512
TARGETS = ["attn.Wqkv", "attn.Wo", "mlp.Wi", "mlp.Wo"]


@dataclass(frozen=True)
class Recipe:
    """What decides an adapter."""

    rank: int = 4
    minutes: float = 15.0
    batch_tokens: int = 1024
    lr: float = 2e-3
    dropout: float = 0.1
    smoothing: float = 0.0
    precision: float = 0.96
    seed: int = 1


@dataclass(frozen=True)
class Rows:
    """Encoded rows and their label numbers."""

    ids: list[list[int]]
    labels: np.ndarray

    def batches(
        self, tokens: int, generator: np.random.Generator | None = None
    ) -> Iterator[tuple[np.ndarray, Tensor]]:
        """(positions, ids [rows, length]) of rows of one length; shuffled with a generator."""
        lengths = np.array([len(row) for row in self.ids])
        order = (
            np.arange(len(lengths)) if generator is None else generator.permutation(len(lengths))
        )
        groups = []
        for length in np.unique(lengths):
            members = order[lengths[order] == length]
            size = max(tokens // int(length), 1)
            groups += [members[i : i + size] for i in range(0, len(members), size)]
        if generator is not None:
            groups = [groups[i] for i in generator.permutation(len(groups))]
        for group in groups:
            yield group, torch.tensor([self.ids[i] for i in group])


class Specialist(nn.Module):
    """A PEFT-wrapped encoder with a linear head on the mean of its hidden states."""

    def __init__(self, encoder: Encoder, labels: int, recipe: Recipe) -> None:
        super().__init__()
        config = peft.LoraConfig(
            r=recipe.rank,
            lora_alpha=2 * recipe.rank,
            target_modules=TARGETS,
            lora_dropout=recipe.dropout,
        )
        self.encoder = peft.PeftModel(encoder, config)
        self.head = nn.Linear(encoder.shape.hidden, labels)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [rows, labels] of ids [rows, length], no padding."""
        out: Tensor = self.head(self.encoder(ids).mean(1))
        return out

    @torch.inference_mode()
    def logits(self, rows: Rows) -> np.ndarray:
        """Logits [n, labels] float32 in the order of the rows."""
        self.eval()
        out = np.empty((len(rows.ids), self.head.out_features), np.float32)
        for chosen, ids in rows.batches(4096):
            out[chosen] = self(ids).numpy()
        self.train()
        return out


def encode(
    examples: list[corpus.Example], tokenizer: Tokenizer, field: str, labels: list[str]
) -> Rows:
    """Token ids and label numbers of labelled rows; a label outside ``labels`` becomes -1."""
    texts = [normalize(example.text, field) for example in examples]
    number = {label: i for i, label in enumerate(labels)}
    ids = [both_ends(row, MAX_TOKENS) for row in tokenizer.encode_batch(texts, field)]
    return Rows(ids, np.array([number.get(example.label, -1) for example in examples]))


def start_head(head: nn.Linear, model: Path, task: str, labels: list[str]) -> bool:
    """Start a head from pretraining's label layer, where that was asked about this task.

    Returns:
        Whether it was; otherwise the head stays as it is.
    """
    with safe_open(model / layout.PRETRAINING, "pt") as file:
        questions = json.loads(file.metadata()["questions"])
        weight, bias = (file.get_tensor(f"labels.{name}").float() for name in ("weight", "bias"))
    first = 0
    for question in questions:
        if question["name"] == task and set(labels) <= set(question["labels"]):
            rows = [first + question["labels"].index(label) for label in labels]
            head.weight.data.copy_(weight[rows])
            head.bias.data.copy_(bias[rows])
            return True
        first += len(question["labels"])
    return False


def fit(specialist: Specialist, train: Rows, dev: Rows, recipe: Recipe) -> list[dict[str, float]]:
    """Train within the budget, the rate falling to zero; returns a log entry per epoch."""
    weights = [w for w in specialist.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.lr, weight_decay=0.01)
    budget, began, epoch = recipe.minutes * 60, time.monotonic(), 0
    log: list[dict[str, float]] = []
    targets = torch.from_numpy(train.labels)
    specialist.train()
    progress = 0.0
    while progress < 1:
        losses: list[float] = []
        generator = np.random.default_rng([recipe.seed, epoch])
        for chosen, ids in train.batches(recipe.batch_tokens, generator):
            progress = (time.monotonic() - began) / budget
            if progress >= 1:
                break
            warm = min(1.0, progress / 0.03)
            optimizer.param_groups[0]["lr"] = recipe.lr * warm * (1 - progress)
            loss = F.cross_entropy(
                specialist(ids),
                targets[torch.from_numpy(chosen)],
                label_smoothing=recipe.smoothing,
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            losses.append(loss.item())
        if not losses:  # the budget ended between two epochs
            break
        epoch += 1
        accuracy = float((specialist.logits(dev).argmax(1) == dev.labels).mean())
        entry = {
            "epoch": epoch,
            "seconds": round(time.monotonic() - began, 1),
            "loss": round(float(np.mean(losses)), 4),
            "dev_accuracy": round(accuracy, 4),
        }
        log.append(entry)
        print(json.dumps(entry), flush=True)
    return log


def train_task(model: Path, data: Path, task: str, recipe: Recipe) -> dict[str, Any]:
    """Train, calibrate and write one specialist into a model folder; the encoder stays as it is.

    Returns:
        The content of ``task.json``.

    Raises:
        ModelError: training changed the encoder's file, which must never happen.
    """
    before = _sha256(model / layout.WEIGHTS)
    torch.manual_seed(recipe.seed)
    about = corpus.about(data, task)
    labels, field = list(about["labels"]), str(about["field"])
    tokenizer = Tokenizer(model / layout.TOKENIZER)
    rows = {
        name: encode(corpus.split(data, task, name), tokenizer, field, labels)
        for name in ("train", "dev", "test")
    }
    encoder = load_encoder(model)
    frozen = {name: value.clone() for name, value in encoder.state_dict().items()}
    specialist = Specialist(encoder, len(labels), recipe)
    start_head(specialist.head, model, task, labels)
    log = fit(specialist, rows["train"], rows["dev"], recipe)
    dev = specialist.logits(rows["dev"])
    heat = calibration.temperature(dev, rows["dev"].labels)
    chosen = calibration.thresholds(
        np.exp(calibration.log_softmax(dev / heat)), rows["dev"].labels, recipe.precision
    )
    scores = {}
    for name in ("dev", "test"):
        probabilities = np.exp(calibration.log_softmax(specialist.logits(rows[name]) / heat))
        whole = score(probabilities, rows[name].labels, chosen, labels)
        scores[name] = {k: v for k, v in whole.items() if isinstance(v, float)}
    card = {
        "format": 1,
        "task": task,
        "title": about["title"],
        "field": field,
        "labels": labels,
        "encoder": before,
        "temperature": heat,
        "thresholds": dict(zip(labels, chosen.tolist(), strict=True)),
        "precision": recipe.precision,
        "licence": about["licence"],
        "data": f"{task}, split {about['split']}; known noise: {about['known_noise']}",
        "scores": scores,
        "training": {"recipe": vars(recipe), "rows": len(rows["train"].ids), "log": log},
    }
    _write(model, task, specialist, card)
    _check_unchanged(specialist, frozen)
    if _sha256(model / layout.WEIGHTS) != before:
        raise ModelError(f"{model / layout.WEIGHTS}: changed while training an adapter")
    return card


def _write(model: Path, task: str, specialist: Specialist, card: dict[str, Any]) -> None:
    folder = layout.adapter_folder(model, task)
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
    for name, default in vars(Recipe()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    recipe = Recipe(**{name: getattr(args, name) for name in vars(Recipe())})
    card = train_task(args.model, args.data, args.task, recipe)
    manifest.write(args.model, f"unmist-{args.model.name}", args.version)
    print(json.dumps(card["scores"]))


if __name__ == "__main__":
    main()
