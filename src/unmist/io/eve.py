"""Suricata EVE: one JSON event a line, the value in a section named after the event type."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from unmist.io.columns import by_kind
from unmist.io.jsonlines import Extract, RecordError, decode_object, decode_value, json_rows
from unmist.io.row import ReadRequest, Row
from unmist.io.stream import LineSource

_ABSENT = msgspec.Raw()


class EveEvent(msgspec.Struct):
    """The parts of an event that can hold a value; sections stay undecoded until needed."""

    event_type: Any = None
    dns: msgspec.Raw = _ABSENT
    tls: msgspec.Raw = _ABSENT
    http: msgspec.Raw = _ABSENT


_event_decoder = msgspec.json.Decoder(EveEvent)

Section = dict[str, Any]


def _member(name: str) -> Callable[[Section], Sequence[object]]:
    return lambda section: (section.get(name),)


def _dns_names(section: Section) -> Sequence[object]:
    # dns.rrname is EVE version 1 and 2; version 3 lists the questions; alerts call it dns.query.
    for name in ("rrname", "queries", "query"):
        value = section.get(name)
        if isinstance(value, list):
            return tuple(_question_name(question) for question in value)
        if value is not None:
            return (value,)
    return ()


def _question_name(question: object) -> object:
    # What is not an object is handed on as it is and ends as a row of the wrong type.
    return question.get("rrname") if isinstance(question, dict) else _NOT_TEXT


_NOT_TEXT = object()
_URL = {"http": _member("url")}
_SECTIONS: Mapping[str, Mapping[str, Callable[[Section], Sequence[object]]]] = {
    "hostname": {"dns": _dns_names, "tls": _member("sni"), "http": _member("hostname")},
    "url": _URL,
    "http": _URL,
    "header": {"http": _member("http_user_agent")},
}


def read_eve(stream: LineSource, request: ReadRequest) -> Iterator[Row]:
    """The rows of one field kind, or of a dotted path given as column, in EVE events.

    Raises:
        UsageError: no column is given and the field kind has no place in EVE.
    """
    return json_rows(stream, request, eve_extract(request))


def eve_extract(request: ReadRequest) -> Extract:
    """What finds the values in a line."""
    if request.column is not None:
        path = request.column.split(".")
        return lambda line: _follow(line, path)
    sections = by_kind(_SECTIONS, request, "EVE events")

    def extract(line: bytes) -> Sequence[object]:
        event = _event_decoder.decode(line)
        if event.event_type is None:
            raise RecordError("missing_column")
        if not isinstance(event.event_type, str):
            raise RecordError("wrong_type")
        names = sections.get(event.event_type)
        return () if names is None else names(_section(event, event.event_type))

    return extract


def _section(event: EveEvent, name: str) -> Section:
    raw: msgspec.Raw = getattr(event, name)
    section = decode_value(raw) if raw is not _ABSENT else None
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise RecordError("wrong_type")
    return section


def _follow(line: bytes, path: Sequence[str]) -> Sequence[object]:
    """The values at a dotted path; a list on the way stands for each of its elements."""
    members = decode_object(line)
    if path[0] not in members:
        return ()
    values = [decode_value(members[path[0]])]
    for name in path[1:]:
        values = [value.get(name) for value in _flat(values) if isinstance(value, dict)]
    return _flat(values)


def _flat(values: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        flat.extend(value) if isinstance(value, list) else flat.append(value)
    return flat
