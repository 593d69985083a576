"""A small encoder starts from a larger one's tokens and comes near to its vectors."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from unmist.artifact import layout
from unmist.text import Tokenizer
from unmist.train import distill
from unmist.train.distill import Master
from unmist.train.encoder import Encoder, Shape
from unmist.train.export import export_encoder, load_encoder
from unmist.train.mixture import Mixture
from unmist.train.pretrain_recipe import Recipe
from unmist.train.pretrainer import Pretrainer
from unmist.train.run import Run


@pytest.fixture(scope="module")
def master_folder(
    tmp_path_factory: pytest.TempPathFactory, mixture_file: Path, tokenizer_file: Path
) -> Path:
    torch.manual_seed(1)
    mixture, folder = Mixture(mixture_file), tmp_path_factory.mktemp("master")
    shape = Shape(layers=1, hidden=128, vocabulary=Tokenizer(tokenizer_file).size)
    model = Pretrainer(shape, mixture.classes)
    torch.nn.init.normal_(model.labels.weight)
    export_encoder(model, mixture.questions, tokenizer_file, folder)
    return folder


def learner(size: int) -> Shape:
    return Shape(layers=1, hidden=64, vocabulary=size)


def test_the_token_table_keeps_what_tells_tokens_apart(master_folder: Path) -> None:
    master = load_encoder(master_folder)
    table = master.embeddings.tok_embeddings.weight
    table.data[:, 40:] = 0  # of rank 40, so 64 dimensions lose nothing
    small = Encoder(learner(len(table)))
    distill.start(small, master)
    narrow = small.embeddings.tok_embeddings.weight
    assert torch.allclose(narrow @ narrow.T, table @ table.T, atol=1e-4)


def test_another_vocabulary_is_an_error(master_folder: Path) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        distill.start(Encoder(learner(77)), load_encoder(master_folder))


def test_other_questions_are_an_error(master_folder: Path) -> None:
    with pytest.raises(ValueError, match="questions"):
        Master(master_folder, [{"name": "x", "labels": ["y"]}], 64)


def test_a_run_comes_near_to_its_master(
    tmp_path: Path, master_folder: Path, mixture_file: Path, tokenizer_file: Path
) -> None:
    before = load_file(master_folder / layout.WEIGHTS)
    tokenizer, mixture = Tokenizer(tokenizer_file), Mixture(mixture_file)
    recipe = Recipe(
        minutes=60,
        batch_tokens=512,
        batches_a_step=1,
        master=str(master_folder),
        shape=learner(tokenizer.size).as_dict(),
    )
    run = Run(tmp_path, recipe, mixture, tokenizer)
    losses = []
    for batches, _ in zip(run._steps(), range(40), strict=False):
        losses.append(run._step(batches, 0.5)[2])
    assert sum(losses[-5:]) < 0.85 * sum(losses[:5])
    run.save()
    again = Run(tmp_path, recipe, mixture, tokenizer)
    assert again.master is not None
    assert run.master is not None
    assert torch.equal(again.master.lift.weight, run.master.lift.weight)
    after = {k: v.half() for k, v in run.master.encoder.state_dict().items()}
    assert all(torch.equal(after[name], value) for name, value in before.items())
