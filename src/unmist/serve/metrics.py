"""Figures for Prometheus, on a port of their own. No label ever holds anything a client sent."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    start_http_server,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from unmist.cache import CacheInfo
from unmist.serve.answers import Facts
from unmist.serve.limits import Admission
from unmist.verdict import Verdict

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
ROWS: Final = (1, 4, 16, 64, 128, 256, 512, 1024)


class Metrics:
    """Counters of one service; ``registry`` is its own, so that two services do not mix."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "unmist_requests",
            "Requests answered; status 499: the client went away first.",
            ("route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "unmist_request_duration_seconds",
            "Time from header to answer.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        self._embedded = Counter("unmist_embedded_rows", "Texts embedded.", registry=registry)
        self._verdicts = Counter(
            "unmist_verdicts", "Verdicts given.", ("task", "status"), registry=registry
        )
        self._model = Info("unmist_model", "The model that answers.", registry=registry)
        self._batch_rows = Histogram(
            "unmist_batch_rows", "Texts in a batch.", buckets=ROWS, registry=registry
        )
        self._batch_seconds = Histogram(
            "unmist_batch_duration_seconds",
            "Time that a batch took in the network.",
            buckets=SECONDS,
            registry=registry,
        )

    def watch(
        self,
        admission: Admission,
        waiting: Callable[[], int],
        cache: Callable[[], CacheInfo],
    ) -> None:
        """Report what is in flight, how many requests have texts that wait, and what the model's
        cache does."""
        in_flight = Gauge(
            "unmist_in_flight_requests", "Requests let in, unanswered.", registry=self.registry
        )
        in_flight.set_function(lambda: admission.requests)
        queue = Gauge(
            "unmist_waiting_requests", "Requests with texts in the queue.", registry=self.registry
        )
        queue.set_function(waiting)
        self.registry.register(_CacheFigures(cache))
        held = Gauge("unmist_held_bytes", "Body bytes of those requests.", registry=self.registry)
        held.set_function(lambda: admission.held_bytes)

    def model(self, facts: Facts) -> None:
        """Report which model answers."""
        self._model.info({"name": facts.name, "version": facts.version, "hash": facts.hash})

    def request(self, route: str, status: int, seconds: float) -> None:
        """Count one request; ``route`` is a template such as ``/v1/classify``."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def batch(self, rows: int, seconds: float) -> None:
        """Count one batch."""
        self._batch_rows.observe(rows)
        self._batch_seconds.observe(seconds)

    def embedded(self, rows: int) -> None:
        """Count texts embedded."""
        self._embedded.inc(rows)

    def verdicts(self, verdicts: Iterable[Verdict]) -> None:
        """Count verdicts by task and status."""
        for verdict in verdicts:
            self._verdicts.labels(verdict.task, verdict.status).inc()

    def expose(self, host: str, port: int) -> None:
        """Answer ``GET /metrics`` on a thread of its own. Raises OSError when the port is taken."""
        start_http_server(port, host, self.registry)


class _CacheFigures(Collector):
    """Read from the cache when somebody asks, so that the hot path counts nothing twice."""

    def __init__(self, cache: Callable[[], CacheInfo]) -> None:
        self._cache = cache

    def collect(self) -> Iterator[Metric]:
        """Hits, misses and size."""
        info = self._cache()
        yield CounterMetricFamily(
            "unmist_cache_hits", "Texts answered from the cache.", value=info.hits
        )
        yield CounterMetricFamily(
            "unmist_cache_misses", "Texts that the network was asked about.", value=info.misses
        )
        yield GaugeMetricFamily(
            "unmist_cache_entries", "Answers kept in the cache.", value=info.entries
        )
        yield GaugeMetricFamily(
            "unmist_cache_limit_entries", "Answers kept at most.", value=info.limit
        )
