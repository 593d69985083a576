"""What event formats say beside the verdict, and which of them there are."""

import time
from collections.abc import Callable
from typing import Final, Literal

from unmist.io.ecs import ecs_event
from unmist.io.ocsf import ocsf_finding
from unmist.io.producer import Producer
from unmist.verdict import Verdict

EventFormat = Literal["ocsf", "ecs"]

_EVENTS: Final[dict[EventFormat, Callable[[Verdict, Producer, int], object]]] = {
    "ocsf": ocsf_finding,
    "ecs": ecs_event,
}


def event_shape(format: EventFormat, producer: Producer) -> Callable[[Verdict], object]:
    """What is written of a verdict, for ``VerdictWriter``; its time is that of the writing."""
    event = _EVENTS[format]
    return lambda verdict: event(verdict, producer, time.time_ns() // 1_000_000)
