"""What lies where in a model folder. The one place that knows file names.

::

    config.json, model.safetensors         a stock ModernBERT, opened by ``AutoModel``
    tokenizer.json, tokenizer_config.json  opened by ``AutoTokenizer``
    modules.json, 1_Pooling/, 2_Normalize/ opened by ``SentenceTransformer``
    adapters/<task>/                       PEFT's files, ``head.safetensors``, ``task.json``, and
                                           ``wide.safetensors`` where a task has a wide head
    router.json, router.safetensors        which field kind a text is of; may be missing
    pretraining.safetensors                heads used only to go on with pretraining
    manifest.json                          SHA-256 of every other file
"""

from pathlib import Path
from typing import Final

CONFIG: Final = "config.json"
WEIGHTS: Final = "model.safetensors"
TOKENIZER: Final = "tokenizer.json"
MANIFEST: Final = "manifest.json"
PRETRAINING: Final = "pretraining.safetensors"
ADAPTERS: Final = "adapters"
ADAPTER_CONFIG: Final = "adapter_config.json"
ADAPTER_WEIGHTS: Final = "adapter_model.safetensors"
HEAD: Final = "head.safetensors"
WIDE: Final = "wide.safetensors"
TASK: Final = "task.json"
ROUTER: Final = "router.json"
ROUTER_WEIGHTS: Final = "router.safetensors"
SUFFIXES: Final = (".json", ".safetensors")

_MODELS: Final = Path(__file__).parents[1] / "models"
SHIPPED: Final = _MODELS / "small"
SHIPPED_SIZES: Final = ("small", "edge")


def model_folder(named: str | Path | None) -> Path:
    """A model folder: a path, the name of a size that is shipped, or None for ``small``.

    A model folder here that is called like a size comes before what is shipped.
    """
    path = SHIPPED if named is None else Path(named)
    shipped = str(path) in SHIPPED_SIZES and not (path / MANIFEST).is_file()
    return _MODELS / path if shipped else path


def adapter_folder(model: Path, task: str) -> Path:
    """Folder of one specialist."""
    return model / ADAPTERS / task


def tasks(model: Path) -> list[str]:
    """Names of the specialists in a model folder, sorted."""
    return sorted(path.parent.name for path in (model / ADAPTERS).glob(f"*/{TASK}"))


def adapter_folders(folder: Path) -> list[Path]:
    """The adapter folders that lie in a folder, sorted by name; hidden ones are being written."""
    found = sorted(path.parent for path in folder.glob(f"*/{TASK}"))
    return [path for path in found if not path.name.startswith(".")]
