"""A checkpoint comes back whole, and a kill while writing leaves the one before."""

import os
from pathlib import Path

import pytest
import torch
from torch import nn

from unmist.train import checkpoint
from unmist.train.optimizer import Muon


class Small:
    """A model with both optimizers, a step into training."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.model = nn.Sequential(nn.Linear(4, 3, bias=False), nn.LayerNorm(3))
        self.modules: dict[str, nn.Module] = {"model": self.model}
        self.optimizers: dict[str, torch.optim.Optimizer] = {
            "muon": Muon([self.model[0].weight], lr=0.1),
            "adam": torch.optim.AdamW(self.model[1].parameters(), lr=0.1),
        }

    def step(self, seed: int) -> None:
        x = torch.randn(5, 4, generator=torch.Generator().manual_seed(seed))
        (self.model(x) ** 3).sum().backward()
        for optimizer in self.optimizers.values():
            optimizer.step()
            optimizer.zero_grad()

    def values(self) -> list[float]:
        return torch.cat([w.detach().flatten() for w in self.model.parameters()]).tolist()


def test_training_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    first = Small(1)
    first.step(1)
    checkpoint.save(path, first.modules, first.optimizers, {"step": 1, "questions": [{"a": 1}]})
    first.step(2)

    second = Small(2)
    assert second.values() != first.values()
    meta = checkpoint.load(path, second.modules, second.optimizers)
    assert meta == {"step": 1, "questions": [{"a": 1}]}
    second.step(2)
    assert second.values() == first.values()


def test_a_failed_write_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint.safetensors"
    small = Small(1)
    checkpoint.save(path, small.modules, small.optimizers, {"step": 1})
    before = path.read_bytes()

    def killed(descriptor: int) -> None:
        raise KeyboardInterrupt  # everything is written, but under the temporary name

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(path, small.modules, small.optimizers, {"step": 2})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    small = Small(1)
    for step in range(2):
        checkpoint.save(path, small.modules, small.optimizers, {"step": step})
    assert list(tmp_path.iterdir()) == [path]
    assert checkpoint.load(path, small.modules, small.optimizers)["step"] == 1
