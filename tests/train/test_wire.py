"""Payloads as they stand in a request."""

import json
import random
from urllib.parse import unquote, unquote_plus
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.train import wire
from unmist.train.corpus import Example

PAYLOADS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=60)


@given(PAYLOADS, st.integers(0, 10_000))
def test_the_payload_is_still_there(payload: str, seed: int) -> None:
    other = wire.on_the_wire(payload, random.Random(seed))
    readable = {other, unquote(other), unquote_plus(other)}
    if other.startswith("{"):
        readable |= {part for pair in json.loads(other).items() for part in pair}
    if other.startswith("<?xml"):
        (a,) = ElementTree.fromstring(other)
        readable |= {a.text or "", *a.attrib.values()}
    assert any(payload in said for said in readable)


@pytest.mark.parametrize("label", ["sqli", "benign"])
def test_each_row_once_more_of_the_same_group(label: str) -> None:
    examples = [Example(f"1' or {i}=1", label, f"list:{i % 3}", "list") for i in range(50)]
    made = wire.rows(examples, seed=1)
    assert [(e.label, e.group, e.source) for e in made] == [
        (e.label, e.group, e.source) for e in examples
    ]
    assert sum(a.text != b.text for a, b in zip(made, examples, strict=True)) > 40
    assert made == wire.rows(examples, seed=1)
    assert made != wire.rows(examples, seed=2)


def test_every_form_is_drawn() -> None:
    chance = random.Random(1)
    said = [wire.on_the_wire("<script>alert(1)</script>", chance) for _ in range(400)]
    for begins in ("{", "<?xml", "/", "%3", "Cookie: ", "User-Agent: "):
        assert any(text.startswith(begins) for text in said), begins
