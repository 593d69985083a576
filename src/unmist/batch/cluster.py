"""The same job on a Ray cluster: parts are answered by a pool of actors, any of which may die.

The reader and the writer stay in this process, so the output folder, its lock and its contract are
those of a job without a cluster. Actors get the texts of a part and give back the added columns.
"""

from __future__ import annotations

import copy
import importlib
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Final

import pyarrow as pa

from unmist.batch.annotate import Annotate
from unmist.batch.work import Answered, Piece, StoppedError, Unreadable
from unmist.errors import ModelError, UnmistError, UsageError

MAX_TRIES: Final = 4
"""Workers that may die over one part before the job ends with an error."""

PARTS_AHEAD: Final = 2
"""Parts that are read, under way or waiting to be written, for each worker."""

Report = Callable[[str], None]


class _Part:
    """A part on its way: its pieces, and their answers once they are there."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.answers: list[pa.Table] | None = None
        self.tries = 0
        self.texts: Any = None
        """The object that holds the texts for the actors."""


_Item = _Part | Unreadable


class RayAnnotator:
    """An annotator, see :data:`unmist.batch.work.Annotator`, that uses a Ray cluster.

    Args:
        workers: actors; ``None`` for one for each CPU of the cluster, or as many as fit.
        cpus: CPUs that an actor asks for, and threads that it uses.
        report: called with one line when a worker dies.
        stopping: asked while it waits, whether to stop.
    """

    def __init__(
        self,
        workers: int | None = None,
        cpus: int = 1,
        *,
        report: Report = lambda _: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._workers, self._cpus = workers, cpus
        self._report, self._stopping = report, stopping

    def __call__(
        self, annotate: Annotate, pieces: Iterator[Piece | Unreadable]
    ) -> Iterator[Answered | Unreadable]:
        """Answer the pieces; in their order, at most two parts for each worker ahead.

        Raises:
            UsageError: Ray is not installed.
            ModelError: a worker has no model, or another one.
            UnmistError: workers die again and again.
            StoppedError: ``stopping`` said so.
        """
        ray = import_ray()
        begun = not ray.is_initialized()
        if begun:
            # Where RAY_ADDRESS is set, Ray uses that cluster; else it starts one here.
            local = {} if os.environ.get("RAY_ADDRESS") else {"address": "local"}
            ray.init(log_to_driver=False, logging_level="error", **local)
        try:
            every = int(ray.cluster_resources().get("CPU", 1))
            size = self._workers or max(every // self._cpus, 1)
            pool = _Pool(ray, annotate, size, self._cpus, self._report)
            try:
                yield from self._in_order(pool, _parts(pieces))
            finally:
                pool.close()
        finally:
            if begun:
                ray.shutdown()

    def _in_order(self, pool: _Pool, items: Iterator[_Item]) -> Iterator[Answered | Unreadable]:
        """Keep the pool busy, and hand out what is done in the order of the items."""
        window: deque[_Item] = deque()
        more = True
        while more or window:
            while more and len(window) < PARTS_AHEAD * pool.size:
                item = next(items, None)
                more = item is not None
                if item is not None:
                    window.append(item)
                if isinstance(item, _Part):
                    pool.submit(item)
            first = window[0] if window else None
            if isinstance(first, Unreadable):
                yield first
            elif first is not None and first.answers is None:
                if self._stopping():
                    raise StoppedError
                pool.step()
                continue
            elif first is not None and first.answers is not None:
                yield from zip(first.pieces, first.answers, strict=True)
            if window:
                window.popleft()


def import_ray() -> Any:
    """Ray, which reports its use to its makers unless it is told not to.

    Raises:
        UsageError: it is not installed.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        message = f"Ray does not load ({error}); install it with: pip install 'unmist[ray]'"
        raise UsageError(message) from None


def _parts(pieces: Iterator[Piece | Unreadable]) -> Iterator[_Item]:
    """Whole parts; one whose input ends in the middle of it is left out."""
    part = _Part()
    for piece in pieces:
        if isinstance(piece, Unreadable):
            yield piece
            continue
        if piece.opens:
            part = _Part()
        part.pieces.append(piece)
        if piece.closes:
            yield part


class _Pool:
    """Actors, each with one part at most in work and the next one chosen when it is free.

    An actor that dies is replaced, and its part goes to the next free one. A replacement for which
    there is no place any more waits for one while the others go on.
    """

    def __init__(self, ray: Any, annotate: Annotate, size: int, cpus: int, report: Report) -> None:
        self.size = size
        self._ray, self._report = ray, report
        step = copy.copy(annotate)
        step.threads = cpus
        # One that dies is replaced here, because Ray would tie its part to its return.
        make = ray.remote(num_cpus=cpus, max_restarts=0)(_Worker)
        self._make: Callable[[], Any] = partial(make.remote, step, annotate.model.hash)
        self._waiting: deque[_Part] = deque()
        self._busy: dict[Any, tuple[Any, _Part | None]] = {}
        self._free: list[Any] = []
        self._losses = 0
        for _ in range(size):
            self._start()

    def submit(self, part: _Part) -> None:
        """Take a part on."""
        part.texts = self._ray.put(_packed([piece.texts for piece in part.pieces]))
        self._waiting.append(part)
        self._assign()

    def step(self) -> None:
        """Wait until an actor has something to say, a second at most."""
        ray = self._ray
        done, _ = ray.wait(list(self._busy), num_returns=1, timeout=1)
        for reference in done:
            actor, part = self._busy.pop(reference)
            try:
                answers = ray.get(reference)
            except (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError) as error:
                self._lost(actor, part, error)
                continue
            except ray.exceptions.RayTaskError as error:
                raise error.cause if isinstance(error.cause, UnmistError) else error from None
            self._free.append(actor)
            if part is not None:
                part.answers, part.texts = answers, None
                self._losses = 0
        self._assign()

    def close(self) -> None:
        """End the actors."""
        for actor in [*self._free, *(actor for actor, _ in self._busy.values())]:
            self._ray.kill(actor)

    def _start(self) -> None:
        actor = self._make()
        self._busy[actor.open.remote()] = (actor, None)

    def _assign(self) -> None:
        while self._free and self._waiting:
            actor, part = self._free.pop(), self._waiting.popleft()
            self._busy[actor.answer.remote(part.texts)] = (actor, part)

    def _lost(self, actor: Any, part: _Part | None, error: Exception) -> None:
        self._ray.kill(actor)
        self._losses += 1
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if part is not None:
            part.tries += 1
            self._waiting.appendleft(part)
        if self._losses > MAX_TRIES * self.size or (part is not None and part.tries >= MAX_TRIES):
            raise UnmistError(f"workers die again and again; the last one: {why}")
        self._report(f"a worker was lost ({why}); another one does its part again")
        self._start()


class _Worker:
    """The actor: a model that answers one part at a time."""

    def __init__(self, annotate: Annotate, model_hash: str) -> None:
        self._annotate, self._hash = annotate, model_hash

    def open(self) -> None:
        """Open the model.

        Raises:
            ModelError: it cannot be opened, or is not the one of the job.
        """
        found = self._annotate.model.hash
        if found != self._hash:
            raise ModelError(
                f"the model on {socket.gethostname()} is {found[:12]}, and the job has "
                f"{self._hash[:12]}; install the same one everywhere"
            )

    def answer(self, texts: bytes) -> list[pa.Table]:
        """The added columns of each chunk of one part."""
        self._annotate.forget()
        with pa.ipc.open_stream(texts) as batches:
            columns = [pa.chunked_array([batch.column(0)]) for batch in batches]
        return [self._annotate.answers(column) for column in columns]


def _packed(texts: Sequence[pa.ChunkedArray]) -> bytes:
    """The columns as one Arrow stream, because a pickled slice carries what it was cut from."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([("text", pa.large_binary())])) as writer:
        for column in texts:
            values = column.cast(pa.large_binary()).combine_chunks()
            writer.write_batch(pa.record_batch([values], names=["text"]))
    packed: bytes = sink.getvalue().to_pybytes()
    return packed
