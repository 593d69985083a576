"""A small encoder learns from a larger one of the same tokenizer and questions.

For every row the small one is asked for the larger one's vector, by way of a linear map that is
thrown away afterwards, and for its answer to the row's question. It starts from the larger one's
token table, seen in as many principal directions as it has dimensions.

Source: Sanh et al., "DistilBERT, a distilled version of BERT", arXiv 1910.01108.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from unmist.train.encoder import Encoder
from unmist.train.export import load_encoder
from unmist.train.pretrainer import label_names, load_heads


class Master(nn.Module):
    """A frozen model folder, and the map from the learner's vectors to its own."""

    def __init__(self, folder: Path, questions: list[dict[str, Any]], hidden: int) -> None:
        super().__init__()
        self.encoder = load_encoder(folder).eval().requires_grad_(False)
        self.encode: Callable[[Tensor], Tensor] = self.encoder  # or the same, compiled
        heads, asked = load_heads(folder)
        number = {label: i for i, label in enumerate(label_names(asked))}
        wanted = label_names(questions)
        if set(wanted) != set(number):
            raise ValueError(f"{folder}: was asked other questions than the mixture's")
        order = [number[label] for label in wanted]  # the same questions, perhaps in another order
        self.labels = nn.Linear(self.encoder.shape.hidden, len(order))
        state = {name: heads[f"labels.{name}"][order] for name in ("weight", "bias")}
        self.labels.load_state_dict(state)
        self.labels.requires_grad_(False)
        self.lift = nn.Linear(hidden, self.encoder.shape.hidden)

    def loss(self, ids: Tensor, pooled: Tensor, answers: Tensor, allowed: Tensor) -> Tensor:
        """Distance of the vectors plus cross-entropy against the master's answers.

        Args:
            ids: whole rows [rows, length].
            pooled: the learner's vectors [rows, hidden].
            answers: the learner's logits for all labels [rows, labels].
            allowed: the labels of each row's question, bool [rows, labels].
        """
        with torch.no_grad():
            vectors = self.encode(ids).mean(1)
            said = self.labels(vectors).masked_fill(~allowed, -1e4).softmax(1)
        near = 1 - F.cosine_similarity(self.lift(pooled).float(), vectors.float()).mean()
        return near + F.cross_entropy(answers.masked_fill(~allowed, -1e4).float(), said.float())


def start(learner: Encoder, master: Encoder) -> None:
    """Give the learner the master's token table in its principal directions.

    Raises:
        ValueError: their vocabularies differ.
    """
    table = master.embeddings.tok_embeddings.weight.detach()
    if learner.shape.vocabulary != len(table):
        raise ValueError("the learner has another vocabulary than the master")
    with torch.no_grad():
        _, directions = torch.linalg.eigh(table.T @ table)  # eigenvalues rise
        narrow = table @ directions[:, -learner.shape.hidden :]
        learner.embeddings.tok_embeddings.weight.copy_(narrow)
