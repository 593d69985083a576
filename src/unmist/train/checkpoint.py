"""Atomic training checkpoints: safetensors for tensors, their metadata for the rest. No pickle."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from unmist.io import AtomicFile


def save(
    path: Path,
    modules: dict[str, nn.Module],
    optimizers: dict[str, torch.optim.Optimizer],
    meta: dict[str, Any],
) -> None:
    """Write a checkpoint; a kill leaves the old one or the new one, never half of one."""
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors |= {f"{name}/{key}": value for key, value in module.state_dict().items()}
    for name, optimizer in optimizers.items():
        for index, state in optimizer.state_dict()["state"].items():
            for key, value in state.items():
                tensors[f"{name}/{index}/{key}"] = torch.as_tensor(value)
    tensors = {key: value.detach().clone().contiguous() for key, value in tensors.items()}
    with AtomicFile(path) as file:
        file.write(to_bytes(tensors, metadata={"meta": json.dumps(meta)}))


def load(
    path: Path,
    modules: dict[str, nn.Module],
    optimizers: dict[str, torch.optim.Optimizer],
) -> dict[str, Any]:
    """Put a checkpoint back into modules and optimizers; returns its meta."""
    with safe_open(path, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        meta: dict[str, Any] = json.loads(file.metadata()["meta"])
    for name, module in modules.items():
        module.load_state_dict(_under(tensors, name))
    for name, optimizer in optimizers.items():
        whole = optimizer.state_dict()
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in _under(tensors, name).items():
            index, field = key.split("/")
            state.setdefault(int(index), {})[field] = value
        whole["state"] = state
        optimizer.load_state_dict(whole)
    return meta


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    start = prefix + "/"
    return {key[len(start) :]: value for key, value in tensors.items() if key.startswith(start)}
