"""The code in README.md and docs/ is code that works."""

from pathlib import Path

import pytest
from doc_blocks import PAGES, ROOT, blocks, commands, complaint, run

SHELL = [block for page in PAGES for block in blocks(page) if block.language == "sh"]
RUN = [page for page in PAGES if any(block.run for block in blocks(page))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_says_its_language(page: Path) -> None:
    for block in blocks(page):
        assert block.language, f"{block}: use sh, python, json or text"
        assert block.language in ("sh", "python") or not block.run, f"{block}: cannot be run"
        if block.language != "sh":
            for line in block.text.splitlines():
                assert not line.startswith("unmist "), f"{block}: commands stand in sh blocks"


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_commands_are_known(block) -> None:
    for words in commands(block.text):
        assert complaint(words) is None, f"{block}: {' '.join(words)}"


@pytest.mark.timeout(900)  # seconds of work, but many processes: a busy machine takes its time
@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_pages_run(page: Path, tmp_path: Path) -> None:
    for _ in run(page, tmp_path):
        pass


def test_words_of_the_shell() -> None:
    text = "A=1 unmist run 'a b' \\\n  -o out < in 2> err | head -1 && echo x=1 # said\nls"
    assert list(commands(text)) == [
        ["unmist", "run", "a b", "-o", "out"],
        ["head", "-1"],
        ["echo", "x=1"],
        ["ls"],
    ]


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("unmist clasify dns.log", "no verb 'clasify'"),
        ("unmist classify --tusk x dns.log", "No such option"),
        ("unmist classify --format astrology dns.log", "not of"),
        ("unmist index hosts.txt", "lacks -o"),
        ("unmist model inform", "no verb 'inform'"),
        ("unmist export a b --to postgres -o c", "too many words"),
        ("unmist evaluate host-dga", "lacks --data"),
        ("unmist evaluate host-dga --data x", None),
        ("unmist evaluate robustness --data x --rows 5", None),
        ("unmist evaluate chart --data x --rows 5", None),
        ("unmist evaluate chart --lightyears 3", "has no --lightyears"),
        ("python -m unmist.train.astrology", "no module"),
        ("python -m unmist.evaluate.speed --lightyears 3", "has no --lightyears"),
        ("python tools/get_pears.py", "no file"),
        ("unmist --help", None),
        ("ls -l", None),
    ],
)
def test_mistakes_are_seen(command: str, wrong: str | None) -> None:
    (words,) = commands(command)
    said = complaint(words)
    assert (said is None) if wrong is None else (said is not None and wrong in said)
