"""One engine of the engine comparison, in a process of its own; prints one JSON object.

Arguments: engine, model folder, file of inputs (npz), threads, folder to write in.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.artifact import Adapter, Folder, open_folder
from unmist.engine import batching, graph
from unmist.engine.runtime import hidden_telemetry, ov

Infer = Callable[[np.ndarray], np.ndarray]  # ids [rows, length] to logits [rows, labels]
BATCHES: Final = (1, 32, 256)
_SECONDS: Final = float(os.environ.get("UNMIST_BENCH_SECONDS", "3"))  # of each batch size
_ALONE: Final = 200  # rows asked alone and together
_CALIBRATION_ROWS: Final = 64  # at once


def openvino(precision: str) -> Callable[..., tuple[Infer, int]]:
    """OpenVINO on the graph that unmist runs, with a hint of precision."""

    def make(
        folder: Folder, task: str, calibration: list[list[int]], threads: int, out: Path
    ) -> tuple[Infer, int]:
        model = graph.build(folder.config, _merged(folder, task))
        return _openvino(model, folder.adapters[task], precision, threads, out)

    return make


def openvino_int8(
    folder: Folder, task: str, calibration: list[list[int]], threads: int, out: Path
) -> tuple[Infer, int]:
    """OpenVINO, static int8 by NNCF."""
    with hidden_telemetry():
        import nncf

    model = graph.build(folder.config, _merged(folder, task))
    items = [{"ids": ids} for ids in _ids(calibration)]
    quantized = nncf.quantize(
        model,
        nncf.Dataset(items),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(items),
    )
    return _openvino(quantized, folder.adapters[task], "f32", threads, out)


def _merged(folder: Folder, task: str) -> dict[str, np.ndarray]:
    """The encoder's weights with an adapter's factors added, as all engines here run it."""
    weights = dict(folder.weights)
    for module, (down, up) in folder.adapters[task].lora.items():
        weights[f"{module}.weight"] = weights[f"{module}.weight"] + up @ down
    return weights


def _openvino(
    model: Any, adapter: Adapter, precision: str, threads: int, out: Path
) -> tuple[Infer, int]:
    ov.save_model(model, out / "model.xml", compress_to_fp16=False)
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": threads,
    }
    request = ov.Core().compile_model(model, "CPU", settings).create_infer_request()

    def infer(ids: np.ndarray) -> np.ndarray:
        pooled = request.infer({"ids": ids})["pooled"]
        logits: np.ndarray = pooled @ adapter.weight.T + adapter.bias
        return logits

    return infer, sum(path.stat().st_size for path in out.iterdir())


def onnxruntime_f32(
    folder: Folder, task: str, calibration: list[list[int]], threads: int, out: Path
) -> tuple[Infer, int]:
    """ONNX Runtime in float32."""
    import onnx

    from unmist.evaluate import onnx_graph

    path = out / "model.onnx"
    onnx.save(onnx_graph.build(folder, task), path)
    return _onnxruntime(path, threads)


def onnxruntime_int8(
    folder: Folder, task: str, calibration: list[list[int]], threads: int, out: Path
) -> tuple[Infer, int]:
    """ONNX Runtime, static: activations unsigned, weights signed per channel, products only."""
    import onnx
    from onnxruntime import quantization

    from unmist.evaluate import onnx_graph

    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc, unused-ignore]
        def __init__(self) -> None:
            self._items = iter([{"ids": ids} for ids in _ids(calibration)])

        def get_next(self) -> Any:
            return next(self._items, None)

    source, path = out / "source.onnx", out / "model.onnx"
    onnx.save(onnx_graph.build(folder, task), source)
    quantization.quantize_static(
        source,
        path,
        Reader(),
        quant_format=quantization.QuantFormat.QDQ,
        op_types_to_quantize=["MatMul"],
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
        # Without VNNI, products of unsigned and signed bytes overflow unless weights have 7 bits.
        reduce_range="vnni" not in Path("/proc/cpuinfo").read_text(),
    )
    return _onnxruntime(path, threads)


def _onnxruntime(path: Path, threads: int) -> tuple[Infer, int]:
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])

    def infer(ids: np.ndarray) -> np.ndarray:
        logits: np.ndarray = session.run(["logits"], {"ids": ids})[0]
        return logits

    return infer, path.stat().st_size


ENGINES: Final[dict[str, Callable[..., tuple[Infer, int]]]] = {
    "openvino f32": openvino("f32"),
    "openvino bf16": openvino("bf16"),
    "openvino int8": openvino_int8,
    "onnxruntime f32": onnxruntime_f32,
    "onnxruntime int8": onnxruntime_int8,
}


def _ids(rows: list[list[int]]) -> Iterator[np.ndarray]:
    """Calibration rows in batches of one length, as they are when the engine runs."""
    for start in range(0, len(rows), _CALIBRATION_ROWS):
        for batch in batching.plan(rows[start : start + _CALIBRATION_ROWS]):
            yield batch.ids


def ask(infer: Infer, rows: list[list[int]], at_once: int) -> np.ndarray:
    """Logits of all rows, ``at_once`` of them planned into batches together."""
    found: dict[int, np.ndarray] = {}
    for start in range(0, len(rows), at_once):
        for batch in batching.plan(rows[start : start + at_once]):
            logits = infer(batch.ids)
            found.update(zip((batch.rows + start).tolist(), logits, strict=True))
    return np.array([found[i] for i in range(len(rows))], np.float32)


def speed(infer: Infer, rows: list[list[int]], at_once: int) -> dict[str, float]:
    """Rows a second by the clock and milliseconds of processor a row, over some seconds."""
    groups = [rows[i : i + at_once] for i in range(0, len(rows) - at_once + 1, at_once)]
    plans = [[batch.ids for batch in batching.plan(group)] for group in groups[:200]]
    for ids in plans[0]:
        infer(ids)
    began, spent, done = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < _SECONDS:
        for ids in plans[done % len(plans)]:
            infer(ids)
        done += 1
    count = done * at_once
    return {
        "rows_per_second": round(count / (time.perf_counter() - began), 1),
        "cpu_ms_per_row": round((time.process_time() - spent) / count * 1000, 4),
    }


def main() -> None:
    """Arguments: engine, model folder, inputs (npz), threads, folder to write in."""
    name, model, inputs, threads, out = sys.argv[1:6]
    with np.load(inputs) as stored:
        rows, calibration = (
            [row[row > 0].tolist() for row in stored[key]] for key in ("rows", "calibration")
        )
        task = str(stored["task"])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    folder = open_folder(Path(model))
    infer, size = ENGINES[name](folder, task, calibration, int(threads), Path(out))
    logits = ask(infer, rows, 256)
    np.save(Path(out) / "logits.npy", logits)
    alone = ask(infer, rows[:_ALONE], 1)
    result = {
        "size_mb": round(size / 2**20, 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "memory_mb_before": round(before / 1024),
        "alone_vs_together": float(np.abs(alone - logits[:_ALONE]).max()),
        "batch": {str(size): speed(infer, rows, size) for size in BATCHES},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
