"""Weights between those of a model before and after a stage of training.

::

    python -m unmist.train.blend BEFORE AFTER --share 0.95 -o FOLDER

What a stage teaches and what it makes the encoder forget do not come and go at the same rate along
the straight line between the two; a point on it often has most of the one and little of the other.

Source: Wortsman et al., "Robust fine-tuning of zero-shot models", arXiv 2109.01903.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from unmist.artifact import layout, manifest
from unmist.errors import UsageError
from unmist.train.pretrainer import label_names

_WITHOUT = shutil.ignore_patterns(layout.ADAPTERS, layout.MANIFEST)


def blend(before: Path, after: Path, share: float, out: Path) -> None:
    """Write ``after``'s folder with weights ``share`` of the way from ``before`` to it.

    Specialists are left out: they belong to the weights that they were trained on. There is no
    manifest yet.

    Raises:
        UsageError: the two have other shapes or other questions, ``share`` is no share, or there
            is something at ``out``.
    """
    if not 0 <= share <= 1:
        raise UsageError(f"--share {share}: expected 0 (all of BEFORE) to 1 (all of AFTER)")
    if out.exists():
        raise UsageError(f"{out}: is there already; choose another folder or remove it")
    mixed = {}
    for name in (layout.WEIGHTS, layout.PRETRAINING):
        (old, said_before), (new, said) = _read(before / name), _read(after / name)
        if _shapes(old) != _shapes(new) or not _in_order_of(old, said_before, said):
            raise UsageError(f"{name}: {before} and {after} are not two stages of one model")
        between = {k: torch.lerp(old[k].float(), new[k].float(), share).half() for k in new}
        mixed[name] = between, said
    shutil.copytree(after, out, ignore=_WITHOUT)
    for name, (tensors, said) in mixed.items():
        save_file(tensors, out / name, said)


def _in_order_of(
    old: dict[str, torch.Tensor], said_before: dict[str, str], said: dict[str, str]
) -> bool:
    """Bring the label layer of ``old`` into the order that another has; whether that is possible:
    both were asked the same questions."""
    if said_before == said:
        return True
    if "questions" not in said or "questions" not in said_before:
        return False
    asked, wanted = (label_names(json.loads(meta["questions"])) for meta in (said_before, said))
    if set(asked) != set(wanted):
        return False
    place = {label: number for number, label in enumerate(asked)}
    order = [place[label] for label in wanted]
    for name in ("labels.weight", "labels.bias"):
        old[name] = old[name][order]
    return True


def _shapes(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items()}


def _read(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    with safe_open(path, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, file.metadata() or {}


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("before", type=Path, help="model folder that the stage began with")
    parser.add_argument("after", type=Path, help="model folder that it ended with")
    parser.add_argument("--share", type=float, required=True, help="0 is BEFORE, 1 is AFTER")
    parser.add_argument("--version", default="0.1.0", help="version written into the manifest")
    parser.add_argument("-o", "--output", type=Path, required=True, help="model folder")
    args = parser.parse_args()
    blend(args.before, args.after, args.share, args.output)
    manifest.write(args.output, f"unmist-{args.output.name}", args.version)


if __name__ == "__main__":
    main()
