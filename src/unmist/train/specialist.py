"""One specialist in torch: a PEFT-wrapped encoder with a head, its rows, and where it starts."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import numpy as np
import peft
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from unmist.artifact import layout
from unmist.errors import UsageError
from unmist.text import Tokenizer, both_ends, normalize
from unmist.train import corpus
from unmist.train.encoder import Encoder
from unmist.train.pretrainer import load_heads

TARGETS: Final = ["attn.Wqkv", "attn.Wo", "mlp.Wi", "mlp.Wo"]


@dataclass(frozen=True)
class Recipe:
    """What decides an adapter."""

    rank: int = 4
    first_layer: int = 0  # the lowest adapted layer; those below are shared by all specialists
    minutes: float = 15.0
    batch_tokens: int = 1024
    lr: float = 2e-3
    dropout: float = 0.1
    smoothing: float = 0.0
    balance: float = 0.0  # labels weigh 1 / rows ** this: 1 makes rare ones count like common ones
    even: float = 0.0  # the same for the sources that rows are from
    more: bool = False  # rows made for the task beside those it has, see unmist.train.more
    written: int = 0  # times each template is filled, see unmist.train.written; 0: none are
    repeat: int = 1  # times each row so written is learnt, where there are many others
    outside: bool = False  # learn what bears none of the labels, see unmist.train.outside
    views: float = 0.0  # share of the rows that are learnt once more in another spelling
    precision: float = 0.96
    wide_bits: int = 0  # a wide head of 2**bits buckets beside the adapter; 0: none
    rarity: bool = False  # while it learns, counts of its n-grams are scaled by how rare each is
    beside: bool = False  # the network learns beside the wide head, see unmist.train.wide
    patience: int = 0  # epochs without a better dev loss before it stops; 0: use the whole budget
    bf16: bool = False  # products in bfloat16 while training; answers are always in float32
    seed: int = 1


@dataclass(frozen=True)
class Rows:
    """Encoded rows, their label numbers, the sources that they are from, and their groups."""

    ids: list[list[int]]
    labels: np.ndarray
    sources: Sequence[str] = ()
    groups: Sequence[str] = ()

    def weights(self, count: int, recipe: Recipe) -> np.ndarray:
        """What each row weighs in the loss: float32 [n], 1 in the mean.

        Rows of a source of many weigh rows ** -even, and those of a label of many rows ** -balance.
        """
        each = label_weights(self.labels, count, recipe.balance)[self.labels]
        if recipe.even and self.sources:
            names, number = np.unique(np.array(self.sources), return_inverse=True)
            each = each * label_weights(number, len(names), recipe.even)[number]
        out: np.ndarray = (each / each.mean()).astype(np.float32)
        return out

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
            layers_to_transform=list(range(recipe.first_layer, encoder.shape.layers)),
            layers_pattern="layers",
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

    def above(self, x: Tensor, first: int) -> Tensor:
        """Logits [rows, labels] of what comes out below layer ``first``, none of which is adapted:
        [rows, length, hidden]."""
        out: Tensor = self.head(self.base.transform(x, first=first).mean(1))
        return out

    @property
    def base(self) -> Encoder:
        """The encoder that PEFT has put its factors into."""
        return cast(Encoder, self.encoder.get_base_model())

    @torch.no_grad()
    def round_factors(self) -> None:
        """Give the LoRA factors the float16 values that they are stored with, so that what is
        calibrated is what is shipped."""
        for name, weight in self.encoder.named_parameters():
            if "lora_" in name:
                weight.copy_(weight.to(torch.float16))

    @torch.inference_mode()
    def logits(self, rows: Rows) -> np.ndarray:
        """Logits [n, labels] float32 in the order of the rows."""
        self.eval()
        out = np.empty((len(rows.ids), self.head.out_features), np.float32)
        for chosen, ids in rows.batches(4096):
            out[chosen] = self(ids).numpy()
        self.train()
        return out


def label_weights(labels: np.ndarray, count: int, balance: float) -> np.ndarray:
    """What a row of each label weighs in the loss: float32 [count], 1 in the mean over rows."""
    rows = np.maximum(np.bincount(labels[labels >= 0], minlength=count), 1)
    raw = rows**-balance
    out: np.ndarray = (raw * rows.sum() / (raw * rows).sum()).astype(np.float32)
    return out


def encode(
    examples: list[corpus.Example],
    tokenizer: Tokenizer,
    field: str,
    labels: list[str],
    max_tokens: int,
) -> Rows:
    """Token ids, cut to ``max_tokens``, and label numbers of labelled rows; a label outside
    ``labels`` becomes -1."""
    texts = [normalize(example.text, field) for example in examples]
    number = {label: i for i, label in enumerate(labels)}
    ids = [both_ends(row, max_tokens) for row in tokenizer.encode_batch(texts, field)]
    labelled = np.array([number.get(example.label, -1) for example in examples])
    sources, groups = [e.source for e in examples], [e.group for e in examples]
    return Rows(ids, labelled, sources, groups)


def outputs(labels: Sequence[str], *, outside: bool) -> list[str]:
    """What each output of a head is for: the labels, and at the end, with ``outside``, what bears
    none of them (:data:`unmist.train.corpus.OUTSIDE`)."""
    return [*labels, corpus.OUTSIDE] if outside else list(labels)


def start_head(head: nn.Linear, model: Path, task: str, labels: list[str]) -> bool:
    """Start a head from pretraining's label layer, where that was asked about this task; an output
    that is no label stays as it is.

    Returns:
        Whether it was; otherwise the head stays as it is.
    """
    heads, questions = load_heads(model)
    weight, bias = heads["labels.weight"], heads["labels.bias"]
    first = 0
    for question in questions:
        if question["name"] == task and set(labels) <= set(question["labels"]):
            rows = [first + question["labels"].index(label) for label in labels]
            head.weight.data[: len(rows)].copy_(weight[rows])
            head.bias.data[: len(rows)].copy_(bias[rows])
            return True
        first += len(question["labels"])
    return False


def go_on_from(specialist: Specialist, adapter: Path, labels: list[str]) -> None:
    """Start LoRA factors and head from an adapter folder; a label it has not stays at zero.

    Ranks that it has not got change nothing at first: what they write is zero.

    Args:
        specialist: is changed in place.
        adapter: the folder to start from.
        labels: of the specialist's outputs, see :func:`outputs`.

    Raises:
        UsageError: its factors have a higher rank.
    """
    card = json.loads((adapter / layout.TASK).read_text())
    factors = load_file(adapter / layout.ADAPTER_WEIGHTS)
    now = peft.get_peft_model_state_dict(specialist.encoder)
    for name in factors.keys() & now.keys():
        if any(old > new for old, new in zip(factors[name].shape, now[name].shape, strict=True)):
            rank = min(factors[name].shape)
            raise UsageError(f"{adapter}: its factors have rank {rank}; give --rank {rank} or more")
        padded = now[name].clone()
        padded[tuple(map(slice, factors[name].shape))] = factors[name].to(padded.dtype)
        factors[name] = padded
    peft.set_peft_model_state_dict(specialist.encoder, factors)
    head = load_file(adapter / layout.HEAD)
    had = outputs(card["labels"], outside=card.get("outside") is not None)
    for i, label in enumerate(labels):
        if label in had:
            old = had.index(label)
            specialist.head.weight.data[i] = head["weight"][old]
            specialist.head.bias.data[i] = head["bias"][old]
