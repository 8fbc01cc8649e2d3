"""liter-llm: one client for every LLM provider.

    import liter_llm

    liter_llm.generate("Say hello", provider="openai", model="gpt-5-mini")      # -> str
    liter_llm.invoke("openai", {"model": "gpt-5-mini", "prompt": "Say hello"})  # -> Response

    with liter_llm.Client() as client:                # or AsyncClient, for asyncio
        client.chat("Hello", model="openai/gpt-5-mini").text

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
from ._models import Chunk, ModelsResponse, ModerateResponse, Response
from ._multi import MultiResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from . import httpx as httpx
    from . import httpx2 as httpx2
    from ._async import AsyncClient, AsyncStream
    from ._types import ChatRequest, Config, Message, Options

__version__ = "0.1.0"

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncClient",
    "AsyncStream",
    "AuthenticationError",
    "BadRequestError",
    "CancelledError",
    "ChatRequest",
    "Chunk",
    "Client",
    "Config",
    "ContentFilterError",
    "ContextLengthError",
    "InternalServerError",
    "LiterLLMError",
    "Message",
    "ModelsResponse",
    "ModerateResponse",
    "MultiResponse",
    "NotFoundError",
    "Options",
    "PermissionDeniedError",
    "QuotaExceededError",
    "RateLimitError",
    "Response",
    "Stream",
    "StreamBrokenError",
    "UnsupportedError",
    "__version__",
    "generate",
    "invoke",
]

# asyncio and typing take 30 ms to import. They are imported with the first name that needs them.
_LAZY = {
    "AsyncClient": "_async",
    "AsyncStream": "_async",
    "ChatRequest": "_types",
    "Config": "_types",
    "Message": "_types",
    "Options": "_types",
}


# Each of these needs the package of its name, which is no dependency of this one.
_TRANSPORTS = ("httpx", "httpx2")


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in _TRANSPORTS:
        return import_module(f".{name}", __name__)
    module = _LAZY.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{module}", __name__), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *_LAZY, *_TRANSPORTS]
