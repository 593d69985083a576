"""A blend lies on the line between two stages of one model."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from unmist.artifact import layout
from unmist.errors import UsageError
from unmist.text import Tokenizer
from unmist.train.blend import blend
from unmist.train.encoder import Shape
from unmist.train.export import export_encoder, load_encoder
from unmist.train.pretrainer import Pretrainer

QUESTIONS: list[dict[str, object]] = [{"name": "q", "labels": ["a", "b", "c"]}]


def stage(
    folder: Path,
    tokenizer: Path,
    seed: int,
    hidden: int = 64,
    questions: list[dict[str, object]] = QUESTIONS,
) -> Path:
    """A model folder with weights of its own and a specialist that stands on them."""
    torch.manual_seed(seed)
    shape = Shape(layers=1, hidden=hidden, vocabulary=Tokenizer(tokenizer).size)
    export_encoder(Pretrainer(shape, 3), questions, tokenizer, folder)
    layout.adapter_folder(folder, "mine").mkdir(parents=True)
    return folder


@pytest.fixture
def stages(tmp_path: Path, tokenizer_file: Path) -> tuple[Path, Path]:
    return tuple(stage(tmp_path / f"{seed}", tokenizer_file, seed) for seed in (1, 2))  # type: ignore[return-value]


def test_weights_are_between(stages: tuple[Path, Path], tmp_path: Path) -> None:
    before, after = stages
    blend(before, after, 0.75, out := tmp_path / "out")
    for name in (layout.WEIGHTS, layout.PRETRAINING):
        old, new, found = (load_file(folder / name) for folder in (before, after, out))
        for key, value in found.items():
            between = 0.25 * old[key].float() + 0.75 * new[key].float()
            torch.testing.assert_close(value.float(), between, atol=1e-3, rtol=1e-3)
    assert load_encoder(out).shape == load_encoder(after).shape
    with safe_open(out / layout.PRETRAINING, "pt") as file:
        assert "questions" in file.metadata()
    assert not (out / layout.ADAPTERS).exists()


@pytest.mark.parametrize(("share", "which"), [(0.0, 0), (1.0, 1)])
def test_the_ends_are_the_stages(
    stages: tuple[Path, Path], tmp_path: Path, share: float, which: int
) -> None:
    blend(*stages, share, tmp_path / "out")
    expected = load_file(stages[which] / layout.WEIGHTS)
    found = load_file(tmp_path / "out" / layout.WEIGHTS)
    assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_labels_in_another_order_are_matched_by_name(tmp_path: Path, tokenizer_file: Path) -> None:
    turned: list[dict[str, object]] = [{"name": "q", "labels": ["c", "a", "b"]}]
    before = stage(tmp_path / "1", tokenizer_file, 1, questions=turned)
    after = stage(tmp_path / "2", tokenizer_file, 2)
    blend(before, after, 0.0, tmp_path / "out")
    old, found = (load_file(f / layout.PRETRAINING) for f in (before, tmp_path / "out"))
    for name in ("labels.weight", "labels.bias"):
        torch.testing.assert_close(found[name], old[name][[1, 2, 0]])
    other: list[dict[str, object]] = [{"name": "q", "labels": ["c", "a", "d"]}]
    foreign = stage(tmp_path / "3", tokenizer_file, 3, questions=other)
    with pytest.raises(UsageError, match="not two stages"):
        blend(foreign, after, 0.5, tmp_path / "none")


def test_refuses_what_does_not_belong_together(
    stages: tuple[Path, Path], tmp_path: Path, tokenizer_file: Path
) -> None:
    wider = stage(tmp_path / "wider", tokenizer_file, 1, hidden=128)
    with pytest.raises(UsageError, match="not two stages"):
        blend(stages[0], wider, 0.5, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(UsageError, match="expected 0"):
        blend(*stages, 1.5, tmp_path / "out")
    with pytest.raises(UsageError, match="already"):
        blend(*stages, 0.5, stages[0])
