"""Links between the pages lead somewhere."""

import re
from pathlib import Path

import pytest
from doc_blocks import PAGES, ROOT

LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
INDEX = ROOT / "docs" / "README.md"


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.M)
    plain = (re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)
    return set(plain)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(prose(page)):
        if "://" in target:
            continue
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{page.name} links to {target}"
        if anchor:
            assert anchor in anchors(path), f"{page.name} links to {target}#{anchor}"


def test_the_index_lists_every_page() -> None:
    models = INDEX.parent / "models"
    indexes = (INDEX, models / "README.md", models / "edge" / "README.md")
    listed = {
        (index.parent / target).resolve()
        for index in indexes
        for target, _ in LINK.findall(prose(index))
    }
    assert {page for page in PAGES if page not in (INDEX, ROOT / "README.md")} <= listed
