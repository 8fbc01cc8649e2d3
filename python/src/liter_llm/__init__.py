"""liter-llm: one client for every LLM provider.

    import liter_llm

    liter_llm.generate("Say hello", provider="openai", model="gpt-4.1-mini")      # -> str
    liter_llm.invoke("openai", {"model": "gpt-4.1-mini", "prompt": "Say hello"})  # -> Response

    with liter_llm.Client() as client:                # or AsyncClient, for asyncio
        client.chat("Hello", model="openai/gpt-4.1-mini").text

Everything that is not listed in `__all__` is private.
"""

from ._client import Client, Stream, generate, invoke
from ._errors import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    CancelledError,
    ContentFilterError,
    ContextLengthError,
    InternalServerError,
    LiterLLMError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RateLimitError,
    StreamBrokenError,
    UnsupportedError,
)
from ._models import (
    Annotation,
    AnswerAudio,
    AnswerImage,
    AnswerImageURL,
    AssistantMessage,
    Attempt,
    AttemptTrace,
    BudgetState,
    Cached,
    CachePurged,
    CacheRemoved,
    Choice,
    Chunk,
    ChunkChoice,
    CompletionDetails,
    Cost,
    CountTokensResponse,
    Delta,
    Embedding,
    EmbedResponse,
    FileCitation,
    Function,
    FunctionDelta,
    Liter,
    ModelInfo,
    ModelsResponse,
    ModerateResponse,
    Moderation,
    PromptDetails,
    Ranked,
    RerankResponse,
    Response,
    ResponseWarning,
    Routed,
    Timing,
    ToolCall,
    ToolCallDelta,
    Trace,
    URLCitation,
    Usage,
    Variant,
)
from ._multi import MultiResponse
from ._warnings import LiterLLMWarning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import httpx as httpx
    from . import httpx2 as httpx2
    from ._async import AsyncClient, AsyncStream
    from ._logs import logs
    from ._telemetry import telemetry
    from ._types import ChatRequest, Config, Message, Options, RequestMessage, Tool

__version__ = "0.1.0"

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "Annotation",
    "AnswerAudio",
    "AnswerImage",
    "AnswerImageURL",
    "AssistantMessage",
    "AsyncClient",
    "AsyncStream",
    "Attempt",
    "AttemptTrace",
    "AuthenticationError",
    "BadRequestError",
    "BudgetState",
    "CachePurged",
    "CacheRemoved",
    "Cached",
    "CancelledError",
    "ChatRequest",
    "Choice",
    "Chunk",
    "ChunkChoice",
    "Client",
    "CompletionDetails",
    "Config",
    "ContentFilterError",
    "ContextLengthError",
    "Cost",
    "CountTokensResponse",
    "Delta",
    "EmbedResponse",
    "Embedding",
    "FileCitation",
    "Function",
    "FunctionDelta",
    "InternalServerError",
    "Liter",
    "LiterLLMError",
    "LiterLLMWarning",
    "Message",
    "ModelInfo",
    "ModelsResponse",
    "ModerateResponse",
    "Moderation",
    "MultiResponse",
    "NotFoundError",
    "Options",
    "PermissionDeniedError",
    "PromptDetails",
    "QuotaExceededError",
    "Ranked",
    "RateLimitError",
    "RequestMessage",
    "RerankResponse",
    "Response",
    "ResponseWarning",
    "Routed",
    "Stream",
    "StreamBrokenError",
    "Timing",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "Trace",
    "URLCitation",
    "UnsupportedError",
    "Usage",
    "Variant",
    "__version__",
    "generate",
    "invoke",
    "logs",
    "telemetry",
]

# asyncio and typing take 30 ms to import. They are imported with the first name that needs them.
_LAZY = {
    "AsyncClient": "_async",
    "AsyncStream": "_async",
    "ChatRequest": "_types",
    "Config": "_types",
    "Message": "_types",
    "Options": "_types",
    "RequestMessage": "_types",
    "Tool": "_types",
    "logs": "_logs",
    "telemetry": "_telemetry",
}

# Each of these needs the package of its name, which is no dependency of this one.
_TRANSPORTS = ("httpx", "httpx2")

if not TYPE_CHECKING:  # or no misspelt name would be an error

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _TRANSPORTS:
            try:
                return import_module(f".{name}", __name__)
            except ImportError as error:
                why = f"liter_llm.{name} needs the package {name}: pip install {name} ({error})"
            raise AttributeError(why)
        module = _LAZY.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{module}", __name__), name)
        globals()[name] = _public(value)
        return value


def __dir__() -> list[str]:
    from importlib.util import find_spec

    installed = [name for name in _TRANSPORTS if find_spec(name) is not None]
    return sorted({*globals(), *_LAZY, *installed})


def _public(value: object) -> object:
    """Says of a class or a function that it is of this module, where programs find it."""
    if getattr(value, "__module__", "").startswith(f"{__name__}._"):
        value.__module__ = __name__
    return value


def _all_public() -> None:
    for name in __all__:
        _public(globals().get(name))


_all_public()
