"""The encoder in torch: ModernBERT's shape, for batches in which every row has the same length.

Parameter names are those of ``transformers.ModernBertModel``, so a state dict moves over as it is;
a test holds the outputs equal. Rows are grouped by length before they get here, so there is no
padding and no attention mask: on a CPU that is worth more than a clever kernel. Only the few rows
of a batch of pairs, hardly two of one length, are padded.

Source: Warner et al., "Smarter, Better, Faster, Longer" (ModernBERT), arXiv 2412.13663.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


@dataclass(frozen=True)
class Shape:
    """The one dial's settings. The MLP's inner width is 1.5 times the outer."""

    layers: int
    hidden: int
    vocabulary: int = 24_576
    head_width: int = 64
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-5
    max_tokens: int = 256

    @property
    def heads(self) -> int:
        """Attention heads."""
        return self.hidden // self.head_width

    @property
    def intermediate(self) -> int:
        """Inner width of the gated MLP."""
        return self.hidden * 3 // 2

    def as_dict(self) -> dict[str, Any]:
        """Plain dict for JSON."""
        return asdict(self)


SIZES: Final = {
    "tiny": Shape(layers=2, hidden=64, vocabulary=512),
    "edge": Shape(layers=4, hidden=144, head_width=48),
    "small": Shape(layers=6, hidden=320),
    "base": Shape(layers=15, hidden=768),
}


class Attention(nn.Module):
    """Multi-head attention with rotary positions."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads, self.width = shape.heads, shape.head_width
        self.Wqkv = nn.Linear(shape.hidden, 3 * shape.hidden, bias=False)
        self.Wo = nn.Linear(shape.hidden, shape.hidden, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, padding: Tensor | None = None) -> Tensor:
        rows, length, hidden = x.shape
        qkv = self.Wqkv(x).view(rows, length, 3, self.heads, self.width)
        query, key, value = qkv.transpose(1, 3).unbind(2)
        query, key = _rotate(query, cos, sin), _rotate(key, cos, sin)
        # Written out: torch's fused kernel goes backward three to ten times slower on a CPU.
        scores = query @ key.transpose(-1, -2) * self.width**-0.5
        if padding is not None:
            scores = scores.masked_fill(padding[:, None, None, :], float("-inf"))
        mixed = scores.softmax(-1, dtype=torch.float32).to(value.dtype) @ value
        out: Tensor = self.Wo(mixed.transpose(1, 2).reshape(rows, length, hidden))
        return out


class MLP(nn.Module):
    """GeGLU."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.Wi = nn.Linear(shape.hidden, 2 * shape.intermediate, bias=False)
        self.Wo = nn.Linear(shape.intermediate, shape.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        inner, gate = self.Wi(x).chunk(2, dim=-1)
        out: Tensor = self.Wo(F.gelu(inner) * gate)
        return out


class Layer(nn.Module):
    """Pre-norm attention and MLP; the first layer reads the normalised embeddings as they are."""

    def __init__(self, shape: Shape, first: bool) -> None:
        super().__init__()
        self.attn_norm = nn.Identity() if first else _norm(shape)
        self.attn = Attention(shape)
        self.mlp_norm = _norm(shape)
        self.mlp = MLP(shape)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, padding: Tensor | None = None) -> Tensor:
        x = x + self.attn(self.attn_norm(x), cos, sin, padding)
        out: Tensor = x + self.mlp(self.mlp_norm(x))
        return out


class Embeddings(nn.Module):
    """Token table and norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.tok_embeddings = nn.Embedding(shape.vocabulary, shape.hidden)
        self.norm = _norm(shape)

    def forward(self, ids: Tensor) -> Tensor:
        out: Tensor = self.norm(self.tok_embeddings(ids))
        return out


class Encoder(nn.Module):
    """Token ids [rows, length] to hidden states [rows, length, hidden]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embeddings = Embeddings(shape)
        self.layers = nn.ModuleList(Layer(shape, first=i == 0) for i in range(shape.layers))
        self.final_norm = _norm(shape)
        self._initialise()

    def _initialise(self) -> None:
        depth_scale = (2 * self.shape.layers) ** -0.5
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                std = 0.02 * (depth_scale if name.endswith("Wo.weight") else 1.0)
                nn.init.trunc_normal_(weight, std=std, a=-3 * std, b=3 * std)

    def forward(self, ids: Tensor) -> Tensor:
        return self.transform(self.embeddings(ids))

    def transform(self, x: Tensor, padding: Tensor | None = None, first: int = 0) -> Tensor:
        """What follows the token table, or what comes out below layer ``first``: [rows, length,
        hidden] to hidden states.

        ``padding``, bool [rows, length], is true where there is no token and nothing is read.
        """
        out: Tensor = self.final_norm(self._through(x, range(first, len(self.layers)), padding))
        return out

    def below(self, ids: Tensor, first: int) -> Tensor:
        """What layer ``first`` reads of token ids [rows, length]: [rows, length, hidden]."""
        return self._through(self.embeddings(ids), range(first))

    def _through(self, x: Tensor, layers: range, padding: Tensor | None = None) -> Tensor:
        cos, sin = (wave.to(x.dtype) for wave in _rotary_tables(self.shape, x.shape[1]))
        for number in layers:
            x = self.layers[number](x, cos, sin, padding)
        return x

    def pool(self, ids: Tensor) -> Tensor:
        """Mean of the hidden states, field-kind token included: [rows, hidden]."""
        out: Tensor = self(ids).mean(dim=1)
        return out


def _norm(shape: Shape) -> nn.LayerNorm:
    return nn.LayerNorm(shape.hidden, eps=shape.norm_eps, bias=False)


def _rotary_tables(shape: Shape, length: int) -> tuple[Tensor, Tensor]:
    half = torch.arange(0, shape.head_width, 2, dtype=torch.float32) / shape.head_width
    angles = torch.outer(torch.arange(length, dtype=torch.float32), shape.rope_theta**-half)
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin
