"""A process that serves: listen, and on SIGTERM answer what was accepted before leaving."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Coroutine, Mapping
from importlib import metadata
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from unmist.errors import UnmistError, UsageError
from unmist.serve import logs
from unmist.serve.adapters import Adapters
from unmist.serve.app import Service, build
from unmist.serve.connection import connection_class
from unmist.serve.limits import Admission
from unmist.serve.settings import Settings
from unmist.serve.tracing import start as start_tracing

if TYPE_CHECKING:
    from unmist.model import Model

_BACKLOG: Final = 2048
_LOOPBACK: Final = ("127.", "::1", "localhost")
_FAILED: Final = 2


def serve(model: Model, settings: Settings, origins: Mapping[str, str], adapters: Adapters) -> None:
    """Serve until SIGTERM or SIGINT; a second signal does not wait for answers.

    SIGHUP takes in the adapters that are there now; one that cannot be opened changes nothing.

    Args:
        model: loaded; from here on only the worker thread calls it.
        settings: limits and addresses.
        origins: where each setting came from, for the log.
        adapters: those that the model was loaded with.

    Raises:
        UsageError: an address cannot be listened on, the API key is unusable, or traces are wanted
            and OpenTelemetry is not installed.
    """
    logs.configure()
    log = logs.get_logger()
    tracing = None
    if settings.otlp_endpoint is not None:
        tracing = start_tracing(settings.otlp_endpoint, metadata.version("unmist"))
    service = build(model, settings, tracing)
    listener = _listen(settings.host, settings.port)
    _expose_metrics(service, settings)
    for name, origin in origins.items():
        log.info("setting", name=name, value=_shown(getattr(settings, name)), origin=origin)
    if not settings.host.startswith(_LOOPBACK) and settings.key() is None:
        log.warning("open", message="every host that reaches this address may ask; no API key set")
    host, port = listener.getsockname()[:2]
    facts = service.known.facts
    log.info(
        "serving",
        host=host,
        port=port,
        model=facts.name,
        version=facts.version,
        hash=facts.hash,
        engine=model.engine,
    )
    server = DrainingServer(_config(service, settings), service.admission, settings.drain_seconds)
    server.on_hangup = lambda: _take_in(service, adapters)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, server.handle_hangup)
    server.run(sockets=[listener])
    if tracing is not None:
        tracing.close()
    log.info("stopped", unanswered=service.admission.requests)
    if service.batcher.computing:
        # The interpreter would wait for the model's thread, however long that takes.
        log.error("abandoned", message="the network was still computing")
        os._exit(_FAILED)


async def _take_in(service: Service, adapters: Adapters) -> None:
    log = logs.get_logger()
    try:
        facts = await service.use_adapters(adapters.found())
    except (UnmistError, OSError) as error:
        log.error("adapters", message=f"{error}; answering as before")
    else:
        log.info("adapters", tasks=list(facts.tasks), hash=facts.hash)


class DrainingServer(uvicorn.Server):
    """A server that keeps its door in place while it drains, so that ``/ready`` can say 503.

    Args:
        config: the server library's.
        admission: closed to new requests when draining begins; counts those left.
        seconds: how long draining and sending the last answers may take together.
    """

    def __init__(self, config: uvicorn.Config, admission: Admission, seconds: float) -> None:
        super().__init__(config)
        self._admission = admission
        self._seconds = seconds
        self._deadline: float | None = None
        self._said = False
        self._hung_up = False
        self.on_hangup: Callable[[], Coroutine[Any, Any, None]] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; in a signal handler, so nothing but flags is touched."""
        if self._deadline is not None:
            self.should_exit = self.force_exit = True
            return
        self._deadline = monotonic() + self._seconds
        self._admission.draining = True

    def handle_hangup(self, _sig: int, _frame: FrameType | None) -> None:
        """Remember to call ``on_hangup``; in a signal handler, too."""
        self._hung_up = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: whether to leave."""
        if await super().on_tick(counter):
            return True
        if self._hung_up and self.on_hangup is not None:
            self._hung_up = False
            await self.on_hangup()
        if self._deadline is None:
            return False
        if not self._said:
            logs.get_logger().info("draining", in_flight=self._admission.requests)
            self._said = True
        left = self._deadline - monotonic()
        if self._admission.requests and left > 0:
            return False
        self.config.timeout_graceful_shutdown = max(1, int(left))
        return True


def _config(service: Service, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        service.app,
        http=connection_class(settings),
        ws="none",
        lifespan="on",
        loop="asyncio",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=settings.max_header_bytes,
        timeout_keep_alive=settings.keep_alive_seconds,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        # Connections inherit it. asyncio would set it itself, were the socket's protocol given and
        # not 0; without it an answer's body waits 40 ms for the client to acknowledge its header.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; give --host or --port"
        ) from None


def _expose_metrics(service: Service, settings: Settings) -> None:
    if settings.metrics_port is None:
        return
    host, port = settings.metrics_host, settings.metrics_port
    try:
        service.metrics.expose(host, port)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; "
            "give --metrics-host or --metrics-port"
        ) from None


def _shown(value: Any) -> Any:
    """A setting for the log; secrets write themselves as asterisks."""
    return value if value is None or isinstance(value, int | float | str) else str(value)
