"""What the JSON files of a model folder must say, and no more than that is believed."""

import math
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from unmist.artifact.manifest import read_json_bytes
from unmist.errors import ModelError
from unmist.text.fields import FIELDS

Count = Annotated[int, Meta(gt=0, le=1_000_000)]
Probability = Annotated[float, Meta(ge=0, le=1)]
TASK_FORMATS = (1, 2)  # 2: the head may have an output for texts that bear none of the labels
ROUTER_FORMAT = 1
LORA_TARGETS = frozenset({"attn.Wqkv", "attn.Wo", "mlp.Wi", "mlp.Wo"})
MAX_RANK = 256
MAX_POSITIONS = 65_536

T = TypeVar("T")


class RopeConfig(msgspec.Struct, frozen=True):
    """Rotary positions of one kind of layer."""

    rope_theta: Annotated[float, Meta(ge=1, le=1e12)]


class EncoderConfig(msgspec.Struct, frozen=True):
    """The fields of a ModernBERT ``config.json`` that the engine needs."""

    model_type: str
    vocab_size: Count
    hidden_size: Count
    num_hidden_layers: Count
    num_attention_heads: Count
    intermediate_size: Count
    max_position_embeddings: Annotated[int, Meta(gt=0, le=MAX_POSITIONS)]
    norm_eps: Annotated[float, Meta(gt=0, lt=1)]
    layer_types: list[str]
    rope_parameters: dict[str, RopeConfig]

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.hidden_size // self.num_attention_heads

    @property
    def rope_theta(self) -> float:
        """Base of the rotary frequencies of full attention."""
        return self.rope_parameters["full_attention"].rope_theta

    def check(self, path: Path) -> None:
        """Raise ModelError unless this is an encoder that the engine can run."""
        if self.model_type != "modernbert" or set(self.layer_types) != {"full_attention"}:
            raise ModelError(f"{path}: expected modernbert with full attention in every layer")
        if self.hidden_size % self.num_attention_heads:
            raise ModelError(f"{path}: {self.hidden_size} is no multiple of the number of heads")
        if self.head_width % 2:
            raise ModelError(f"{path}: heads are {self.head_width} wide, expected an even number")
        if "full_attention" not in self.rope_parameters:
            raise ModelError(f"{path}: rope_parameters does not name full_attention")
        if len(self.layer_types) != self.num_hidden_layers:
            raise ModelError(f"{path}: layer_types does not name {self.num_hidden_layers} layers")


class LoraConfig(msgspec.Struct, frozen=True):
    """The fields of PEFT's ``adapter_config.json`` that the engine needs."""

    peft_type: str
    r: Annotated[int, Meta(gt=0, le=MAX_RANK)]
    lora_alpha: Annotated[float, Meta(ge=0, le=1e6)]
    target_modules: list[str]
    layers_to_transform: list[int] | None = None
    use_dora: bool = False
    use_rslora: bool = False
    bias: str = "none"
    rank_pattern: dict[str, int] = {}
    alpha_pattern: dict[str, float] = {}

    @property
    def scale(self) -> float:
        """Factor on the low-rank product."""
        return self.lora_alpha / self.r

    def layers(self, count: int) -> list[int]:
        """The adapted ones of ``count`` layers."""
        return list(range(count)) if self.layers_to_transform is None else self.layers_to_transform

    def check(self, path: Path, layers: int) -> None:
        """Raise ModelError unless this is plain LoRA on modules the engine knows."""
        plain = self.peft_type == "LORA" and self.bias == "none"
        fancy = self.use_dora or self.use_rslora or self.rank_pattern or self.alpha_pattern
        if not plain or fancy:
            raise ModelError(f"{path}: expected plain LoRA (no DoRA, rsLoRA, bias or patterns)")
        foreign = sorted(set(self.target_modules) - LORA_TARGETS)
        if foreign:
            raise ModelError(f"{path}: targets {foreign}; allowed: {sorted(LORA_TARGETS)}")
        chosen = self.layers(layers)
        if not chosen or sorted(set(chosen)) != chosen or not 0 <= chosen[0] <= chosen[-1] < layers:
            raise ModelError(f"{path}: layers {chosen[:9]}, expected some of 0 to {layers - 1}")


class TaskCard(msgspec.Struct, frozen=True, kw_only=True):
    """``task.json``: what a specialist answers, how it was calibrated, and how good it is.

    Attributes:
        encoder: SHA-256 of the encoder's ``model.safetensors`` it was trained on.
        temperature: logits are divided by this before softmax.
        thresholds: per label, the probability below which unmist abstains.
        precision: the precision on the dev split that the thresholds were chosen for.
        assumes: what must be known of a text before the question makes sense; empty for nothing.
        outside: the probability that a text bears none of the labels, among all outputs and not
            divided by the temperature, from which on it is unfamiliar; None for a head that has no
            output for that.
        special_use: whether it has learnt hostnames that mean something only inside one network;
            if not, they are unfamiliar to it.
        scores: measured figures per split, as written by the training command.
    """

    format: int
    task: str
    title: str
    field: str
    labels: list[str]
    encoder: str
    temperature: Annotated[float, Meta(ge=0.01, le=100)]
    thresholds: dict[str, Probability]
    precision: Probability
    licence: str
    data: str
    assumes: str = ""
    outside: Probability | None = None
    special_use: bool = False
    scores: dict[str, dict[str, float]] = {}

    @property
    def outputs(self) -> int:
        """Number of outputs of the heads: one a label, and at the end one for none of them."""
        return len(self.labels) + (self.outside is not None)

    def check(self, path: Path) -> None:
        """Raise ModelError when the parts do not fit together."""
        if self.format not in TASK_FORMATS:
            known = " and ".join(map(str, TASK_FORMATS))
            raise ModelError(
                f"{path}: format {self.format}, this unmist reads {known}; upgrade unmist"
            )
        if self.outside is not None and self.format < TASK_FORMATS[-1]:
            raise ModelError(f"{path}: format {self.format} has no output outside of the labels")
        if self.task != path.parent.name:
            raise ModelError(f"{path}: says task {self.task!r}, lies under {path.parent.name!r}")
        if self.field not in FIELDS:
            raise ModelError(f"{path}: unknown field kind {self.field!r}; known: {FIELDS}")
        if len(self.labels) < 2 or len(set(self.labels)) != len(self.labels):
            raise ModelError(f"{path}: needs at least two different labels, has {self.labels}")
        if set(self.thresholds) != set(self.labels):
            raise ModelError(f"{path}: thresholds and labels name different labels")


class RouterCard(msgspec.Struct, frozen=True, kw_only=True):
    """``router.json``: how a text's field kind is told, and from when on it is too unlike a kind.

    Attributes:
        fields: field kinds in the order of the weights' columns; ``other`` is what is none.
        bias: per field kind, added to its logit.
        temperature: logits are divided by this before softmax.
        familiar: per field kind, the probability of it below which a text is unfamiliar to the
            specialists of that kind.
        scores: measured figures per split, as written by the training command.
    """

    format: int
    fields: list[str]
    bias: list[float]
    temperature: Annotated[float, Meta(ge=0.01, le=100)]
    familiar: dict[str, Probability]
    licence: str
    data: str
    scores: dict[str, dict[str, float]] = {}

    def check(self, path: Path) -> None:
        """Raise ModelError when the parts do not fit together."""
        if self.format != ROUTER_FORMAT:
            raise ModelError(
                f"{path}: format {self.format}, this unmist reads {ROUTER_FORMAT}; upgrade unmist"
            )
        if len(set(self.fields)) != len(self.fields) or not set(self.fields) <= set(FIELDS):
            raise ModelError(f"{path}: fields {self.fields}, expected some of {FIELDS}, each once")
        if len(self.fields) < 2 or len(self.bias) != len(self.fields):
            raise ModelError(f"{path}: {len(self.bias)} biases for {len(self.fields)} fields")
        if not all(map(math.isfinite, self.bias)) or not set(self.familiar) <= set(self.fields):
            raise ModelError(f"{path}: a bias is not finite, or familiar names a foreign field")


def read(path: Path, kind: type[T]) -> T:
    """Decode one JSON file as ``kind``; unknown fields are ignored, wrong ones refused."""
    try:
        return msgspec.json.decode(read_json_bytes(path), type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{path}: not what was expected ({error})") from error
