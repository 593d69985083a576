"""The engine computes what torch computes, whatever else is in the batch."""

import json
import random
import shutil
from pathlib import Path

import numpy as np
import peft
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import unmist
from unmist.artifact import layout, manifest, open_folder
from unmist.engine import Engine
from unmist.engine.units import units
from unmist.errors import ModelError
from unmist.model import Model
from unmist.train.export import load_encoder
from unmist.train.specialist import Recipe, Rows, Specialist

TASK = "host-category"
GENERATOR = random.Random(1)
NAMES = [
    # No digit or dot at an end: the names are normalised already.
    "a" + "".join(GENERATOR.choices("abcdefghij-.0123456789", k=GENERATOR.randint(1, 90))) + "z"
    for _ in range(60)
] + ["casino-lake.com", "university.edu", "mail.royal-tribune.net"]


@pytest.fixture(scope="module")
def rows(tiny_model: Model) -> list[list[int]]:
    return tiny_model.tokenizer.encode_batch(NAMES, "hostname")


@pytest.fixture(scope="module")
def specialist(tiny_model_folder: Path) -> Specialist:
    """The specialist in torch, read back by PEFT from the files."""
    folder = layout.adapter_folder(tiny_model_folder, TASK)
    made = Specialist(load_encoder(tiny_model_folder), 3, Recipe())
    made.encoder = peft.PeftModel.from_pretrained(load_encoder(tiny_model_folder), str(folder))
    head = load_file(folder / layout.HEAD)
    made.head.load_state_dict({name: torch.from_numpy(value) for name, value in head.items()})
    return made


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_vectors_are_those_of_the_bare_encoder_in_torch(
    tiny_model: Model, tiny_model_folder: Path, rows: list[list[int]]
) -> None:
    encoder = load_encoder(tiny_model_folder).eval()
    with torch.inference_mode():
        pooled = torch.stack([encoder.pool(torch.tensor([row]))[0] for row in rows]).numpy()
    expected = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
    vectors = tiny_model._engine.run(rows).vectors
    assert cosines(vectors, expected).min() >= 0.9999
    assert np.abs(vectors - expected).max() < 1e-5
    np.testing.assert_array_equal(tiny_model.embed(NAMES), vectors)


def test_logits_are_those_of_the_specialist_in_torch(
    tiny_model: Model, specialist: Specialist, rows: list[list[int]]
) -> None:
    expected = specialist.logits(Rows(rows, np.zeros(len(rows), np.int64)))
    logits = tiny_model._engine.run(rows, TASK).logits
    assert np.ptp(expected) > 1
    assert cosines(logits, expected).min() >= 0.9999
    assert np.abs(logits - expected).max() < 1e-4


def test_the_specialist_moves_its_vectors_and_the_gate_closes_it(
    tiny_model: Model, specialist: Specialist, rows: list[list[int]]
) -> None:
    bare, asked = tiny_model._engine.run(rows), tiny_model._engine.run(rows, TASK)
    assert bare.logits.shape == (len(rows), 0)
    assert np.abs(bare.vectors - asked.vectors).max() > 1e-3
    specialist.eval()
    with torch.inference_mode():
        pooled = [specialist.encoder(torch.tensor([row])).mean(1)[0].numpy() for row in rows]
    assert cosines(asked.vectors, np.stack(pooled)).min() >= 0.9999


def test_a_second_specialist_changes_nothing_for_the_first(
    tiny_model: Model, model_copy: Path, rows: list[list[int]]
) -> None:
    """Adapters lie side by side in one graph, heads of any size; each row sees its own only."""
    first = layout.adapter_folder(model_copy, TASK)
    second = layout.adapter_folder(model_copy, "another-task")
    shutil.copytree(first, second)
    card = json.loads((second / layout.TASK).read_text())
    labels = ["n", "m"]
    head = load_file(second / layout.HEAD)
    save_file({name: value[:2].copy() for name, value in head.items()}, second / layout.HEAD)
    card |= {"task": "another-task", "labels": labels, "thresholds": dict.fromkeys(labels, 0.1)}
    (second / layout.TASK).write_text(json.dumps(card))
    config = json.loads((second / layout.ADAPTER_CONFIG).read_text())
    (second / layout.ADAPTER_CONFIG).write_text(json.dumps(config | {"lora_alpha": 0}))
    manifest.write(model_copy, "unmist-tiny", "0.0.1")

    both = Engine(open_folder(model_copy), threads=1)
    assert both.tasks == ("another-task", TASK)
    alone = tiny_model._engine
    np.testing.assert_array_equal(both.run(rows).vectors, alone.run(rows).vectors)
    mine = both.run(rows, TASK)
    np.testing.assert_array_equal(mine.logits, alone.run(rows, TASK).logits)
    switched_off = both.run(rows, "another-task")
    np.testing.assert_allclose(switched_off.vectors, alone.run(rows).vectors, atol=1e-5)
    assert np.abs(switched_off.logits - mine.logits[:, :2]).max() > 0.1

    asked = [(row, task) for row in range(len(rows)) for task in both.tasks if (row + 1) % 3]
    GENERATOR.shuffle(asked)
    answers = both.run_mixed(rows, asked)
    assert len(answers) == len(asked)
    for said, (row, task) in zip(answers, asked, strict=True):
        alone_said = switched_off if task == "another-task" else mine
        np.testing.assert_allclose(said, alone_said.logits[row], atol=1e-5)
    assert both.run_mixed(rows, []) == []


def test_an_adapter_of_the_upper_layers_is_the_same_in_torch(
    model_copy: Path, rows: list[list[int]]
) -> None:
    """A module that one adapter leaves alone and another adapts gets nothing from the first."""
    folder = layout.adapter_folder(model_copy, TASK)
    upper = layout.adapter_folder(model_copy, "upper")
    shutil.copytree(folder, upper)
    card = json.loads((upper / layout.TASK).read_text())
    (upper / layout.TASK).write_text(json.dumps(card | {"task": "upper"}))
    config = json.loads((upper / layout.ADAPTER_CONFIG).read_text())
    config["layers_to_transform"] = [1]
    (upper / layout.ADAPTER_CONFIG).write_text(json.dumps(config))
    factors = load_file(upper / layout.ADAPTER_WEIGHTS)
    kept = {name: value for name, value in factors.items() if ".layers.1." in name}
    assert 0 < len(kept) < len(factors)
    save_file(kept, upper / layout.ADAPTER_WEIGHTS)
    manifest.write(model_copy, "unmist-tiny", "0.0.1")
    made = Specialist(load_encoder(model_copy), 3, Recipe())
    made.encoder = peft.PeftModel.from_pretrained(load_encoder(model_copy), str(upper))
    head = load_file(upper / layout.HEAD)
    made.head.load_state_dict({name: torch.from_numpy(value) for name, value in head.items()})
    expected = made.logits(Rows(rows, np.zeros(len(rows), np.int64)))

    both = Engine(open_folder(model_copy), threads=1)
    np.testing.assert_allclose(both.run(rows, "upper").logits, expected, atol=1e-4)
    mixed = both.run_mixed(rows, [(row, "upper") for row in range(len(rows))] + [(0, TASK)])
    np.testing.assert_allclose(np.stack(mixed[:-1]), expected, atol=1e-4)
    shutil.rmtree(folder)
    manifest.write(model_copy, "unmist-tiny", "0.0.1")
    alone = Engine(open_folder(model_copy), threads=1)
    np.testing.assert_allclose(alone.run(rows, "upper").logits, expected, atol=1e-4)


@pytest.mark.parametrize("layers", [[], [2], [-1], [1, 0], [0, 0]])
def test_layers_that_do_not_exist_are_refused(model_copy: Path, layers: list[int]) -> None:
    path = layout.adapter_folder(model_copy, TASK) / layout.ADAPTER_CONFIG
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"layers_to_transform": layers}))
    manifest.write(model_copy, "unmist-tiny", "0.0.1")
    with pytest.raises(ModelError, match="expected some of 0 to 1"):
        open_folder(model_copy)


def test_an_encoder_without_specialists(
    tiny_model: Model, encoder_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "bare"
    shutil.copytree(encoder_folder, folder)
    manifest.write(folder, "bare", "0.0.1")
    bare = unmist.load(folder, threads=1)
    assert bare.tasks == ()
    np.testing.assert_allclose(bare.embed(NAMES), tiny_model.embed(NAMES), atol=1e-5)


@settings(max_examples=25)
@given(data=st.data())
def test_a_row_does_not_see_the_rows_beside_it(
    tiny_model: Model, rows: list[list[int]], data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=40))
    batch = [rows[i] for i in chosen]
    for task in (None, TASK):
        together = tiny_model._engine.run(batch, task)
        place = data.draw(st.integers(0, len(chosen) - 1))
        alone = tiny_model._engine.run([batch[place]], task)
        np.testing.assert_allclose(together.vectors[place], alone.vectors[0], atol=1e-5, rtol=0)
        np.testing.assert_allclose(together.logits[place], alone.logits[0], atol=1e-4, rtol=0)


def test_a_repeated_run_is_the_same_to_the_bit(tiny_model: Model) -> None:
    first = [tiny_model.embed(NAMES), tiny_model.probabilities(NAMES)]
    for _ in range(3):
        np.testing.assert_array_equal(tiny_model.embed(NAMES), first[0])
        np.testing.assert_array_equal(tiny_model.probabilities(NAMES), first[1])


def test_a_freshly_loaded_model_is_the_same_to_the_bit(
    tiny_model: Model, tiny_model_folder: Path
) -> None:
    fresh = unmist.load(tiny_model_folder, threads=1)
    tiny_model.cache_clear()  # what other tests asked was answered in other batches
    np.testing.assert_array_equal(fresh.embed(NAMES), tiny_model.embed(NAMES))
    np.testing.assert_array_equal(fresh.probabilities(NAMES), tiny_model.probabilities(NAMES))
    assert fresh.classify(NAMES) == tiny_model.classify(NAMES)
    assert fresh.engine == f"openvino f32 ({units()})"


def test_bfloat16_is_asked_for_by_name(tiny_model: Model, tiny_model_folder: Path) -> None:
    half = unmist.load(tiny_model_folder, threads=1, precision="bf16")
    assert half.engine == f"openvino bf16 ({units()})"
    cosine = (half.embed(NAMES) * tiny_model.embed(NAMES)).sum(1)
    assert cosine.min() > 0.99


def test_the_longest_row(tiny_model: Model) -> None:
    row = [tiny_model.tokenizer.field_id("hostname")] + [100] * 127
    vectors = tiny_model._engine.run([row, row[:5]]).vectors
    assert np.isfinite(vectors).all()
    assert tiny_model._engine.max_tokens == len(row)


def test_threads_are_not_pinned_to_cores(tiny_model: Model) -> None:
    """Pinned, processes with one thread each all compute on the first core."""
    compiled = tiny_model._engine._graph(False).get_compiled_model()
    assert compiled.get_property("ENABLE_CPU_PINNING") is False
