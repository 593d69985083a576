"""The network and the n-grams answer at the same time, and no bit tells."""

import threading
from pathlib import Path

import pytest

import unmist
from unmist.answering import SEVERAL
from unmist.engine import Engine
from unmist.errors import ModelError
from unmist.model import Model

TASKS = ["host-category", "url-threat", "host-dga"]
TEXTS = [f"{number}.mail.example-{number % 97}.com" for number in range(SEVERAL)]


@pytest.fixture(scope="module")
def edge() -> Model:
    return unmist.load("edge", threads=2, cache=0)


def ask(model: Model, monkeypatch: pytest.MonkeyPatch) -> tuple[list[unmist.Verdict], list[bool]]:
    """Verdicts, and for each time the network was asked whether it was beside the main thread."""
    where: list[bool] = []
    run = Engine.run_mixed

    def listening(self: Engine, *args: object) -> object:
        where.append(threading.current_thread() is not threading.main_thread())
        return run(self, *args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "run_mixed", listening)
        tasks = [TASKS[number % len(TASKS)] for number in range(len(TEXTS))]
        return model.classify(TEXTS, tasks), where


def test_the_same_answers_as_one_after_the_other(
    edge: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, where = ask(edge, monkeypatch)
    assert where == [True]
    monkeypatch.setattr(edge._answerer, "_several", None)
    one_after_the_other, where = ask(edge, monkeypatch)
    assert where == [False]
    assert together == one_after_the_other


def test_few_questions_are_asked_without_a_thread(
    edge: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", None)
    assert len(edge.classify(TEXTS[: SEVERAL - 1])) == SEVERAL - 1


def test_one_thread_is_one_thread(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = unmist.load(tiny_model_folder, threads=1)
    monkeypatch.setattr(threading.Thread, "start", None)
    assert len(model.classify(TEXTS)) == len(TEXTS)


def test_an_error_of_the_network_is_raised(edge: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ModelError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(Engine, "run_mixed", broken)
        with pytest.raises(ModelError, match="broken"):
            edge.classify(TEXTS)
    assert len(edge.classify(TEXTS)) == len(TEXTS)
