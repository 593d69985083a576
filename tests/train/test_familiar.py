"""Which rows a specialist will be asked about."""

from pathlib import Path

import unmist
from unmist.artifact import model_folder
from unmist.train.familiar import Familiar

SMALL = model_folder("small")
TEXTS = ["bbc.co.uk", "printer.local", "SELECT * FROM users; --", b"\xff\xfe", "", "10.0.0.1"]


def test_as_the_model_itself_says() -> None:
    model = unmist.load(SMALL, threads=1)
    for task in ("host-category", "web-attack"):
        field = model.field_of(task)
        known = Familiar(SMALL, field, model.card(task).special_use)(TEXTS)
        for text, familiar, verdict in zip(TEXTS, known, model.classify(TEXTS, task), strict=True):
            if verdict.status != "bad_input":
                assert familiar == (verdict.reason != "unfamiliar"), text


def test_names_of_one_network_for_who_has_learnt_them() -> None:
    assert Familiar(SMALL, "hostname", special_use=True)(["printer.local"]).all()
    assert not Familiar(SMALL, "hostname", special_use=False)(["printer.local"]).any()


def test_without_a_router_all_is_familiar_but_such_names(tmp_path: Path) -> None:
    known = Familiar(tmp_path, "hostname", special_use=False)
    assert known(["one two.com", "bbc.co.uk", "localhost"]).tolist() == [True, True, False]
    assert known([]).tolist() == []
