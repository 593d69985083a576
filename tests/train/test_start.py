"""A run that starts from other weights takes what fits, whatever tokenizer they had."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from unmist.text import Tokenizer
from unmist.train.encoder import Encoder, Shape
from unmist.train.export import load_encoder
from unmist.train.mixture import Mixture
from unmist.train.pretrain_recipe import Recipe
from unmist.train.run import Run
from unmist.train.start import deeper, old_pieces
from unmist.train.tokenizer import train as train_tokenizer


def test_a_warm_start_takes_what_fits(
    tmp_path: Path, mixture_file: Path, tokenizer_file: Path, encoder_folder: Path
) -> None:
    encoder = load_encoder(encoder_folder)
    how = Recipe(minutes=1)
    how.shape, how.init = encoder.shape.as_dict(), str(encoder_folder)
    run = Run(tmp_path, how, Mixture(mixture_file), Tokenizer(tokenizer_file))
    for name, value in encoder.state_dict().items():
        assert torch.equal(run.model.encoder.state_dict()[name], value), name
    stored = load_file(encoder_folder / "pretraining.safetensors")
    assert torch.equal(run.model.dense.weight, stored["dense.weight"].float())
    # The folder was asked one of the two questions; the other starts at zero.
    assert torch.equal(run.model.labels.weight[:3], stored["labels.weight"].float())
    assert run.model.labels.weight.shape[0] == 6
    assert not run.model.labels.weight[3:].any()


def test_a_warm_start_from_another_tokenizer(
    tmp_path: Path, mixture_file: Path, tokenizer_file: Path, encoder_folder: Path
) -> None:
    """A piece that both have keeps its row; a new one starts as the mean of what it was before."""
    names = ["casino-lake.com", "university.edu", "royal-tribune.net"] * 3
    path = tmp_path / "tokenizer.json"
    train_tokenizer(iter(names), vocabulary=330).save(str(path))
    old, new = Tokenizer(tokenizer_file), Tokenizer(path)
    pieces = old_pieces(new, old)
    assert len(pieces) == new.size
    for token, ids in enumerate(pieces):
        assert old.decode(ids) == new.piece(token)
    assert pieces[new.field_id("hostname")] == [old.field_id("hostname")]
    assert any(len(ids) > 1 for ids in pieces)
    how = Recipe(minutes=1)
    before = load_encoder(encoder_folder)
    how.shape = before.shape.as_dict() | {"vocabulary": new.size}
    how.init = str(encoder_folder)
    run = Run(tmp_path, how, Mixture(mixture_file), new)
    table = before.embeddings.tok_embeddings.weight
    for ids, row in zip(pieces, run.model.encoder.embeddings.tok_embeddings.weight, strict=True):
        torch.testing.assert_close(row, table[ids].mean(0))


def test_more_layers_change_nothing_at_first() -> None:
    torch.manual_seed(1)
    shape = Shape(layers=2, hidden=64, vocabulary=50)
    before, after = Encoder(shape), Encoder(Shape(**shape.as_dict() | {"layers": 5}))
    after.load_state_dict(deeper(before.state_dict(), 5))
    ids = torch.randint(0, 50, (4, 7))
    assert torch.allclose(before(ids), after(ids), atol=1e-6)
