"""Clients for the load test: HTTP/1.1 on bare streams, so that they cost far less than a service.

A closed loop has a number of clients that each wait for an answer before they ask again. An open
loop asks at given times whatever comes back; its latencies count from the time a request was due,
so a service that stalls cannot hide it (Tene, "How NOT to measure latency").
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

OK: Final = 200
MAX_OPEN: Final = 1000  # connections of an open loop; the service takes 1,024
_ANSWER_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Request:
    """A path, a JSON body, and whether an answer's body is the right one."""

    path: str
    body: bytes
    right: Callable[[bytes], bool]


@dataclass
class Tally:
    """What came back. ``milliseconds`` are those of answers with status 200."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    refusals: list[float] = field(default_factory=list)
    wrong: int = 0
    broken: int = 0
    unsent: int = 0
    seconds: float = 0.0

    def add(self, request: Request, status: int, body: bytes, seconds: float) -> None:
        """Count one answer."""
        self.statuses[status] += 1
        if status == OK:
            self.milliseconds.append(seconds * 1000)
            self.wrong += not request.right(body)
        else:
            self.refusals.append(seconds * 1000)

    def summary(self) -> dict[str, float | int | None]:
        """Figures of a row in the report; latencies in milliseconds. ``unsent`` would have been
        offered as well, had the client had connections left."""
        count = sum(self.statuses.values())
        times = np.array(self.milliseconds)
        refused = self.statuses[429]
        failed = sum(n for status, n in self.statuses.items() if status >= 500)
        return {
            "requests": count,
            "offered_per_second": round(count / self.seconds, 1),
            "answered_per_second": round(len(times) / self.seconds, 1),
            "p50_ms": _percentile(times, 50),
            "p99_ms": _percentile(times, 99),
            "p99_9_ms": _percentile(times, 99.9),
            "share_429": round(refused / count, 4) if count else 0.0,
            "p99_of_429_ms": _percentile(np.array(self.refusals), 99),
            "status_5xx": failed,
            "status_other": count - len(times) - refused - failed,
            "wrong": self.wrong,
            "broken": self.broken,
            "unsent": self.unsent,
        }


def _percentile(times: np.ndarray, share: float) -> float | None:
    return round(float(np.percentile(times, share)), 1) if len(times) else None


class Client:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Request) -> tuple[int, bytes]:
        """Status and body. Raises OSError or EOFError when the connection breaks."""
        reused = self._streams is not None
        try:
            return await asyncio.wait_for(self._ask(request), _ANSWER_SECONDS)
        except (OSError, EOFError):
            self.close()
            if not reused:
                raise
            # The service may close an idle connection just when it is used again.
            return await asyncio.wait_for(self._ask(request), _ANSWER_SECONDS)

    async def _ask(self, request: Request) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        head = (
            f"POST {request.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(request.body)}\r\n\r\n"
        )
        writer.write(head.encode() + request.body)
        header = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(header.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        body = await reader.readexactly(length)
        if b"connection: close" in header:
            self.close()
        return int(header.split(b" ", 2)[1]), body

    def close(self) -> None:
        """Close it; the next request opens another."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def closed_loop(
    port: int, requests: list[Request], clients: int, seconds: float, seed: int = 0
) -> Tally:
    """``clients`` that ask again as soon as they have their answer."""
    tally, began = Tally(), time.perf_counter()
    stop = began + seconds

    async def one(number: int) -> None:
        rng, client = random.Random(f"{seed} {number}"), Client(port)
        while time.perf_counter() < stop:
            await _once(client, rng.choice(requests), time.perf_counter(), tally)
        client.close()

    await asyncio.gather(*(one(number) for number in range(clients)))
    tally.seconds = time.perf_counter() - began
    return tally


async def open_loop(
    port: int, requests: list[Request], rate: float, seconds: float, seed: int = 0
) -> Tally:
    """``rate`` requests a second at random times (Poisson), whatever comes back."""
    tally, rng = Tally(), random.Random(seed)
    idle: list[Client] = []
    under_way: set[Awaitable[None]] = set()

    async def one(due: float) -> None:
        client = idle.pop() if idle else Client(port)
        await _once(client, rng.choice(requests), due, tally)
        idle.append(client)

    began = due = time.perf_counter()
    while (due := due + rng.expovariate(rate)) < began + seconds:
        if (wait := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        elif len(under_way) % 16 == 0:
            await asyncio.sleep(0)  # behind: let answers in before the next one goes out
        if len(under_way) >= MAX_OPEN:
            tally.unsent += 1
            await asyncio.sleep(0)
            continue
        task = asyncio.create_task(one(due))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    sent = time.perf_counter() - began
    if under_way:
        await asyncio.gather(*under_way)
    for client in idle:
        client.close()
    # What came after the last one was due is not part of the rate.
    tally.seconds = max(sent, seconds)
    return tally


async def _once(client: Client, request: Request, since: float, tally: Tally) -> None:
    try:
        status, body = await client.ask(request)
    except (OSError, EOFError, TimeoutError):
        client.close()
        tally.broken += 1
        return
    tally.add(request, status, body, time.perf_counter() - since)
