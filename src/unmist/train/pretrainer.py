"""What pretraining trains: the encoder, a head for masked tokens, a layer for all labels."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from unmist.artifact import layout
from unmist.train.encoder import Encoder, Shape


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


def load_heads(folder: Path) -> tuple[dict[str, Tensor], list[dict[str, Any]]]:
    """What a model folder keeps of its pretraining: the tensors beside the encoder, float32, and
    the questions whose labels follow each other in ``labels.weight`` and ``labels.bias``."""
    with safe_open(folder / layout.PRETRAINING, "pt") as file:
        heads = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        questions: list[dict[str, Any]] = json.loads(file.metadata()["questions"])
    return heads, questions


def label_names(questions: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """(question, label) of each row of ``labels.weight``, in order."""
    return [(question["name"], label) for question in questions for label in question["labels"]]
