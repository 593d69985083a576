"""One fit under one engine, in a process of its own; prints one JSON object.

Arguments: engine, folder of the fit, file of rows (npz), threads, rows asked alone, file for the
answers (npy). Libraries are imported before memory is first looked at.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import load_file

Infer = Callable[[np.ndarray], np.ndarray]  # ids int32 [rows, length] to pooled [rows, hidden]
Make = Callable[[dict[str, Any], dict[str, np.ndarray], int], Infer]
_TOKENS: Final = 8192


def torch_f32() -> Make:
    """Torch, as it was trained."""
    import torch

    from unmist.train.encoder import Encoder, Shape

    def make(shape: dict[str, Any], weights: dict[str, np.ndarray], threads: int) -> Infer:
        torch.set_num_threads(threads)
        encoder = Encoder(Shape(**shape)).eval()
        encoder.load_state_dict({name: torch.from_numpy(w) for name, w in weights.items()})

        def infer(ids: np.ndarray) -> np.ndarray:
            with torch.inference_mode():
                pooled: np.ndarray = encoder.pool(torch.from_numpy(ids).long()).numpy()
            return pooled

        return infer

    return make


def openvino(precision: str) -> Callable[[], Make]:
    """The graph that unmist runs, with a hint of precision."""

    def load() -> Make:
        from unmist.artifact import EncoderConfig
        from unmist.artifact.schema import RopeConfig
        from unmist.engine import graph
        from unmist.engine.runtime import ov

        def make(shape: dict[str, Any], weights: dict[str, np.ndarray], threads: int) -> Infer:
            config = EncoderConfig(
                model_type="modernbert",
                vocab_size=shape["vocabulary"],
                hidden_size=shape["hidden"],
                num_hidden_layers=shape["layers"],
                num_attention_heads=shape["hidden"] // shape["head_width"],
                intermediate_size=shape["hidden"] * 3 // 2,
                max_position_embeddings=shape["max_tokens"],
                norm_eps=shape["norm_eps"],
                layer_types=["full_attention"] * shape["layers"],
                rope_parameters={"full_attention": RopeConfig(rope_theta=shape["rope_theta"])},
            )
            settings = {
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": precision,
                "INFERENCE_NUM_THREADS": threads,
            }
            compiled = ov.Core().compile_model(graph.build(config, weights), "CPU", settings)
            request = compiled.create_infer_request()

            def infer(ids: np.ndarray) -> np.ndarray:
                return np.array(request.infer({"ids": ids})["pooled"], np.float32)

            return infer

        return make

    return load


ENGINES: Final[dict[str, Callable[[], Make]]] = {
    "torch f32": torch_f32,
    "openvino f32": openvino("f32"),
    "openvino bf16": openvino("bf16"),
}


def answers(
    infer: Infer, rows: list[np.ndarray], weight: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    """Label numbers int64 [n], rows of one length together."""
    lengths = np.array([len(row) for row in rows])
    said = np.empty(len(rows), np.int64)
    for length in np.unique(lengths):
        members = np.flatnonzero(lengths == length)
        size = max(_TOKENS // int(length), 1)
        for start in range(0, len(members), size):
            chosen = members[start : start + size]
            pooled = infer(np.stack([rows[i] for i in chosen]))
            said[chosen] = (pooled @ weight.T + bias).argmax(1)
    return said


def main() -> None:
    """See the module."""
    engine, folder, path, threads, alone, out = sys.argv[1:7]
    make = ENGINES[engine]()
    with np.load(path) as file:
        rows = np.split(file["tokens"], np.cumsum(file["lengths"])[:-1])
    libraries = _peak_mb()
    about = json.loads((Path(folder) / "about.json").read_text())
    tensors = load_file(Path(folder) / "weights.safetensors")
    weights = {n.removeprefix("encoder."): w for n, w in tensors.items() if n.startswith("enc")}
    infer = make(about["shape"], weights, int(threads))
    head = tensors["head.weight"], tensors["head.bias"]
    answers(infer, rows[:64], *head)
    each = []
    for row in rows[: int(alone)]:
        began = time.perf_counter()
        answers(infer, [row], *head)
        each.append(time.perf_counter() - began)
    began = time.perf_counter()
    said = answers(infer, rows, *head)
    seconds = time.perf_counter() - began
    np.save(out, said)
    cost = {
        "alone_ms": round(1000 * float(np.median(each)), 3),
        "rows_per_second": round(len(rows) / seconds, 1),
        "peak_memory_mb": round(_peak_mb(), 1),
        "libraries_mb": round(libraries, 1),
    }
    print(json.dumps(cost))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
