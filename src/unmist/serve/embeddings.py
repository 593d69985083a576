"""``POST /v1/embeddings``: OpenAI's request and answer."""

import base64

import msgspec
import numpy as np
from fastapi import Response

from unmist.serve.answers import Embedded, Question
from unmist.serve.api_error import ApiError
from unmist.serve.endpoint import Endpoint
from unmist.serve.schemas import EmbeddingsRequest
from unmist.serve.texts import ask, check_count, check_text


class Embeddings(Endpoint):
    """Checks requests for vectors, has them computed, and writes the answers."""

    async def answer(self, request: EmbeddingsRequest) -> Response:
        """The answer. Raises ApiError when the request cannot be met."""
        texts = [request.input] if isinstance(request.input, str) else request.input
        self._check(request, texts)
        question = Question("embed", request.field)
        items = [(question, text) for text in texts]
        found = await ask(self.batcher, items, self.settings.deadline_seconds)
        embedded = [one for one in found if isinstance(one, Embedded)]
        self.metrics.embedded(len(embedded))
        tokens = sum(one.tokens for one in embedded)
        write = as_base64 if request.encoding_format == "base64" else as_numbers
        size = request.dimensions or self.facts.dim
        answer = {
            "object": "list",
            "data": [
                {"object": "embedding", "embedding": write(shortened(one.vector, size)), "index": i}
                for i, one in enumerate(embedded)
            ],
            "model": self.facts.name,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        return Response(
            msgspec.json.encode(answer),
            media_type="application/json",
            # OpenAI's answer has no place for it, and vectors of two hashes do not compare.
            headers={"x-model-hash": self.facts.hash},
        )

    def _check(self, request: EmbeddingsRequest, texts: list[str]) -> None:
        facts = self.facts
        if request.model != facts.name:
            raise ApiError(
                404,
                f"The model {request.model!r} does not exist; this service has {facts.name!r}.",
                "model_not_found",
                param="model",
            )
        if request.field not in facts.fields:
            known = ", ".join(facts.fields)
            raise ApiError(
                400,
                f"No field kind {request.field!r}; known: {known}.",
                "unknown_field",
                param="field",
            )
        if request.dimensions is not None and request.dimensions > facts.dim:
            raise ApiError(
                400,
                f"This model's vectors have {facts.dim} dimensions, not {request.dimensions}.",
                "unsupported_dimensions",
                param="dimensions",
            )
        check_count(len(texts), self.settings.max_inputs, "input")
        for i, text in enumerate(texts):
            param = "input" if isinstance(request.input, str) else f"input[{i}]"
            if not text:
                raise ApiError(400, f"{param}: an empty text has no vector.", "empty", param=param)
            check_text(text, self.settings.max_text_bytes, param)


def shortened(vector: np.ndarray, size: int) -> np.ndarray:
    """The first ``size`` numbers float32 [size], brought back to length 1."""
    if size == len(vector):
        return vector
    kept: np.ndarray = vector[:size]
    length = np.linalg.norm(kept)
    return kept / length if length else kept


def as_numbers(vector: np.ndarray) -> list[float]:
    """Each float32 as the float64 of the same value."""
    numbers: list[float] = vector.tolist()
    return numbers


def as_base64(vector: np.ndarray) -> str:
    """Little-endian float32, as OpenAI's clients decode it."""
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()
