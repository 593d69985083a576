"""Spans for OpenTelemetry, one a request, when an endpoint is set. Needs ``unmist[otel]``.

A span holds what a log line holds: method, route template, status, time and request id, under the
names of OpenTelemetry's HTTP conventions. Never a text, a path or a header.
"""

from __future__ import annotations

import logging
from time import time_ns
from typing import TYPE_CHECKING, Final

from unmist.errors import UsageError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

_FLUSH_MILLISECONDS: Final = 2000
_SERVER_ERROR: Final = 500


class Tracing:
    """Makes spans and hands them to ``processor``, which sends them from a thread of its own.

    Args:
        processor: of OpenTelemetry's SDK.
        version: unmist's.
    """

    def __init__(self, processor: SpanProcessor, version: str) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        resource = Resource({"service.name": "unmist", "service.version": version})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("unmist.serve", version)
        self._propagator = TraceContextTextMapPropagator()

    def request(
        self, method: str, route: str, status: int, seconds: float, request_id: str, parent: str
    ) -> None:
        """Record a request that has ended just now; ``parent`` is a ``traceparent`` header."""
        from opentelemetry.trace import SpanKind, Status, StatusCode

        end = time_ns()
        span = self._tracer.start_span(
            f"{method} {route}",
            context=self._propagator.extract({"traceparent": parent}),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": method if method != "other" else "_OTHER",
                "http.route": route,
                "http.response.status_code": status,
                "unmist.request_id": request_id,
            },
            start_time=end - int(seconds * 1e9),
        )
        if status >= _SERVER_ERROR:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)

    def close(self) -> None:
        """Send what is left, for two seconds at most."""
        self._provider.force_flush(_FLUSH_MILLISECONDS)
        self._provider.shutdown()


def start(endpoint: str, version: str) -> Tracing:
    """Tracing to an OTLP collector, over HTTP.

    Args:
        endpoint: its URL, e.g. ``http://127.0.0.1:4318/v1/traces``.
        version: unmist's.

    Raises:
        UsageError: OpenTelemetry is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise UsageError(
            f"traces need {error.name}, which is not installed: pip install 'unmist[otel]'"
        ) from None
    # Its own complaints about a collector that is away would come with every batch.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    return Tracing(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=5)), version)
