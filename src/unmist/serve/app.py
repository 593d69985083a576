"""The routes: each checks a request, asks the batcher, and writes the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from unmist.serve import schemas
from unmist.serve.answers import Answerer, Embedded, Facts, Known, Question, Ranked, alike, cost
from unmist.serve.api_error import ApiError
from unmist.serve.auth import RequireKey
from unmist.serve.batcher import Batcher
from unmist.serve.classify import Classifying
from unmist.serve.embeddings import Embeddings
from unmist.serve.limits import Admission, Guard
from unmist.serve.metrics import Metrics
from unmist.serve.observe import Observe
from unmist.serve.page import load_page
from unmist.serve.settings import Settings
from unmist.serve.tracing import Tracing

if TYPE_CHECKING:
    from unmist.model import Model

_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": schemas.ErrorAnswer, "description": "The request is refused."},
    "5XX": {"model": schemas.ErrorAnswer, "description": "The service cannot answer."},
}


@dataclass(frozen=True)
class Service:
    """One model being served: the ASGI application and what it is made of."""

    app: FastAPI
    admission: Admission
    batcher: Batcher[Question, Embedded | Ranked]
    metrics: Metrics
    known: Known
    model: Model

    async def use_adapters(self, folders: Sequence[Path]) -> Facts:
        """Answer with these adapters beside the model's own from the next batch on.

        Raises:
            ModelError: one of them cannot be opened; then nothing has changed.
        """

        def change() -> Facts:
            self.model.use_adapters(folders)
            return Facts.of(self.model)

        self.known.facts = await self.batcher.between_batches(change)
        self.metrics.model(self.known.facts)
        return self.known.facts


def build(model: Model, settings: Settings, tracing: Tracing | None = None) -> Service:
    """Put a service together; its batcher starts with the application's lifespan.

    Args:
        model: loaded; only the batcher's thread calls it.
        settings: limits.
        tracing: where spans go; None for nowhere.

    Raises:
        UsageError: the API key is unusable.
        InputError: the file of the API key cannot be read.
    """
    key = settings.key()
    known, metrics = Known(Facts.of(model)), Metrics()
    admission = Admission(settings.max_in_flight, settings.max_queue_bytes)
    batcher: Batcher[Question, Embedded | Ranked] = Batcher(
        Answerer(model),
        alike=alike,
        cost=cost,
        batch_bytes=settings.batch_bytes,
        slice_bytes=settings.slice_bytes,
        on_batch=metrics.batch,
    )
    metrics.watch(admission, lambda: batcher.waiting, model.cache_info)
    metrics.model(known.facts)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        batcher.start()
        yield
        await batcher.stop()

    app = FastAPI(
        title="unmist",
        version=metadata.version("unmist"),
        description="Labels, calibrated scores and vectors for security text.",
        lifespan=lifespan,
        docs_url=None,  # these two load scripts from another host
        redoc_url=None,
        responses=_ERRORS,
    )
    service = Service(app, admission, batcher, metrics, known, model)
    _add_answers(service, settings)
    _add_state(service)
    _add_errors(app)
    # The last one added is the outermost.
    app.add_middleware(Guard, settings=settings, admission=admission)
    if key is not None:
        app.add_middleware(RequireKey, key=key)
    app.add_middleware(Observe, metrics=metrics, tracing=tracing)
    return service


def _add_answers(service: Service, settings: Settings) -> None:
    app, known = service.app, service.known
    embeddings = Embeddings(service.batcher, known, settings, service.metrics)
    classifying = Classifying(service.batcher, known, settings, service.metrics)

    @app.post("/v1/embeddings", response_model=schemas.EmbeddingsAnswer)
    async def embed(request: schemas.EmbeddingsRequest) -> Response:
        """Vectors of texts, as OpenAI's endpoint of this name gives them."""
        return await embeddings.answer(request)

    @app.post("/v1/classify", response_model=schemas.ClassifyAnswer)
    async def classify(request: schemas.ClassifyRequest) -> Response:
        """One verdict per row, in order."""
        return await classifying.answer(request)


def _add_state(service: Service) -> None:
    app = service.app
    page = load_page()

    @app.get("/v1/models")
    async def models() -> schemas.ModelList:
        """The encoder, and every task that runs on it."""
        return schemas.ModelList(data=_cards(service.known.facts))

    @app.get("/v1/models/{model}")
    async def model(model: str) -> schemas.ModelCard:
        """One of them."""
        for card in _cards(service.known.facts):
            if card.id == model:
                return card
        raise ApiError(404, "No such model; see /v1/models.", "model_not_found", param="model")

    @app.get("/health")
    async def health() -> schemas.State:
        """Whether the process works; open to all, it says nothing else."""
        if not service.batcher.alive:
            raise ApiError(503, "The model's queue has stopped.", "stopped")
        return schemas.State(status="ok")

    @app.get("/ready")
    async def ready() -> schemas.State:
        """Whether to send requests here; 503 while shutting down."""
        service.admission.check_open()
        return schemas.State(status="ready")

    @app.get("/", include_in_schema=False)
    async def index() -> Response:
        return page


def _cards(facts: Facts) -> list[schemas.ModelCard]:
    encoder = schemas.ModelCard(
        id=facts.name,
        kind="encoder",
        hash=facts.hash,
        fields=list(facts.fields),
        dimensions=facts.dim,
    )
    tasks = [
        schemas.ModelCard(
            id=name, kind="task", hash=task.hash, fields=[task.field], labels=list(task.labels)
        )
        for name, task in facts.tasks.items()
    ]
    return [encoder, *tasks]


def _add_errors(app: FastAPI) -> None:
    """Turn the framework's own errors into refusals, so that all look alike."""

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        param = _param(first["loc"])
        message = f"{param}: {first['msg']}" if param else str(first["msg"])
        raise ApiError(400, message, str(first["type"]), param=param or None) from None

    @app.exception_handler(HTTPException)
    async def failed(_request: Request, error: HTTPException) -> Response:
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
        raise ApiError(error.status_code, error.detail, code, headers=error.headers) from None


def _param(location: tuple[int | str, ...]) -> str:
    """``("body", "rows", 3, "task")`` as ``rows[3].task``."""
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location[1:]]
    return "".join(parts).removeprefix(".")[:100]
