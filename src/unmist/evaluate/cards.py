"""A card for each specialist, from what is known of it: its own file and the measurements.

::

    unmist evaluate cards -o docs/models
    unmist evaluate cards --model edge --results docs/benchmarks/edge -o docs/models/edge

Writes ``<task>.md`` and an index. Nothing is measured here: figures are those of the JSON files,
so that a card says what was committed and no more.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unmist.artifact import SHIPPED as DEFAULT
from unmist.artifact import layout, model_folder
from unmist.evaluate.compare.names import OURS
from unmist.evaluate.compare.names import SHIPPED as AS_SHIPPED
from unmist.evaluate.compare.pages import interval, markdown_table, shipped_weights, write_text

_MEASURED = ("specialists", "robustness", "table")


def cards(model: Path, results: Path) -> dict[str, str]:
    """Pages by file name: one for each specialist of a model folder, and ``README.md``.

    Args:
        model: the model folder.
        results: folder with ``specialists.json`` and, where they were measured,
            ``robustness.json`` and ``table.json``.
    """
    known = {name: _json(results / f"{name}.json") for name in _MEASURED}
    manifest = _json(model / layout.MANIFEST)
    pages, rows = {}, []
    for task in layout.tasks(model):
        folder = layout.adapter_folder(model, task)
        said = {
            "card": _json(folder / layout.TASK),
            "lora": _json(folder / layout.ADAPTER_CONFIG),
            "bytes": sum(
                entry["bytes"]
                for name, entry in manifest["files"].items()
                if name.startswith(f"{layout.ADAPTERS}/{task}/")
            ),
        }
        measured = known["specialists"].get("tasks", {}).get(task)
        pages[f"{task}.md"] = _card(said, measured, known, manifest)
        rows.append(_index_row(said["card"], measured))
    pages["README.md"] = _index(rows, manifest)
    return pages


def _card(
    said: dict[str, Any],
    measured: dict[str, Any] | None,
    known: dict[str, dict[str, Any]],
    manifest: dict[str, Any],
) -> str:
    card = said["card"]
    task, size = card["task"], manifest["name"].removeprefix("unmist-")
    which = "" if size == DEFAULT.name else f" --model {size}"
    lines = [
        f"# {task}",
        "",
        f"{card['title']}. Reads: {card['field']}. Specialist of `{manifest['name']}` "
        f"{manifest['version']}.",
        "",
        "```sh",
        f"unmist classify{which} --task {task} FILE",
        "```",
        "",
    ]
    if card.get("assumes"):
        lines += [f"The question makes sense only where {card['assumes']}.", ""]
    lines += ["## How good is it", "", *_figures(measured), ""]
    lines += _labels(card)
    lines += _robustness(known["robustness"], task)
    lines += _beside(known["table"], task)
    lines += ["## What it is", "", *_made(said), ""]
    lines += ["## What it learnt from", "", f"{card['data']}.", "", f"Licences: {card['licence']}."]
    lines += ["", "## What to know before use", "", *_limits(card, measured), ""]
    return "\n".join(lines)


def _figures(measured: dict[str, Any] | None) -> list[str]:
    if measured is None:
        return ["Not measured yet."]
    rows = []
    for split, name in (("test", "test split"), ("extra", "extra rows, of other sources")):
        if split in measured:
            one = measured[split]
            right = one["answered_accuracy"]
            rows.append(
                [
                    name,
                    f"{one['rows']:,}",
                    interval(one["accuracy_interval"]),
                    interval(one["macro_f1_interval"]),
                    f"{one['ece']:.3f} ({one['ece_by_chance']:.3f})",
                    f"{one['coverage']:.0%}",
                    "-" if right is None else f"{right:.3f}",
                ]
            )
    floor = measured["floor"]
    named = (("n-gram floor, test", ""), ("n-gram floor, extra rows", "extra_"))
    for name, before in named:
        if f"{before}macro_f1" in floor:
            accuracy, f1 = floor[f"{before}accuracy"], floor[f"{before}macro_f1"]
            rows.append([name, "", f"{accuracy:.3f}", f"{f1:.3f}", "", "", ""])
    head = ["rows of", "rows", "accuracy", "macro-F1", "ECE", "answered", "right there"]
    return [
        "In brackets 95 % intervals by resampling groups, and behind the ECE what as many rows "
        "would show by chance if every score were exactly right; *answered* is the share above the "
        "thresholds. The floor is the character n-gram model published with the task.",
        "",
        *markdown_table(head, rows),
    ]


def _labels(card: dict[str, Any]) -> list[str]:
    rows = [[f"`{label}`", f"{card['thresholds'][label]:.3f}"] for label in card["labels"]]
    of_none = card.get("outside") is not None
    mixed = ", when a third of what is asked bears none of the labels" if of_none else ""
    return [
        "## Labels",
        "",
        "A label is answered when its calibrated probability reaches the threshold, chosen on dev "
        f"rows for a precision of {card['precision']:.0%}{mixed}; below it unmist abstains. A "
        "threshold of 1 was never reached there.",
        "",
        *markdown_table(["label", "threshold"], rows),
        "",
    ]


def _kind(view: dict[str, Any]) -> str:
    if not view["evasion"]:
        return "means the same"
    return "evasion" if view["learnt"] else "evasion, not learnt from"


def _robustness(measured: dict[str, Any], task: str) -> list[str]:
    found = next((one for one in measured.get("tasks", []) if one["task"] == task), None)
    if found is None:
        return []
    rows = [
        [
            name,
            _kind(view),
            f"{100 * view['accuracy_lost']['value']:.1f}",
            f"{view['flipped']:,} of {view['rows']:,}",
        ]
        for name, view in found["views"].items()
    ]
    return [
        "## Other spellings",
        "",
        f"{found['rows']:,} test rows, of the weights `{found['model'][:12]}`; accuracy lost in "
        "points, and answers that were right and became wrong.",
        "",
        *markdown_table(["spelling", "", "lost", "flipped"], rows),
        "",
    ]


def _beside(measured: dict[str, Any], task: str) -> list[str]:
    found = measured.get("tasks", {}).get(task)
    if found is None:
        return []
    ours = f"{OURS} {AS_SHIPPED}"
    compared = sorted(found["compared"], key=lambda one: -one["macro_f1"]["value"])
    rows = [
        [
            f"**{ours}**" if one["name"] == ours else one["name"],
            f"{one['parameters']:,}",
            interval(one["macro_f1"]),
        ]
        for one in compared
    ]
    return [
        "## Beside others",
        "",
        f"Macro-F1 on {found['rows']['test']:,} test rows. *Shipped* and *all rows* "
        f"learnt from all {found['rows']['every']:,} training rows, the others from "
        f"{found['rows']['train']:,}. {shipped_weights(measured['fits'])}",
        "",
        *markdown_table(["model", "parameters", "macro-F1"], rows),
        "",
    ]


def _made(said: dict[str, Any]) -> list[str]:
    recipe, lora = said["card"].get("training", {}).get("recipe", {}), said["lora"]
    layers = lora.get("layers_to_transform")
    where = "all layers" if layers is None else f"layers {', '.join(map(str, layers))}"
    lines = [
        f"- LoRA of rank {lora['r']} on {where}, and a linear head; {said['bytes'] / 1e6:.1f} MB "
        "beside the encoder that all specialists share.",
        f"- Calibrated by temperature ({said['card']['temperature']:.2f}) on dev rows.",
    ]
    if recipe.get("wide_bits"):
        lines.append(
            f"- A wide head of 2^{recipe['wide_bits']} hashed n-grams beside it, in 8 bits."
        )
    if "rows" in said["card"].get("training", {}):
        lines.append(f"- Trained on {said['card']['training']['rows']:,} rows.")
    return lines


def _limits(card: dict[str, Any], measured: dict[str, Any] | None) -> list[str]:
    lines = ["- It knows its labels and no others: what is none of them gets the nearest one, or "
             "an abstention."]  # fmt: skip
    never = [label for label in card["labels"] if card["thresholds"][label] >= 1]
    if never:
        named = ", ".join(f"`{label}`" for label in never)
        lines.append(f"- It abstains on {named} unless it is certain: no threshold was found.")
    if measured is not None:
        test, floor = measured["test"], measured["floor"]
        if test["macro_f1_interval"]["high"] < floor["macro_f1"]:
            lines.append("- It is worse than the n-gram floor by the whole interval.")
        if test["ece"] > 0.05:
            lines.append(
                f"- Its scores are off by {test['ece']:.2f} in the mean on test rows "
                f"({test['ece_by_chance']:.2f} with exact scores, by chance): do not read them as "
                "probabilities on rows of other sources."
            )
        if test["rows"] < 500:
            lines.append(f"- It was tested on {test['rows']:,} rows only.")
    return lines


def _index_row(card: dict[str, Any], measured: dict[str, Any] | None) -> list[str]:
    f1 = "-" if measured is None else interval(measured["test"]["macro_f1_interval"])
    task = card["task"]
    return [f"[{task}]({task}.md)", card["field"], str(len(card["labels"])), f1]


def _index(rows: list[list[str]], manifest: dict[str, Any]) -> str:
    return "\n".join(
        [
            "# Specialists",
            "",
            f"Of `{manifest['name']}` {manifest['version']}. Written by `unmist evaluate cards`.",
            "",
            *markdown_table(["task", "reads", "labels", "macro-F1 on test"], rows),
            "",
        ]
    )


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=model_folder, default="small", help="folder or size")
    parser.add_argument("--results", type=Path, default=Path("docs/benchmarks"))
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write into")
    args = parser.parse_args(argv)
    for name, page in cards(args.model, args.results).items():
        write_text(args.output / name, page)


if __name__ == "__main__":
    main()
