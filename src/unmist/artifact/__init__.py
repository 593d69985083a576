"""What lies on disk: layout, manifest, verification and loading of a model folder."""

from unmist.artifact.layout import SHIPPED, model_folder
from unmist.artifact.load import Adapter, Folder, open_folder
from unmist.artifact.manifest import Manifest, verify
from unmist.artifact.schema import EncoderConfig, TaskCard

__all__ = [
    "SHIPPED",
    "Adapter",
    "EncoderConfig",
    "Folder",
    "Manifest",
    "TaskCard",
    "model_folder",
    "open_folder",
    "verify",
]
