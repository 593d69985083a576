"""Ways of pretraining that lost or won a trial: each hides, reads or asks what it says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from unmist.text import Tokenizer
from unmist.train import shares, tried
from unmist.train.encoder import Shape
from unmist.train.mixture import Mixture
from unmist.train.pretrain_recipe import Recipe


def test_a_word_opens_after_a_separator(tokenizer_file: Path) -> None:
    tokenizer = Tokenizer(tokenizer_file)
    opens = tried.opening(tokenizer)
    for token in range(tokenizer.size):
        piece = tokenizer.piece(token)
        assert opens[token] == (piece[:1] in {bytes([b]) for b in range(128)} - _WORD or not piece)


_WORD = {bytes([b]) for b in range(128) if chr(b).isalnum()}


@given(st.integers(1, 6), st.integers(2, 20), st.integers(0, 99), st.floats(0, 1))
def test_words_are_hidden_whole(rows: int, length: int, seed: int, rate: float) -> None:
    generator = np.random.default_rng(seed)
    opens = np.array([True, False, False, True])
    ids = generator.integers(0, 4, (rows, length))
    hidden = tried.mask_words(ids, opens, rate, 0.0, generator)
    assert not hidden[:, 0].any()
    for row, hide in zip(ids, hidden, strict=True):
        for i in range(2, length):
            if not opens[row[i]]:
                assert hide[i] == hide[i - 1]


def test_words_are_hidden_at_the_rate() -> None:
    generator = np.random.default_rng(1)
    ids = generator.integers(0, 4, (4000, 12))
    opens = np.array([True, False, False, True])
    hidden = tried.mask_words(ids, opens, 0.3, 0.25, generator)
    assert hidden[:, 1:].mean() == pytest.approx(0.3 * 0.75, abs=0.02)


def test_a_piece_is_read_by_its_spelling() -> None:
    """Pieces that share n-grams share what is added; a token without bytes gets nothing."""
    shape = Shape(layers=1, hidden=64, vocabulary=4)
    table = tried.SpeltEmbeddings(shape, [b"", b"login", b"logins", b"zq"])
    torch.nn.init.zeros_(table.tok_embeddings.weight)
    mask, one, like, other = table(torch.tensor([[0, 1, 2, 3]]))[0]
    near, far = (torch.cosine_similarity(one, x, dim=0).item() for x in (like, other))
    assert not mask.any()
    assert near > far


def test_a_pair_is_read_by_what_is_before() -> None:
    shape = Shape(layers=1, hidden=64, vocabulary=9)
    table = tried.PairedEmbeddings(shape)
    first, second = table(torch.tensor([[1, 2, 3], [1, 4, 3]]))
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[2], second[2])


@pytest.mark.parametrize("kind", sorted(tried.KINDS))
def test_every_kind_learns(
    kind: str,
    tmp_path: Path,
    mixture_file: Path,
    tokenizer_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shares, "CHUNK_ROWS", 200)
    tokenizer, mixture = Tokenizer(tokenizer_file), Mixture(mixture_file)
    shape = Shape(layers=1, hidden=64, vocabulary=tokenizer.size).as_dict()
    recipe = Recipe(minutes=0.05, batch_tokens=256, batches_a_step=2, shape=shape)
    run = tried.KINDS[kind](tmp_path, recipe, mixture, tokenizer)
    batch = next(batch for step in run._steps() for batch in step if batch.ids.shape[1] > 4)
    generator = np.random.default_rng
    before = sum(part.item() for part in run._losses(batch, generator(1)))
    run.train()
    after = sum(part.item() for part in run._losses(batch, generator(1)))
    assert after < before


def test_only_replaced_tokens_are_told_as_replaced(
    tmp_path: Path, mixture_file: Path, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked about was visible, and its answer is whether it is another token now."""
    tokenizer, mixture = Tokenizer(tokenizer_file), Mixture(mixture_file)
    shape = Shape(layers=1, hidden=64, vocabulary=tokenizer.size).as_dict()
    run = tried.Detected(tmp_path, Recipe(batch_tokens=256, shape=shape), mixture, tokenizer)
    batch = next(batch for step in run._steps() for batch in step if batch.ids.shape[1] > 4)
    told: list[tuple[np.ndarray, np.ndarray]] = []
    seen: list[np.ndarray] = []
    monkeypatch.setattr(
        run.model, "detection_loss",
        lambda _states, replaced, asked: told.append((replaced, asked)) or torch.zeros(()),
    )  # fmt: skip
    encode = run.encode
    monkeypatch.setattr(run, "encode", lambda ids: seen.append(ids.numpy()) or encode(ids))
    hide = np.zeros(batch.ids.shape, bool)
    hide[:, 2] = True
    run._token_loss(batch, hide, np.random.default_rng(1))
    (replaced, asked), ids = told[0], seen[0]
    assert (ids[hide] == tokenizer.mask_id).all()
    assert not asked[:, 0].any()
    assert not asked[hide].any()
    assert ((ids != batch.ids) == replaced)[asked].all()
    assert 0 < replaced[asked].mean() < 0.4
