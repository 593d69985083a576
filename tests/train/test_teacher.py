"""Soft targets: answers of a teacher that has not seen the row, one more question in the loss."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from unmist.text import Tokenizer
from unmist.train import teacher
from unmist.train.encoder import Shape
from unmist.train.holdout import kin
from unmist.train.mixture import Batch, Mixture
from unmist.train.pretrainer import Pretrainer
from unmist.train.soft import SoftTargets

TASK = "host-category"


def test_answers_are_probabilities_of_the_rows_named(
    mixture_file: Path, tokenizer_file: Path, tmp_path: Path
) -> None:
    output = tmp_path / "soft.safetensors"
    command = [TASK, "--mixture", str(mixture_file), "--tokenizer", str(tokenizer_file)]
    teacher.main([*command, "--per-source", "50", "-o", str(output)])
    soft, mixture = load_file(output), Mixture(mixture_file)
    rows, said = soft["rows"], soft["probabilities"].astype(np.float32)
    assert len(np.unique(rows)) == len(rows) == len(said)
    np.testing.assert_allclose(said.sum(1), 1, atol=5e-3)
    own = mixture.parts[-1]
    assert set(range(own.start, own.stop)) <= set(rows.tolist())
    for part in mixture.parts[:-1]:
        taken = ((rows >= part.start) & (rows < part.stop)).sum()
        assert 50 <= taken < 100
    mine = (rows >= own.start) & (rows < own.stop)
    right = said[mine].argmax(1) == mixture.labels[rows[mine]] - own.first
    assert right.mean() > 0.8


def test_a_row_is_never_answered_by_a_teacher_that_saw_it(
    mixture_file: Path, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[set[str], list[str]]] = []

    class Spy:
        def __init__(self, texts: list[str], labels: list[int], seed: int) -> None:
            self.texts = set(texts)

        def probabilities(self, texts: list[str]) -> np.ndarray:
            asked.append((self.texts, texts))
            return np.full((len(texts), 3), 1 / 3)

    monkeypatch.setattr(teacher, "NgramClassifier", Spy)
    mixture = Mixture(mixture_file)
    own = mixture.parts[-1]
    teacher.soft_targets(mixture, Tokenizer(tokenizer_file), TASK, 10)
    texts = mixture.texts(np.arange(own.start, own.stop), Tokenizer(tokenizer_file))
    folds = asked[: teacher.FOLDS]
    assert sorted(text for _, part in folds for text in part) == sorted(texts)
    for known, part in folds:
        assert not set(kin(known, "hostname")) & set(kin(part, "hostname"))


def test_the_loss_is_cross_entropy_over_the_tasks_own_labels(
    mixture_file: Path, tmp_path: Path
) -> None:
    mixture = Mixture(mixture_file)
    own = mixture.parts[-1]
    said = np.array([[0.5, 0.25, 0.25]], np.float16)
    path = tmp_path / "soft.safetensors"
    save_file({"rows": np.array([own.start]), "probabilities": said}, path, {"task": TASK})
    soft = SoftTargets(path, mixture)
    model = Pretrainer(Shape(layers=1, hidden=64, vocabulary=600), mixture.classes)
    with torch.no_grad():
        model.labels.bias[own.first] = math.log(2)
    empty = np.zeros((2, 1), np.int64)

    def loss(*rows: int) -> float:
        batch = Batch(empty, empty[:, 0], empty[:, 0], np.array(rows))
        return soft.loss(model, batch, torch.zeros(len(rows), 64)).item()

    # logits log 2, 0, 0: probabilities 1/2, 1/4, 1/4, what the teacher said; entropy 1.5 bits
    assert loss(own.start, own.start) == pytest.approx(1.5 * math.log(2), abs=1e-6)
    assert loss(own.start, 0) == pytest.approx(0.75 * math.log(2), abs=1e-6)
    assert loss(0, 1) == 0.0
