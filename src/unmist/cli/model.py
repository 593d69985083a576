"""``unmist model``: what a model folder says, and whether it is what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from unmist.cli.inputs import adapter_option, model_option, open_model
from unmist.cli.tables import facts, standard_output


@click.group("model", short_help="Show or verify a model folder.")
def command() -> None:
    """Show what a model folder holds, or verify it."""


@command.command("info", short_help="Show what it holds.")
@model_option
@adapter_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def info(model_path: Path | None, adapters: tuple[Path, ...], as_json: bool) -> None:
    """Show the size, the tasks with their labels and thresholds, and the hash."""
    _print(open_model(model_path, adapters=adapters).info(), as_json=as_json)


@command.command("verify", short_help="Check it against its manifest.")
@model_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def verify(model_path: Path | None, as_json: bool) -> None:
    """Check every file of the folder against its manifest, without running the network."""
    from unmist import artifact

    path = artifact.model_folder(model_path)
    manifest, digest = artifact.verify(path)
    facts_ = {"path": str(path), "ok": True, "name": manifest.name, "hash": digest}
    _print(facts_ | {"files": sorted(manifest.files)}, as_json=as_json)


def _print(values: dict[str, Any], *, as_json: bool) -> None:
    text = json.dumps(values, default=str) if as_json else "\n".join(facts(values))
    standard_output().write(text + "\n")
