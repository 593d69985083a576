"""The page at ``/`` in headless Chromium: verdicts, highlighted bytes, odd texts, no other host.

Needs ``pip install playwright`` and a Chromium on the PATH; skipped without them.
"""

import shutil

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")
HOSTILE = '<img src=x onerror="alert(1)">\u202egnp.example'


@pytest.fixture
def page(start):
    server = start()
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 900})
        page.wrong, page.asked = [], set()
        page.on("console", lambda m: page.wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: page.wrong.append(str(error)))
        page.on("dialog", lambda dialog: page.wrong.append(dialog.message))
        page.on("request", lambda request: page.asked.add(request.url.rsplit(":", 1)[0]))
        page.goto(server.url)
        page.wait_for_selector("#ask:enabled")
        yield page
        assert page.wrong == []
        assert page.asked == {"http://127.0.0.1"}
        browser.close()


def test_verdicts_with_highlighted_bytes(page):
    page.fill("#lines", f"News.example\nmaybe.example\n\n{HOSTILE}\n")
    page.keyboard.press("Control+Enter")
    playwright.expect(page.locator("#rows tr")).to_have_count(3)
    playwright.expect(page.locator("#legend")).to_be_visible()
    cells = page.locator("#rows td.text")
    # The fake model reads in lower case, and every byte speaks for the label.
    playwright.expect(cells.nth(0).locator("mark.for-3")).to_have_text("news.example")
    playwright.expect(cells.nth(0)).to_contain_text("sent as News.example")
    playwright.expect(cells.nth(1)).to_have_text("maybe.example")
    playwright.expect(page.locator("#rows tr").nth(1)).to_contain_text("abstains")
    playwright.expect(cells.nth(2)).to_contain_text("\\u{202e}gnp")
    assert page.locator("#rows img").count() == 0


def test_without_highlights_and_with_nothing(page):
    page.click("#ask")
    playwright.expect(page.locator("#said")).to_have_text("Paste at least one line.")
    page.uncheck("#why")
    page.fill("#lines", "\n".join(f"name-{i}.example" for i in range(100)))
    page.click("#ask")
    playwright.expect(page.locator("#rows tr")).to_have_count(100)
    assert page.locator("#rows mark").count() == 0
    assert page.locator("#legend").is_hidden()


def test_a_refusal_is_shown(page):
    page.fill("#lines", "x" * 9000)
    page.click("#ask")
    playwright.expect(page.locator("#said")).to_contain_text("longer than 8,192 bytes")
    refused = [text for text in page.wrong if "400 (Bad Request)" in text]
    assert len(refused) == 1  # the browser says so by itself
    page.wrong.remove(refused[0])
    assert page.locator("#ask").is_enabled()
