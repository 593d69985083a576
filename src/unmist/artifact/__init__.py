"""What lies on disk: layout, manifest, verification and loading of a model folder."""

from unmist.artifact.layout import SHIPPED, adapter_folders, model_folder
from unmist.artifact.load import Adapter, Folder, open_folder, with_adapters
from unmist.artifact.manifest import Manifest, verify
from unmist.artifact.schema import EncoderConfig, TaskCard

__all__ = [
    "SHIPPED",
    "Adapter",
    "EncoderConfig",
    "Folder",
    "Manifest",
    "TaskCard",
    "adapter_folders",
    "model_folder",
    "open_folder",
    "verify",
    "with_adapters",
]
