"""Views of URLs and of HTTP payloads."""

import random
import re
from typing import Final

from unmist.text.views import general, names
from unmist.text.views.view import Make, View, filler, percent_encoded, random_case

_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)?(?P<user>[^/?#@\\\s]*@)?(?P<host>[^/?#:@\\\s]+)"
    r"(?P<port>:[0-9]{1,5})?(?P<rest>[/?#].*)?",
    re.DOTALL,
)
_SPACE: Final = re.compile(r"\+|%20| ")
_FORM: Final = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}=[^<\s]")


def _on_host(make: Make) -> Make:
    def made(text: str, chance: random.Random) -> str | None:
        match = _URL.fullmatch(text)
        other = match and make(match["host"], chance)
        if not match or other is None:
            return None
        return text[: match.start("host")] + other + text[match.end("host") :]

    return made


def scheme_and_host_case(text: str, chance: random.Random) -> str | None:
    """Upper and lower case at random where RFC 3986, section 6.2.2.1, gives it no meaning."""
    match = _URL.fullmatch(text)
    if not match:
        return None
    scheme = random_case(match["scheme"] or "", chance)
    host = random_case(match["host"], chance)
    return f"{scheme}{match['user'] or ''}{host}{match['port'] or ''}{match['rest'] or ''}"


def percent_encoded_rest(text: str, chance: random.Random) -> str | None:
    """Unreserved characters of path and query as ``%XX``."""
    match = _URL.fullmatch(text)
    if not match or not match["rest"]:
        return None
    rest, sign, fragment = match["rest"].partition("#")
    other = percent_encoded(rest, chance)
    return None if other is None else text[: match.start("rest")] + other + sign + fragment


def pad_query(text: str, chance: random.Random) -> str | None:
    """A long parameter that says nothing, at the end."""
    if not _URL.fullmatch(text):
        return None
    head, sign, fragment = text.partition("#")
    joint = "&" if "?" in head else "?"
    return f"{head}{joint}note={filler(chance, 120, '-')}{sign}{fragment}"


def percent_encoded_values(text: str, chance: random.Random) -> str | None:
    """Unreserved characters of a form's values as ``%XX``."""
    if not _FORM.match(text):
        return None
    name, sign, values = text.partition("=")
    other = percent_encoded(values, chance)
    return None if other is None else f"{name}{sign}{other}"


def prepend_parameter(text: str, chance: random.Random) -> str | None:
    """A harmless parameter in front of a form."""
    return f"id={chance.randrange(1, 999)}&{text}" if _FORM.match(text) else None


def append_parameter(text: str, chance: random.Random) -> str | None:
    """A harmless parameter behind a form."""
    return f"{text}&lang={chance.choice(('en', 'de', 'fr'))}" if _FORM.match(text) else None


def pad_form_start(text: str, chance: random.Random) -> str | None:
    """A long parameter that says nothing in front; of another payload, words."""
    start = filler(chance, 120, "+" if _FORM.match(text) else " ")
    return f"note={start}&{text}" if _FORM.match(text) else f"{start} {text}"


def pad_form_end(text: str, chance: random.Random) -> str | None:
    """A long parameter that says nothing at the end; of another payload, words."""
    end = filler(chance, 120, "+" if _FORM.match(text) else " ")
    return f"{text}&note={end}" if _FORM.match(text) else f"{text} {end}"


def tabs(text: str, _chance: random.Random) -> str | None:
    """Tabs for spaces: SQL, HTML and shells part words at either."""
    if _FORM.match(text):
        name, sign, values = text.partition("=")
        return name + sign + _SPACE.sub("%09", values)
    return text.replace(" ", "\t")


_HOST_EVASIONS: Final = tuple(
    View(view.name, True, _on_host(view.make), view.learnt)
    for view in names.VIEWS
    if view.evasion and view.name != "pad_end"
)
URL: Final = (
    View("random_case", False, scheme_and_host_case),
    View("trailing_dot", False, _on_host(names.trailing_dot)),
    View("www", False, _on_host(names.www)),
    View("percent_encoding", False, percent_encoded_rest),
    *_HOST_EVASIONS,
    View("pad_end", True, pad_query),
)
HTTP: Final = (
    View("percent_encoding", False, percent_encoded_values),
    View("swap", True, general.swap),
    View("homoglyph", True, general.homoglyph),
    View("prepend_benign", True, prepend_parameter),
    View("append_benign", True, append_parameter),
    View("pad_start", True, pad_form_start),
    View("pad_end", True, pad_form_end),
    View("tabs", True, tabs, learnt=False),
)
