"""What the layers below an adapter say is kept, and nothing is learnt otherwise than without."""

from pathlib import Path

import numpy as np
import pytest
import torch

from unmist.train import fitting, lower
from unmist.train.export import load_encoder
from unmist.train.specialist import Recipe, Rows, Specialist

IDS = [[5, *range(20, 20 + n % 9)] for n in range(60)]
ROWS = Rows(IDS, np.arange(60) % 2)


def test_it_is_what_the_encoder_computes(encoder_folder: Path) -> None:
    encoder = load_encoder(encoder_folder).eval()
    kept = lower.Lower(encoder, ROWS, 1, bf16=False)
    for chosen, ids in ROWS.batches(64, np.random.default_rng(1)):
        found = kept(chosen, ids.shape[1])
        torch.testing.assert_close(found, encoder.below(ids, 1), rtol=1e-3, atol=1e-3)
        whole = encoder.transform(encoder.below(ids, 1), first=1)
        torch.testing.assert_close(whole, encoder(ids))


def test_a_specialist_learns_the_same_with_it(
    encoder_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(rank=2, first_layer=1, minutes=1, dropout=0.0, batch_tokens=64, lr=1e-2)
    said = []
    for most in (lower.MOST_BYTES, 0):
        monkeypatch.setattr(lower, "MOST_BYTES", most)
        torch.manual_seed(1)
        specialist = Specialist(load_encoder(encoder_folder), 2, recipe)
        clock = iter(range(0, 600, 6))  # ten steps
        monkeypatch.setattr(fitting.time, "monotonic", lambda clock=clock: float(next(clock)))
        fitting.fit(specialist, ROWS, ROWS, recipe, lambda *_: None)
        said.append(specialist.logits(ROWS))
    assert np.abs(said[0]).max() > 0.1
    np.testing.assert_allclose(said[0], said[1], atol=2e-2)


def test_where_every_layer_is_adapted_nothing_is_kept(encoder_folder: Path) -> None:
    encoder = load_encoder(encoder_folder)
    assert not lower.worth_keeping(ROWS, encoder, 0)
    assert lower.worth_keeping(ROWS, encoder, 1)
