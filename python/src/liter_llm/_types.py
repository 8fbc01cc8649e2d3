"""The documents that a caller writes, for type checkers: request, options, configuration.

Each TypedDict lists what the engine takes (`docs/contract.md`); a test holds them against the
JSON Schemas in `bindings/conformance/schemas/`. All are plain dicts at run time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict


class TextPart(TypedDict, total=False):
    """`{"type": "text", "text": …}`. `cache_control` ends a prefix to cache (Anthropic)."""

    type: Literal["text"]
    text: str
    cache_control: Mapping[str, Any]


class ImageURL(TypedDict, total=False):
    """An `https://` or `data:` URL; `detail`: low, high or auto."""

    url: str
    detail: str


class ImagePart(TypedDict, total=False):
    """An image."""

    type: Literal["image_url"]
    image_url: ImageURL | str
    cache_control: Mapping[str, Any]


class InputAudio(TypedDict):
    """Base64 `data`; `format`: wav or mp3."""

    data: str
    format: str


class AudioPart(TypedDict):
    """Audio."""

    type: Literal["input_audio"]
    input_audio: InputAudio


class File(TypedDict, total=False):
    """A file by content (a `data:` URL) or by the provider's id."""

    file_data: str
    file_id: str
    filename: str


class FilePart(TypedDict, total=False):
    """A file."""

    type: Literal["file"]
    file: File
    cache_control: Mapping[str, Any]


Part = TextPart | ImagePart | AudioPart | FilePart


class ToolCallFunction(TypedDict):
    """The called function; `arguments` is JSON text."""

    name: str
    arguments: str


class ToolCall(TypedDict):
    """A tool call of the assistant's, as a response has it."""

    id: str
    type: Literal["function"]
    function: ToolCallFunction


class _Message(TypedDict):
    role: Literal["system", "developer", "user", "assistant", "tool"]


class Message(_Message, total=False):
    """One message of the conversation. `tool_call_id`: with role tool, the call it answers."""

    content: str | Sequence[Part] | None
    name: str
    tool_calls: Sequence[ToolCall]
    tool_call_id: str
    refusal: str | None
    reasoning: str | None
    is_error: bool
    provider_fields: Mapping[str, Any]


class Reasoning(TypedDict, total=False):
    """How much the model thinks: a word that the provider knows, or a number of tokens."""

    effort: str
    budget_tokens: int


class _RequestMembers(TypedDict, total=False):
    op: Literal["chat"]
    prompt: str
    messages: Sequence[Message | Mapping[str, Any]]
    model: str | None
    max_tokens: int | None
    max_completion_tokens: int | None
    temperature: float | None
    top_p: float | None
    stop: str | Sequence[str] | None
    seed: int | None
    n: int | None
    presence_penalty: float | None
    frequency_penalty: float | None
    tools: Sequence[Mapping[str, Any]]
    tool_choice: str | Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    response_format: Mapping[str, Any] | None
    reasoning: Reasoning | None
    reasoning_effort: str | None
    metadata: Mapping[str, Any] | None
    user: str | None
    extra: Mapping[str, Mapping[str, Any]]


class Options(TypedDict, total=False):
    """How and where a request is done; never part of what is asked.

    An option that a build of the engine does not have is an UnsupportedError.
    """

    provider: str | None
    timeout_ms: int
    idle_ms: int
    merge_deltas: bool
    unsupported: Literal["warn", "error"]
    strict: bool
    retry: Mapping[str, Any]
    fallback: Sequence[str]
    fanout: Mapping[str, Any]
    hedge: Mapping[str, Any]
    cache: Mapping[str, Any]
    limit: Mapping[str, Any]
    region: str
    idempotency_key: str
    traceparent: str
    tracestate: str
    baggage: str
    tags: Mapping[str, Any]
    on_break: Mapping[str, Any]
    health: Mapping[str, Any]


class ChatRequest(_RequestMembers, total=False):
    """A chat request: OpenAI's, with `prompt` as the short form of one user message."""

    stream: bool
    stream_options: Mapping[str, Any]
    options: Options


class Members(_RequestMembers, Options, total=False):
    """The keyword arguments of `chat` and `stream`."""


class Timeouts(TypedDict, total=False):
    """Milliseconds. `idle_ms`: the longest silence inside a body."""

    connect_ms: int
    headers_ms: int
    first_token_ms: int
    idle_ms: int
    total_ms: int


class ProviderConfig(TypedDict, total=False):
    """One provider. `kind`: whose wire format it speaks; by default the one of its own name."""

    kind: str
    base_url: str
    api_key: str
    model: str
    headers: Mapping[str, str]
    timeouts: Timeouts
    api_version: str
    ca_file: str
    http: Literal["auto", "1.1", "2"]


class Config(TypedDict, total=False):
    """A client's configuration."""

    providers: Mapping[str, ProviderConfig]
    default_provider: str
    default_model: str
    max_in_flight: int
