"""The probe suite's result as a page of Markdown."""

from collections.abc import Iterable, Sequence
from typing import Any

from unmist.evaluate.probes.suite import FLOOR


def markdown(result: dict[str, Any]) -> str:
    """A page: means, each task, retrieval, country, invariance, discrimination."""
    models = [*result["models"], FLOOR]
    lines = ["# Probes on frozen vectors", "", *_about(result), "", "## Linear probe", ""]
    lines += _task_table(result, "linear", models)
    lines += ["", *_differences(result)]
    lines += ["", "## Nearest neighbours", ""]
    lines += _task_table(result, "nearest", list(result["models"]))
    lines += ["", "## Owner retrieval", "", *_retrieval(result, models)]
    lines += ["", "## Country of a hostname without its suffix", "", *_country(result, models)]
    lines += ["", "## Invariance", "", *_invariance(result)]
    lines += ["", "## Discrimination", "", *_discrimination(result)]
    return "\n".join(lines) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table, first column to the left and the others to the right."""
    marks = ["---", *["---:"] * (len(head) - 1)]
    return ["| " + " | ".join(cells) + " |" for cells in (head, marks, *rows)]


def _about(result: dict[str, Any]) -> list[str]:
    limits = result["rows"]
    rows = (
        f"At most {limits['train']:,} training, {limits['dev']:,} dev and {limits['test']:,} test "
        f"rows of each task, drawn with seed {limits['seed']}; every model has the same rows."
    )
    about = table(
        ["model", "parameters", "hash"],
        [
            [name, f"{model['parameters'] / 1e6:.1f} M", f"`{model['hash'][:12]}`"]
            for name, model in result["models"].items()
        ],
    )
    return [
        rows + " Brackets are 95 % intervals from 1,000 resamples of the test rows.",
        f"`{FLOOR}` is a linear classifier on character 1- to 5-grams of the same rows, which is "
        "no frozen vector: it learns its features from them. An encoder of ours has learnt from "
        "the training splits of the tasks, with their labels, where its data card says so; the "
        "others have not.",
        "",
        *about,
    ]


def _task_table(result: dict[str, Any], probe: str, models: Sequence[str]) -> list[str]:
    mean = result["mean"][probe]
    rows = [
        ["**mean of tasks**"]
        + [_with_interval(mean[m]["macro_f1"], mean[m]["macro_f1_interval"]) for m in models]
    ]
    for name, task in result["tasks"].items():
        scores = [task[probe][m] for m in models]
        cells = [_with_interval(s["macro_f1"], s["macro_f1_interval"]) for s in scores]
        rows.append([f"{name} ({task['field']}, {task['labels']})", *cells])
    rows.append(["mean accuracy", *[f"{mean[m]['accuracy']:.3f}" for m in models]])
    return ["Macro-F1 on test.", "", *table(["task (field, labels)", *models], rows)]


def _differences(result: dict[str, Any]) -> list[str]:
    first = next(iter(result["models"]))
    return [
        f"Mean macro-F1 of {first} less that of {other}, on the same resamples: "
        f"{low:+.3f} to {high:+.3f}."
        for other, (low, high) in result["difference"].items()
    ]


def _retrieval(result: dict[str, Any], models: Sequence[str]) -> list[str]:
    names = {
        "mrr": "among all hosts",
        "mrr_other_domains": "hosts of the query's registrable domain left out",
    }
    rows = []
    for key, title in names.items():
        cells = [result["retrieval"][m][key] for m in models]
        rows.append(
            [
                f"{title} ({cells[0]['hosts']:,} queries)",
                *[
                    "-" if c["value"] is None else _with_interval(c["value"], c["interval"])
                    for c in cells
                ],
            ]
        )
    text = (
        "Mean reciprocal rank of the first other host of the same owner; owners never trained on."
    )
    return [text, "", *table(["", *models], rows)]


def _country(result: dict[str, Any], models: Sequence[str]) -> list[str]:
    task = result["country"]
    text = f"{task['labels']} countries, {task['rows']['test']:,} test names, macro-F1."
    rows = [
        [title]
        + [
            _with_interval(task[probe][m]["macro_f1"], task[probe][m]["macro_f1_interval"])
            if m in task[probe]
            else "-"
            for m in models
        ]
        for probe, title in (("linear", "linear"), ("nearest", "nearest neighbours"))
    ]
    return [text, "", *table(["", *models], rows)]


def _invariance(result: dict[str, Any]) -> list[str]:
    models = list(result["forms"])
    parts = [result["forms"][m]["invariance"] for m in models]
    rows = [
        ["**median cosine of equivalent forms**"]
        + [_with_interval(p["median_cosine"], p["interval"]) for p in parts],
        ["median cosine of different texts", *[f"{p['unrelated']:.3f}" for p in parts]],
        ["nearest text is the unchanged one", *[f"{p['found']:.1%}" for p in parts]],
    ]
    for of_rule in zip(*[p["rules"] for p in parts], strict=True):
        name = f"{of_rule[0]['field']}: {of_rule[0]['rule']} ({of_rule[0]['pairs']})"
        rows.append([name, *[f"{r['median_cosine']:.3f}" for r in of_rule]])
    return table(["", *models], rows)


def _discrimination(result: dict[str, Any]) -> list[str]:
    models = list(result["forms"])
    parts = [result["forms"][m]["discrimination"] for m in models]
    text = (
        "Probability (AUC) that one or two changed characters that matter move the vector "
        "further than one or two that do not."
    )
    rows = [["**mean of fields**", *[_with_interval(p["auc"], p["interval"]) for p in parts]]]
    for field in parts[0]["fields"]:
        of_field = [p["fields"][field] for p in parts]
        name = f"{field} ({of_field[0]['matters']} / {of_field[0]['harmless']} pairs)"
        rows.append([name, *[_with_interval(f["auc"], f["interval"]) for f in of_field]])
    rules = []
    for of_rule in zip(*[p["rules"] for p in parts], strict=True):
        one = of_rule[0]
        cells = [f"{r['median_cosine']:.4f}" for r in of_rule]
        rules.append([f"{one['field']}: {one['rule']} ({one['pairs']})", one["kind"], *cells])
    return [
        text,
        "",
        *table(["", *models], rows),
        "",
        "Median cosine of each kind of change:",
        "",
        *table(["change (pairs)", "kind", *models], rules),
    ]


def _with_interval(value: float, interval: Sequence[float]) -> str:
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
