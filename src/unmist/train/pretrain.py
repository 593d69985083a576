"""Pretraining on a CPU within a wall-clock budget; resumable, logged as JSON lines.

Two objectives share every step: masked-language modelling, and naming the list (or the task label)
that a row stands in from the mean of its hidden states.

    python -m unmist.train.pretrain --data DATA --tokenizer tokenizer.json --run DIR --minutes 60
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from unmist.artifact import layout
from unmist.text import Tokenizer, normalize
from unmist.train import checkpoint, corpus
from unmist.train.corpus import Example
from unmist.train.encoder import SIZES, Encoder, Shape
from unmist.train.mixture import Batch, Mixture, even, prepare
from unmist.train.optimizer import Muon
from unmist.train.probe import linear_probe

CHUNK_ROWS: Final = 160_000  # many, so that few batches of a length are not full
# Share of the tokens that each field kind gets; of a mixture with fewer kinds, in proportion.
FIELD_SHARES: Final = {
    "hostname": 0.34,
    "url": 0.10,
    "http": 0.13,
    "header": 0.09,
    "command": 0.12,
    "path": 0.06,
    "certificate": 0.01,
    "log": 0.07,
    "cloud": 0.05,
    "prose": 0.03,
}


PROBES: Final = (
    "host-category",
    "url-threat",
    "web-attack",
    "user-agent",
    "command-threat",
    "cloud-action",
    "log-source",
)


@dataclass
class Recipe:
    """Everything that decides a run, stored with its checkpoints."""

    size: str = "small"
    minutes: float = 60.0
    seed: int = 1
    batch_tokens: int = 2048
    batches_a_step: int = 4
    mask_rate: float = 0.3
    whole_rows: float = 0.4  # share of rows left unmasked, read only for their label
    label_weight: float = 1.0
    task_share: float = 0.4  # share of rows that come from task training splits
    lr: float = 3e-3  # of the matrices under Muon
    adam_lr: float = 1e-3  # of embeddings, norms and heads; of everything without Muon
    warmup: float = 0.02
    decay: float = 0.4  # last share of the budget, in which the rate falls to zero
    anneal_task_share: float = 0.65  # the same two shares while the rate falls
    anneal_whole_rows: float = 0.6
    part_power: float = 0.6  # parts of a group are read in proportion to tokens ** this
    focus: str = ""  # tasks whose rows count several times, separated by spaces
    focus_weight: float = 3.0
    muon: bool = True
    bf16: bool = False  # products in bfloat16, sums in float32: six times as fast with AMX
    compile: bool = False  # fuse what is not a matrix product; needs a C++ compiler
    soft: str = ""  # soft targets of unmist.train.teacher
    soft_weight: float = 1.0
    init: str = ""  # model folder to start from
    shape: dict[str, Any] = field(default_factory=dict)


class Pretrainer(nn.Module):
    """Encoder, masked-token head tied to the embeddings, and one linear layer for all labels."""

    def __init__(self, shape: Shape, classes: int) -> None:
        super().__init__()
        self.encoder = Encoder(shape)
        self.dense = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.norm = nn.LayerNorm(shape.hidden, eps=shape.norm_eps, bias=False)
        self.bias = nn.Parameter(torch.zeros(shape.vocabulary))
        self.labels = nn.Linear(shape.hidden, classes)
        nn.init.normal_(self.dense.weight, std=shape.hidden**-0.5)
        nn.init.zeros_(self.labels.weight)
        nn.init.zeros_(self.labels.bias)

    def token_loss(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """Mean negative log-likelihood, nats, of masked tokens. ``hidden`` [masked, hidden]."""
        x = self.norm(F.gelu(self.dense(hidden)))
        table = self.encoder.embeddings.tok_embeddings.weight
        return F.cross_entropy(F.linear(x, table, self.bias), targets)

    def label_loss(self, pooled: Tensor, allowed: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy among the labels of each row's own question."""
        return F.cross_entropy(self.labels(pooled).masked_fill(~allowed, -1e4), targets)


def mask(
    batch: Batch, rate: float, whole_rows: float, generator: np.random.Generator
) -> np.ndarray:
    """Tokens to hide, [rows, length] bool; the field-kind token never, some rows not at all."""
    rows, length = batch.ids.shape
    hidden = generator.random((rows, length)) < rate
    hidden[:, 0] = False
    hidden[generator.random(rows) < whole_rows] = False
    return hidden


def rate_share(recipe: Recipe, progress: float) -> float:
    """Share of the peak learning rate: warm up, stay, then fall linearly to zero.

    ``progress`` is the share of the budget used.
    """
    if progress < recipe.warmup:
        return progress / recipe.warmup
    return min(1.0, (1 - progress) / recipe.decay) if progress < 1 else 0.0


class Run:
    """One training run in a folder: ``checkpoint.safetensors``, ``log.jsonl``, ``recipe.json``."""

    def __init__(
        self, folder: Path, recipe: Recipe, mixture: Mixture, tokenizer: Tokenizer
    ) -> None:
        self.folder, self.recipe, self.mixture, self.tokenizer = folder, recipe, mixture, tokenizer
        torch.manual_seed(recipe.seed)
        self.model = Pretrainer(Shape(**recipe.shape), mixture.classes)
        self.encode = _compiled(self.model.encoder) if recipe.compile else self.model.encoder
        matrices: list[Tensor] = []
        if recipe.muon:
            matrices += [w for w in self.model.encoder.layers.parameters() if w.ndim == 2]
            matrices.append(self.model.dense.weight)
        taken = {id(w) for w in matrices}
        others = [w for w in self.model.parameters() if id(w) not in taken]
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            **({"muon": Muon(matrices, lr=recipe.lr, bf16=recipe.bf16)} if matrices else {}),
            "adam": torch.optim.AdamW(
                others, lr=recipe.adam_lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True
            ),
        }
        self.state: dict[str, Any] = {
            "seconds": 0.0,
            "step": 0,
            "tokens": 0,
            "rows": 0,
            "chunk": 0,
            "batch": 0,
            "annealing": False,
            "cursors": [0] * len(mixture.parts),
        }
        self.allowed = torch.zeros(len(mixture.questions), mixture.classes, dtype=torch.bool)
        for part in mixture.parts:
            self.allowed[part.question, part.first : part.first + part.count] = True
        self.soft = SoftTargets(Path(recipe.soft), mixture) if recipe.soft else None
        if recipe.init:
            warm_start(self.model, tokenizer, mixture.questions, Path(recipe.init))
        if self.checkpoint.exists():
            meta = checkpoint.load(self.checkpoint, self._modules(), self.optimizers)
            self.state = {key: meta[key] for key in self.state}

    @property
    def checkpoint(self) -> Path:
        """Where the run resumes from."""
        return self.folder / "checkpoint.safetensors"

    def _modules(self) -> dict[str, nn.Module]:
        return {"model": self.model}

    def save(self) -> None:
        """Write the checkpoint atomically."""
        meta = self.state | {"questions": self.mixture.questions}
        checkpoint.save(self.checkpoint, self._modules(), self.optimizers, meta)

    def train(
        self, report_every: float = 60.0, save_every: float = 120.0, probe: Any = None
    ) -> None:
        """Train until the budget is spent; saves, reports and probes on the way."""
        budget = self.recipe.minutes * 60
        began, spent = time.monotonic(), self.state["seconds"]
        reported = saved = spent
        sums = np.zeros(3)
        self.model.train()
        while self.state["seconds"] < budget:
            for batches in self._steps():
                sums += self._step(batches, self.state["seconds"] / budget)
                self.state["seconds"] = now = spent + time.monotonic() - began
                if now - reported >= report_every or now >= budget:
                    self._log(sums, now - reported, probe)
                    sums[:], reported = 0, now
                if now - saved >= save_every:
                    self.save()
                    saved = now
                if now >= budget:
                    break
        self.save()

    def _steps(self) -> Iterator[list[Batch]]:
        """The steps of one chunk of rows, from where the chunk was left."""
        state, recipe = self.state, self.recipe
        if state["batch"] == 0:
            state["annealing"] = state["seconds"] > (1 - recipe.decay) * recipe.minutes * 60
        share = recipe.anneal_task_share if state["annealing"] else recipe.task_share
        weights = mixture_weights(self.mixture, recipe, share)
        counts = [round(CHUNK_ROWS * weight) for weight in weights]
        rows = self.mixture.draw(counts, state["cursors"], recipe.seed)
        generator = np.random.default_rng([recipe.seed, state["chunk"]])
        skip, held = state["batch"], []
        for number, batch in enumerate(self.mixture.batches(rows, recipe.batch_tokens, generator)):
            if number < skip:
                continue
            held.append(batch)
            if len(held) == recipe.batches_a_step:
                state["batch"] = number + 1
                yield held
                held = []
        state["cursors"] = [a + b for a, b in zip(state["cursors"], counts, strict=True)]
        state["chunk"], state["batch"] = state["chunk"] + 1, 0

    def _step(self, batches: list[Batch], progress: float) -> np.ndarray:
        share = rate_share(self.recipe, progress)
        peaks = {"muon": self.recipe.lr, "adam": self.recipe.adam_lr}
        generator = np.random.default_rng([self.recipe.seed, 7, self.state["step"]])
        sums = np.zeros(3)
        for batch in batches:
            with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bf16):
                token, label = self._losses(batch, generator)
            loss = (token + self.recipe.label_weight * label) / len(batches)
            loss.backward()  # type: ignore[no-untyped-call]
            sums += (1, token.item(), label.item())
            self.state["tokens"] += batch.ids.size
            self.state["rows"] += len(batch.ids)
        nn.utils.clip_grad_norm_(self.optimizers["adam"].param_groups[0]["params"], 1.0)
        for name, optimizer in self.optimizers.items():
            optimizer.param_groups[0]["lr"] = peaks[name] * share
            optimizer.step()
            optimizer.zero_grad()
        self.state["step"] += 1
        return sums

    def _losses(self, batch: Batch, generator: np.random.Generator) -> tuple[Tensor, Tensor]:
        annealing = self.state["annealing"]
        whole = self.recipe.anneal_whole_rows if annealing else self.recipe.whole_rows
        hide = mask(batch, self.recipe.mask_rate, whole, generator)
        ids = np.where(hide, self.tokenizer.mask_id, batch.ids)
        hidden = self.encode(torch.from_numpy(ids))
        flat = np.flatnonzero(hide)
        token, pooled = torch.zeros(()), hidden.mean(1)
        if len(flat):
            token = self.model.token_loss(
                hidden.flatten(0, 1)[torch.from_numpy(flat)],
                torch.from_numpy(batch.ids.ravel()[flat]),
            )
        allowed = self.allowed[torch.from_numpy(batch.question)]
        label = self.model.label_loss(pooled, allowed, torch.from_numpy(batch.label))
        if self.soft is not None:
            label = label + self.recipe.soft_weight * self.soft.loss(self.model, batch, pooled)
        return token, label

    def _log(self, sums: np.ndarray, seconds: float, probe: Any) -> None:
        entry = {key: value for key, value in self.state.items() if key != "cursors"}
        entry["seconds"] = round(self.state["seconds"], 1)
        entry["tokens_per_second"] = round(self.state["tokens"] / self.state["seconds"])
        entry["token_loss"], entry["label_loss"] = (sums[1:] / max(sums[0], 1)).round(4).tolist()
        if probe is not None:
            entry |= probe(self)
        with (self.folder / "log.jsonl").open("a") as log:
            log.write(json.dumps(entry) + "\n")
        print(json.dumps(entry), flush=True)


def _compiled(encoder: Encoder) -> Callable[[Tensor], Tensor]:
    # One graph for every number of rows and tokens.
    encode: Callable[[Tensor], Tensor] = torch.compile(encoder, dynamic=True)
    return encode


class SoftTargets:
    """What a teacher said about rows of the mixture, as one more question asked of those rows."""

    def __init__(self, path: Path, mixture: Mixture) -> None:
        with safe_open(path, "np") as file:
            rows, self._said = file.get_tensor("rows"), file.get_tensor("probabilities")
            task = file.metadata()["task"]
        part = next(part for part in mixture.parts if part.name == task)
        self._columns = slice(part.first, part.first + part.count)
        self._place = np.full(len(mixture.labels), -1, np.int32)
        self._place[rows] = np.arange(len(rows))

    def loss(self, model: Pretrainer, batch: Batch, pooled: Tensor) -> Tensor:
        """Cross-entropy against the teacher, averaged over the whole batch: rows it did not
        answer count as zero."""
        place = self._place[batch.rows]
        asked = np.flatnonzero(place >= 0)
        if not len(asked):
            return torch.zeros(())
        logits = model.labels(pooled[torch.from_numpy(asked)])[:, self._columns]
        said = torch.from_numpy(self._said[place[asked]].astype(np.float32))
        return F.cross_entropy(logits, said, reduction="sum") / len(place)


def mixture_weights(mixture: Mixture, recipe: Recipe, task_share: float) -> list[float]:
    """Share of the rows of a chunk that each part gives.

    Tokens are what time is spent on, so shares are set in tokens: each field kind has its own
    (``FIELD_SHARES``), in a field ``task_share`` of them go to the tasks' splits, and within both
    groups a part's share goes with its tokens to the power of ``part_power``.
    """
    parts = mixture.parts
    lengths = np.array([mixture.lengths[p.start : p.stop].mean() for p in parts])
    tokens = np.array([p.stop - p.start for p in parts]) * lengths
    shares = tokens**recipe.part_power
    shares[[part.name in recipe.focus.split() for part in parts]] *= recipe.focus_weight
    fields = np.array([part.field for part in parts])
    tasks = np.array([part.task for part in parts])
    for kind in np.unique(fields):
        inside = fields == kind
        both = (inside & tasks).any()
        for group, share in ((inside & tasks, task_share), (inside & ~tasks, 1 - task_share)):
            if group.any():
                shares[group] *= FIELD_SHARES[kind] * (share if both else 1) / shares[group].sum()
    rows = shares / lengths
    return list(rows / rows.sum())


def warm_start(
    model: Pretrainer, tokenizer: Tokenizer, questions: list[dict[str, Any]], folder: Path
) -> None:
    """Start from a model folder, whose tokenizer, questions and number of layers may be others.

    A piece that its tokenizer lacks starts as the mean of the pieces it would have been; a label
    that none of its questions had starts at zero; a layer more changes nothing at first.
    """
    state = {k: v.float() for k, v in load_file(folder / layout.WEIGHTS).items()}
    heads = {k: v.float() for k, v in load_file(folder / layout.PRETRAINING).items()}
    with safe_open(folder / layout.PRETRAINING, "pt") as file:
        asked = json.loads(file.metadata()["questions"])
    before = Tokenizer(folder / layout.TOKENIZER)
    pieces = [torch.tensor(ids) for ids in old_pieces(tokenizer, before)]
    for tensors, name in ((state, "embeddings.tok_embeddings.weight"), (heads, "bias")):
        tensors[name] = torch.stack([tensors[name][ids].mean(0) for ids in pieces])
    model.encoder.load_state_dict(deeper(state, model.encoder.shape.layers))
    number = {label: i for i, label in enumerate(_labels(asked))}
    places = [(i, number[label]) for i, label in enumerate(_labels(questions)) if label in number]
    for name in ("labels.weight", "labels.bias"):
        old, heads[name] = heads[name], torch.zeros_like(model.state_dict()[name])
        heads[name][[i for i, _ in places]] = old[[j for _, j in places]]
    model.load_state_dict(heads, strict=False)


def deeper(state: dict[str, Tensor], layers: int) -> dict[str, Tensor]:
    """An encoder's tensors with layers more: each is a copy of the one before it that adds nothing
    to the residual stream until it is trained.

    Source: Chen et al., "Net2Net", arXiv 1511.05641.
    """
    before = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("layers."))
    grown = {name: value for name, value in state.items() if not name.startswith("layers.")}
    sources = [place * before // layers for place in range(layers)]
    for place, source in enumerate(sources):
        new = place > 0 and source == sources[place - 1]
        for name, value in state.items():
            if name.startswith(f"layers.{source}."):
                key = name.replace(str(source), str(place), 1)
                grown[key] = torch.zeros_like(value) if new and ".Wo." in name else value
        if new and source == 0:  # the first layer has no norm of its own
            width = state["final_norm.weight"].shape
            grown[f"layers.{place}.attn_norm.weight"] = torch.ones(width)
    return grown


def old_pieces(tokenizer: Tokenizer, before: Tokenizer) -> list[list[int]]:
    """For each id of a tokenizer, the ids of an earlier one that say the same."""
    known = {before.piece(i): [i] for i in range(before.size) if before.piece(i)}
    pieces = [tokenizer.piece(i) for i in range(tokenizer.size)]
    split = before.encode_batch(pieces)
    same = [known.get(piece) or ids for piece, ids in zip(pieces, split, strict=True)]
    return [ids or [i] for i, ids in enumerate(same)]  # special tokens have the same ids in all


def _labels(questions: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(question["name"], label) for question in questions for label in question["labels"]]


class HeldOut:
    """Bits per byte of masked tokens on dev rows, and linear probes; every few reports.

    The first task is read in full, of the others a sample: probing takes time from training.
    """

    def __init__(
        self, data: Path, tokenizer: Tokenizer, tasks: Sequence[str] = PROBES, every: int = 10
    ) -> None:
        self.every, self.calls, self.tokenizer = every, 0, tokenizer
        self.tasks: dict[str, tuple[str, list[Example], list[Example]]] = {}
        for task in tasks:
            train, dev = (corpus.split(data, task, name) for name in ("train", "dev"))
            many, few = (5000, len(dev)) if task == tasks[0] else (1000, 500)
            train, dev = (
                rows[:: max(len(rows) // n, 1)] for rows, n in ((train, many), (dev, few))
            )
            self.tasks[task] = (corpus.field_of(data, task), train, dev)
        field, _, dev = self.tasks[tasks[0]]
        names = [normalize(e.text, field) for e in dev]
        self.rows = [even(row) for row in tokenizer.encode_batch(names, field)]

    def __call__(self, run: Run) -> dict[str, float]:
        """``bits_per_byte`` and each probe's accuracy on every n-th call and at the end."""
        self.calls += 1
        done = run.state["seconds"] >= run.recipe.minutes * 60
        if self.calls % self.every and not done:
            return {}
        run.model.eval()
        with torch.inference_mode():
            found = {"bits_per_byte": self._bits_per_byte(run)}
            for task, (kind, train, dev) in self.tasks.items():
                found[task] = linear_probe(run.model.encoder, self.tokenizer, train, dev, kind)
        run.model.train()
        return {name: round(value, 4) for name, value in found.items()}

    def _bits_per_byte(self, run: Run) -> float:
        generator = np.random.default_rng(0)
        nats = count = 0.0
        for length in sorted({len(r) for r in self.rows}):
            ids = np.array([r for r in self.rows if len(r) == length])
            hide = generator.random(ids.shape) < 0.3
            hide[:, 0] = False
            flat = np.flatnonzero(hide)
            if not len(flat):
                continue
            masked = torch.from_numpy(np.where(hide, self.tokenizer.mask_id, ids))
            hidden = run.model.encoder(masked).flatten(0, 1)[torch.from_numpy(flat)]
            targets = ids.ravel()[flat]
            nats += run.model.token_loss(hidden, torch.from_numpy(targets)).item() * len(flat)
            count += sum(len(self.tokenizer.piece(int(t))) for t in targets)
        return nats / count / math.log(2)


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with pretrain/ and tasks/")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--mixture", type=Path, help="prepared mixture (default: RUN/mixture…)")
    parser.add_argument("--fields", default=" ".join(FIELD_SHARES), help="separated by spaces")
    parser.add_argument("--tasks", default="", help="task folders whose training split is added")
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
        prepare(args.data, tokenizer, args.fields.split(), args.tasks.split(), mixture_path)
    recipe = Recipe(**{k: getattr(args, k) for k in vars(Recipe()) if k != "shape"})
    stored = args.run / "recipe.json"
    if stored.exists():
        recipe = Recipe(**json.loads(stored.read_text()) | {"minutes": args.minutes})
    else:
        recipe.shape = shape_of(args.size, tokenizer.size).as_dict()
    stored.write_text(json.dumps(vars(recipe), indent=1) + "\n")
    run = Run(args.run, recipe, Mixture(mixture_path), tokenizer)
    run.train(probe=HeldOut(args.data, tokenizer, args.probes.split()))


def shape_of(size: str, vocabulary: int) -> Shape:
    """The shape of a named size, or ``LAYERSxWIDTH``, with the tokenizer's vocabulary."""
    if size in SIZES:
        return Shape(**SIZES[size].as_dict() | {"vocabulary": vocabulary})
    layers, hidden = map(int, size.split("x"))
    return Shape(layers=layers, hidden=hidden, vocabulary=vocabulary)


if __name__ == "__main__":
    main()
