"""The error for a keyword argument that nothing takes: what it is called here, and how it is given.

Values are not repeated, because one of them may be a key. Numbers of seconds and of retries are.
"""

from __future__ import annotations

from ._names import MEMBER_NAMES, OPTION_NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from typing import Any

SECONDS = ("timeout", "timeout_s", "timeout_seconds", "request_timeout")
"""Names that other clients have for a time in seconds."""

RETRIES = ("max_retries", "num_retries")
"""Names that other clients have for the attempts after the first."""

SETTINGS = {
    "api_key": 'Client(provider="openai", api_key=...)',
    "base_url": 'Client(provider="openai", base_url=...)',
    "organization": 'Client(provider="openai", api_key=..., headers={"OpenAI-Organization": ...})',
    "default_provider": "Client(provider=...)",
    "providers": 'Client({"providers": ...})',
    "routes": 'Client({"routes": ...})',
}
"""What belongs to the client, and how it is given there."""

OTHERS = {
    "api_base": "base_url",
    "azure_endpoint": "base_url",
    "default_headers": "headers",
    "endpoint": "base_url",
    "extra_body": "extra",
    "extra_headers": "headers",
    "fallbacks": "fallback",
    "function_call": "tool_choice",
    "functions": "tools",
    "input": "prompt",
    "instructions": "system",
    "max_output_tokens": "max_tokens",
    "max_tokens_to_sample": "max_tokens",
    "max_retries": "retry",
    "model_name": "model",
    "num_retries": "retry",
    "query": "prompt",
    "stop_sequences": "stop",
    "system_prompt": "system",
    "text": "prompt",
    "thinking": "reasoning",
    "url": "base_url",
}
"""Names that other clients have, and ours."""

KEYS = ("key", "token", "secret", "secret_key", "authorization", "password", "bearer")
"""Names of keys. With another word before them they are keys too, as `openai_api_key`."""

OF_OPERATIONS = {
    "dims": ("dimensions",),
    "docs": ("documents",),
    "encoding_format": ("encoding",),
    "input": ("input", "query"),
    "inputs": ("input", "documents"),
    "passages": ("documents",),
    "prompt": ("input", "query"),
    "query": ("input",),
    "text": ("input", "query"),
    "texts": ("input", "documents"),
    "top_k": ("top_n",),
}
"""Names that are meant for a member of `embed`, `rerank` or `moderate`: the first that there is."""

PROVIDERS_OWN = ("documents", "logit_bias", "query", "store")
"""Parameters of some providers' chats, which look like others of ours."""

FORMS = {
    "extra": 'extra={"openai": {...}}, by the provider\'s name',
    "retry": 'retry={"max_attempts": ...}',
    "reasoning": 'reasoning={"effort": "low"}',
}
"""How an argument is given that has another form here."""

STREAMS = "stream"

OF_CLIENTS = ("Client", "with_options")
"""Where options are given, and no members of a request."""

OPTIONS = "options="
"""Where a name is found that is in the dict `options=`."""


def unknown(name: str, value: Any, where: str, known: AbstractSet[str]) -> TypeError:
    """The error for the argument `name` of the method `where`, which takes `known` ones.

    A name in the dict `options=` is judged likewise. All that the method takes is `known` then.
    """
    method = where if where == OPTIONS else f"{where}()"
    return TypeError(f"{method} takes no {name}: {_advice(name, value, where, known)}")


def _advice(name: str, value: Any, where: str, known: AbstractSet[str]) -> str:
    plain = _snake(name)
    if plain in SECONDS and "timeout_ms" in known:
        return f"use timeout_ms={_milliseconds(value)} (milliseconds)"
    if plain == STREAMS and where not in (OPTIONS, *OF_CLIENTS):
        return f"{where}() " + (
            "always streams, leave it out" if where == STREAMS else "has whole answers only"
        )
    if plain == "stream_options":
        return "leave it out: a stream always has its usage, in stream.response.usage"
    ours = _ours(plain, known)
    form = FORMS.get(ours, f"{ours}=...")
    if plain in RETRIES and type(value) is int and 0 <= value < 1000:
        form = form.replace("...", str(value + 1))
    return _place(ours, form, where, known)


def _snake(name: str) -> str:
    """`topK` and `top-k` as `top_k`."""
    parts = (f"_{one.lower()}" if one.isupper() else one for one in name)
    return name.lower() if name.isupper() else "".join(parts).replace("-", "_").lstrip("_")


def _ours(plain: str, known: AbstractSet[str]) -> str:
    """Our name for what is meant."""
    if plain in known or plain in SETTINGS:
        return plain
    if plain in KEYS or plain.endswith(("_key", "_token")):
        near = _near(plain, known)
        return near if near and near != "sticky_key" else "api_key"
    if near := next((one for one in OF_OPERATIONS.get(plain, ()) if one in known), None):
        return near
    ours = OTHERS.get(plain, plain)
    if ours in known or ours in SETTINGS or ours in PROVIDERS_OWN or _home(ours):
        return ours
    return _near(plain, {*known, *SETTINGS}) or ours


def _near(name: str, names: AbstractSet[str]) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, names, 1, 0.7)), None)


def _home(ours: str) -> str | None:
    """The operation that has a member of this name: a chat, if it has it."""
    return next((name for name, members in MEMBER_NAMES.items() if ours in members), None)


def _place(ours: str, form: str, where: str, known: AbstractSet[str]) -> str:
    """Where an argument is given, by our name for it, and in which form."""
    if ours in known or (ours == STREAMS and where == OPTIONS):
        misplaced = where == OPTIONS and ours not in OPTION_NAMES
        return f"it is no option but an argument, {form}" if misplaced else f"use {form}"
    if ours in SETTINGS:
        setting = SETTINGS[ours]
        return (
            f"use {setting}" if where == "Client" else f"it is a setting of the client, {setting}"
        )
    home = "chat" if ours == STREAMS else _home(ours)
    if home is not None and where in OF_CLIENTS:
        return f"it belongs to a request, as in client.{home}(..., {form})"
    if home is not None and ours not in PROVIDERS_OWN:
        return f"it belongs to client.{home}(..., {form})"
    if "extra" in known:
        return f"a parameter of one provider alone goes in {FORMS['extra']}"
    return f"it takes {', '.join(sorted(known))}"


def _milliseconds(value: Any) -> str:
    seconds = getattr(value, "total_seconds", None)  # of a timedelta
    if callable(seconds):
        value = seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e9:
        return str(max(round(value * 1000), 1))
    return "..."
