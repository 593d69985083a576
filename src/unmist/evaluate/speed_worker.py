"""One contender of the speed benchmark, in a process of its own; prints one JSON object.

Run by path, under the contender's own Python: it imports nothing of unmist at the top. Its one
argument is a JSON object: ``kind``, ``folder``, ``texts`` (a file, one JSON string a line),
``field``, ``task``, ``threads``, ``batches``, ``seconds`` (for each batch size) and ``started``
(``time.time()`` when the process was asked for).
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

Encode = Callable[[Sequence[str]], Any]
Order = dict[str, Any]
BULK_BATCH = 64  # what sentence-transformers is fastest with on short texts here


def unmist_vectors(order: Order) -> tuple[Encode, dict[str, Any]]:
    """Vectors by unmist."""
    import unmist
    from unmist.text import normalize

    model = unmist.load(order["folder"], threads=order["threads"], cache=0)
    rows = [normalize(text, order["field"]) for text in order["sample"]]
    lengths = [len(ids) for ids in model.tokenizer.encode_batch(rows, order["field"])]
    said = {
        "engine": model.engine,
        "tokens": sum(lengths) / len(lengths),
        "tokens_squared": sum(length**2 for length in lengths) / len(lengths),
    }
    return (lambda texts: model.embed(texts, order["field"])), said


def unmist_verdicts(order: Order) -> tuple[Encode, dict[str, Any]]:
    """Verdicts of one specialist by unmist."""
    import unmist

    model = unmist.load(order["folder"], threads=order["threads"], cache=0)
    return (lambda texts: model.classify(texts, order["task"])), {"engine": model.engine}


def openvino(order: Order) -> tuple[Encode, dict[str, Any]]:
    """Vectors by sentence-transformers with its OpenVINO backend."""
    return _sentence_transformer(
        order,
        backend="openvino",
        model_kwargs={"ov_config": {"INFERENCE_NUM_THREADS": order["threads"]}},
    )


def onnx_int8(order: Order) -> tuple[Encode, dict[str, Any]]:
    """Vectors by sentence-transformers with ONNX Runtime, weights in int8, as its own export
    writes them beside the model: ``onnx/model_qint8_*.onnx``."""
    from pathlib import Path

    import onnxruntime

    (file,) = Path(order["folder"]).glob("onnx/model_qint8*.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = order["threads"]
    kwargs = {"file_name": f"onnx/{file.name}", "session_options": options}
    return _sentence_transformer(order, backend="onnx", model_kwargs=kwargs)


def _sentence_transformer(order: Order, **how: Any) -> tuple[Encode, dict[str, Any]]:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(order["folder"], local_files_only=True, **how)

    def encode(texts: Sequence[str]) -> Any:
        return model.encode(list(texts), batch_size=BULK_BATCH, show_progress_bar=False)

    return encode, {}


def ngrams(order: Order) -> tuple[Encode, dict[str, Any]]:
    """Probabilities by a linear classifier on character n-grams, fitted to a few rows: its speed
    does not depend on them. Its fit counts as its start."""
    from unmist.labelled.ngram import NgramClassifier

    rows = order["sample"]
    classifier = NgramClassifier(rows, [i % order["labels"] for i in range(len(rows))])
    return (lambda texts: classifier.probabilities(list(texts))), {}


def matrix_products(order: Order) -> dict[str, float]:
    """Multiply-adds a second, times two, of a 2048-cube in float32 and bfloat16, by torch."""
    import torch

    torch.set_num_threads(order["threads"])
    rates = {}
    for name, kind in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        one, other = (torch.randn(2048, 2048, dtype=kind) for _ in range(2))
        one @ other
        began, rounds = time.perf_counter(), 0
        while time.perf_counter() - began < order["seconds"]:
            one @ other
            rounds += 1
        rates[name] = rounds * 2 * 2048**3 / (time.perf_counter() - began)
    return rates


CONTENDERS = {
    "vectors": unmist_vectors,
    "verdicts": unmist_verdicts,
    "openvino": openvino,
    "onnx-int8": onnx_int8,
    "ngrams": ngrams,
}


def main() -> None:
    """Reads the order from the first argument."""
    order = json.loads(sys.argv[1])
    if order["kind"] == "matrix":
        print(json.dumps(matrix_products(order)))
        return
    with open(order["texts"], encoding="utf-8") as file:
        texts = [json.loads(line) for line in file]
    order["sample"] = texts[:2000]
    encode, said = CONTENDERS[order["kind"]](order)
    ready = time.time() - order["started"]
    first, _ = _timed(encode, texts[:1])
    encode(texts[: len(texts) // 4])
    seconds, _ = _timed(encode, texts)
    result = said | {
        "start_seconds": round(ready, 3),
        "first_request_ms": round(first * 1e3, 2),
        "rows_per_second": round(len(texts) / seconds, 1),
        "batches": {size: _batches(encode, texts, size, order) for size in order["batches"]},
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(result))


def _timed(encode: Encode, texts: Sequence[str]) -> tuple[float, Any]:
    began = time.perf_counter()
    out = encode(texts)
    return time.perf_counter() - began, out


def _batches(encode: Encode, texts: Sequence[str], size: int, order: Order) -> dict[str, float]:
    """Requests of ``size`` rows, one after the other: rows a second and milliseconds each."""
    times: list[float] = []
    starts = range(0, max(len(texts) - size, 1), size)
    encode(texts[:size])
    while sum(times) < order["seconds"]:
        for start in starts:
            times.append(_timed(encode, texts[start : start + size])[0])
            if sum(times) >= order["seconds"]:
                break
    times.sort()
    return {
        "requests": len(times),
        "rows_per_second": round(size * len(times) / sum(times), 1),
        "p50_ms": round(times[len(times) // 2] * 1e3, 3),
        "p99_ms": round(times[min(int(len(times) * 0.99), len(times) - 1)] * 1e3, 3),
    }


if __name__ == "__main__":
    main()
