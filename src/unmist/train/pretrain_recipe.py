"""How a pretraining run learns: everything that decides it, stored with its checkpoints."""

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Recipe:
    """Everything that decides a run; every field is an option of :mod:`unmist.train.pretrain`."""

    size: str = "small"
    minutes: float = 60.0
    seed: int = 1
    batch_tokens: int = 2048
    batches_a_step: int = 4
    mask_rate: float = 0.3
    whole_rows: float = 0.4  # share of rows left unmasked, read only for their label
    label_weight: float = 1.0
    task_share: float = 0.4  # share of rows that come from task training splits
    lr: float = 3e-3  # of the matrices under Muon
    adam_lr: float = 1e-3  # of embeddings, norms and heads; of everything without Muon
    warmup: float = 0.02
    decay: float = 0.4  # last share of the budget, in which the rate falls to zero
    anneal_task_share: float = 0.65  # the same two shares while the rate falls
    anneal_whole_rows: float = 0.6
    part_power: float = 0.6  # parts of a group are read in proportion to tokens ** this
    part_cap: float = float("inf")  # most of a part's rows in a chunk: few rows are learnt by heart
    focus: str = ""  # tasks whose rows count several times, separated by spaces
    focus_weight: float = 3.0
    rest: str = ""  # tasks that are not drawn: few rows, drawn often, are learnt by heart
    muon: bool = True
    spelling: bool = False  # hashed n-grams of its piece are part of each row of the token table
    bf16: bool = False  # products in bfloat16, sums in float32: six times as fast with AMX
    compile: bool = False  # fuse what is not a matrix product; needs a C++ compiler
    soft: str = ""  # soft targets of unmist.train.teacher
    soft_weight: float = 1.0
    general: str = ""  # vectors of unmist.train.general
    general_weight: float = 1.0
    init: str = ""  # model folder to start from
    master: str = ""  # model folder to be distilled
    pairs: float = 0.0  # last share of the budget in which pairs are compared, too
    pair_weight: float = 0.3
    pair_every: int = 2  # steps from one batch of pairs to the next
    ranking: float = 1.0  # of equivalent forms before near misses, beside telling pairs apart
    shape: dict[str, Any] = field(default_factory=dict)


def rate_share(recipe: Recipe, progress: float) -> float:
    """Share of the peak learning rate: warm up, stay, then fall linearly to zero.

    ``progress`` is the share of the budget used.
    """
    if progress < recipe.warmup:
        return progress / recipe.warmup
    return min(1.0, (1 - progress) / recipe.decay) if progress < 1 else 0.0
