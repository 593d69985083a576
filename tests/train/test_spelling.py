"""N-grams inside the token table: pieces of like spelling learn from each other."""

from pathlib import Path

import pytest
import torch
from torch import nn

from unmist.text import Tokenizer
from unmist.train import shares
from unmist.train.encoder import Shape
from unmist.train.mixture import Mixture
from unmist.train.pretrain_recipe import Recipe
from unmist.train.run import Run
from unmist.train.spelling import Spelling

PIECES = [b"", b"login", b"logins", b"zq"]


def _step(table: nn.Parameter, spelling: Spelling, row: int) -> None:
    optimizer = torch.optim.SGD(spelling.parameters(), lr=1.0)
    table.grad = torch.zeros_like(table)
    table.grad[row] = 1.0
    spelling.take()
    optimizer.step()
    spelling.give()


def test_what_one_piece_learns_others_of_its_spelling_do() -> None:
    table = nn.Parameter(torch.randn(4, 8))
    before, spelling = table.detach().clone(), Spelling(table, PIECES)
    _step(table, spelling, 1)
    moved = (before - table.detach()).mean(1)
    assert moved[0] == 0.0
    assert moved[1] > moved[2] > moved[3]


def test_the_table_holds_the_sum() -> None:
    table = nn.Parameter(torch.randn(4, 8))
    own, spelling = table.detach().clone(), Spelling(table, PIECES)
    for row in (1, 3, 2, 1):
        _step(table, spelling, row)
    assert torch.allclose(table.detach(), own + spelling().detach(), atol=1e-6)


def test_the_gradient_is_that_of_the_sum() -> None:
    table = nn.Parameter(torch.randn(4, 8))
    spelling, wanted = Spelling(table, PIECES), torch.randn(4, 8)
    ((spelling() + table.detach()) * wanted).sum().backward()  # type: ignore[no-untyped-call]
    by_hand, table.grad = spelling.grams.grad, wanted
    spelling.take()
    assert by_hand is not None
    assert spelling.grams.grad is not None
    assert torch.allclose(by_hand, spelling.grams.grad, atol=1e-6)


def test_a_table_without_a_gradient_stays() -> None:
    table = nn.Parameter(torch.randn(4, 8))
    before, spelling = table.detach().clone(), Spelling(table, PIECES)
    spelling.take()
    spelling.give()
    assert torch.equal(before, table.detach())


def test_a_run_resumes_with_its_ngrams(
    tmp_path: Path, mixture_file: Path, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "CHUNK_ROWS", 200)
    tokenizer, mixture = Tokenizer(tokenizer_file), Mixture(mixture_file)
    shape = Shape(layers=1, hidden=64, vocabulary=tokenizer.size).as_dict()
    recipe = Recipe(minutes=0.05, batch_tokens=256, batches_a_step=2, shape=shape, spelling=True)
    run = Run(tmp_path, recipe, mixture, tokenizer)
    run.train()
    assert run.spelling is not None
    learnt = run.spelling.grams.detach()
    assert learnt.abs().max() > 0
    again = Run(tmp_path, recipe, mixture, tokenizer)
    assert again.spelling is not None
    assert torch.equal(again.spelling.grams.detach(), learnt)
    table = again.model.encoder.embeddings.tok_embeddings.weight
    assert torch.equal(table, run.model.encoder.embeddings.tok_embeddings.weight)
