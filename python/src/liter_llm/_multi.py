"""Fan-out: the result of `generate_multi`."""

from __future__ import annotations

from ._errors import from_document
from ._models import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ._errors import LiterLLMError


class MultiResponse:
    """The result of `generate_multi`.

    `results` are the fastest answers, in the order in which they came. `failures` has an exception,
    not raised, for each target that failed or was cancelled after enough answers.
    """

    __slots__ = ("failures", "results")

    def __init__(self, document: dict[str, Any]) -> None:
        self.results: list[Response] = [Response(one) for one in document["results"]]
        self.failures: list[LiterLLMError] = [from_document(one) for one in document["failures"]]

    def __repr__(self) -> str:
        return f"<liter_llm.MultiResponse {self.results!r} {self.failures!r}>"
