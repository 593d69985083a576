"""A specialist learns its task and leaves the encoder alone."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file, save_file

import unmist
from unmist.artifact import layout, manifest
from unmist.errors import InputError, ModelError
from unmist.evaluate import evaluate_task
from unmist.model import Model
from unmist.text import Tokenizer
from unmist.train import adapter, corpus, more, written
from unmist.train.adapter import train_task
from unmist.train.encoder import Encoder, Shape
from unmist.train.fitting import fit
from unmist.train.specialist import (
    Recipe,
    Rows,
    Specialist,
    encode,
    label_weights,
    start_head,
)

TASK = "host-category"
LABELS = ["education", "gambling", "news"]


def digest(folder: Path) -> str:
    return hashlib.sha256((folder / layout.WEIGHTS).read_bytes()).hexdigest()


def test_the_encoder_stays_as_it_is(tiny_model_folder: Path, encoder_folder: Path) -> None:
    assert digest(tiny_model_folder) == digest(encoder_folder)
    card = json.loads((layout.adapter_folder(tiny_model_folder, TASK) / layout.TASK).read_text())
    assert card["encoder"] == digest(encoder_folder)


def test_it_learns_the_task(tiny_model: Model, data_folder: Path) -> None:
    card = tiny_model.card(TASK)
    assert card.scores["dev"]["accuracy"] > 0.6  # a guess would be right once in three
    path = data_folder / "tasks" / TASK / "dev.tsv.zst"
    assert evaluate_task(tiny_model, TASK, path)["accuracy"] > 0.6


def test_the_card(tiny_model_folder: Path) -> None:
    folder = layout.adapter_folder(tiny_model_folder, TASK)
    card = json.loads((folder / layout.TASK).read_text())
    assert (card["task"], card["field"], card["labels"]) == (TASK, "hostname", LABELS)
    assert (card["licence"], card["precision"]) == ("CC0-1.0", 0.9)
    assert "split by turns" in card["data"]
    assert set(card["scores"]) == {"dev", "test"}
    assert card["training"]["recipe"]["rank"] == 4
    assert card["training"]["log"][-1]["dev_accuracy"] > card["training"]["log"][0]["dev_accuracy"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "head.safetensors",
        "task.json",
    ]


def test_training_on_top_of_a_changed_encoder_is_an_error(
    encoder_folder: Path, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(encoder_folder, folder)
    fit = adapter.fit

    def careless(specialist: Specialist, *args: object) -> object:
        with torch.no_grad():
            specialist.encoder.get_base_model().embeddings.norm.weight.mul_(1.01)
        return fit(specialist, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(adapter, "fit", careless)
    with pytest.raises(ModelError, match=r"embeddings\.norm\.weight: changed while training"):
        train_task(folder, data_folder, TASK, Recipe(minutes=0.001))


def test_only_factors_and_head_are_trained() -> None:
    specialist = Specialist(Encoder(Shape(layers=1, hidden=64, vocabulary=300)), 3, Recipe())
    trained = {name for name, w in specialist.named_parameters() if w.requires_grad}
    assert all("lora_" in name or name.startswith("head.") for name in trained)
    assert len(trained) == 4 * 2 + 2


def test_the_command_line_writes_a_folder_that_opens(
    encoder_folder: Path, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = torch.get_num_threads()
    folder = tmp_path / "edge"
    shutil.copytree(encoder_folder, folder)
    command = ["adapter", TASK, "--data", str(data_folder), "--model", str(folder)]
    monkeypatch.setattr(sys, "argv", [*command, "--minutes", "0.003", "--version", "7"])
    adapter.main()
    torch.set_num_threads(threads)
    model = unmist.load(folder, threads=1)
    assert model.tasks == (TASK,)
    assert (model.info()["name"], model.info()["version"]) == ("unmist-edge", "7")


def test_rows_are_encoded_as_users_rows_are(tokenizer_file: Path) -> None:
    examples = [
        corpus.Example("WWW.Casino-Lake.com.", "gambling", ""),
        corpus.Example("news.de", "sport", ""),
    ]
    tokenizer = Tokenizer(tokenizer_file)
    rows = encode(examples, tokenizer, "hostname", LABELS, 128)
    assert rows.ids[0] == tokenizer.encode("casino-lake.com", "hostname")
    assert rows.labels.tolist() == [1, -1]


def test_batches_hold_every_row_once_at_one_length() -> None:
    ids = [[1] * (1 + number % 7) for number in range(100)]
    rows = Rows(ids, np.zeros(100, int))
    for generator in (None, np.random.default_rng(1)):
        seen = []
        for chosen, batch in rows.batches(32, generator):
            assert batch.numel() <= 32
            assert {len(ids[i]) for i in chosen} == {batch.shape[1]}
            seen += chosen.tolist()
        assert sorted(seen) == list(range(100))
        assert (seen == sorted(seen, key=lambda i: len(ids[i]))) == (generator is None)


def test_no_such_task(encoder_folder: Path, data_folder: Path) -> None:
    with pytest.raises(InputError, match=r"train\.tsv\.zst"):
        corpus.split(data_folder, "astrology", "train")
    with pytest.raises(InputError, match="astrology"):
        train_task(encoder_folder, data_folder, "astrology", Recipe())


def test_a_head_starts_from_what_pretraining_was_asked(tmp_path: Path) -> None:
    weight, bias = torch.arange(20.0).reshape(5, 4), torch.arange(5.0)
    questions = [{"name": "lists", "labels": ["x", "y"]}, {"name": TASK, "labels": ["a", "b", "c"]}]
    save_file(
        {"labels.weight": weight, "labels.bias": bias},
        tmp_path / layout.PRETRAINING,
        {"questions": json.dumps(questions)},
    )
    head = torch.nn.Linear(4, 3)
    assert start_head(head, tmp_path, TASK, ["c", "a", "b"])
    assert torch.equal(head.weight, weight[[4, 2, 3]])
    assert torch.equal(head.bias, bias[[4, 2, 3]])
    before = head.weight.clone()
    assert not start_head(head, tmp_path, "another-task", ["a", "b", "c"])
    assert not start_head(head, tmp_path, TASK, ["a", "b", "new"])
    assert torch.equal(head.weight, before)


def test_a_wide_head_answers_in_use_as_in_training(
    tiny_model_folder: Path, data_folder: Path, tmp_path: Path
) -> None:
    """What the card says was computed in torch; what users get is computed by the engine."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_model_folder, folder)
    before = unmist.load(folder, threads=1)
    recipe = Recipe(minutes=1e-6, wide_bits=12, precision=0.9)
    own = layout.adapter_folder(tiny_model_folder, TASK)
    card = train_task(folder, data_folder, TASK, recipe, go_on=own)
    assert card["training"]["before"]["recipe"]["rank"] == 4
    manifest.write(folder, "unmist-tiny", "0.0.1")
    model = unmist.load(folder, threads=1)
    assert model.info()["tasks"][TASK]["wide_parameters"] == 3 * 2**12
    test = evaluate_task(model, TASK, data_folder / "tasks" / TASK / "test.tsv.zst")
    measured = {name: test[name] for name in card["scores"]["test"]}
    assert measured == pytest.approx(card["scores"]["test"], abs=2e-4)
    assert test["accuracy"] > before.card(TASK).scores["test"]["accuracy"]
    names = ["casino-lake.com", "university.edu", "", "\x00"]
    one_by_one = [model.probabilities([name], TASK)[0] for name in names]
    np.testing.assert_allclose(model.probabilities(names, TASK), one_by_one, atol=1e-5)


def test_a_wide_head_of_the_adapter_before_does_not_stay(
    tiny_model_folder: Path, data_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model_folder, folder)
    wide = layout.adapter_folder(folder, TASK) / layout.WIDE
    for bits in (12, 0):
        recipe = Recipe(minutes=1e-6, wide_bits=bits, precision=0.9, beside=True)
        train_task(folder, data_folder, TASK, recipe)
        assert wide.exists() == bool(bits)


def test_rows_in_other_spellings_are_learnt_too(
    tiny_model_folder: Path, data_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_model_folder, folder)
    plain, twice = (
        train_task(folder, data_folder, TASK, Recipe(minutes=1e-6, precision=0.9, views=share))
        for share in (0.0, 1.0)
    )
    assert twice["training"]["rows"] == 2 * plain["training"]["rows"]
    assert twice["data"] == plain["data"] + "; 100% of the rows once more in another spelling"


def test_a_network_learns_what_the_wide_head_leaves(
    tiny_model_folder: Path, data_folder: Path, tmp_path: Path
) -> None:
    """What stands beside it is in its loss: with a layer that knows all it has nothing to learn."""
    told: list[Mapping[str, np.ndarray] | None] = []

    def listening(*args: Any) -> list[dict[str, float]]:
        told.append(args[5])
        return fit(*args)

    folder = tmp_path / "model"
    shutil.copytree(tiny_model_folder, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter, "fit", listening)
        recipe = Recipe(minutes=0.02, wide_bits=12, precision=0.9, beside=True)
        card = train_task(folder, data_folder, TASK, recipe)
    assert card["training"]["recipe"]["beside"]
    assert card["scores"]["dev"]["accuracy"] > 0.6
    beside = told[0]
    assert beside is not None
    rows = {n: len(corpus.split(data_folder, TASK, n)) for n in ("train", "dev")}
    assert {name: said.shape for name, said in beside.items()} == {
        name: (count, 3) for name, count in rows.items()
    }


def test_logits_beside_are_in_the_loss() -> None:
    torch.manual_seed(1)
    specialist = Specialist(Encoder(Shape(layers=1, hidden=64, vocabulary=300)), 2, Recipe())
    labels = np.array([0, 1] * 8)
    rows = Rows([[1, 2 + number % 2] for number in range(16)], labels)
    sure = np.where(labels[:, None] == [0, 1], 50, 0).astype(np.float32)
    told = {"train": sure, "dev": 0 * sure}
    log = fit(specialist, rows, rows, Recipe(minutes=0.005), lambda *_: None, told)
    assert log[-1]["loss"] < 1e-4
    assert log[-1]["dev_loss"] == pytest.approx(np.log(2), abs=1e-3)  # it has learnt nothing


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"weight": np.zeros((6, 3), np.int8), "scale": np.ones(3, np.float32)}, "power of two"),
        ({"weight": np.zeros((8, 2), np.int8), "scale": np.ones(3, np.float32)}, "power of two"),
        ({"weight": np.zeros((8, 3), np.int16), "scale": np.ones(3, np.float32)}, "int16"),
        ({"weight": np.zeros((), np.int8), "scale": np.ones(3, np.float32)}, "power of two"),
        ({"weight": np.zeros((8, 3), np.int8), "scale": np.full(3, np.nan, np.float32)}, "finite"),
        ({"weight": np.zeros((8, 3), np.int8)}, "weight and scale"),
    ],
)
def test_a_wide_head_that_does_not_fit(
    model_copy: Path, arrays: dict[str, np.ndarray], message: str
) -> None:
    folder = layout.adapter_folder(model_copy, TASK)
    save_arrays(arrays, folder / layout.WIDE)
    manifest.write(model_copy, "unmist-tiny", "0.0.1")
    with pytest.raises(ModelError, match=message):
        unmist.load(model_copy)


def test_balanced_labels_weigh_the_same() -> None:
    labels = np.array([0] * 90 + [1] * 9 + [2])
    even = label_weights(labels, 3, 0.0)
    np.testing.assert_allclose(even, 1)
    full = label_weights(labels, 3, 1.0)
    np.testing.assert_allclose(full * [90, 9, 1], full[0] * 90, rtol=1e-5)
    half = label_weights(labels, 3, 0.5)
    for weights in (even, half, full):
        assert float(weights[labels].mean()) == pytest.approx(1, rel=1e-5)
    assert 1 < half[1] / half[0] < full[1] / full[0]


def test_even_sources_weigh_the_same() -> None:
    labels, sources = np.array([0, 1] * 50), ["list"] * 90 + ["wire"] * 10
    rows = Rows([[1]] * 100, labels, sources)
    np.testing.assert_allclose(rows.weights(2, Recipe()), 1)
    weights = rows.weights(2, Recipe(even=1.0))
    assert weights[:90].sum() == pytest.approx(weights[90:].sum(), rel=1e-5)
    assert weights.mean() == pytest.approx(1, rel=1e-5)
    assert weights.dtype == np.float32
    unnamed = Rows([[1]] * 100, labels)
    np.testing.assert_allclose(unnamed.weights(2, Recipe(even=1.0)), 1)


Making = Callable[[str, list[corpus.Example]], None]


@pytest.fixture
def making(monkeypatch: pytest.MonkeyPatch) -> Making:
    """Lets rows be made for the task: what its card says of them, and the rows."""

    def make(about: str, rows: list[corpus.Example]) -> None:
        monkeypatch.setitem(more.ABOUT, TASK, about)
        monkeypatch.setitem(more._MADE, TASK, lambda *_: rows)

    return make


def test_rows_made_for_a_task_are_told_on_its_card(
    encoder_folder: Path, data_folder: Path, tmp_path: Path, making: Making
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(encoder_folder, folder)
    made = [corpus.Example(f"made{i}.com", "news", f"made{i}.com") for i in range(2)]
    making("two made up", made)
    plain = train_task(folder, data_folder, TASK, Recipe(minutes=0.001))
    card = train_task(folder, data_folder, TASK, Recipe(minutes=0.001, more=True))
    assert card["training"]["rows"] == plain["training"]["rows"] + 2
    assert card["data"].endswith("; two made up")


def test_rows_made_for_a_task_do_not_say_what_users_names_are(
    encoder_folder: Path, data_folder: Path, tmp_path: Path, making: Making
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(encoder_folder, folder)
    made = [corpus.Example(f"made{i}", "news", f"made{i}") for i in range(500)]
    making("single labels", made)
    card = train_task(folder, data_folder, TASK, Recipe(minutes=0.001, more=True))
    assert card["special_use"] is False


def test_rows_written_by_hand_are_learnt_beside_the_others(
    encoder_folder: Path, data_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(encoder_folder, folder)
    plain = train_task(folder, data_folder, TASK, Recipe(minutes=0.001))
    once = train_task(folder, data_folder, TASK, Recipe(minutes=0.001, written=1))
    thrice = train_task(folder, data_folder, TASK, Recipe(minutes=0.001, written=1, repeat=3))
    assert once["data"] == f"{plain['data']}; {written.ABOUT}"
    assert once["labels"] == LABELS  # what is written for other labels is left out
    kept = [row for row in written.rows(TASK, 1, 1) if row.label in LABELS]
    learnt = len(written.apart(kept, data_folder, TASK))
    before = plain["training"]["rows"]
    assert learnt > 300
    assert once["training"]["rows"] == before + learnt
    assert thrice["training"]["rows"] == before + 3 * learnt


def test_a_head_that_was_trained_goes_on_whole_beside_a_wide_head(
    tiny_model_folder: Path, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[torch.Tensor] = []

    def listening(specialist: Specialist, *args: Any) -> list[dict[str, float]]:
        started.append(specialist.head.weight.detach().clone())
        return fit(specialist, *args)

    folder = tmp_path / "model"
    shutil.copytree(tiny_model_folder, folder)
    monkeypatch.setattr(adapter, "fit", listening)
    own = layout.adapter_folder(tiny_model_folder, TASK)
    recipe = Recipe(minutes=1e-6, wide_bits=12, precision=0.9, beside=True)
    train_task(folder, data_folder, TASK, recipe, go_on=own)
    assert torch.equal(started[0], load_file(own / layout.HEAD)["weight"])
