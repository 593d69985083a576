"""What the routes that answer about texts have in common."""

from dataclasses import dataclass

from unmist.serve.answers import Embedded, Facts, Known, Question, Ranked
from unmist.serve.batcher import Batcher
from unmist.serve.metrics import Metrics
from unmist.serve.settings import Settings


@dataclass(frozen=True)
class Endpoint:
    """Requests are checked against ``facts`` and ``settings``, answered by ``batcher``, counted in
    ``metrics``."""

    batcher: Batcher[Question, Embedded | Ranked]
    known: Known
    settings: Settings
    metrics: Metrics

    @property
    def facts(self) -> Facts:
        """What is known of the model now."""
        return self.known.facts
