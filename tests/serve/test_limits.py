"""Admission, bodies, depth, deadlines, and clients that go away."""

import asyncio
import gzip
import json
import time

import httpx2
import numpy as np
import pytest

from unmist.serve.limits import deeper_than

JSON = {"content-type": "application/json"}


def rows(*texts, task="host-category"):
    return {"rows": [{"text": text, "task": task} for text in texts]}


def test_sixty_four_clients_get_their_own_answers(service, running, model, fake):
    async def one(client, i):
        for j in range(3):
            text = f"client-{i}-{j}.example"
            if (i + j) % 2:
                asked = {"model": "unmist-small", "input": [text, f"b.{text}"]}
                answer = (await client.post("/v1/embeddings", json=asked)).json()
                found = np.float32([one["embedding"] for one in answer["data"]])
                expected = [fake.vector(t, "hostname") for t in asked["input"]]
                assert np.array_equal(found, expected)
            else:
                task = ("host-category", "url-category")[i % 3 > 0]
                answer = (await client.post("/v1/classify", json=rows(text, task=task))).json()
                [verdict] = answer["verdicts"]
                assert (verdict["text"], verdict["task"]) == (text, task)
                assert verdict["score"] == float(fake.odds(text, task).max())

    async def scenario():
        async with running(service(slice_bytes=50, batch_bytes=500)) as client:
            await asyncio.gather(*(one(client, i) for i in range(64)))

    asyncio.run(scenario())
    assert len(model.calls) < 192  # they shared batches


def test_too_many_requests_are_turned_away_at_once(service, running, model, until):
    async def scenario():
        built = service(max_in_flight=3)
        async with running(built) as client:
            model.gate.clear()
            held = [
                asyncio.create_task(client.post("/v1/classify", json=rows(f"{i}.example")))
                for i in range(3)
            ]
            await until(lambda: built.admission.requests == 3)
            start = time.monotonic()
            refused = await client.post("/v1/classify", json=rows("late.example"))
            assert time.monotonic() - start < 2
            assert refused.status_code == 429
            assert refused.headers["retry-after"] == "1"
            assert refused.json()["error"]["type"] == "rate_limit_error"
            assert (await client.get("/health")).status_code == 200
            model.gate.set()
            assert [answer.status_code for answer in await asyncio.gather(*held)] == [200] * 3
            assert built.admission.requests == built.admission.held_bytes == 0
            assert (await client.post("/v1/classify", json=rows("x"))).status_code == 200

    asyncio.run(scenario())


def test_too_many_bytes_waiting_are_turned_away(service, running, model, until):
    async def scenario():
        built = service(max_body_bytes=3000, max_queue_bytes=4000)
        async with running(built) as client:
            model.gate.clear()
            held = asyncio.create_task(client.post("/v1/classify", json=rows("x" * 2500)))
            await until(lambda: built.admission.held_bytes > 2500)
            refused = await client.post("/v1/classify", json=rows("y" * 2500))
            assert refused.status_code == 429
            model.gate.set()
            assert (await held).status_code == 200
            assert built.admission.held_bytes == 0

    asyncio.run(scenario())


def test_more_work_than_can_be_done_in_time_is_turned_away(service, running, model, until):
    async def scenario():
        built = service(deadline_seconds=5)
        async with running(built) as client:
            model.gate.clear()
            busy = asyncio.create_task(client.post("/v1/classify", json=rows("a")))
            await until(model.entered.is_set)
            waits = asyncio.create_task(client.post("/v1/classify", json=rows(*["x" * 84] * 40)))
            await until(lambda: built.batcher.waiting == 1)
            built.batcher._rate = 1000.0
            refused = await client.post("/v1/classify", json=rows(*["y" * 84] * 40))
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "8")
            assert built.admission.requests == 2
            model.gate.set()
            assert [a.status_code for a in await asyncio.gather(busy, waits)] == [200, 200]

    asyncio.run(scenario())


@pytest.mark.parametrize("encoding", ["gzip", "br", "x", "gzip, identity"])
def test_a_compressed_body_is_refused_unopened(client, model, encoding):
    bomb = gzip.compress(b'{"rows": [' + b" " * 10**7)
    headers = {**JSON, "content-encoding": encoding}
    answer = client.post("/v1/classify", content=bomb, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_encoding")
    assert model.calls == []
    plain = client.post("/v1/classify", json=rows("a"), headers={"content-encoding": "Identity"})
    assert plain.status_code == 200


def test_the_deadline_is_504(service, running, model):
    async def scenario():
        built = service(deadline_seconds=0.05)
        async with running(built) as client:
            model.gate.clear()
            answer = await client.post("/v1/classify", json=rows("a.example"))
            assert answer.status_code == 504
            assert answer.json()["error"]["type"] == "server_error"
            model.gate.set()

    asyncio.run(scenario())


def test_a_failing_model_is_500_and_quotes_nothing(service, running, model, capsys):
    async def scenario():
        async with running(service()) as client:
            broken, good = await asyncio.gather(
                client.post("/v1/classify", json=rows("broken-secret.example")),
                client.post("/v1/classify", json=rows("good.example")),
            )
            assert (broken.status_code, good.status_code) == (500, 200)
            assert broken.json()["error"]["code"] == "internal_error"
            assert "secret" not in broken.text

    asyncio.run(scenario())
    logged = capsys.readouterr()
    assert "RuntimeError" in logged.out + logged.err
    assert "secret" not in logged.out + logged.err


async def call(app, receive, headers=(), method="POST", path="/v1/classify"):
    """Call the application as a server does; the messages that it sent."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"content-type", b"application/json"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    return sent


def test_a_client_that_goes_away_frees_its_place(service, running, model, until):
    async def scenario():
        built = service()
        async with running(built):
            model.gate.clear()
            gone = asyncio.Event()
            body = [{"type": "http.request", "body": json.dumps(rows("a.example")).encode()}]

            async def receive():
                if body:
                    return body.pop()
                await gone.wait()
                return {"type": "http.disconnect"}

            first = asyncio.create_task(call(built.app, receive))
            await until(model.entered.is_set)
            body.append({"type": "http.request", "body": json.dumps(rows("b.example")).encode()})
            second = asyncio.create_task(call(built.app, receive))
            await until(lambda: built.batcher.waiting == 1)
            gone.set()
            assert await asyncio.gather(first, second) == [[], []]
            assert built.admission.requests == built.batcher.waiting == 0
            model.gate.set()
            await until(lambda: not built.batcher.computing)
            assert [texts for _, texts in model.calls] == [["a.example"]]

    asyncio.run(scenario())


def test_bytes_are_counted_as_they_come_whatever_the_header_says(service, running):
    async def scenario():
        built = service(max_body_bytes=1000)
        async with running(built):
            taken = 0

            async def receive():
                nonlocal taken
                taken += 1
                return {"type": "http.request", "body": b" " * 400, "more_body": taken < 50}

            sent = await call(built.app, receive, [(b"content-length", b"10")])
            assert sent[0]["status"] == 413
            assert (b"connection", b"close") in sent[0]["headers"]
            assert json.loads(sent[1]["body"])["error"]["code"] == "body_too_large"
            assert built.admission.held_bytes == 0

    asyncio.run(scenario())


def test_a_body_that_does_not_come_is_408(service, running):
    async def scenario():
        built = service(body_seconds=0.05)
        async with running(built):

            async def receive():
                await asyncio.sleep(0.04)
                return {"type": "http.request", "body": b" ", "more_body": True}

            sent = await call(built.app, receive)
            assert sent[0]["status"] == 408
            assert built.admission.requests == 0

    asyncio.run(scenario())


def test_a_large_header_in_one_piece_is_431(client):
    assert client.get("/health", headers={"x": "y" * 8200}).status_code == 431
    assert client.get("/health?" + "y" * 8200).status_code == 431


@pytest.mark.parametrize(
    ("body", "deep"),
    [
        (b"[[[]]]", False),
        (b"[[[[]]]]", True),
        (b'{"a": [{"b": []}]}', True),
        (b'["[[[[[["]', False),
        (rb'["\"[[[[[["]', False),
        (rb'["\\", [[[]]]]', True),
        (b"[]" * 100, False),
        (b'["[[[[', False),
        (b"]]]][[[", False),
        (b'"\\', False),
    ],
)
def test_depth_is_told_without_parsing(body, deep):
    assert deeper_than(body, 3) is deep


@pytest.mark.parametrize(
    "body", [b'"' + b'\\"' * 10**6, b'"' * 10**6, b"\\" * 10**6, b'"\\' * 10**6]
)
def test_depth_takes_linear_time(body):
    start = time.process_time()
    deeper_than(body, 16)
    assert time.process_time() - start < 2


def test_deep_json_is_refused(client):
    answer = client.post("/v1/classify", content=b'{"rows":' + b"[" * 10_000, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "json_too_deep"


def test_the_key_is_asked_everywhere_but_on_health(service, running, tmp_path):
    key = "k" * 32
    file = tmp_path / "key"
    file.write_text(key + "\n")
    paths = ["/", "/ready", "/openapi.json", "/v1/models", "/v1/models/x", "/nothing", "//health"]

    async def scenario():
        async with running(service(api_key_file=file)) as client:
            assert (await client.get("/health")).status_code == 200
            for path in paths:
                answer = await client.get(path)
                assert answer.status_code == 401, path
                assert answer.json()["error"]["code"] == "invalid_api_key"
            for path in ("/v1/classify", "/v1/embeddings"):
                assert (await client.post(path, json=rows("a"))).status_code == 401
            good = {"authorization": f"Bearer {key}"}
            assert (await client.get("/ready", headers=good)).status_code == 200
            assert (await client.post("/v1/classify", json=rows("a"), headers=good)).is_success
            basic = httpx2.BasicAuth("anyone", key)
            assert (await client.get("/", auth=basic)).status_code == 200
            for bad in (
                f"Bearer {key[1:]}",
                "Bearer ",
                "Basic !",
                "Basic",
                f"Digest {key}",
                "\xe9",
            ):
                headers = {"authorization": bad.encode("latin-1")}
                assert (await client.get("/ready", headers=headers)).status_code == 401

    asyncio.run(scenario())
