"""How much of each part of a mixture is read."""

from typing import Final

import numpy as np

from unmist.train.mixture import Mixture
from unmist.train.pretrain_recipe import Recipe

CHUNK_ROWS: Final = 160_000  # many, so that few batches of a length are not full
# Share of the tokens that each field kind gets; of a mixture with fewer kinds, in proportion.
FIELD_SHARES: Final = {
    "hostname": 0.34,
    "url": 0.10,
    "http": 0.13,
    "header": 0.09,
    "command": 0.12,
    "path": 0.06,
    "certificate": 0.01,
    "log": 0.07,
    "cloud": 0.05,
    "prose": 0.03,
}


def mixture_weights(mixture: Mixture, recipe: Recipe, task_share: float) -> list[float]:
    """Share of the rows of a chunk that each part gives.

    Tokens are what time is spent on, so shares are set in tokens: each field kind has its own
    (``FIELD_SHARES``), in a field ``task_share`` of them go to the tasks' splits, and within both
    groups a part's share goes with its tokens to the power of ``part_power``. No part gives more
    than ``part_cap`` of its rows to a chunk; what is cut off goes to all others.
    """
    parts = mixture.parts
    lengths = np.array([mixture.lengths[p.start : p.stop].mean() for p in parts])
    tokens = np.array([p.stop - p.start for p in parts]) * lengths
    shares = tokens**recipe.part_power
    shares[[part.name in recipe.focus.split() for part in parts]] *= recipe.focus_weight
    fields = np.array([part.field for part in parts])
    tasks = np.array([part.task for part in parts])
    shares[[part.name in recipe.rest.split() for part in parts]] = 0
    for kind in np.unique(fields):
        inside = fields == kind
        groups = ((inside & tasks, task_share), (inside & ~tasks, 1 - task_share))
        both = all(shares[group].any() for group, _ in groups)
        for group, share in groups:
            if shares[group].any():
                shares[group] *= FIELD_SHARES[kind] * (share if both else 1) / shares[group].sum()
    rows = shares / lengths
    most = np.array([part.stop - part.start for part in parts]) * recipe.part_cap / CHUNK_ROWS
    return list(_capped(rows / rows.sum(), most))


def _capped(shares: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Shares that sum to one, none above its most: what is cut off raises all others alike.

    Where all at their most do not make one, they are in proportion to that.
    """
    shares = shares.copy()
    if most.sum() <= 1:
        shares[:] = most / most.sum()
        return shares
    full = np.zeros(len(shares), bool)
    while (over := (shares > most) & ~full).any():
        full |= over
        shares[full] = most[full]
        shares[~full] *= (1 - shares[full].sum()) / shares[~full].sum()
    return shares
