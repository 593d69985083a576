"""The page is whole, asks nobody, and hostile names stay text."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pytest

from unmist.map.page import render, safe_json, write_page
from unmist.visible import visible


class Tags(HTMLParser):
    """Counts tags as a browser would see them, and keeps what stands in scripts."""

    def __init__(self):
        super().__init__()
        self.tags, self.inside, self.scripts = [], None, []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.inside = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1] += data


def parsed(page):
    tags = Tags()
    tags.feed(page)
    return tags


def test_hostile_names_make_no_markup(hostile_map):
    tags = parsed(render(hostile_map))
    assert tags.tags.count("script") == 2
    assert "img" not in tags.tags
    data = json.loads(tags.scripts[0])
    assert data["texts"] == [visible(text) for text in hostile_map.texts.texts]


def test_data_cannot_close_its_element(hostile_map):
    data = safe_json([*hostile_map.texts.texts, "\u2028"])
    assert not set("<>&") & set(data)
    assert data.isascii()
    assert json.loads(data)[:-1] == hostile_map.texts.texts


def test_the_policy_allows_this_script_and_nothing_else(hostile_map):
    page = render(hostile_map)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "connect-src 'none'" in policy
    assert "unsafe" not in policy
    script = page.rpartition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in policy


@pytest.mark.parametrize("name", ["page.html", "page.css", "page.js"])
def test_nothing_is_fetched(name):
    code = files("unmist.map").joinpath(name).read_text()
    for word in ("http:", "https:", "//cdn", "@import", "url(", "fetch(", "XMLHttp", "WebSocket"):
        assert word not in code


def test_foreign_text_is_never_markup():
    code = files("unmist.map").joinpath("page.js").read_text()
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert word not in code


def test_coordinates_are_packed(hostile_map):
    data = json.loads(parsed(render(hostile_map)).scripts[0])
    xy = np.frombuffer(base64.b64decode(data["xy"]), "<u2").reshape(-1, 2)
    np.testing.assert_allclose(xy / 65535 * 2 - 1, hostile_map.xy, atol=1e-4)


def test_written_whole(hostile_map, tmp_path):
    write_page(tmp_path / "map.html", hostile_map)
    assert [p.name for p in tmp_path.iterdir()] == ["map.html"]
