"""A real server on a real socket: signals, slow and rude clients, logs and metrics."""

import http.client
import json
import signal
import socket
import struct
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
JSON = {"content-type": "application/json"}
SECRET = "sesame-street.example"


def ask(url, body, **headers):
    """POST; (status, answer as JSON)."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {**JSON, **headers}
    return _open(urllib.request.Request(url, data, headers))


def get(url, **headers):
    return _open(urllib.request.Request(url, headers=headers))


def _open(request):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def rows(*texts):
    return {"rows": [{"text": text, "task": "host-category"} for text in texts]}


def scraped(port, line):
    """The metrics once they hold a line; a request is counted just after it was answered."""
    deadline = time.monotonic() + 10
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            metrics = answer.read().decode()
        if line in metrics:
            return metrics
        assert time.monotonic() < deadline, metrics
        time.sleep(0.05)


def closed_within(connection, seconds):
    """Everything the server still says, and how long it took to close."""
    connection.settimeout(seconds)
    start, said = time.monotonic(), b""
    try:
        while data := connection.recv(65_536):
            said += data
    except ConnectionResetError:
        pass
    return said, time.monotonic() - start


def test_sigterm_answers_everything_accepted(start):
    server = start("--batch-bytes", 60, "--slice-bytes", 30)
    texts = [f"slow-0.05-{i}.example" for i in range(20)]
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(ask, f"{server.url}/v1/classify", rows(text)) for text in texts]
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        assert get(f"{server.url}/ready")[0] == 503
        assert get(f"{server.url}/health")[0] == 200
        assert ask(f"{server.url}/v1/classify", rows("late.example"))[0] == 503
        for text, answer in zip(texts, asked, strict=True):
            status, body = answer.result()
            assert (status, body["verdicts"][0]["text"]) == (200, text)
    assert server.process.wait(10) == 0
    assert [e["unanswered"] for e in server.events() if e["event"] == "stopped"] == [0]


def test_a_stuck_model_does_not_hold_up_the_end(start):
    server = start("--drain-seconds", 0.5)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask, f"{server.url}/v1/classify", rows("slow-60.0.example"))
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        status, body = asked.result()
        assert (status, body["error"]["code"]) == (503, "shutting_down")
    assert server.process.wait(10) == 2


def tasks(server):
    return [card["id"] for card in get(f"{server.url}/v1/models")[1]["data"] if card["labels"]]


def test_adapters_come_and_go_while_it_serves(start, tmp_path):
    own = ["host-category", "url-category"]
    folder = tmp_path / "adapters"
    (folder / "one").mkdir(parents=True)
    (folder / "one" / "task.json").touch()
    server = start("--adapter-folder", folder)
    assert tasks(server) == [*own, "one"]

    def hang_up(events):
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while len(said := [e for e in server.events() if e["event"] == "adapters"]) < events:
            assert time.monotonic() < deadline, server.log
            time.sleep(0.02)
        return said[-1]

    (folder / "two").mkdir()
    (folder / "two" / "task.json").touch()
    (folder / "notes").mkdir()
    assert tasks(server) == [*own, "one"]  # until it is told
    assert hang_up(1)["tasks"] == [*own, "one", "two"]
    asked = {"rows": [{"text": "a.example", "task": "two"}], "top_k": 2}
    status, body = ask(f"{server.url}/v1/classify", asked)
    assert (status, body["verdicts"][0]["task"]) == (200, "two")
    assert len(body["verdicts"][0]["top_k"]) == 2
    (folder / "broken").mkdir()
    (folder / "broken" / "task.json").touch()
    assert "answering as before" in hang_up(2)["message"]
    assert tasks(server) == [*own, "one", "two"]
    (folder / "broken" / "task.json").unlink()
    (folder / "two" / "task.json").unlink()
    hash_ = hang_up(3)["hash"]
    status, body = ask(f"{server.url}/v1/classify", asked)
    assert (status, body["error"]["code"]) == (400, "unknown_task")
    assert ask(f"{server.url}/v1/classify", rows("a.example"))[1]["model"] == hash_


def test_a_task_that_goes_while_a_request_waits_for_it(start, tmp_path):
    folder = tmp_path / "adapters"
    (folder / "one").mkdir(parents=True)
    (folder / "one" / "task.json").touch()
    server = start("--adapter-folder", folder, "--batch-bytes", 60, "--slice-bytes", 30)
    with ThreadPoolExecutor(4) as pool:
        slow = pool.submit(ask, f"{server.url}/v1/classify", rows("slow-1.0.example"))
        time.sleep(0.3)
        (folder / "one" / "task.json").unlink()
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        late = {"rows": [{"text": "a.example", "task": "one"}]}
        asked = [pool.submit(ask, f"{server.url}/v1/classify", late) for _ in range(2)]
        assert slow.result()[0] == 200
        for answer in asked:
            status, body = answer.result()
            assert (status, body["error"]["code"]) == (400, "unknown_task")


def test_a_hangup_without_a_folder_changes_nothing(start):
    server = start()
    server.process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert ask(f"{server.url}/v1/classify", rows("a.example"))[0] == 200


def test_no_folder_of_adapters_is_one_line(start, tmp_path):
    with pytest.raises(AssertionError, match="no folder here"):
        start("--adapter-folder", tmp_path / "none")


def test_a_taken_port_is_one_line(start):
    server = start()
    with pytest.raises(AssertionError, match="Address already in use") as raised:
        start("--port", server.address[1])
    assert "unmist: error: cannot listen on 127.0.0.1:" in str(raised.value)
    assert "Traceback" not in str(raised.value)


def test_half_open_and_dripping_clients_are_cut(start):
    server = start("--header-seconds", 0.5, "--body-seconds", 0.5)
    silent = socket.create_connection(server.address)
    dripping = socket.create_connection(server.address)
    late = socket.create_connection(server.address)
    half = socket.create_connection(server.address)
    with silent, dripping, late, half:
        half.sendall(
            b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100\r\n\r\n{"
        )
        late.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        first = b""
        while b'"ok"}' not in first:
            first += late.recv(65_536)
        late.sendall(b"GET /hea")  # the second request of a connection is bounded too
        dripping.sendall(b"GET / HTTP/1.1\r\n")
        stop = time.monotonic() + 5
        try:
            while time.monotonic() < stop:
                dripping.sendall(b"X-Drip: 1\r\n")
                time.sleep(0.1)
        except OSError:
            pass
        assert time.monotonic() < stop
        assert closed_within(silent, 3)[0] == b""
        assert closed_within(late, 3)[0] == b""
        said, _ = closed_within(half, 5)
        assert said.startswith(b"HTTP/1.1 408 ")
    assert get(f"{server.url}/health")[0] == 200


def test_bodies_and_headers_beyond_the_limit(start):
    server = start("--max-body-bytes", 100_000)
    url = f"{server.url}/v1/classify"
    assert ask(url, b" " * 1_000_000)[0] == 413
    # The answer arrives although the client is still sending, with and without a length.
    connection = http.client.HTTPConnection(*server.address, timeout=10)
    connection.request(
        "POST",
        "/v1/classify",
        iter([b" " * 10_000] * 100),
        encode_chunked=True,
        headers={"Transfer-Encoding": "chunked"},
    )
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["error"]["code"]) == (413, "body_too_large")
    connection.close()
    for header in (b"X: " + b"y" * 20_000, b"no header at all"):
        with socket.create_connection(server.address) as raw:
            raw.sendall(
                b"GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                + header
                + b"\r\n\r\n"
            )
            said, _ = closed_within(raw, 5)
            assert said.split(b" ")[1] in (b"400", b"431")
            assert (
                json.loads(said.split(b"\r\n\r\n")[1])["error"]["type"] == "invalid_request_error"
            )


def test_a_client_that_hangs_up_frees_its_place(start):
    server = start("--max-in-flight", 1)
    body = json.dumps(rows("slow-1.0.example")).encode()
    with socket.create_connection(server.address) as rude:
        rude.sendall(
            b"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        time.sleep(0.3)
        assert ask(f"{server.url}/v1/classify", rows("a"))[0] == 429
        rude.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    time.sleep(0.2)
    assert ask(f"{server.url}/v1/classify", rows("a.example"))[0] == 200
    assert 499 in [e["status"] for e in server.events() if e["event"] == "request"]


def test_a_refused_client_keeps_its_connection(start):
    server = start("--max-in-flight", 1)
    slow = http.client.HTTPConnection(*server.address, timeout=20)
    slow.request("POST", "/v1/classify", json.dumps(rows("slow-1.0.example")), JSON)
    time.sleep(0.3)
    busy = http.client.HTTPConnection(*server.address, timeout=10)

    def again():
        busy.request("POST", "/v1/classify", json.dumps(rows("a.example")), JSON)
        answer = busy.getresponse()
        answer.read()
        assert not answer.will_close
        return answer.status, busy.sock

    refused, held = again()
    assert refused == 429
    assert again() == (429, held)
    first = slow.getresponse()
    first.read()
    assert first.status == 200
    deadline = time.monotonic() + 5  # its place is free a moment after its answer is there
    while (found := again()) == (429, held) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found == (200, held)
    slow.close()
    busy.close()


def test_connections_are_bounded(start):
    server = start("--max-connections", 3)
    held = [socket.create_connection(server.address) for _ in range(3)]
    time.sleep(0.2)
    with socket.create_connection(server.address) as refused:
        assert closed_within(refused, 3)[0] == b""
    for connection in held:
        connection.close()
    time.sleep(0.2)
    assert get(f"{server.url}/health")[0] == 200


def test_logs_and_metrics_hold_no_text(start):
    with socket.create_server(("127.0.0.1", 0)) as free:
        metrics_port = free.getsockname()[1]
    key = "0123456789-very-secret-key"
    server = start("--metrics-port", metrics_port, "--cache", 123, UNMIST_SERVE_API_KEY=key)
    bearer = {"Authorization": f"Bearer {key}"}
    texts = rows(SECRET, f"maybe-{SECRET}", f"broken-{SECRET}")
    assert ask(f"{server.url}/v1/classify", rows(SECRET), **bearer)[0] == 200
    assert ask(f"{server.url}/v1/classify", texts, **bearer)[0] == 500
    wrong = {"model": SECRET, "input": SECRET}
    assert ask(f"{server.url}/v1/embeddings", wrong, **bearer)[0] == 404
    assert ask(f"{server.url}/v1/classify", {"rows": SECRET}, **bearer)[0] == 400
    assert ask(f"{server.url}/v1/classify", rows(SECRET))[0] == 401
    assert (
        get(f"{server.url}/{SECRET}?{SECRET}", **bearer, **{"X-Request-ID": f"<{SECRET}>"})[0]
        == 404
    )
    metrics = scraped(metrics_port, 'unmist_requests_total{route="other",status="404"} 1.0')
    assert 'unmist_verdicts_total{status="ok",task="host-category"} 1.0' in metrics
    assert 'unmist_requests_total{route="/v1/classify",status="500"} 1.0' in metrics
    assert "unmist_in_flight_requests 0.0" in metrics
    assert "unmist_waiting_requests 0.0" in metrics
    assert "unmist_cache_hits_total 7.0" in metrics
    assert "unmist_cache_misses_total 5.0" in metrics
    assert "unmist_cache_entries 3.0" in metrics
    assert "unmist_cache_limit_entries 123.0" in metrics
    assert "process_resident_memory_bytes " in metrics
    assert 'hash="abab' in metrics
    for place in (server.log, metrics):
        assert "sesame" not in place
        assert "very-secret" not in place
    settings = {
        e["name"]: (e["value"], e["origin"]) for e in server.events() if e["event"] == "setting"
    }
    assert settings["metrics_port"] == (metrics_port, "flag")
    assert settings["api_key"] == ("**********", "environment")
    assert settings["max_inputs"] == (2048, "default")
