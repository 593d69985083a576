"""Waiting requests become batches for the model's one thread, in fair slices.

Everything here runs on the event loop, except :meth:`Batcher._compute_all`, which runs on the
worker thread and reads only what no one changes. The model is therefore never called twice at once.

There is no timer that waits for a batch to fill: while the model is busy, requests gather, and the
next batch takes what is there.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import ceil
from time import perf_counter
from typing import Final, Generic, TypeVar

Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")
R = TypeVar("R")

_STEADY: Final = 0.2  # weight of the newest batch in the measured rate


class OverloadError(Exception):
    """So much is waiting that an answer would come too late; nothing was started.

    Attributes:
        seconds: how long the answer would have taken.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.1f} s of work are waiting")
        self.seconds = seconds


@dataclass(eq=False, slots=True)
class _Job(Generic[Q, A]):
    """One request: its texts with their questions, and the answers so far."""

    items: tuple[tuple[Q, str], ...]
    costs: tuple[int, ...]
    done: "asyncio.Future[list[A]]"
    left: int
    next: int = 0
    answers: dict[int, A] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Slice(Generic[Q, A]):
    """Items ``start`` to ``stop`` of a job: its share of one batch."""

    job: _Job[Q, A]
    start: int
    stop: int


class Batcher(Generic[Q, A]):
    """Round-robin over waiting requests, one batch at a time.

    Number and bytes of what may wait are bounded elsewhere: every job belongs to a request that
    :class:`unmist.serve.limits.Admission` let in. Here it is bounded in time: at the rate at which
    full batches went so far, a job must come through within its deadline, or it is refused.

    Args:
        compute: answers questions about texts, in order; called on the worker thread only.
        alike: questions for which this is equal go into one call of ``compute``.
        cost: about how much work a text is, in bytes of text.
        batch_bytes: about how much of that goes into a batch.
        slice_bytes: how much of it one request may take before the next one has its turn.
        on_batch: told rows and seconds of every batch, on the event loop.
    """

    def __init__(
        self,
        compute: Callable[[Sequence[tuple[Q, str]]], Sequence[A]],
        *,
        alike: Callable[[Q], Hashable] = lambda question: question,
        cost: Callable[[Q, str], int],
        batch_bytes: int,
        slice_bytes: int,
        on_batch: Callable[[int, float], None] = lambda rows, seconds: None,
    ) -> None:
        self._compute = compute
        self._alike = alike
        self._cost = cost
        self._rate: float | None = None  # bytes a second, of batches that were at least half full
        self._batch_bytes = batch_bytes
        self._slice_bytes = slice_bytes
        self._on_batch = on_batch
        self._ring: deque[_Job[Q, A]] = deque()
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="unmist-model")
        self._loop_task: asyncio.Task[None] | None = None
        self._computing: asyncio.Future[list[list[A] | BaseException]] | None = None

    @property
    def alive(self) -> bool:
        """Whether batches are being made."""
        return self._loop_task is not None and not self._loop_task.done()

    @property
    def waiting(self) -> int:
        """Requests with texts that no batch has taken yet."""
        return len(self._ring)

    @property
    def computing(self) -> bool:
        """Whether the worker thread is in a batch."""
        return self._computing is not None and not self._computing.done()

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._loop_task = asyncio.create_task(self._run())

    async def stop(self, seconds: float = 1.0) -> None:
        """End. Requests still waiting are cancelled; a batch under way has some seconds left."""
        if self._loop_task is not None:
            self._loop_task.cancel()
            await asyncio.gather(self._loop_task, return_exceptions=True)
        if self._computing is not None:
            await asyncio.wait({self._computing}, timeout=seconds)
        for job in list(self._ring):
            self._withdraw(job)
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def ask(self, items: Sequence[tuple[Q, str]], seconds: float) -> list[A]:
        """The answers, in the order of ``items``.

        Cancelling this call takes the request's texts out of the queue at once.

        Raises:
            OverloadError: at once, when they would not be there after ``seconds``.
            TimeoutError: they were not there after ``seconds``.
            Exception: what ``compute`` raised on these items.
        """
        if not items:
            return []
        costs = tuple(self._cost(question, text) for question, text in items)
        expected = self.expected_seconds(sum(costs))
        if self._ring and expected > seconds:
            raise OverloadError(expected)
        done = asyncio.get_running_loop().create_future()
        job: _Job[Q, A] = _Job(tuple(items), costs, done, sum(costs))
        self._ring.append(job)
        self._wake.set()
        try:
            async with asyncio.timeout(seconds):
                return await job.done
        finally:
            self._withdraw(job)

    async def between_batches(self, do: Callable[[], R]) -> R:
        """What ``do`` returns, called on the worker thread when no batch is in it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, do)

    def expected_seconds(self, cost: int) -> float:
        """How long a job of ``cost`` bytes would take to come through, taking turns with those
        that wait; 0 while that is not known."""
        if self._rate is None:
            return 0.0
        turns = ceil(cost / self._slice_bytes) * self._slice_bytes
        return (cost + sum(min(job.left, turns) for job in self._ring)) / self._rate

    def _withdraw(self, job: _Job[Q, A]) -> None:
        job.done.cancel()  # does nothing to a future that has its result
        if job in self._ring:
            self._ring.remove(job)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            slices = self._take()
            if not slices:
                self._wake.clear()
                continue
            start = perf_counter()
            self._computing = loop.run_in_executor(self._thread, self._compute_all, slices)
            # Shielded, so that a stop does not mistake a batch still computing for a finished one.
            outcomes = await asyncio.shield(self._computing)
            for slice_, outcome in zip(slices, outcomes, strict=True):
                self._hand_out(slice_, outcome)
            seconds = perf_counter() - start
            self._measure(slices, seconds)
            self._on_batch(sum(s.stop - s.start for s in slices), seconds)

    def _measure(self, slices: list[_Slice[Q, A]], seconds: float) -> None:
        cost = sum(sum(s.job.costs[s.start : s.stop]) for s in slices)
        if cost * 2 < self._batch_bytes:
            return  # what a small batch takes says little about a queue
        rate = cost / max(seconds, 1e-6)
        self._rate = rate if self._rate is None else self._rate + _STEADY * (rate - self._rate)

    def _take(self) -> list[_Slice[Q, A]]:
        """The next batch: a slice of each job in turn, again and again until it is full."""
        slices: list[_Slice[Q, A]] = []
        room = self._batch_bytes
        while self._ring and room > 0:
            job = self._ring.popleft()
            stop, share = job.next, min(self._slice_bytes, room)
            spent = 0
            while stop < len(job.items) and (not spent or spent + job.costs[stop] <= share):
                spent += job.costs[stop]
                stop += 1
            slices.append(_Slice(job, job.next, stop))
            job.next = stop
            job.left -= spent
            room -= spent
            if stop < len(job.items):
                self._ring.append(job)
        return slices

    def _hand_out(self, slice_: _Slice[Q, A], outcome: list[A] | BaseException) -> None:
        job = slice_.job
        if job.done.done():  # failed in another slice, or its client went away
            return
        if isinstance(outcome, BaseException):
            job.done.set_exception(outcome)
            self._withdraw(job)
            return
        job.answers.update(zip(range(slice_.start, slice_.stop), outcome, strict=True))
        if len(job.answers) == len(job.items):
            job.done.set_result([job.answers[i] for i in range(len(job.items))])

    def _compute_all(self, slices: list[_Slice[Q, A]]) -> list[list[A] | BaseException]:
        """On the worker thread: one outcome per slice."""
        try:
            return list(self._compute_together(slices))
        except BaseException:
            # One request must not fail for another's sake: ask again, each slice by itself.
            return [self._compute_alone(slice_) for slice_ in slices]

    def _compute_alone(self, slice_: _Slice[Q, A]) -> list[A] | BaseException:
        try:
            return self._compute_together([slice_])[0]
        except Exception as error:
            return error
        except BaseException as error:  # e.g. SystemExit must not end the thread
            return RuntimeError(type(error).__name__)

    def _compute_together(self, slices: list[_Slice[Q, A]]) -> list[list[A]]:
        """Questions that are alike, from whatever slice, go through the model together."""
        flat = [item for s in slices for item in s.job.items[s.start : s.stop]]
        places: dict[Hashable, list[int]] = {}
        for place, (question, _) in enumerate(flat):
            places.setdefault(self._alike(question), []).append(place)
        answers: dict[int, A] = {}
        for rows in places.values():
            found = self._compute([flat[place] for place in rows])
            answers.update(zip(rows, found, strict=True))
        ordered = iter([answers[place] for place in range(len(flat))])
        return [[next(ordered) for _ in range(s.start, s.stop)] for s in slices]
