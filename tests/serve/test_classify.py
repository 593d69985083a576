"""``POST /v1/classify``: each row its own task, verdicts in the order asked."""

from dataclasses import fields

import msgspec
import pytest

from unmist.explain import Span
from unmist.serve.answers import Question, cost
from unmist.serve.schemas import SpanAnswer, VerdictAnswer
from unmist.verdict import Verdict

ROWS = [
    {"text": "a.example", "task": "host-category"},
    {"text": "http://b/", "task": "url-category", "field": "url"},
    {"text": "maybe.example", "task": "host-category"},
    {"text": "  ", "task": "host-category"},
    {"text": "c.example\x00<b>", "task": "host-category"},
]


def classify(client, rows, **more):
    return client.post("/v1/classify", json={"rows": rows, **more})


def test_verdicts_in_order_with_the_models_hash(client, model):
    answer = classify(client, ROWS).json()
    assert answer["model"] == model.hash
    expected = [model._verdict(row["text"], row["task"]) for row in ROWS]
    assert answer["verdicts"] == [msgspec.to_builtins(verdict) for verdict in expected]
    assert [v["status"] for v in answer["verdicts"]] == ["ok", "ok", "abstain", "bad_input", "ok"]
    assert len(model.calls) == 1  # whatever tasks the rows have


def test_top_k_are_the_most_probable_labels(client, fake):
    first, _, abstained, empty, _ = classify(client, ROWS, top_k=2).json()["verdicts"]
    odds = fake.odds("a.example", "host-category")
    best = sorted(zip(odds.tolist(), fake.LABELS, strict=True), reverse=True)[:2]
    assert first["top_k"] == [{"label": label, "probability": p} for p, label in best]
    assert abstained["top_k"][0]["label"] == abstained["model_label"]
    assert abstained["top_k"][0]["probability"] == abstained["model_score"]
    assert empty["top_k"] == []


def test_top_k_beyond_the_labels_gives_all(client, fake):
    [verdict] = classify(client, ROWS[:1], top_k=50).json()["verdicts"]
    assert {one["label"] for one in verdict["top_k"]} == set(fake.LABELS)


@pytest.mark.parametrize(
    ("rows", "code", "param"),
    [
        ([ROWS[0], {"text": "x", "task": "horoscope"}], "unknown_task", "rows[1].task"),
        ([ROWS[0], {**ROWS[1], "field": "hostname"}], "wrong_field", "rows[1].field"),
        ([ROWS[0], {"text": 1, "task": "host-category"}], "string_type", "rows[1].text"),
        ([{"text": "x"}], "missing", "rows[0].task"),
        ([], "empty", "rows"),
        ([ROWS[0]] * 2049, "array_above_max_length", "rows"),
        ([{**ROWS[0], "text": "x" * 8193}], "string_above_max_length", "rows[0].text"),
    ],
)
def test_a_refusal_names_the_row(client, model, rows, code, param):
    answer = classify(client, rows)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert param in error["message"] or param.split(".")[0] in error["message"]
    assert model.calls == []


@pytest.mark.parametrize("top_k", [0, -1, "3", 1.5])
def test_top_k_must_be_a_positive_number(client, top_k):
    assert classify(client, ROWS, top_k=top_k).status_code == 400


def test_the_documented_verdict_is_the_real_one():
    on_request = {"top_k", "read", "spans"}
    documented = [name for name in VerdictAnswer.model_fields if name not in on_request]
    assert documented == list(Verdict.__struct_fields__)
    assert list(SpanAnswer.model_fields) == [field.name for field in fields(Span)]


def test_explanations_on_request(client, model):
    first, second, _, empty, _ = classify(client, ROWS, explain=True).json()["verdicts"]
    assert first["read"] == "a.example"
    assert first["spans"] == [{"start": 0, "stop": 9, "text": "a.example", "weight": 0.9}]
    assert (second["task"], second["read"]) == ("url-category", "http://b/")
    assert empty["spans"] == []
    assert "top_k" not in first
    both = classify(client, ROWS[:1], explain=True, top_k=1).json()["verdicts"][0]
    assert (len(both["top_k"]), len(both["spans"])) == (1, 1)


def test_explanations_are_dear_and_so_bounded(client, model):
    answer = classify(client, ROWS[:1] * 65, explain=True)
    assert answer.json()["error"]["code"] == "array_above_max_length"
    assert model.calls == []
    explain, plain = (Question(kind, "host-category") for kind in ("explain", "classify"))
    assert cost(explain, "a" * 20) == 21 * cost(plain, "a" * 20)
    assert cost(explain, "a" * 8000) == 65 * cost(plain, "a" * 8000)
