"""``POST /v1/classify``: rows with a task each, verdicts in their order."""

from typing import Any, Literal

import msgspec
from fastapi import Response

from unmist.serve.answers import Question, Ranked
from unmist.serve.api_error import ApiError
from unmist.serve.endpoint import Endpoint
from unmist.serve.schemas import ClassifyRequest, ClassifyRow
from unmist.serve.texts import ask, check_count, check_text


class Classifying(Endpoint):
    """Checks requests for verdicts, has them computed, and writes the answers."""

    async def answer(self, request: ClassifyRequest) -> Response:
        """The answer. Raises ApiError when the request cannot be met."""
        check_count(len(request.rows), self.settings.max_inputs, "rows")
        for i, row in enumerate(request.rows):
            self._check(row, f"rows[{i}]")
        kind = kind_of(request)
        if kind == "explain":
            check_count(len(request.rows), self.settings.max_explained, "rows")
        items = [(Question(kind, row.task), row.text) for row in request.rows]
        found = await ask(self.batcher, items, self.settings.deadline_seconds)
        ranked = [one for one in found if isinstance(one, Ranked)]
        self.metrics.verdicts(one.verdict for one in ranked)
        answer = {
            "model": self.facts.hash,
            "verdicts": [self._written(one, request) for one in ranked],
        }
        return Response(msgspec.json.encode(answer), media_type="application/json")

    def _check(self, row: ClassifyRow, param: str) -> None:
        task = self.facts.tasks.get(row.task)
        if task is None:
            known = ", ".join(self.facts.tasks) or "none"
            raise ApiError(
                400,
                f"{param}: no task {row.task!r}; there are: {known}.",
                "unknown_task",
                param=f"{param}.task",
            )
        if row.field not in (None, task.field):
            raise ApiError(
                400,
                f"{param}: task {row.task!r} reads {task.field}, not {row.field!r}.",
                "wrong_field",
                param=f"{param}.field",
            )
        check_text(row.text, self.settings.max_text_bytes, f"{param}.text")

    def _written(self, ranked: Ranked, request: ClassifyRequest) -> Any:
        if kind_of(request) == "classify":
            return ranked.verdict
        written = msgspec.structs.asdict(ranked.verdict)
        if request.top_k is not None:
            written["top_k"] = self._best(ranked, request.top_k)
        if ranked.explanation is not None:
            written["read"] = ranked.explanation.read
            written["spans"] = ranked.explanation.spans
        return written

    @staticmethod
    def _best(ranked: Ranked, count: int) -> list[dict[str, Any]]:
        odds = [] if ranked.odds is None else ranked.odds.tolist()
        best = sorted(zip(odds, ranked.labels, strict=False), key=lambda pair: -pair[0])[:count]
        return [{"label": label, "probability": probability} for probability, label in best]


def kind_of(request: ClassifyRequest) -> Literal["classify", "rank", "explain"]:
    """The cheapest question that answers the request."""
    if request.explain:
        return "explain"
    return "classify" if request.top_k is None else "rank"
