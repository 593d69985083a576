"""Transformers under one roof for fine-tuning: text to token ids, ids to one vector a row.

Rows of one length go through together, so nobody needs padding or a mask.
"""

import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from tokenizers import Tokenizer as _HFTokenizer
from torch import Tensor, nn

from unmist.artifact import layout
from unmist.errors import InputError
from unmist.evaluate.probes.encoders import within_limit
from unmist.text import Tokenizer, both_ends, normalize
from unmist.train.encoder import Encoder
from unmist.train.export import load_encoder

MAX_TOKENS: Final = 256
Encode = Callable[[Sequence[str], str], list[list[int]]]
"""Texts and their field kind to token ids."""


class Body(nn.Module):
    """An encoder with its tokenizer.

    Args:
        inner: ids [rows, length] to pooled vectors [rows, hidden].
        hidden: width of a vector.
        encode: texts to ids.
    """

    def __init__(self, inner: nn.Module, hidden: int, encode: Encode) -> None:
        super().__init__()
        self.inner, self.hidden, self.encode = inner, hidden, encode

    def forward(self, ids: Tensor) -> Tensor:
        """Vectors [rows, hidden] of ids [rows, length], no padding."""
        out: Tensor = self.inner(ids)
        return out

    def linear(self) -> list[str]:
        """Names of the linear layers, which LoRA adapts."""
        return [name for name, part in self.named_modules() if isinstance(part, nn.Linear)]

    def parameter_count(self) -> int:
        """How many numbers it is made of."""
        return sum(int(weight.numel()) for weight in self.parameters())


class _Pooled(nn.Module):
    """Mean of an encoder's hidden states, special tokens included, as all of these models do."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, ids: Tensor) -> Tensor:
        hidden = self.encoder(ids)
        hidden = hidden if isinstance(hidden, Tensor) else hidden.last_hidden_state
        out: Tensor = hidden.mean(1)
        return out


def ours(folder: Path, encoder: Encoder | None = None) -> Body:
    """A model folder of unmist; with ``encoder`` its tokenizer only."""
    tokenizer = Tokenizer(folder / layout.TOKENIZER)
    return of_encoder(encoder or load_encoder(folder), spelled(tokenizer))


def of_encoder(encoder: Encoder, encode: Encode) -> Body:
    """Our encoder's shape under any tokenizer."""
    return Body(_Pooled(encoder), encoder.shape.hidden, encode)


def spelled(tokenizer: Tokenizer, limit: int = MAX_TOKENS) -> Encode:
    """Ids as unmist reads a text."""

    def encode(texts: Sequence[str], field: str) -> list[list[int]]:
        rows = tokenizer.encode_batch([normalize(text, field) for text in texts], field)
        return [both_ends(row, limit) for row in rows]

    return encode


def peer(folder: Path) -> Body:
    """A sentence-transformers folder of a BERT-like model with mean pooling.

    Raises:
        InputError: it is missing, or pools in another way.
    """
    pooling = _json(folder / "1_Pooling" / "config.json")
    if not pooling.get("pooling_mode_mean_tokens"):
        raise InputError("expected mean pooling", str(folder))
    from transformers import AutoModel
    from transformers.utils import logging

    quiet: Any = logging
    quiet.disable_progress_bar()
    quiet.set_verbosity_error()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Written-out attention: torch's fused kernel goes backward three to ten times slower.
        encoder: Any = AutoModel.from_pretrained(
            str(folder),
            local_files_only=True,
            dtype=torch.float32,
            attn_implementation="eager",
            add_pooling_layer=False,
        )
    return Body(_Pooled(encoder), int(encoder.config.hidden_size), peer_spelling(folder))


def peer_spelling(folder: Path) -> Encode:
    """A peer's own tokenizer, prompt and longest input; it is not told the field kind."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise InputError("no tokenizer.json here; expected a model folder", str(folder))
    tokenizer = _HFTokenizer.from_file(str(path))
    tokenizer.no_padding()
    longest = _json(folder / "sentence_bert_config.json").get("max_seq_length") or MAX_TOKENS
    tokenizer.enable_truncation(min(int(longest), MAX_TOKENS))
    said = _json(folder / "config_sentence_transformers.json")
    prompt = (said.get("prompts") or {}).get(said.get("default_prompt_name"), "")

    def encode(texts: Sequence[str], field: str) -> list[list[int]]:
        batch = tokenizer.encode_batch_fast([prompt + within_limit(text) for text in texts])
        return [encoding.ids for encoding in batch]

    return encode


def peer_vocabulary(folder: Path) -> int:
    """Number of token ids of a peer's tokenizer."""
    return int(_HFTokenizer.from_file(str(folder / "tokenizer.json")).get_vocab_size())


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content: dict[str, Any] = json.loads(path.read_text())
    return content
