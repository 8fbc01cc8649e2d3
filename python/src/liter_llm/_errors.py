"""The exceptions: one class for each kind of error document, under openai-python's names.

    LiterLLMError                           internal: a bug in the library; and the base of all
    └── APIError                            a call that failed
        ├── APIStatusError                  the provider, or the engine in its place, said no
        │   ├── BadRequestError             invalid_request: the request is wrong, mend it
        │   │   ├── ContextLengthError      context_length: too much for the model's context
        │   │   └── UnsupportedError        unsupported: provider, model or build cannot do it
        │   ├── AuthenticationError         authentication: the key is missing or refused
        │   ├── PermissionDeniedError       permission: the key may not do this
        │   ├── NotFoundError               not_found: no such provider, model or resource
        │   ├── RateLimitError              rate_limit: wait, `retry_after` says how long
        │   │   └── QuotaExceededError      quota: credit is used up, waiting does not help
        │   ├── ContentFilterError          content_filter: the provider's filter refused
        │   └── InternalServerError         unavailable: the provider is overloaded or failing
        ├── APIResponseValidationError      bad_response: a 2xx answer that is none
        ├── StreamBrokenError               stream_broken: it ended early, `partial` has what came
        ├── APIConnectionError              connection: none could be made, or it was lost
        │   └── APITimeoutError             timeout: a timer ran out; also a TimeoutError
        └── CancelledError                  cancelled: the client was closed

A cancelled asyncio task raises asyncio.CancelledError as ever, not this CancelledError.
"""

from __future__ import annotations

from ._models import Attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import Self


MEMBERS = (
    "attempts",
    "code",
    "model",
    "param",
    "partial",
    "provider",
    "provider_error",
    "ratelimit",
    "reason",
    "request_id",
    "retry_after",
    "retryable",
    "status",
)
"""What a program may give an error that it makes itself, as in a test."""


class Led(bytes):
    """A request as JSON, whose first message is the argument `system`.

    The engine counts that message too in its texts, and so does a provider.
    """


def count_system(text: str) -> str:
    """A text about such a request, which says where `system=` is if it counts messages."""
    if "messages[" in text:
        return f"{text} (messages[0] is system=, and messages[1] is your first message)"
    return text


class LiterLLMError(Exception):
    """A request that failed.

    `str(error)` is `message`, which is the engine's, and so the same in every language:
    `openai/gpt-4.1-mini: 429 rate limited, retry after 2 s (3 attempts; request req_1): Slow down`.
    With `system=` it also says how messages are counted. It never holds a key, and of a prompt only
    what the provider's own words repeat.

    A test makes one as `RateLimitError("slow down", status=429, retry_after=2)`.
    """

    kind: str = "internal"
    """The kind of failure, a word of the closed list above."""

    message: str
    """Who failed, how, how often, and why, in one line. Further targets that failed follow."""
    reason: str
    """Why it failed, without the rest: the provider's own words, or what the engine found."""
    provider: str | None
    """The provider's name in the configuration."""
    model: str | None
    """The model that was asked for."""
    status: int | None
    """The provider's HTTP status."""
    code: str | None
    """The provider's own code or type, as it gave it."""
    retryable: bool
    """Whether the same request may succeed later."""
    retry_after: float | None
    """Seconds that the provider asked to wait."""
    request_id: str | None
    """The provider's id of the request, for its support."""
    param: str | None
    """The request's member that is at fault, such as `messages[0].role`."""
    ratelimit: dict[str, str]
    """The answer's rate limit headers, as they came."""
    provider_error: Any
    """The provider's own error: its JSON, or its text. None if the provider gave none."""
    partial: dict[str, Any] | None
    """What had been done: of a stream `{"text": "…"}`, of embeddings `{"inputs": […]}`."""
    attempts: list[Attempt]
    """Each attempt, with its `target`, `status`, `kind`, `message`, `ms`."""

    def __init__(self, document: dict[str, Any] | str, **members: Any) -> None:
        """Takes an error document; or a message and members of one, such as `status=429`."""
        if isinstance(document, str):
            if wrong := members.keys() - MEMBERS:
                raise TypeError(f"{min(wrong)} is no member of an error: {', '.join(MEMBERS)}")
            after: float | None = members.pop("retry_after", None)
            if after is not None:
                members["retry_after_ms"] = after * 1000
            inner = {"kind": self.kind, "message": document, "retryable": False, **members}
            document = {"error": inner}
        elif members:
            raise TypeError("members go with a message, and a document has its own")
        inner: dict[str, Any] = document["error"]
        get = inner.get
        self.message = get("message") or "the request failed"
        self.reason = get("reason") or self.message
        super().__init__(self.message)
        self.kind = get("kind") or self.kind
        self.provider = get("provider")
        self.model = get("model")
        self.status = get("status")
        self.code = get("code")
        self.retryable = bool(get("retryable"))
        after = get("retry_after_ms")
        self.retry_after = None if after is None else after / 1000
        self.request_id = get("request_id")
        self.param = get("param")
        self.ratelimit = get("ratelimit") or {}
        self.provider_error = get("provider_error")
        self.partial = get("partial")
        self.attempts = [Attempt(one) for one in get("attempts") or ()]
        self._inner = inner

    @property
    def status_code(self) -> int | None:
        """`status`, under the name that other SDKs have."""
        return self.status

    @property
    def document(self) -> dict[str, Any]:
        """The error document, equal in every language: `{"error": {"kind": …, "message": …}}`."""
        return {"error": self._inner}

    @classmethod
    def of(cls, message: str, *, retryable: bool = False, param: str | None = None) -> Self:
        """An error that this package finds by itself."""
        inner = {"kind": cls.kind, "message": message, "retryable": retryable}
        if param is not None:
            inner["param"] = param
        return cls({"error": inner})

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.document,), self.__dict__  # notes, and what users have added


class APIError(LiterLLMError):
    """A call that failed for any reason but a bug in this library."""


class APIStatusError(APIError):
    """The provider refused, or the engine did before it asked. `status` is the HTTP status."""


class BadRequestError(APIStatusError):
    """The request is wrong: mend it. `param` names the member."""

    kind = "invalid_request"


class ContextLengthError(BadRequestError):
    """Prompt and answer do not fit the model's context: shorten, or take a larger model."""

    kind = "context_length"


class UnsupportedError(BadRequestError):
    """The provider, model or build cannot do what was asked."""

    kind = "unsupported"


class AuthenticationError(APIStatusError):
    """The key is missing or refused."""

    kind = "authentication"


class PermissionDeniedError(APIStatusError):
    """The key may not do this."""

    kind = "permission"


class NotFoundError(APIStatusError):
    """There is no such provider, model or resource."""

    kind = "not_found"


class RateLimitError(APIStatusError):
    """Too many requests or tokens. Wait `retry_after` seconds, if the provider gave a time."""

    kind = "rate_limit"


class QuotaExceededError(RateLimitError):
    """Credit or a spending limit is used up, so waiting does not help."""

    kind = "quota"


class ContentFilterError(APIStatusError):
    """The provider's filter refused the prompt or the answer."""

    kind = "content_filter"


class InternalServerError(APIStatusError):
    """The provider is overloaded or failing."""

    kind = "unavailable"


class APIResponseValidationError(APIError):
    """The provider said 2xx and sent something that is not an answer."""

    kind = "bad_response"


class StreamBrokenError(APIError):
    """A stream ended without its last event. `partial["text"]` is the text that had arrived."""

    kind = "stream_broken"


class APIConnectionError(APIError):
    """No connection could be made, or it was lost."""

    kind = "connection"


class APITimeoutError(APIConnectionError, TimeoutError):
    """A timer ran out."""

    kind = "timeout"


class CancelledError(APIError):
    """The client was closed before or while the request ran."""

    kind = "cancelled"


CLASSES: dict[str, type[LiterLLMError]] = {
    cls.kind: cls
    for cls in (
        LiterLLMError,
        BadRequestError,
        ContextLengthError,
        UnsupportedError,
        AuthenticationError,
        PermissionDeniedError,
        NotFoundError,
        RateLimitError,
        QuotaExceededError,
        ContentFilterError,
        InternalServerError,
        APIResponseValidationError,
        StreamBrokenError,
        APIConnectionError,
        APITimeoutError,
        CancelledError,
    )
}


def from_document(document: dict[str, Any]) -> LiterLLMError:
    """The exception for an error document. A kind of a newer engine gives LiterLLMError."""
    return CLASSES.get(document["error"].get("kind"), LiterLLMError)(document)


def counted(error: LiterLLMError, led: bool) -> LiterLLMError:
    """The error of a request, which says where `system=` is (`led`) if it counts messages."""
    if led:
        error.message = count_system(error.message)
        error.args = (error.message,)
        error.document["error"]["message"] = error.message
    return error


def misuse(status: int) -> LiterLLMError:
    """The exception for a negative status of the C interface."""
    if status == -2:
        return CancelledError("the client is closed: make a new one")
    if status == -4:
        return RateLimitError.of(
            "max_in_flight requests are in flight already: wait for some, or raise it in the "
            "client's configuration",
            retryable=True,
        )
    if status == -8:
        return APIConnectionError.of(
            "no file descriptor is left for the request: raise the limit of open files "
            "(ulimit -n), or close clients and streams that are idle",
            retryable=True,
        )
    if status == -3:
        return APIConnectionError.of(
            "the request was made before fork() and belongs to the parent: make it again here"
        )
    if status == -1:
        return BadRequestError("the engine cannot take the request: it is empty or not UTF-8")
    return LiterLLMError(f"the engine answered with status {status}")
