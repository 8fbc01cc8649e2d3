"""Responses: the engine's JSON objects as dicts whose members are attributes too.

    response.text == response["text"]
    response.choices[0].message.content
    response.usage.prompt_tokens            # None where the provider did not say

Nested objects are plain dicts until they are reached through an attribute; then they are wrapped
and stay so. Each class lists the contract's members: one that is absent reads as None, a name that
is neither in the contract nor in the document raises AttributeError.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


class Document(dict[str, "Any"]):
    """A JSON object. `json.dumps`, `copy` and `pickle` take it as the dict it is."""

    __slots__ = ()
    _nested: ClassVar[dict[str, type[Document]]] = {}
    _absent: ClassVar[dict[str, Any]] = {}

    def __getattr__(self, name: str) -> Any:
        try:
            value = self[name]
        except KeyError:
            if name in type(self).__annotations__ and name[0] != "_":
                return self._absent.get(name)
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=self) from None
        kind: type[Any] = value.__class__
        if kind is dict:
            wrap: Any = self._nested.get(name, Document)
            value = self[name] = wrap(value)
        elif kind is list and value and type(value[0]) is dict:
            wrap = self._nested.get(name, Document)
            items: list[Any] = value
            items[:] = [wrap(item) if type(item) is dict else item for item in items]
        return value

    def __dir__(self) -> list[str]:
        return sorted(
            {*super().__dir__(), *self, *type(self).__annotations__} - {"_nested", "_absent"}
        )


class Function(Document):
    """What a tool call calls. `arguments` is JSON text, as the model wrote it."""

    __slots__ = ()
    name: str | None
    arguments: str | None


class ToolCall(Document):
    """A call of one of the caller's tools. In chunks: a part of it, to be joined by `index`."""

    __slots__ = ()
    _nested = {"function": Function}
    index: int | None
    id: str | None
    type: str | None
    function: Function


class Message(Document):
    """What the model says."""

    __slots__ = ()
    _nested = {"tool_calls": ToolCall}
    role: str
    content: str | None
    tool_calls: list[ToolCall] | None
    refusal: str | None
    reasoning: str | None
    provider_fields: Document | None


class Choice(Document):
    """One answer. `finish_reason`: stop, length, tool_calls or content_filter."""

    __slots__ = ()
    _nested = {"message": Message}
    index: int
    message: Message
    finish_reason: str | None
    logprobs: Document | None
    provider_fields: Document | None


class PromptDetails(Document):
    """Parts of `prompt_tokens`."""

    __slots__ = ()
    cached_tokens: int | None
    cache_write_tokens: int | None
    audio_tokens: int | None


class CompletionDetails(Document):
    """Parts of `completion_tokens`."""

    __slots__ = ()
    reasoning_tokens: int | None
    audio_tokens: int | None
    accepted_prediction_tokens: int | None
    rejected_prediction_tokens: int | None


class Usage(Document):
    """Token counts; what the provider did not say is absent (None), never 0."""

    __slots__ = ()
    _nested = {
        "prompt_tokens_details": PromptDetails,
        "completion_tokens_details": CompletionDetails,
    }
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    prompt_tokens_details: PromptDetails | None
    completion_tokens_details: CompletionDetails | None


class Warning_(Document):  # noqa: N801 - Warning is a builtin
    """Something that was left out or changed on the way."""

    __slots__ = ()
    code: str
    message: str
    param: str | None


class Timing(Document):
    """Milliseconds: until the request was sent, until the first content, until the end."""

    __slots__ = ()
    queue_ms: float
    ttft_ms: float | None
    total_ms: float


class Attempt(Document):
    """One attempt at a target. `ms`: how long it took; `kind`: how it failed.

    `hedge`: it ran beside another one that was slow. `may_be_billed`: it failed, but the provider
    may have done the work.
    """

    __slots__ = ()
    _absent = {"hedge": False, "may_be_billed": False}
    target: str
    status: int | None
    kind: str | None
    ms: int
    hedge: bool
    may_be_billed: bool


class Liter(Document):
    """Everything volatile or of the engine's own."""

    __slots__ = ()
    _nested = {"attempts": Attempt, "timing": Timing}
    v: int
    request_id: str
    provider_request_id: str | None
    finish_reason_raw: str | None
    usage_raw: Document | None
    attempts: list[Attempt]
    timing: Timing
    cache: Document | None
    cost: Document | None
    ratelimit: Document | None
    provider_fields: Document | None


class Response(Document):
    """A chat completion in OpenAI's shape.

    Beside OpenAI's members: `text`, the first choice's text; `provider`, who served it;
    `warnings`, what was left out or changed; `liter`, request ids, attempts and timing.
    """

    __slots__ = ()
    _nested = {"choices": Choice, "usage": Usage, "warnings": Warning_, "liter": Liter}
    id: str | None
    object: str
    created: int | None
    model: str | None
    choices: list[Choice]
    usage: Usage | None
    provider: str
    warnings: list[Warning_]
    liter: Liter

    @property
    def text(self) -> str:
        """The first choice's text. A property: it is what most callers read, and at once."""
        text: Any = self.get("text")
        return text


class Delta(Document):
    """What is new in a message; each text is to be appended."""

    __slots__ = ()
    _nested = {"tool_calls": ToolCall}
    role: str | None
    content: str | None
    reasoning: str | None
    refusal: str | None
    tool_calls: list[ToolCall] | None
    provider_fields: Document | None


class ChunkChoice(Document):
    """What is new in one choice."""

    __slots__ = ()
    _nested = {"delta": Delta}
    index: int
    delta: Delta
    finish_reason: str | None


class Chunk(Document):
    """A part of a stream, in the shape of OpenAI's `chat.completion.chunk`.

    With `on_break="restart"` it may be a `reset` instead: throw away what came before it.
    """

    __slots__ = ()
    _nested = {"choices": ChunkChoice, "usage": Usage}
    _absent = {"choices": ()}
    id: str | None
    object: str
    created: int | None
    model: str | None
    choices: list[ChunkChoice]
    usage: Usage | None

    @property
    def text(self) -> str:
        """The first choice's new text; empty where the chunk has none."""
        # Where several are asked for, each comes in chunks of its own.
        choices: Any = self.get("choices") or ()
        first = (choice for choice in choices if choice["index"] == 0)
        return next((choice["delta"].get("content") or "" for choice in first), "")

    @property
    def reset(self) -> str | None:
        """Not None: the answer broke in this way and begins anew; all chunks so far are void."""
        reason: Any = self.get("reason") if self.get("object") == "chat.completion.reset" else None
        return reason
