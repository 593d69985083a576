"""The page in headless Chromium: draws, zooms, searches, selects, says nothing to anybody.

Needs ``pip install playwright`` and a Chromium on the PATH; skipped without them.
"""

import shutil

import pytest

from unmist.evaluate import frames
from unmist.map.page import write_page

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")


@pytest.fixture(params=["", "#webgl"], ids=["canvas", "webgl"])
def page(hostile_map, tmp_path, request):
    path = tmp_path / "map.html"
    write_page(path, hostile_map)
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--enable-unsafe-swiftshader"]
        )
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        page.wrong, page.asked = [], []
        page.on("console", lambda m: page.wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("dialog", lambda dialog: page.wrong.append(dialog.message))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.as_uri() + request.param)
        page.wait_for_selector("html[data-ready=yes]")
        yield page
        assert page.wrong == []
        assert [url.partition("#")[0] for url in page.asked] == [path.as_uri()]
        browser.close()


def test_search_counts_matches(page):
    page.keyboard.press("/")
    page.keyboard.type("script")
    playwright.expect(page.locator("#facts")).to_have_text("3 of 7 match")
    page.keyboard.press("Escape")
    assert page.input_value("#search") == ""


def test_lasso_selects_and_shows_text_as_text(page):
    page.keyboard.press("l")
    page.mouse.move(290, 5)
    page.mouse.down()
    for corner in ((1195, 5), (1195, 640), (1100, 795), (290, 795)):
        page.mouse.move(*corner)
    page.mouse.up()
    assert page.inner_text("#count") == "7 selected"
    assert page.locator("#list img, #list script").count() == 0
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename == "selected.txt"


def test_clusters_are_also_a_list(page):
    page.click("summary")
    page.click("#clusters button")
    assert page.inner_text("#count") == "7 selected"
    assert "7 texts selected" in page.text_content("#say")


def test_colours_theme_and_zoom(page):
    for index in range(page.locator("#by option").count()):
        page.select_option("#by", index=index)
    page.click("#theme")
    assert page.get_attribute("html", "data-theme") == "dark"
    page.focus("#overlay")
    for key in ("+", "-", "ArrowLeft", "ArrowUp", "0"):
        page.keyboard.press(key)


def test_the_points_are_on_the_screen(page):
    """The first of a line of seven points: its pixels are not those of the ground beside it."""
    page.keyboard.press("Escape")
    page.mouse.move(5, 795)
    place = page.locator("#points").bounding_box()
    shot = page.screenshot(clip=place)
    page.evaluate("document.getElementById('points').style.visibility = 'hidden'")
    assert page.screenshot(clip=place) != shot


def test_measured(hostile_map, tmp_path, monkeypatch):
    write_page(tmp_path / "map.html", hostile_map)
    monkeypatch.setattr(frames, "_FRAMES", 4)
    result = frames.measure(tmp_path / "map.html", CHROMIUM, tmp_path / "s", webgl=False)
    assert result["errors"] == result["requests"] == []
    assert result["hands"]["escape clears"]
    assert result["hands"]["search"] == "0 of 7 match"
    assert {p.name for p in (tmp_path / "s").iterdir()} == {"light.jpg", "dark.jpg", "zoom.jpg"}
    assert all(times["median"] > 0 for times in result["frames_ms"].values())
