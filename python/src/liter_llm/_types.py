"""The documents that a caller writes, for type checkers: request, options, configuration.

Each TypedDict lists what the engine takes (`docs/contract.md`); a test holds them against the
JSON Schemas in `bindings/conformance/schemas/`. All are plain dicts at run time.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:
    try:  # pydantic, which brings it, takes no other one
        from typing_extensions import TypedDict
    except ImportError:
        from typing import TypedDict


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


class Retry(TypedDict, total=False):
    """Retries: 3 attempts, 250 ms, 8 s and 60 s where nothing else is said.

    `base_ms` bounds the first random wait, which doubles up to `cap_ms`; `max_wait_ms`: the longest
    wait that a provider may ask for.
    """

    max_attempts: int
    base_ms: int
    cap_ms: int
    max_wait_ms: int


class _Hedge(TypedDict):
    after_ms: int | Literal["p95"]


class Hedge(_Hedge, total=False):
    """Attempts beside a slow first one: `after_ms`, or after its target's 95th percentile."""

    max: int


class _Fanout(TypedDict):
    targets: Sequence[str]


class Fanout(_Fanout, total=False):
    """Several targets at once. `first`: how many answers are waited for. See `generate_multi`."""

    first: int


class Limit(TypedDict, total=False):
    """`wait`: whether a call waits where a limit leaves no room; else it fails at once."""

    wait: bool


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
    retry: Retry | Literal[False]
    fallback: Sequence[str]
    fanout: Fanout
    hedge: Hedge | Literal[False]
    limit: Limit
    region: str
    sticky_key: str
    idempotency_key: str
    on_break: Literal["error", "restart"]
    cache: Mapping[str, Any]
    traceparent: str
    tracestate: str
    baggage: str
    tags: Mapping[str, Any]


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


class Limits(TypedDict, total=False):
    """Limits that calls wait for. Tokens are those asked and answered."""

    requests_per_minute: int
    tokens_per_minute: int
    max_in_flight: int


class ModelConfig(TypedDict, total=False):
    """What is peculiar to one model of a provider."""

    limits: Limits


class HealthProbe(TypedDict, total=False):
    """How a provider that failed is asked whether it is back: every 10 s where nothing is said."""

    interval_ms: int


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
    region: str
    limits: Limits
    models: Mapping[str, ModelConfig]
    idempotency_header: str
    health_probe: HealthProbe


class Parameters(TypedDict, total=False):
    """Members of a request that a target sets."""

    max_tokens: int
    temperature: float
    top_p: float
    seed: int
    reasoning: Reasoning
    reasoning_effort: str
    extra: Mapping[str, Mapping[str, Any]]


class _Target(TypedDict):
    target: str


class Target(_Target, total=False):
    """A target of a route: `provider/model`, or a provider's name, and what is said of it.

    `weight`: its share under `weighted`; 0: only when the others fail.
    """

    region: str
    weight: int
    parameters: Parameters


class _Route(TypedDict):
    targets: Sequence[str | Target]


class Route(_Route, total=False):
    """A named list of targets, given in place of a provider's name."""

    policy: Literal["priority", "weighted", "latency", "least_in_flight"]
    retry: Retry | Literal[False]
    hedge: Hedge | Literal[False]


class RetryBudget(TypedDict, total=False):
    """How many retries and fallbacks there are: `percent` of the calls, and `per_second` more."""

    percent: int
    per_second: int


class Config(TypedDict, total=False):
    """A client's configuration."""

    providers: Mapping[str, ProviderConfig]
    routes: Mapping[str, Route]
    default_provider: str
    default_model: str
    max_in_flight: int
    retry: Retry | Literal[False]
    retry_budget: RetryBudget | Literal[False]
    hedge: Hedge | Literal[False]
    breaker: bool
    limit: Limit
    learn_limits: bool
