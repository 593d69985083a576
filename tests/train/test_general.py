"""What a general encoder says of rows is read back for those rows, and learnt."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from unmist.text import Tokenizer
from unmist.train import general
from unmist.train.general import GeneralVectors, centred, chosen, readable
from unmist.train.mixture import Batch, Mixture
from unmist.train.pretrain_recipe import Recipe
from unmist.train.run import Run

SHAPE = {"layers": 1, "hidden": 64, "vocabulary": 600}


@pytest.fixture(scope="module")
def said(mixture_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every second row of the mixture; its vector points one way for each label."""
    mixture = Mixture(mixture_file)
    rows = np.arange(0, len(mixture.labels), 2)
    path = tmp_path_factory.mktemp("general") / "general.safetensors"
    vectors = np.eye(16, dtype=np.float16)[mixture.labels[rows]]
    save_file({"rows": rows, "vectors": vectors}, path)
    return path


def batch(mixture: Mixture, rows: list[int]) -> Batch:
    numbers = np.array(rows)
    return Batch(np.zeros((len(rows), 1), np.int64), numbers * 0, mixture.labels[numbers], numbers)


def test_only_rows_with_a_vector_count(mixture_file: Path, said: Path) -> None:
    mixture = Mixture(mixture_file)
    by = GeneralVectors(said, mixture, 16)
    with torch.no_grad():
        by.lift.weight.copy_(torch.eye(16))
        by.lift.bias.zero_()
    right = torch.eye(16)[torch.from_numpy(mixture.labels[[0, 1, 2]].astype(np.int64))]
    right[1] *= -1  # row 1 has no vector
    assert by.loss(batch(mixture, [0, 1, 2]), right).item() == pytest.approx(0, abs=1e-5)
    assert by.loss(batch(mixture, [0, 1, 2]), -right).item() == pytest.approx(2, abs=1e-5)
    assert by.loss(batch(mixture, [1, 3]), right[:2]).item() == 0


def test_rows_within_the_limit_small_parts_whole(mixture_file: Path) -> None:
    mixture = Mixture(mixture_file)
    limit = len(mixture.labels) * 4 // 5
    rows = chosen(mixture, {"hostname": limit}, 1)["hostname"]
    assert 0 < len(rows) <= limit
    assert len(set(rows.tolist())) == len(rows)
    taken = [int(((rows >= p.start) & (rows < p.stop)).sum()) for p in mixture.parts]
    sizes = [p.stop - p.start for p in mixture.parts]
    assert taken[int(np.argmin(sizes))] == min(sizes)
    everything = chosen(mixture, {"hostname": 10**9}, 1)["hostname"]
    assert set(rows.tolist()) <= set(everything.tolist())


def test_hostnames_are_read_as_words() -> None:
    assert readable("www.first-bank.co.uk", "hostname") == "www first bank co uk"
    assert readable("ls -la a.b", "command") == "ls -la a.b"


def test_the_file_that_a_run_reads(
    tmp_path: Path,
    mixture_file: Path,
    tokenizer_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []

    def vectors(_folder: Path, texts: list[str]) -> torch.Tensor:
        read.extend(texts)
        return torch.ones(len(texts), 3, dtype=torch.float16)

    monkeypatch.setattr(general, "vectors", vectors)
    monkeypatch.setattr(general, "ROWS", {"hostname": 40})
    out = tmp_path / "general.safetensors"
    options: list[Any] = ["--mixture", mixture_file, "--tokenizer", tokenizer_file]
    general.main([str(o) for o in [*options, "--general", tmp_path, "-o", out]])
    stored = load_file(out)
    assert len(read) == len(stored["rows"]) == len(stored["vectors"]) > 20
    assert all(text and "." not in text for text in read)


def test_a_run_learns_to_predict_them(
    tmp_path: Path, mixture_file: Path, tokenizer_file: Path, said: Path
) -> None:
    mixture = Mixture(mixture_file)
    plan = Recipe(
        size="1x64",
        minutes=60,
        batch_tokens=512,
        batches_a_step=1,
        general=str(said),
        shape=SHAPE,
    )
    run = Run(tmp_path, plan, mixture, Tokenizer(tokenizer_file))
    assert run.general is not None
    rows = np.flatnonzero(mixture.lengths == np.median(mixture.lengths))[:64]
    length = int(mixture.lengths[rows[0]])
    ids = mixture.tokens[mixture.offsets[rows][:, None] + np.arange(length)].astype(np.int64)
    asked = Batch(ids, np.zeros(len(rows), np.int64), mixture.labels[rows].astype(np.int64), rows)

    def distance() -> float:
        assert run.general is not None
        with torch.no_grad():
            pooled = run.model.encoder(torch.from_numpy(ids)).mean(1)
            return run.general.loss(asked, pooled).item()

    before = distance()
    for _ in range(20):
        run._step([asked], 0.5)
    assert distance() < before / 2

    run.save()
    again = Run(tmp_path, plan, mixture, Tokenizer(tokenizer_file))
    assert again.general is not None
    assert torch.equal(again.general.lift.weight, run.general.lift.weight)


def test_what_all_vectors_have_in_common_is_taken_off() -> None:
    apart = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], np.float32)
    found = centred((apart + np.array([50.0, 20.0])).astype(np.float16))
    assert found == pytest.approx(apart, abs=0.05)
    assert not np.isnan(centred(np.ones((3, 2), np.float16))).any()
