"""Run the graph on the CPU: token ids in, vectors and logits out, in the caller's order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from unmist.artifact import Adapter, Folder
from unmist.engine import batching, graph, runtime
from unmist.engine.runtime import ov
from unmist.engine.units import units

# For each shape of a batch the runtime keeps compiled code, 5,000 of them if it is let: a service
# that meets batches of all sizes grew to 2.9 GB. None at all costs a single text three times.
SHAPES_KEPT: Final = 128


@dataclass(frozen=True)
class Output:
    """``vectors`` [n, hidden] float32, L2-normalised; ``logits`` [n, outputs of the task] float32,
    with no columns when no task was asked."""

    vectors: np.ndarray
    logits: np.ndarray


@dataclass(frozen=True)
class _Factors:
    """The factors of some adapters side by side, by input; and the place of the adapter that each
    rank belongs to [ranks]."""

    inputs: dict[str, np.ndarray]
    owner: np.ndarray


class Engine:
    """An encoder and its adapters.

    There are two graphs, compiled when they are first needed: the bare encoder, and the encoder
    with places for LoRA factors. An adapter's factors are an input of the second, so an adapter
    costs no more memory than its size, and those that are not asked change no bit of an answer.

    A row's answer does not depend on the rows beside it (to 1e-5) nor on the run (to the bit, for
    the same machine and number of threads). Matrix products are in float32, or in bfloat16 with
    sums in float32 where the CPU has units for it: see :func:`unmist.engine.runtime.precision`.

    Args:
        folder: an opened model folder.
        threads: CPU threads for one batch; None lets the runtime choose.
        precision: ``f32``, ``bf16``, or ``auto`` for what suits the CPU.

    Attributes:
        max_tokens: of a row.
        threads: as given.
        name: what computes, e.g. ``openvino f32 (avx2)``.
        tasks: whose adapters there are.
    """

    def __init__(self, folder: Folder, threads: int | None = None, precision: str = "auto") -> None:
        self.max_tokens, self.threads = folder.config.max_position_embeddings, threads
        kind = runtime.precision(precision)
        self.name = f"openvino {kind} ({units()})"
        self._graphs = dict[bool, ov.InferRequest]()
        self._modules: list[str] = []
        self.use(folder)
        self._settings: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": kind,
            "CPU_RUNTIME_CACHE_CAPACITY": SHAPES_KEPT,
            # Pinned, two processes with a thread each would both take the first core.
            "ENABLE_CPU_PINNING": False,
        }
        if threads is not None:
            self._settings["INFERENCE_NUM_THREADS"] = threads

    def use(self, folder: Folder) -> None:
        """Answer with other adapters from now on.

        Nothing is compiled again, unless one of them adapts what none did before.

        Args:
            folder: the same model folder, with other adapters.
        """
        self.tasks, self._folder = tuple(folder.adapters), folder
        self._laid: dict[tuple[str, ...], _Factors] = {}  # those that lie in the graph now
        modules = {module for adapter in folder.adapters.values() for module in adapter.lora}
        if not modules <= set(self._modules):
            self._modules = sorted(modules.union(self._modules))
            self._graphs.pop(True, None)

    def run(self, rows: Sequence[Sequence[int]], task: str | None = None) -> Output:
        """Encode rows of token ids, through ``task``'s adapter when one is named.

        Args:
            rows: token ids, each row opened by its field-kind token, at most ``max_tokens`` long.
            task: one of ``tasks``, or None for the bare encoder.
        """
        if task is not None:
            each = np.arange(len(rows))
            return self._ask(rows, each, np.zeros(len(rows), np.int64), (task,))[0]
        vectors = np.empty((len(rows), self._folder.config.hidden_size), np.float32)
        for batch in batching.plan(rows):
            vectors[batch.rows] = self._graph(False).infer({"ids": batch.ids})["vectors"]
        return Output(vectors, np.empty((len(rows), 0), np.float32))

    def run_mixed(
        self, rows: Sequence[Sequence[int]], asked: Sequence[tuple[int, str]]
    ) -> list[np.ndarray]:
        """Logits [outputs of its task] float32 of every question, in the order of ``asked``.

        Questions to all tasks go through the encoder together; the layers below the lowest adapted
        one are computed once for each row.

        Args:
            rows: token ids, each row opened by its field-kind token, at most ``max_tokens`` long.
            asked: a row's place in ``rows``, and the task that it is asked about.
        """
        tasks = tuple(sorted({task for _, task in asked}))
        place = {task: number for number, task in enumerate(tasks)}
        source = np.array([row for row, _ in asked], np.int64)
        adapters = np.array([place[task] for _, task in asked], np.int64)
        logits: list[np.ndarray] = [np.empty(0, np.float32)] * len(asked)
        for number, output in enumerate(self._ask(rows, source, adapters, tasks)):
            for question, said in zip(
                np.flatnonzero(adapters == number).tolist(), output.logits, strict=True
            ):
                logits[question] = said
        return logits

    def compile(self) -> None:
        """Compile both graphs now, not when they are needed."""
        for adapted in {False, bool(self._modules)}:
            self._graph(adapted)

    def _ask(
        self,
        rows: Sequence[Sequence[int]],
        source: np.ndarray,
        adapters: np.ndarray,
        tasks: tuple[str, ...],
    ) -> list[Output]:
        """What each of ``tasks`` says about its questions.

        ``source`` [questions] are places in ``rows``, ``adapters`` [questions] places in ``tasks``.
        """
        if not len(source):
            return []
        members = [self._folder.adapters[task] for task in tasks]
        owner = self._lay(tasks, members)
        pooled = np.empty((len(source), self._folder.config.hidden_size), np.float32)
        vectors = np.empty_like(pooled)
        for batch in batching.plan(rows):
            questions = np.flatnonzero(np.isin(source, batch.rows))
            if not len(questions):
                continue
            place = np.empty(len(rows), np.int32)
            place[batch.rows] = np.arange(len(batch.rows))
            gate = (adapters[questions, None] == owner).astype(np.float32)
            inputs = {"ids": batch.ids, "source": place[source[questions]], "gate": gate}
            results = self._graph(True).infer(inputs)
            pooled[questions], vectors[questions] = results["pooled"], results["vectors"]
        outputs = []
        for number, adapter in enumerate(members):
            mine = adapters == number
            logits = pooled[mine] @ adapter.weight.T + adapter.bias
            outputs.append(Output(vectors[mine], logits))
        return outputs

    def _lay(self, tasks: tuple[str, ...], members: list[Adapter]) -> np.ndarray:
        """Put the factors of some adapters into the graph, where they stay until others are asked;
        the place of the adapter that each rank belongs to [ranks]."""
        if tasks not in self._laid:
            factors = self._factors(members)
            for name, array in factors.inputs.items():
                self._graph(True).set_tensor(name, ov.Tensor(array, shared_memory=True))
            self._laid = {tasks: factors}  # held, since the graph reads their memory
        return self._laid[tasks].owner

    def _factors(self, members: list[Adapter]) -> _Factors:
        """A module that an adapter leaves alone gets zeros from it."""
        inputs = {}
        for module in self._modules:
            wide, narrow = self._folder.weights[f"{module}.weight"].shape
            pairs = [
                adapter.lora.get(module)
                or (
                    np.zeros((adapter.rank, narrow), np.float32),
                    np.zeros((wide, adapter.rank), np.float32),
                )
                for adapter in members
            ]
            inputs[f"down:{module}"] = np.concatenate([down for down, _ in pairs])
            inputs[f"up:{module}"] = np.concatenate([up for _, up in pairs], axis=1)
        ranks = [adapter.rank for adapter in members]
        return _Factors(inputs, np.repeat(np.arange(len(members)), ranks))

    def _graph(self, adapted: bool) -> ov.InferRequest:
        if adapted not in self._graphs:
            modules = self._modules if adapted else []
            model = graph.build(self._folder.config, self._folder.weights, modules)
            compiled = ov.Core().compile_model(model, "CPU", self._settings)
            self._graphs[adapted] = compiled.create_infer_request()
        return self._graphs[adapted]
