"""Payloads as they stand in a request: lists hold them bare, a sensor sees them on the wire.

The same forms are given to attacks and to harmless rows, so that none of them is a sign of either.
"""

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

from unmist.train.corpus import Example

Form = Callable[[str, random.Random], str]
_NAMES: Final = (
    "arg", "args", "body", "cmd", "code", "data", "email", "file", "foo", "id", "input",
    "key", "msg", "name", "page", "param", "path", "pay", "payload", "q", "query", "search",
    "test", "text", "url", "user", "value", "var", "x",
)  # fmt: skip
_ESCAPED: Final = re.compile("%[0-9A-F]{2}")
_HEADERS: Final = ("User-Agent", "Referer", "Cookie", "X-Forwarded-For", "X-Api-Version", "Accept")


def _name(chance: random.Random) -> str:
    return chance.choice(_NAMES)


def _encoded(text: str, chance: random.Random) -> str:
    encode = chance.choice((quote, quote_plus))
    said = encode(text, safe=chance.choice(("", "/", "/()'*!,:;")))
    return _ESCAPED.sub(lambda m: m[0].lower(), said) if chance.random() < 0.2 else said


def _parameter(text: str, chance: random.Random) -> str:
    return f"{_name(chance)}={_encoded(text, chance)}"


def _bare_parameter(text: str, chance: random.Random) -> str:
    return f"{_name(chance)}={text}"


def _among_others(text: str, chance: random.Random) -> str:
    parts = [_parameter(text, chance), f"{_name(chance)}={chance.randrange(1000)}"]
    if chance.random() < 0.5:
        parts.append(f"{_name(chance)}={_name(chance)}")
    chance.shuffle(parts)
    return "&".join(parts)


def _header(text: str, chance: random.Random) -> str:
    name, line = chance.choice(_HEADERS), text.replace("\r", " ").replace("\n", " ")
    if name == "Cookie":
        return f"Cookie: {_name(chance)}={_encoded(line, chance)}"
    if name == "Referer":
        return f"Referer: https://www.example.com/?{_name(chance)}={_encoded(line, chance)}"
    return f"{name}: {line}"


def _json(text: str, chance: random.Random) -> str:
    pair = (_name(chance), text) if chance.random() < 0.8 else (text, _name(chance))
    return json.dumps({pair[0]: pair[1]}, ensure_ascii=chance.random() < 0.5)


def _xml(text: str, chance: random.Random) -> str:
    inside = f"<a {_name(chance)}={quoteattr(text)}></a>"
    if chance.random() < 0.5:
        inside = f"<a>{escape(text)}</a>"
    return f'<?xml version="1.0"?><root>{inside}</root>'


def _path(text: str, chance: random.Random) -> str:
    return f"/{_name(chance)}/{quote(text, safe='/')}"


def _as_name(text: str, chance: random.Random) -> str:
    return f"{_encoded(text, chance)}={_name(chance)}"


FORMS: Final[tuple[tuple[Form, int], ...]] = (
    (_parameter, 6),
    (_bare_parameter, 3),
    (_header, 3),
    (_encoded, 2),
    (_among_others, 1),
    (_json, 1),
    (_xml, 1),
    (_path, 1),
    (_as_name, 1),
)


def on_the_wire(text: str, chance: random.Random) -> str:
    """A payload in one of the forms, drawn at random."""
    forms, weights = zip(*FORMS, strict=True)
    form: Form = chance.choices(forms, weights)[0]
    return form(text, chance)


def rows(examples: Sequence[Example], seed: int) -> list[Example]:
    """Each row once more in a form of the wire; of the same group and source."""
    chance = random.Random(f"wire {seed}")
    return [replace(example, text=on_the_wire(example.text, chance)) for example in examples]
