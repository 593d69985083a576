"""Spans: one a request, with what a log line holds and no more."""

import pytest
from starlette.testclient import TestClient

from unmist.errors import UsageError
from unmist.serve import tracing
from unmist.serve.app import build
from unmist.serve.settings import Settings

pytest.importorskip("opentelemetry.sdk", reason="needs unmist[otel]")
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def spans(model):
    """(client, spans exported so far)."""
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    traced = tracing.Tracing(SimpleSpanProcessor(exporter), "1.0")
    with TestClient(build(model, Settings(), traced).app) as client:
        yield client, exporter.get_finished_spans
    traced.close()


def test_a_request_is_a_span_under_its_parent(spans):
    client, exported = spans
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "x-request-id": "me-1"}
    rows = [{"text": "secret.example", "task": "host-category"}]
    assert client.post("/v1/classify", json={"rows": rows}, headers=headers).is_success
    [span] = exported()
    assert (span.name, span.kind.name) == ("POST /v1/classify", "SERVER")
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "http.route": "/v1/classify",
        "http.response.status_code": 200,
        "unmist.request_id": "me-1",
    }
    assert format(span.context.trace_id, "032x") == TRACE
    assert format(span.parent.span_id, "016x") == SPAN
    assert 0 < span.end_time - span.start_time < 60e9
    assert "secret" not in span.to_json()


def test_failures_are_marked_and_odd_parents_ignored(spans):
    client, exported = spans
    rows = [{"text": "broken.example", "task": "host-category"}]
    client.post("/v1/classify", json={"rows": rows}, headers={"traceparent": "nonsense"})
    client.request("BREW", "/secret?secret")
    failed, odd = exported()
    assert failed.status.status_code.name == "ERROR"
    assert failed.parent is None
    assert (odd.name, odd.attributes["http.request.method"]) == ("other other", "_OTHER")
    assert "secret" not in odd.to_json()


def test_a_collector_that_is_away_harms_nobody(start):
    server = start("--otlp-endpoint", "http://127.0.0.1:9/v1/traces")
    import urllib.request

    with urllib.request.urlopen(f"{server.url}/health", timeout=10) as answer:
        assert answer.status == 200
    server.process.terminate()
    assert server.process.wait(20) == 0
    assert "Traceback" not in server.log


def test_a_missing_extra_is_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace.export", None)
    with pytest.raises(UsageError, match=r"pip install 'unmist\[otel\]'"):
        tracing.start("http://127.0.0.1:9/", "1.0")
