"""A model folder is opened whole and unaltered, or not at all."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from unmist.artifact import layout, manifest, open_folder, verify
from unmist.artifact.schema import EncoderConfig, LoraConfig, TaskCard, read
from unmist.errors import ModelError

ADAPTER = "adapters/host-category"
FILES = [
    "1_Pooling/config.json",
    "2_Normalize/config.json",
    f"{ADAPTER}/adapter_config.json",
    f"{ADAPTER}/adapter_model.safetensors",
    f"{ADAPTER}/head.safetensors",
    f"{ADAPTER}/task.json",
    "config.json",
    "config_sentence_transformers.json",
    "model.safetensors",
    "modules.json",
    "pretraining.safetensors",
    "sentence_bert_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
]
Change = Callable[..., None]


def refused(folder: Path, name: str) -> str:
    """The message with which the folder is refused: one line that names the file."""
    with pytest.raises(ModelError) as caught:
        open_folder(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder / name) in message
    return message


def test_these_are_all_files(tiny_model_folder: Path) -> None:
    listing, digest = verify(tiny_model_folder)
    assert sorted(listing.files) == FILES
    assert (listing.format, listing.name, listing.version) == (1, "unmist-tiny", "0.0.1")
    assert len(digest) == 64


def test_a_whole_folder_opens(tiny_model_folder: Path) -> None:
    folder = open_folder(tiny_model_folder)
    assert list(folder.adapters) == ["host-category"]
    adapter = folder.adapters["host-category"]
    assert len(adapter.lora) == 2 * 4
    assert adapter.weight.shape == (3, 64)
    assert adapter.card.encoder == folder.manifest.files["model.safetensors"].sha256
    assert all(array.dtype == np.float32 for array in folder.weights.values())


def test_the_hash_covers_every_byte(model_copy: Path, change_json: Change) -> None:
    before = verify(model_copy)[1]
    manifest.write(model_copy, "unmist-tiny", "0.0.1")
    assert verify(model_copy)[1] == before
    change_json(model_copy, f"{ADAPTER}/task.json", title="Names of 3 kinds")
    assert verify(model_copy)[1] != before


@pytest.mark.parametrize("name", FILES)
def test_an_altered_byte_in_any_file(model_copy: Path, name: str) -> None:
    path = model_copy / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "differs from its manifest" in refused(model_copy, name)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file(model_copy: Path, name: str) -> None:
    (model_copy / name).unlink()
    assert "missing" in refused(model_copy, name)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "a.pkl", "code.py", f"{ADAPTER}/README.md"])
def test_files_of_foreign_kinds_are_never_opened(model_copy: Path, name: str) -> None:
    (model_copy / name).write_bytes(pickle.dumps(print))
    assert "only .json and .safetensors" in refused(model_copy, name)
    with pytest.raises(ModelError, match="only"):
        manifest.write(model_copy, "unmist-tiny", "0.0.1")


@pytest.mark.parametrize("name", ["extra.json", f"{ADAPTER}/extra.safetensors"])
def test_an_unlisted_file(model_copy: Path, name: str) -> None:
    (model_copy / name).write_bytes(b"{}")
    assert "not in the manifest" in refused(model_copy, name)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_link(model_copy: Path, tiny_model_folder: Path, name: str) -> None:
    (model_copy / name).unlink()
    (model_copy / name).symlink_to(tiny_model_folder / name)
    assert "a link" in refused(model_copy, name)


def test_a_linked_folder(model_copy: Path, tiny_model_folder: Path) -> None:
    shutil.rmtree(model_copy / ADAPTER)
    (model_copy / ADAPTER).symlink_to(tiny_model_folder / ADAPTER)
    assert "a link" in refused(model_copy, ADAPTER)


@pytest.mark.parametrize("name", ["config.json", "manifest.json"])
def test_a_pipe_does_not_hang(model_copy: Path, name: str) -> None:
    (model_copy / name).unlink()
    os.mkfifo(model_copy / name)
    assert "plain file" in refused(model_copy, name)


def test_a_manifest_cannot_point_outside(model_copy: Path) -> None:
    path = model_copy / "manifest.json"
    content = json.loads(path.read_text())
    content["files"]["../../secret.json"] = content["files"]["config.json"]
    path.write_text(json.dumps(content))
    assert "missing" in refused(model_copy, "../../secret.json")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a manifest"),
        (b"\x00\xff garbage", "not a manifest"),
        (b"[" * 100_000, "not a manifest"),
        (b'{"format": 1}', "not a manifest"),
        (b'{"format": 2, "name": "a", "version": "1", "files": {}}', "format 2"),
        (b"[" + b" " * (64 * 2**20), "larger than"),
    ],
    ids=["empty", "garbage", "deep", "partial", "format", "huge"],
)
def test_a_bad_manifest(model_copy: Path, content: bytes, said: str) -> None:
    (model_copy / "manifest.json").write_bytes(content)
    assert said in refused(model_copy, "manifest.json")


def test_no_manifest(model_copy: Path) -> None:
    (model_copy / "manifest.json").unlink()
    assert "cannot be read" in refused(model_copy, "manifest.json")


def test_a_specialist_of_another_encoder(model_copy: Path, change_json: Change) -> None:
    change_json(model_copy, f"{ADAPTER}/task.json", encoder="ab" * 32)
    assert "another encoder" in refused(model_copy, ADAPTER)


def test_another_encoder_under_the_specialist(model_copy: Path) -> None:
    path = model_copy / "model.safetensors"
    weights = {name: value * np.float16(1.5) for name, value in load_file(path).items()}
    save_file(weights, path, {"format": "pt"})
    manifest.write(model_copy, "unmist-tiny", "0.0.1")
    assert "another encoder" in refused(model_copy, ADAPTER)


SAFETENSORS = [name for name in FILES if name.endswith(".safetensors") and "pre" not in name]


def damaged(folder: Path, name: str, change: Callable[[dict[str, np.ndarray]], None]) -> None:
    """Change the arrays of a file; the manifest, and the specialist's card, agree with it."""
    path = folder / name
    weights = load_file(path)
    change(weights)
    save_file(weights, path, {"format": "pt"})
    manifest.write(folder, "unmist-tiny", "0.0.1")


def narrow(weights: dict[str, np.ndarray]) -> None:
    name = max(weights)
    weights[name] = np.ascontiguousarray(weights[name][..., :-1])


def poison(weights: dict[str, np.ndarray]) -> None:
    weights[max(weights)].flat[0] = np.nan


def endless(weights: dict[str, np.ndarray]) -> None:
    weights[max(weights)].flat[-1] = np.inf


def drop(weights: dict[str, np.ndarray]) -> None:
    del weights[max(weights)]


def add(weights: dict[str, np.ndarray]) -> None:
    weights["stranger"] = np.zeros(3, np.float32)


@pytest.mark.parametrize("name", SAFETENSORS)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (narrow, "expected ("),
        (poison, "not finite"),
        (endless, "not finite"),
        (drop, "tensor names differ"),
        (add, "tensor names differ"),
    ],
)
def test_wrong_arrays(model_copy: Path, name: str, change: Any, said: str) -> None:
    damaged(model_copy, name, change)
    assert said in refused(model_copy, name)


@pytest.mark.parametrize("name", SAFETENSORS)
def test_a_signed_file_that_is_no_safetensors(model_copy: Path, name: str) -> None:
    (model_copy / name).write_bytes(b"\xff" * 100)
    manifest.write(model_copy, "unmist-tiny", "0.0.1")
    assert "not a safetensors file" in refused(model_copy, name)


@pytest.mark.parametrize(
    "values",
    [
        {"use_dora": True},
        {"use_rslora": True},
        {"bias": "all"},
        {"peft_type": "LOHA"},
        {"rank_pattern": {"attn.Wo": 8}},
        {"alpha_pattern": {"attn.Wo": 8}},
        {"target_modules": ["attn.Wqkv", "embeddings.tok_embeddings"]},
        {"target_modules": "all-linear"},
        {"target_modules": None},
        {"r": 0},
        {"r": 257},
        {"r": 10**30},
        {"r": 4.5},
        {"r": 8},  # not the rank of the arrays
        {"lora_alpha": 1e300},
        {"lora_alpha": "much"},
    ],
    ids=str,
)
def test_an_odd_lora(model_copy: Path, change_json: Change, values: dict[str, Any]) -> None:
    change_json(model_copy, f"{ADAPTER}/adapter_config.json", **values)
    refused(model_copy, f"{ADAPTER}/adapter_model.safetensors" if values == {"r": 8}
            else f"{ADAPTER}/adapter_config.json")  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {"task": "other"},
        {"format": 3},
        {"field": "stars"},
        {"labels": ["education"]},
        {"labels": ["education", "news", "news"]},
        {"labels": ["education", "gambling", "sport"]},
        {"thresholds": {"education": 0.5}},
        {"thresholds": {"education": 0.5, "gambling": 1.5, "news": 0.5}},
        {"temperature": 0},
        {"temperature": 1e-300},
        {"temperature": "hot"},
        {"encoder": None},
    ],
    ids=str,
)
def test_an_odd_card(model_copy: Path, change_json: Change, values: dict[str, Any]) -> None:
    change_json(model_copy, f"{ADAPTER}/task.json", **values)
    refused(model_copy, f"{ADAPTER}/task.json")


@pytest.mark.parametrize(
    "values",
    [
        {"model_type": "bert"},
        {"layer_types": ["full_attention", "sliding_attention"]},
        {"layer_types": ["full_attention"]},
        {"num_attention_heads": 3},
        {"num_attention_heads": 64},
        {"num_attention_heads": 0},
        {"max_position_embeddings": 10**6},
        {"rope_parameters": {}},
        {"rope_parameters": {"full_attention": {}}},
        {"rope_parameters": {"full_attention": {"rope_theta": 0}}},
        {"rope_parameters": {"full_attention": {"rope_theta": "a"}}},
        {"rope_parameters": {"full_attention": [1]}},
        {"norm_eps": 0},
        {"vocab_size": 10**30},
        {"hidden_size": None},
    ],
    ids=str,
)
def test_an_odd_config(model_copy: Path, change_json: Change, values: dict[str, Any]) -> None:
    change_json(model_copy, "config.json", **values)
    refused(model_copy, "config.json")


@pytest.mark.parametrize("values", [{"vocab_size": 100}, {"num_hidden_layers": 1}], ids=str)
def test_a_config_of_another_encoder(
    model_copy: Path, change_json: Change, values: dict[str, Any]
) -> None:
    more = {"layer_types": ["full_attention"]} if "num_hidden_layers" in values else {}
    change_json(model_copy, "config.json", **values, **more)
    refused(model_copy, "model.safetensors")


def test_a_tokenizer_larger_than_the_encoder(model_copy: Path) -> None:
    path = model_copy / "tokenizer.json"
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    vocabulary["zzzz"] = len(vocabulary)
    path.write_text(json.dumps(content))
    manifest.write(model_copy, "unmist-tiny", "0.0.1")
    assert "tokens, the encoder has" in refused(model_copy, "tokenizer.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
KINDS = [
    ("config.json", EncoderConfig),
    (f"{ADAPTER}/task.json", TaskCard),
    (f"{ADAPTER}/adapter_config.json", LoraConfig),
]


@pytest.mark.parametrize(("name", "kind"), KINDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(), JSON.map(lambda value: json.dumps(value).encode())))
@example(data=b"[" * 100_000)
@example(data=b'{"rope_parameters":' + b'{"a":' * 100_000)
@example(data=b'"\\ud800"')
def test_any_json_is_read_or_refused(tmp_path: Path, name: str, kind: Any, data: bytes) -> None:
    path = tmp_path / Path(name).name
    path.write_bytes(data)
    with pytest.raises(ModelError, match=path.name):
        read(path, kind)


@pytest.mark.parametrize(("name", "kind"), KINDS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_in_a_field_is_read_or_refused(
    model_copy: Path, name: str, kind: Any, data: st.DataObject
) -> None:
    """The whole folder opens, or is refused with a ModelError; nothing else ever comes out."""
    path = model_copy / name
    before = path.read_bytes()
    content = json.loads(before)
    field = data.draw(st.sampled_from([f for f in kind.__struct_fields__ if f in content]))
    content[field] = data.draw(JSON)
    path.write_text(json.dumps(content))
    manifest.write(model_copy, "unmist-tiny", "0.0.1")
    digest = verify(model_copy)[1]
    try:
        assert open_folder(model_copy).hash == digest
    except ModelError as error:
        said = str(error)
        assert str(model_copy) in said
        assert "\n" not in said
    finally:
        path.write_bytes(before)


def test_writing_a_manifest_leaves_no_other_file(model_copy: Path) -> None:
    before = sorted(model_copy.rglob("*"))
    manifest.write(model_copy, "unmist-tiny", "0.0.2")
    assert sorted(model_copy.rglob("*")) == before
    assert verify(model_copy)[0].version == "0.0.2"


def test_where_things_lie(tiny_model_folder: Path) -> None:
    assert layout.tasks(tiny_model_folder) == ["host-category"]
    assert layout.adapter_folder(tiny_model_folder, "x") == tiny_model_folder / "adapters" / "x"
    assert layout.SHIPPED.parts[-3:] == ("unmist", "models", "small")


def test_a_size_that_is_shipped_has_a_name(tmp_path: Path) -> None:
    assert layout.model_folder(None) == layout.model_folder("small") == layout.SHIPPED
    assert layout.model_folder("edge") == layout.SHIPPED.with_name("edge")
    assert layout.model_folder(Path("edge")) == layout.SHIPPED.with_name("edge")
    assert layout.model_folder(str(tmp_path)) == tmp_path


def test_a_folder_that_is_called_like_a_size(
    tmp_path: Path, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("edge").mkdir()  # any folder is not a model folder
    assert layout.model_folder("edge").parent == layout.SHIPPED.parent
    shutil.copytree(tiny_model_folder, "edge", dirs_exist_ok=True)
    assert layout.model_folder("edge") == Path("edge")
