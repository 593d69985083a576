"""What requests and answers look like; the OpenAPI document is made from these.

Limits that settings can change (number of texts, bytes of a text) are checked in ``app``; here are
the shapes, and short bounds on names.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

Name = Annotated[str, Field(max_length=200)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class EmbeddingsRequest(_Request):
    """OpenAI's request, and ``field``: what kind of security text it is."""

    model: Name
    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = None
    user: str | None = None
    field: Name = "hostname"

    @field_validator("input", mode="before")
    @classmethod
    def _texts_only(cls, value: Any) -> Any:
        """One clear refusal instead of one per alternative of the type."""
        if isinstance(value, str):
            return value
        if not isinstance(value, list):
            raise PydanticCustomError("invalid_input", "must be a string or a list of strings")
        if any(isinstance(item, int | list) for item in value):
            raise PydanticCustomError(
                "token_arrays_not_supported",
                "token arrays are not taken, because the tokenizer is our own; send strings",
            )
        if not all(isinstance(item, str) for item in value):
            raise PydanticCustomError("invalid_input", "must be a string or a list of strings")
        return value


class ClassifyRow(_Request):
    """One text and the task to ask; ``field``, if given, must be the kind that the task reads."""

    text: str
    task: Name
    field: Name | None = None


class ClassifyRequest(_Request):
    """Rows, each with its own task; ``top_k`` adds the most probable labels to each verdict, and
    ``explain`` the bytes that drove it."""

    rows: list[ClassifyRow]
    top_k: Annotated[int, Field(ge=1, le=1000)] | None = None
    explain: bool = False


class Embedding(BaseModel):
    """A vector, as numbers or as base64 of little-endian float32."""

    object: Literal["embedding"]
    embedding: list[float] | str
    index: int


class Usage(BaseModel):
    """Tokens of the texts as they were sent."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingsAnswer(BaseModel):
    """OpenAI's answer; vectors are of length 1."""

    object: Literal["list"]
    data: list[Embedding]
    model: str
    usage: Usage


class LabelOdds(BaseModel):
    """A label and its calibrated probability."""

    label: str
    probability: float


class SpanAnswer(BaseModel):
    """Bytes [start, stop) of ``read``, and by how much the log-odds of ``model_label`` fall, in
    nats, when they are hidden."""

    start: int
    stop: int
    text: str
    weight: float


class VerdictAnswer(BaseModel):
    """The same fields as a line of ``unmist classify --jsonl``; ``top_k`` only when asked for, and
    with ``explain`` the fields of ``unmist explain --jsonl``."""

    model_config = ConfigDict(protected_namespaces=())

    text: str
    field: str
    task: str
    label: str | None
    score: float
    status: Literal["ok", "abstain", "bad_input"]
    reason: str | None
    model_label: str | None
    model_score: float | None
    source: str | None
    line: int | None
    top_k: list[LabelOdds] | None = None
    read: str | None = None
    spans: list[SpanAnswer] | None = None


class ClassifyAnswer(BaseModel):
    """One verdict per row, in order; ``model`` is the hash of the model that gave them."""

    model: str
    verdicts: list[VerdictAnswer]


class ModelCard(BaseModel):
    """The encoder, or a task that runs on it.

    ``hash`` of the encoder covers every byte of the model folder and of all adapters; ``hash`` of
    a task covers its adapter alone.
    """

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "unmist"
    kind: Literal["encoder", "task"]
    hash: str
    fields: list[str]
    dimensions: int | None = None
    labels: list[str] | None = None


class ModelList(BaseModel):
    """Every model that this service answers for."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class State(BaseModel):
    """``ok`` or ``ready``."""

    status: str


class ErrorDetail(BaseModel):
    """What went wrong, for people and for programs."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(BaseModel):
    """OpenAI's shape of an error."""

    error: ErrorDetail
