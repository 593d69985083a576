"""Other spellings of a text: those that mean the same, and those that try to get past a reader.

An *invariance* keeps what the text means, so the answer should stay. An *evasion* is what somebody
does who wants another answer, or no answer; the label is held to stay what it was. Which there are
depends on the field kind. The same seed always gives the same spelling, and no large library is
imported, so that training can use them too::

    for view in views("hostname"):
        other = vary(view, "login.example.com", seed=1)  # None where it cannot apply
"""

from collections.abc import Mapping
from typing import Final

from unmist.errors import UsageError
from unmist.text.fields import FIELDS
from unmist.text.views import commands, general, names, requests
from unmist.text.views.view import View, vary

__all__ = ["View", "vary", "views"]

_OF_FIELD: Final[Mapping[str, tuple[View, ...]]] = {
    "hostname": names.VIEWS,
    "url": requests.URL,
    "http": requests.HTTP,
    "header": (general.NAME_CASE, *general.EVASIONS),
    "command": commands.COMMAND,
    "path": commands.PATH,
    "cloud": (general.ACTION_CASE, *general.EVASIONS),
}


def views(field: str) -> tuple[View, ...]:
    """The views of a field kind, invariances first. Raises UsageError for an unknown kind."""
    if field not in FIELDS:
        raise UsageError(f"no field kind {field!r}; known: {', '.join(FIELDS)}")
    return _OF_FIELD.get(field, general.EVASIONS)
