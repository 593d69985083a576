"""The same job on a Ray cluster: parts are answered by a pool of actors, any of which may die.

The reader and the writer stay in this process, so the output folder, its lock and its contract are
those of a job without a cluster. Actors get the texts of a part and give back the added columns.
"""

from __future__ import annotations

import importlib
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

import pyarrow as pa

from unmist.batch.annotate import Annotate
from unmist.batch.work import Answered, Piece, Unreadable
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


_Item = _Part | Unreadable | Exception


class RayAnnotator:
    """An annotator, see :data:`unmist.batch.work.Annotator`, that uses a Ray cluster.

    Args:
        workers: actors; ``None`` for one for each CPU of the cluster, or as many as fit.
        cpus: CPUs that an actor asks for, and threads that it uses.
        report: called with one line when a worker dies.
    """

    def __init__(
        self, workers: int | None = None, cpus: int = 1, report: Report = lambda _: None
    ) -> None:
        self._workers, self._cpus, self._report = workers, cpus, report

    def __call__(
        self, annotate: Annotate, pieces: Iterator[Piece | Unreadable]
    ) -> Iterator[Answered | Unreadable]:
        """Answer the pieces; in their order, at most two parts for each worker ahead.

        Raises:
            UsageError: Ray is not installed.
            UnmistError: the same part cost several workers their lives.
        """
        ray = import_ray()
        begun = not ray.is_initialized()
        if begun:
            # Where RAY_ADDRESS is set, Ray uses that cluster; else it starts one here.
            local = {} if os.environ.get("RAY_ADDRESS") else {"address": "local"}
            ray.init(log_to_driver=False, logging_level="error", **local)
        try:
            every = int(ray.cluster_resources().get("CPU", 1))
            pool = _Pool(ray, annotate, self._workers or max(every // self._cpus, 1), self._cpus)
            try:
                yield from _in_order(pool, _parts(pieces), self._report)
            finally:
                pool.close()
        finally:
            if begun:
                ray.shutdown()


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
    """Whole parts; a part that is cut off by the end of its input is left out.

    What ends the reading is handed on as an item, so that the parts before it are not lost.
    """
    part = _Part()
    try:
        for piece in pieces:
            if isinstance(piece, Unreadable):
                part = _Part()
                yield piece
                continue
            if piece.opens:
                part = _Part()
            part.pieces.append(piece)
            if piece.closes:
                yield part
    except Exception as error:
        yield error


def _in_order(pool: _Pool, items: Iterator[_Item], report: Report) -> Iterator[Answered | Unreadable]:
    """Keep the pool busy, and hand out what is done in the order of the items."""
    window: deque[_Item] = deque()
    ended = False
    while True:
        while not ended and len(window) < PARTS_AHEAD * pool.size:
            item = next(items, None)
            if item is None:
                ended = True
                break
            window.append(item)
            if isinstance(item, _Part):
                pool.submit(item)
        if not window:
            return
        first = window[0]
        if isinstance(first, _Part) and first.answers is None:
            pool.step(report)
            continue
        window.popleft()
        if isinstance(first, Exception):
            raise first
        if isinstance(first, Unreadable):
            yield first
        elif first.answers is not None:
            yield from zip(first.pieces, first.answers, strict=True)


class _Pool:
    """Actors, each with one part at most in work and the next one chosen when it is free.

    An actor that dies is replaced, and its part goes to the next free one. A replacement for which
    there is no place any more waits for one while the others go on.
    """

    def __init__(self, ray: Any, annotate: Annotate, size: int, cpus: int) -> None:
        self.size = size
        self._ray = ray
        step = Annotate(
            annotate.tasks,
            annotate.text_column,
            annotate.model_path,
            annotate.embed,
            adapters=annotate.adapters,
            threads=cpus,
            cache=annotate.cache,
        )
        # One that dies is replaced here, because Ray would tie its part to its return.
        make = ray.remote(num_cpus=cpus, max_restarts=0)(_Worker)
        self._make = lambda: make.remote(step, annotate.model.hash)
        self._waiting: deque[_Part] = deque()
        self._busy: dict[Any, tuple[Any, _Part | None]] = {}
        self._free: list[Any] = []
        for _ in range(size):
            self._start()

    def submit(self, part: _Part) -> None:
        """Take a part on."""
        part.texts = self._ray.put([piece.texts for piece in part.pieces])
        self._waiting.append(part)
        self._assign()

    def step(self, report: Report) -> None:
        """Wait until an actor has something to say."""
        ray = self._ray
        done, _ = ray.wait(list(self._busy), num_returns=1)
        for reference in done:
            actor, part = self._busy.pop(reference)
            try:
                answers = ray.get(reference)
            except (ray.exceptions.RayActorError, ray.exceptions.ObjectLostError) as error:
                self._lost(actor, part, error, report)
                continue
            except ray.exceptions.RayTaskError as error:
                raise error.cause if isinstance(error.cause, UnmistError) else error from None
            self._free.append(actor)
            if part is not None:
                part.answers, part.texts = answers, None
        self._assign()

    def close(self) -> None:
        """End the actors."""
        for actor in [*self._free, *(actor for actor, _ in self._busy.values())]:
            self._ray.kill(actor)

    def _start(self) -> None:
        actor = self._make()
        self._busy[actor.ready.remote()] = (actor, None)

    def _assign(self) -> None:
        while self._free and self._waiting:
            actor, part = self._free.pop(), self._waiting.popleft()
            self._busy[actor.answer.remote(part.texts)] = (actor, part)

    def _lost(self, actor: Any, part: _Part | None, error: Exception, report: Report) -> None:
        self._ray.kill(actor)
        if part is not None:
            part.tries += 1
            self._waiting.appendleft(part)
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if part is not None and part.tries >= MAX_TRIES:
            raise UnmistError(f"{MAX_TRIES} workers died over the same part, the last one: {why}")
        report(f"a worker was lost ({why}); its part is done again by another one")
        self._start()


class _Worker:
    """The actor: a model that answers one part at a time."""

    def __init__(self, annotate: Annotate, model_hash: str) -> None:
        self._annotate = annotate
        if annotate.model.hash != model_hash:
            raise ModelError(
                f"the model on {socket.gethostname()} is {annotate.model.hash[:12]}, and not "
                f"{model_hash[:12]} as where the job was begun; install the same one"
            )

    def ready(self) -> int:
        """Whether the model is open; the process id."""
        return os.getpid()

    def answer(self, texts: list[pa.ChunkedArray]) -> list[pa.Table]:
        """The added columns of each chunk of one part."""
        self._annotate.forget()
        return [self._annotate.answers(column) for column in texts]
