"""Write a trained encoder as a model folder that the Hugging Face world opens as it is."""

import argparse
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from unmist.artifact import layout, manifest
from unmist.text.fields import FIELDS, MASK, PAD, field_token
from unmist.train.encoder import Encoder, Shape
from unmist.train.pretrainer import Pretrainer


def export_encoder(
    model: Pretrainer, questions: list[dict[str, object]], tokenizer: Path, folder: Path
) -> None:
    """Write encoder, tokenizer and sentence-transformers files; no manifest yet.

    Weights are stored in float16 to halve the download and computed with in float32: the config
    says so, since a half-precision checkpoint would otherwise be run in half precision.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shape = model.encoder.shape
    save_file(_half(model.encoder.state_dict()), folder / layout.WEIGHTS, {"format": "pt"})
    heads = {k: v for k, v in model.state_dict().items() if not k.startswith("encoder.")}
    meta = {"format": "pt", "questions": json.dumps(questions)}
    save_file(_half(heads), folder / layout.PRETRAINING, meta)
    (folder / layout.TOKENIZER).write_bytes(tokenizer.read_bytes())
    for name, content in _json_files(shape).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content, indent=2) + "\n")


def load_encoder(folder: Path) -> Encoder:
    """The encoder of a model folder, in torch, float32; for training on top of it."""
    from safetensors.torch import load_file

    config = json.loads((folder / layout.CONFIG).read_text())
    encoder = Encoder(shape_of_config(config))
    state = load_file(folder / layout.WEIGHTS)
    encoder.load_state_dict({name: value.float() for name, value in state.items()})
    return encoder


def shape_of_config(config: dict[str, Any]) -> Shape:
    """Our shape from a ModernBERT ``config.json``."""
    return Shape(
        layers=config["num_hidden_layers"],
        hidden=config["hidden_size"],
        vocabulary=config["vocab_size"],
        head_width=config["hidden_size"] // config["num_attention_heads"],
        rope_theta=config["rope_parameters"]["full_attention"]["rope_theta"],
        norm_eps=config["norm_eps"],
        max_tokens=config["max_position_embeddings"],
    )


def _half(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().to(torch.float16).contiguous() for name, value in state.items()}


def _json_files(shape: Shape) -> dict[str, Any]:
    rope = {"rope_type": "default", "rope_theta": shape.rope_theta}
    return {
        layout.CONFIG: {
            "architectures": ["ModernBertModel"],
            "model_type": "modernbert",
            "dtype": "float32",
            "vocab_size": shape.vocabulary,
            "hidden_size": shape.hidden,
            "intermediate_size": shape.intermediate,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "max_position_embeddings": shape.max_tokens,
            "hidden_activation": "gelu",
            "norm_eps": shape.norm_eps,
            "norm_bias": False,
            "attention_bias": False,
            "mlp_bias": False,
            "attention_dropout": 0.0,
            "embedding_dropout": 0.0,
            "mlp_dropout": 0.0,
            "layer_types": ["full_attention"] * shape.layers,
            "rope_parameters": {"full_attention": rope, "sliding_attention": rope},
            "local_attention": shape.max_tokens,
            "pad_token_id": 0,
            "bos_token_id": None,
            "eos_token_id": None,
            "cls_token_id": None,
            "sep_token_id": None,
            "tie_word_embeddings": True,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "pad_token": PAD,
            "mask_token": MASK,
            "model_max_length": shape.max_tokens,
            "model_input_names": ["input_ids", "attention_mask"],
            "clean_up_tokenization_spaces": False,
        },
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
            {
                "idx": 1,
                "name": "1",
                "path": "1_Pooling",
                "type": "sentence_transformers.models.Pooling",
            },
            {
                "idx": 2,
                "name": "2",
                "path": "2_Normalize",
                "type": "sentence_transformers.models.Normalize",
            },
        ],
        "sentence_bert_config.json": {"max_seq_length": shape.max_tokens, "do_lower_case": False},
        "config_sentence_transformers.json": {
            "prompts": {field: field_token(field) for field in FIELDS},
            "default_prompt_name": "hostname",
            "similarity_fn_name": "cosine",
        },
        "1_Pooling/config.json": {
            "word_embedding_dimension": shape.hidden,
            "pooling_mode_mean_tokens": True,
            "include_prompt": True,
        },
        "2_Normalize/config.json": {},
    }


def load_run(run: Path) -> tuple[Pretrainer, list[dict[str, object]]]:
    """The model of a pretraining run's checkpoint, and the questions its label layer answers."""
    from safetensors import safe_open

    recipe = json.loads((run / "recipe.json").read_text())
    with safe_open(run / "checkpoint.safetensors", "pt") as file:
        names = [name for name in file.keys() if name.startswith("model/")]  # noqa: SIM118
        state = {name.removeprefix("model/"): file.get_tensor(name) for name in names}
        questions = json.loads(file.metadata()["meta"])["questions"]
    model = Pretrainer(Shape(**recipe["shape"]), state["labels.weight"].shape[0])
    model.load_state_dict(state)
    return model, questions


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True, help="folder of a pretraining run")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--version", default="0.1.0")
    parser.add_argument("-o", "--output", type=Path, required=True, help="model folder")
    args = parser.parse_args()
    model, questions = load_run(args.run)
    export_encoder(model, questions, args.tokenizer, args.output)
    manifest.write(args.output, f"unmist-{args.output.name}", args.version)


if __name__ == "__main__":
    main()
