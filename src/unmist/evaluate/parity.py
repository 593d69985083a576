"""How far the engine's vectors are from torch's, in float32 and in bfloat16. Needs ``[train]``.

::

    python -m unmist.evaluate.parity --data FILE.tsv.zst -o parity.json
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

import unmist
from unmist.labelled.data import examples
from unmist.train.export import load_encoder
from unmist.train.probe import vectors


def compare(model: "unmist.Model", texts: list[str]) -> dict[str, Any]:
    """Cosines between the engine's vectors and torch's, smallest and mean, per precision."""
    ours = model.embed(texts)
    encoder = load_encoder(model.path)
    result: dict[str, Any] = {"rows": len(texts), "model": model.hash, "engine": model.engine}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        theirs = vectors(encoder.to(dtype), model.tokenizer, texts)
        cosine = (ours * theirs).sum(1)
        result[f"torch {name}"] = {
            "cosine_min": round(float(cosine.min()), 6),
            "cosine_mean": round(float(cosine.mean()), 6),
            "difference_max": float(f"{np.abs(ours - theirs).max():.2e}"),
        }
    return result


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description="Engine against torch.")
    parser.add_argument("--data", type=Path, required=True, help="labelled file; texts are read")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--model", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    texts = [example.text for example in examples(args.data)[: args.rows]]
    text = json.dumps(compare(unmist.load(args.model), texts), indent=1) + "\n"
    if args.output is not None:
        args.output.write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
