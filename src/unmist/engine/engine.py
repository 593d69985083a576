"""Run the graph on the CPU: token ids in, vectors and logits out, in the caller's order."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmist.artifact import Folder
from unmist.engine import batching, graph
from unmist.engine.runtime import ov, units


@dataclass(frozen=True)
class Output:
    """``vectors`` [n, hidden] float32, L2-normalised; ``logits`` [n, labels of the task] float32,
    with no columns when no task was asked."""

    vectors: np.ndarray
    logits: np.ndarray


class Engine:
    """An encoder and its adapters.

    Rows of one task go through a graph that holds this task's adapter alone, so other adapters cost
    them nothing and change no bit of their answers; rows of several tasks go through one that holds
    all. A graph is compiled when it is first needed.

    Arithmetic is float32 on every CPU and a row's answer does not depend on the rows beside it
    (to 1e-5) nor on the run (to the bit, for the same machine and number of threads).

    Args:
        folder: an opened model folder.
        threads: CPU threads for one batch; None lets the runtime choose.
    """

    def __init__(self, folder: Folder, threads: int | None = None) -> None:
        self.tasks = tuple(folder.adapters)
        self.max_tokens = folder.config.max_position_embeddings
        self.name = f"openvino f32 ({units()})"
        self._folder, self._graphs = folder, dict[tuple[str, ...], _Graph]()
        self._settings: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if threads is not None:
            self._settings["INFERENCE_NUM_THREADS"] = threads

    def run(self, rows: Sequence[Sequence[int]], task: str | None = None) -> Output:
        """Encode rows of token ids, through ``task``'s adapter when one is named.

        Args:
            rows: token ids, each row opened by its field-kind token, at most ``max_tokens`` long.
            task: one of ``tasks``, or None for the bare encoder.
        """
        tasks = () if task is None else (task,)
        vectors, logits = self._graph(tasks).infer(rows, np.zeros(len(rows), np.int64))
        return Output(vectors, logits)

    def run_mixed(self, rows: Sequence[Sequence[int]], tasks: Sequence[str]) -> list[np.ndarray]:
        """Logits [labels of its task] float32 of every row, each through its own task's adapter.

        Rows of all tasks go through the encoder together.
        """
        graph = self._graph(self.tasks)
        adapters = np.array([self.tasks.index(task) for task in tasks], np.int64)
        logits = graph.infer(rows, adapters)[1]
        return [row[graph.columns[task]] for row, task in zip(logits, tasks, strict=True)]

    def compile(self) -> None:
        """Compile the graph of every task and of the bare encoder now, not when it is needed."""
        for tasks in ((), *((task,) for task in self.tasks)):
            self._graph(tasks)

    def _graph(self, tasks: tuple[str, ...]) -> "_Graph":
        if tasks not in self._graphs:
            self._graphs[tasks] = _Graph(self._folder, tasks, self._settings)
        return self._graphs[tasks]


class _Graph:
    """A compiled graph with the adapters of some tasks."""

    def __init__(self, folder: Folder, tasks: tuple[str, ...], settings: dict[str, object]) -> None:
        adapters = [folder.adapters[task] for task in tasks]
        sizes = [len(adapter.card.labels) for adapter in adapters]
        stops = np.cumsum(sizes).tolist()
        self.columns = {
            task: slice(stop - size, stop)
            for task, size, stop in zip(tasks, sizes, stops, strict=True)
        }
        self._hidden, self._labels = folder.config.hidden_size, sum(sizes)
        model = graph.build(folder.config, folder.weights, adapters)
        self._request = ov.Core().compile_model(model, "CPU", settings).create_infer_request()

    def infer(
        self, rows: Sequence[Sequence[int]], adapters: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Vectors [n, hidden], and the logits [n, labels of all its tasks] of which those of the
        task at place ``adapters`` [n] are meant."""
        vectors = np.empty((len(rows), self._hidden), np.float32)
        logits = np.empty((len(rows), self._labels), np.float32)
        for batch in batching.plan(rows):
            gate = np.zeros((len(batch.rows), max(len(self.columns), 1)), np.float32)
            gate[np.arange(len(batch.rows)), adapters[batch.rows]] = 1.0
            results = self._request.infer({"ids": batch.ids, "gate": gate})
            vectors[batch.rows] = results["vectors"]
            if self.columns:
                logits[batch.rows] = results["logits"]
        return vectors, logits
