"""A linear probe on frozen vectors: how much of a task the encoder already knows."""

from collections.abc import Sequence

import numpy as np
import torch

from unmist.text import Tokenizer, normalize
from unmist.train.corpus import Example
from unmist.train.encoder import Encoder
from unmist.train.mixture import even


def vectors(
    encoder: Encoder, tokenizer: Tokenizer, texts: Sequence[str], field: str = "hostname"
) -> np.ndarray:
    """Mean-pooled vectors [n, hidden] float32, L2-normalised, in the order of ``texts``."""
    rows = tokenizer.encode_batch([normalize(t, field) for t in texts], field)
    rows = [even(row) for row in rows]
    out = np.empty((len(rows), encoder.shape.hidden), np.float32)
    lengths = np.array([len(r) for r in rows])
    with torch.inference_mode():
        for length in np.unique(lengths):
            members = np.flatnonzero(lengths == length)
            for start in range(0, len(members), 512):
                chosen = members[start : start + 512]
                ids = torch.tensor([rows[i] for i in chosen])
                out[chosen] = encoder.pool(ids).float().numpy()
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    return out


def linear_probe(
    encoder: Encoder,
    tokenizer: Tokenizer,
    train: Sequence[Example],
    test: Sequence[Example],
    field: str = "hostname",
) -> float:
    """Accuracy of a ridge classifier on standardised vectors."""
    x = vectors(encoder, tokenizer, [e.text for e in train], field).astype(np.float64)
    z = vectors(encoder, tokenizer, [e.text for e in test], field).astype(np.float64)
    mean, scale = x.mean(0), x.std(0) + 1e-8
    x, z = (x - mean) / scale, (z - mean) / scale
    labels = sorted({e.label for e in train})
    number = {label: i for i, label in enumerate(labels)}
    y = np.eye(len(labels))[[number[e.label] for e in train]]
    centre = y.mean(0)
    ridge = x.T @ x + 0.03 * len(x) * np.eye(x.shape[1])
    weights = np.linalg.solve(ridge, x.T @ (y - centre))
    predicted = (z @ weights + centre).argmax(1)
    actual = np.array([number.get(e.label, -1) for e in test])
    return float((predicted == actual).mean())
