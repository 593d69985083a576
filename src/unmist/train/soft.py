"""Soft targets of :mod:`unmist.train.teacher`, asked beside a row's own question."""

from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from unmist.train.mixture import Batch, Mixture
from unmist.train.pretrainer import Pretrainer


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
