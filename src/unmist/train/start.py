"""Where pretraining starts: another model's weights, as far as they fit."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from unmist.artifact import layout
from unmist.text import Tokenizer
from unmist.train.pretrainer import Pretrainer, label_names, load_heads


def warm_start(
    model: Pretrainer, tokenizer: Tokenizer, questions: list[dict[str, Any]], folder: Path
) -> None:
    """Start from a model folder, whose tokenizer, questions and number of layers may be others.

    A piece that its tokenizer lacks starts as the mean of the pieces it would have been; a label
    that none of its questions had starts at zero; a layer more changes nothing at first.
    """
    state = {k: v.float() for k, v in load_file(folder / layout.WEIGHTS).items()}
    heads, asked = load_heads(folder)
    before = Tokenizer(folder / layout.TOKENIZER)
    pieces = [torch.tensor(ids) for ids in old_pieces(tokenizer, before)]
    for tensors, name in ((state, "embeddings.tok_embeddings.weight"), (heads, "bias")):
        tensors[name] = torch.stack([tensors[name][ids].mean(0) for ids in pieces])
    model.encoder.load_state_dict(deeper(state, model.encoder.shape.layers))
    number = {label: i for i, label in enumerate(label_names(asked))}
    wanted = enumerate(label_names(questions))
    places = [(i, number[label]) for i, label in wanted if label in number]
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
    known = {piece: [i] for i, piece in enumerate(before.pieces) if piece}
    pieces = tokenizer.pieces
    split = before.encode_batch(pieces)
    same = [known.get(piece) or ids for piece, ids in zip(pieces, split, strict=True)]
    return [ids or [i] for i, ids in enumerate(same)]  # special tokens have the same ids in all
