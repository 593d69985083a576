"""The mixture that trainings are tested on."""

from pathlib import Path

import pytest

from unmist.text import Tokenizer
from unmist.train.mixture import prepare


@pytest.fixture(scope="session")
def mixture_file(
    data_folder: Path, tokenizer_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Three lists and the training split of one task, prepared. Read it; never write."""
    path = tmp_path_factory.mktemp("mixture") / "mixture.safetensors"
    prepare(data_folder, Tokenizer(tokenizer_file), ["hostname"], ["host-category"], path)
    return path
