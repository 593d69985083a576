"""``unmist serve`` before it serves: help, settings and what may be missing."""

import subprocess
import sys

import pytest


def test_every_setting_has_a_flag():
    pytest.importorskip("pydantic_settings")
    from unmist.cli.serve import SETTINGS
    from unmist.serve.settings import Settings

    # The key itself has none: flags are seen by every user of the machine.
    assert {name for name, *_ in SETTINGS} == set(Settings.model_fields) - {"api_key"}


def test_help_names_the_settings_without_importing_the_service():
    code = (
        "import sys\n"
        "from unmist.cli import main\n"
        "main(['serve', '--help'], prog_name='unmist', standalone_mode=False)\n"
        "heavy = {'numpy', 'fastapi', 'uvicorn', 'pydantic', 'structlog'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--max-in-flight" in done.stdout


@pytest.mark.parametrize("library", ["fastapi", "uvicorn", "structlog", "pydantic_settings"])
def test_a_missing_extra_is_one_line(library, unmist, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("unmist.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(library), *sys.meta_path])
    for name in [n for n in sys.modules if n.split(".")[0] == library]:
        monkeypatch.delitem(sys.modules, name)
    done = unmist("serve")
    assert done.exit_code == 2
    assert done.stderr == (
        f"unmist: error: serving needs {library}, which is not installed: "
        "pip install 'unmist[serve]'\n"
    )


class Missing:
    """Finds no module of a library."""

    def __init__(self, library):
        self.library = library

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == self.library:
            raise ModuleNotFoundError(f"No module named {name!r}", name=self.library)


def test_a_wrong_setting_is_one_line(unmist):
    done = unmist("serve", "--max-inputs", "0")
    assert done.exit_code == 2
    assert done.stderr.startswith("unmist: error: setting max_inputs (flag): ")


def test_a_short_key_is_refused_before_the_model_is_opened(unmist, tmp_path):
    key = tmp_path / "key"
    key.write_text("short")
    done = unmist("serve", "--api-key-file", key, "--model", tmp_path / "none")
    assert done.exit_code == 2
    assert "the API key needs 16" in done.stderr


def test_a_precision_that_there_is_not_is_one_line(tiny_model_folder, tmp_path):
    config = tmp_path / "serve.toml"
    config.write_text(f"model = '{tiny_model_folder}'\nprecision = 'f16'\n")
    serve = [sys.executable, "-m", "unmist", "serve", "--config", config]
    done = subprocess.run(serve, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr == "unmist: error: no precision 'f16'; one of: auto, f32, bf16\n"
