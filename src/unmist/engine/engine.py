"""Run the graph on the CPU: token ids in, vectors and logits out, in the caller's order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmist.artifact import Folder
from unmist.engine import batching, graph
from unmist.engine.runtime import ov


@dataclass(frozen=True)
class Output:
    """``vectors`` [n, hidden] float32, L2-normalised; ``logits`` [n, labels of the task] float32,
    with no columns when no task was asked."""

    vectors: np.ndarray
    logits: np.ndarray


class Engine:
    """An encoder and its adapters, compiled once.

    Arithmetic is float32 on every CPU and a row's answer does not depend on the rows beside it
    (to 1e-5) nor on the run (to the bit, for the same machine and number of threads).

    Args:
        folder: an opened model folder.
        threads: CPU threads for one batch; None lets the runtime choose.
    """

    def __init__(self, folder: Folder, threads: int | None = None) -> None:
        self.tasks = tuple(folder.adapters)
        self.max_tokens = folder.config.max_position_embeddings
        adapters = list(folder.adapters.values())
        sizes = [len(adapter.card.labels) for adapter in adapters]
        stops = np.cumsum(sizes).tolist()
        self._columns = {
            task: slice(stop - size, stop)
            for task, size, stop in zip(self.tasks, sizes, stops, strict=True)
        }
        self._labels = sum(sizes)
        settings: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if threads is not None:
            settings["INFERENCE_NUM_THREADS"] = threads
        model = graph.build(folder.config, folder.weights, adapters)
        self._compiled = ov.Core().compile_model(model, "CPU", settings)
        self._request = self._compiled.create_infer_request()
        self.name = "openvino f32"

    def run(self, rows: Sequence[Sequence[int]], task: str | None = None) -> Output:
        """Encode rows of token ids, through ``task``'s adapter when one is named.

        Args:
            rows: token ids, each row opened by its field-kind token, at most ``max_tokens`` long.
            task: one of ``tasks``, or None for the bare encoder.
        """
        adapter = -1 if task is None else self.tasks.index(task)
        vectors, logits = self._infer(rows, np.full(len(rows), adapter))
        columns = self._columns[task] if task is not None else slice(0, 0)
        return Output(vectors, logits[:, columns])

    def run_mixed(self, rows: Sequence[Sequence[int]], tasks: Sequence[str]) -> list[np.ndarray]:
        """Logits [labels of its task] float32 of every row, each through its own task's adapter.

        Rows of all tasks go through the encoder together.
        """
        adapters = np.array([self.tasks.index(task) for task in tasks], np.int64)
        logits = self._infer(rows, adapters)[1]
        return [row[self._columns[task]] for row, task in zip(logits, tasks, strict=True)]

    def _infer(
        self, rows: Sequence[Sequence[int]], adapters: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Vectors [n, hidden] and the logits [n, labels of all tasks] that belong to ``adapters``
        [n], -1 for none; the columns of other tasks mean nothing."""
        hidden = self._compiled.output(0).get_partial_shape()[1].get_length()
        vectors = np.empty((len(rows), hidden), np.float32)
        logits = np.empty((len(rows), self._labels), np.float32)
        for batch in batching.plan(rows):
            gate = np.zeros((len(batch.rows), max(len(self.tasks), 1)), np.float32)
            chosen = adapters[batch.rows]
            asked = np.flatnonzero(chosen >= 0)
            gate[asked, chosen[asked]] = 1.0
            results = self._request.infer({"ids": batch.ids, "gate": gate})
            vectors[batch.rows] = results["vectors"]
            if len(asked):
                logits[batch.rows] = results["logits"]
        return vectors, logits
