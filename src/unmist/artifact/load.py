"""Open a verified model folder: arrays and settings, checked against each other."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from unmist.artifact import layout, manifest, schema
from unmist.errors import ModelError
from unmist.text import Tokenizer

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Adapter:
    """One specialist: its card, LoRA factors and head.

    ``lora`` maps ``layers.<i>.<module>`` to (A [rank, in], B [out, rank], already scaled);
    ``weight`` is [outputs, hidden], ``bias`` [outputs], see :attr:`TaskCard.outputs`. ``wide`` is
    None or (int8 [2**bits, outputs], float32 [outputs]): weights of hashed n-grams and what one of
    their units is worth. ``hash`` covers every byte of the adapter and nothing else.
    """

    card: schema.TaskCard
    hash: str
    rank: int
    lora: dict[str, tuple[np.ndarray, np.ndarray]]
    weight: np.ndarray
    bias: np.ndarray
    wide: tuple[np.ndarray, np.ndarray] | None


@dataclass(frozen=True)
class Router:
    """What tells field kinds apart: its card, and ``weights`` of hashed n-grams as an adapter's
    ``wide``."""

    card: schema.RouterCard
    weights: tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Folder:
    """All that a model folder holds, verified, and adapters that lie elsewhere.

    ``hash`` covers these too; ``own_hash`` and ``own``, hash and tasks of the folder itself, do
    not.
    """

    path: Path
    manifest: manifest.Manifest
    hash: str
    config: schema.EncoderConfig
    weights: Arrays
    tokenizer: Tokenizer
    adapters: dict[str, Adapter]
    router: Router | None
    own_hash: str
    own: frozenset[str]


def open_folder(path: Path, extra: Sequence[Path] = ()) -> Folder:
    """Verify and read a model folder, and adapter folders that lie elsewhere.

    Args:
        path: the model folder.
        extra: adapter folders with a manifest of their own, as ``unmist train`` writes them.

    Raises:
        ModelError: anything missing, altered, foreign, misshapen or not finite, or two adapters
            for one task.
    """
    listing, digest = manifest.verify(path)
    config = schema.read(path / layout.CONFIG, schema.EncoderConfig)
    config.check(path / layout.CONFIG)
    weights = _arrays(path / layout.WEIGHTS, encoder_shapes(config))
    tokenizer = Tokenizer(path / layout.TOKENIZER)
    if tokenizer.size > config.vocab_size:
        raise ModelError(
            f"{path / layout.TOKENIZER}: {tokenizer.size} tokens, the encoder has "
            f"{config.vocab_size}"
        )
    encoder = listing.files[layout.WEIGHTS].sha256
    adapters = {
        task: _adapter(
            layout.adapter_folder(path, task),
            config,
            encoder,
            manifest.part_hash(listing.files, f"{layout.ADAPTERS}/{task}/"),
        )
        for task in layout.tasks(path)
    }
    router, own = open_router(path), frozenset(adapters)
    folder = Folder(
        path, listing, digest, config, weights, tokenizer, adapters, router, digest, own
    )
    return with_adapters(folder, extra)


def with_adapters(folder: Folder, extra: Sequence[Path]) -> Folder:
    """An opened model folder with these adapter folders beside its own, and no others.

    Raises:
        ModelError: as for :func:`open_folder`.
    """
    digest, encoder = folder.own_hash, folder.manifest.files[layout.WEIGHTS].sha256
    adapters = {task: folder.adapters[task] for task in sorted(folder.own)}
    for path in extra:
        files, own_digest = manifest.verify(path)
        digest = hashlib.sha256(f"{digest} {own_digest}".encode()).hexdigest()
        adapter = _adapter(path, folder.config, encoder, manifest.part_hash(files.files))
        if adapter.card.task in adapters:
            raise ModelError(f"{path}: a second adapter for the task {adapter.card.task!r}")
        adapters[adapter.card.task] = adapter
    return replace(folder, hash=digest, adapters=adapters)


def encoder_shapes(config: schema.EncoderConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of the encoder."""
    hidden, inner = config.hidden_size, config.intermediate_size
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.tok_embeddings.weight": (config.vocab_size, hidden),
        "embeddings.norm.weight": (hidden,),
        "final_norm.weight": (hidden,),
    }
    for i in range(config.num_hidden_layers):
        layer = {
            "attn.Wqkv": (3 * hidden, hidden),
            "attn.Wo": (hidden, hidden),
            "mlp.Wi": (2 * inner, hidden),
            "mlp.Wo": (hidden, inner),
            "mlp_norm": (hidden,),
        }
        if i:  # the first layer reads the embeddings, which are normalised already
            layer["attn_norm"] = (hidden,)
        shapes |= {f"layers.{i}.{name}.weight": shape for name, shape in layer.items()}
    return shapes


def _adapter(folder: Path, config: schema.EncoderConfig, encoder: str, digest: str) -> Adapter:
    card = schema.read(folder / layout.TASK, schema.TaskCard)
    card.check(folder / layout.TASK)
    if card.encoder != encoder:
        raise ModelError(
            f"{folder}: trained on another encoder ({card.encoder[:12]}, here {encoder[:12]}); "
            "train it again on this one"
        )
    lora_config = schema.read(folder / layout.ADAPTER_CONFIG, schema.LoraConfig)
    lora_config.check(folder / layout.ADAPTER_CONFIG, config.num_hidden_layers)
    outputs, hidden = card.outputs, config.hidden_size
    head = _arrays(folder / layout.HEAD, {"weight": (outputs, hidden), "bias": (outputs,)})
    return Adapter(
        card=card,
        hash=digest,
        rank=lora_config.r,
        lora=_lora(folder / layout.ADAPTER_WEIGHTS, config, lora_config),
        weight=head["weight"],
        bias=head["bias"],
        wide=_wide(folder / layout.WIDE, outputs),
    )


def open_router(path: Path) -> Router | None:
    """What tells field kinds apart in a model folder, or None where nothing does.

    Raises:
        ModelError: it is damaged, or a part of it is missing.
    """
    if not (path / layout.ROUTER).exists():
        return None
    card = schema.read(path / layout.ROUTER, schema.RouterCard)
    card.check(path / layout.ROUTER)
    weights = _wide(path / layout.ROUTER_WEIGHTS, len(card.fields))
    if weights is None:
        raise ModelError(f"{path / layout.ROUTER_WEIGHTS}: missing beside {layout.ROUTER}")
    return Router(card, weights)


def _wide(path: Path, labels: int) -> tuple[np.ndarray, np.ndarray] | None:
    if not path.exists():
        return None
    try:
        with safe_open(path, "np") as file:
            names = set(file.keys())
            if names != {"weight", "scale"}:
                raise ModelError(f"{path}: expected weight and scale, found {sorted(names)}")
            weight, scale = file.get_tensor("weight"), file.get_tensor("scale")
    except (SafetensorError, OSError, TypeError) as error:
        raise ModelError(f"{path}: not a safetensors file ({error})") from error
    buckets = len(weight) if weight.ndim else 0
    if weight.dtype != np.int8 or weight.shape[1:] != (labels,) or buckets.bit_count() != 1:
        raise ModelError(
            f"{path}: weight is {weight.dtype} {weight.shape}, expected int8 of a power of two "
            f"times {labels} labels"
        )
    if scale.dtype != np.float32 or scale.shape != (labels,) or not np.isfinite(scale).all():
        raise ModelError(f"{path}: scale is no finite float32 of {labels} labels")
    return weight, scale


def _lora(
    path: Path, config: schema.EncoderConfig, lora: schema.LoraConfig
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    outer = encoder_shapes(config)
    prefix = "base_model.model."
    shapes: dict[str, tuple[int, ...]] = {}
    modules = [
        f"layers.{i}.{target}"
        for i in lora.layers(config.num_hidden_layers)
        for target in lora.target_modules
    ]
    for module in modules:
        rows, columns = outer[f"{module}.weight"]
        shapes[f"{prefix}{module}.lora_A.weight"] = (lora.r, columns)
        shapes[f"{prefix}{module}.lora_B.weight"] = (rows, lora.r)
    arrays = _arrays(path, shapes)
    return {
        module: (
            arrays[f"{prefix}{module}.lora_A.weight"],
            arrays[f"{prefix}{module}.lora_B.weight"] * np.float32(lora.scale),
        )
        for module in modules
    }


def _arrays(path: Path, shapes: dict[str, tuple[int, ...]]) -> Arrays:
    """Read exactly these tensors as float32; any other name, shape or value is refused."""
    try:
        with safe_open(path, "np") as file:
            names = set(file.keys())
            if names != set(shapes):
                odd = sorted(names ^ set(shapes))[:3]
                raise ModelError(f"{path}: tensor names differ from the config's, e.g. {odd}")
            arrays = {name: file.get_tensor(name).astype(np.float32) for name in shapes}
    except (SafetensorError, OSError, TypeError) as error:
        raise ModelError(f"{path}: not a safetensors file ({error})") from error
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ModelError(f"{path}: {name} is {arrays[name].shape}, expected {shape}")
        if not np.isfinite(arrays[name]).all():
            raise ModelError(f"{path}: {name} holds values that are not finite")
    return arrays
