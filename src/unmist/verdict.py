"""The answer for one row: what the network said, and what unmist says."""

from typing import Literal

import msgspec

Status = Literal["ok", "abstain", "bad_input"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One row's answer. Field order is the JSONL order and a contract.

    ``label`` and ``score`` are what unmist says; ``label`` is ``None`` when ``status`` is
    ``abstain`` or ``bad_input``. ``model_label`` and ``model_score`` are what the network said,
    kept even when unmist does not stand by it; they are ``None`` only when there was no text to
    ask about.

    Attributes:
        text: the row's text as it was read; bytes that are not UTF-8 appear as ``\\xNN``.
        field: field kind, e.g. ``hostname``.
        task: the specialist that answered, e.g. ``host-category``.
        label: a label of the task, or ``None``.
        score: calibrated probability of ``label`` in [0, 1]; 0.0 when there is no label.
        status: ``ok``, ``abstain`` or ``bad_input``.
        reason: machine-readable code: why unmist abstains, what is wrong with the row, or
            a remark on an answered one (``truncated``); ``None`` when there is nothing to say.
        model_label: the label with the highest probability.
        model_score: its calibrated probability.
        source: file name, ``-`` for standard input, ``None`` from the Python API.
        line: 1-based line or row number in ``source``, ``None`` from the Python API.
    """

    text: str
    field: str
    task: str
    label: str | None
    score: float
    status: Status
    reason: str | None
    model_label: str | None
    model_score: float | None
    source: str | None = None
    line: int | None = None
