"""The load test counts what it should: refusals, wrong answers, errors, and percentiles."""

import asyncio
import json

import pytest

from unmist.evaluate.load import markdown
from unmist.evaluate.load_client import Request, Tally, closed_loop, open_loop


async def serving(answer):
    """A server that answers every POST with ``answer(body)``: (status, body)."""

    async def one(reader, writer):
        try:
            while True:
                header = await reader.readuntil(b"\r\n\r\n")
                length = int(header.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                status, body = answer(json.loads(await reader.readexactly(length)))
                writer.write(
                    b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
                )
        except (EOFError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


def asked(text):
    body = json.dumps({"text": text}).encode()
    return Request("/", body, lambda found: json.loads(found) == {"text": text})


def run(answer, loop):
    async def main():
        server, port = await serving(answer)
        async with server:
            tally = await loop(port)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.wait(others, timeout=60)  # connections that see their end
            await asyncio.sleep(0.05)
            return tally

    return asyncio.run(main())


def test_swapped_answers_are_seen():
    def answer(body):
        wrong = {"a": "b", "b": "b"}[body["text"]]
        return 200, json.dumps({"text": wrong}).encode()

    tally = run(answer, lambda port: closed_loop(port, [asked("a"), asked("b")], 3, 0.3))
    figures = tally.summary()
    assert 0 < figures["wrong"] < figures["requests"]
    assert figures["share_429"] == figures["status_5xx"] == figures["broken"] == 0


def test_refusals_and_errors_are_told_apart():
    statuses = iter([429, 200, 500, 404] * 10_000)

    def answer(body):
        status = next(statuses)
        return status, json.dumps(body).encode()

    tally = run(answer, lambda port: open_loop(port, [asked("a")], 200, 0.5))
    figures = tally.summary()
    assert figures["requests"] > 20
    assert figures["share_429"] == pytest.approx(0.25, abs=0.05)
    assert abs(figures["status_5xx"] - figures["status_other"]) <= 1
    assert figures["wrong"] == 0


def test_nobody_there_is_broken():
    tally = asyncio.run(open_loop(1, [asked("a")], 50, 0.2))
    assert tally.broken > 0
    assert tally.summary()["p99_ms"] is None


def test_the_report_is_a_table():
    tally = Tally(seconds=2.0)
    for i in range(100):
        tally.add(asked("a"), 200, b'{"text": "a"}', i / 1000)
    point = {"load": "closed, 1 clients", **tally.summary(), "memory_mb": 3.0}
    text = markdown({"threads": 1, "points": [point]})
    assert "| closed, 1 clients | 50.0 | 0 | 50.0 | 49.5 |" in text
