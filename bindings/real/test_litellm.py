"""LiteLLM's proxy, in front of llama.cpp and of its own answers: we see what the SDKs see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import asked
from asked import Asked, Sides
from facts import GATEWAY_KEY, SLOT
from ours import LANGUAGES
from servers import Server

HELLO = [{"role": "user", "content": "Hello"}]
TOO_LONG = [{"role": "user", "content": "a" * (SLOT + 100)}]
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}}


def chats(url: str, kind: str) -> list[Asked]:
    """By chat completions."""
    entry = {"kind": kind, "base_url": f"{url}/v1"}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}]

    def chat(name: str, model: str, key: str = GATEWAY_KEY, **expected: Any) -> Asked:
        body: dict[str, Any] = {"model": model, "messages": HELLO, "max_tokens": 40}
        if model == "tools":
            body["tools"] = tools
        if model == "tiny":
            body["seed"] = 3
        if name == "overflow":
            body["messages"] = TOO_LONG
        return asked.openai(f"{kind}-{name}", entry, key, body, **expected)

    return [
        *asked.both_ways(chat("mock", "hello", text="Hello there, how are you today?")),
        chat("tools", "tools", finish="tool_calls"),
        *asked.both_ways(chat("llama", "tiny", finish="length")),
        *asked.both_ways(chat("overflow", "tiny", status=400, kind="context_length")),
        chat("limited", "limited", status=429, kind="rate_limit"),
        chat("broken", "broken", status=500, kind="unavailable"),
        chat("dead", "dead", status=500, kind="unavailable"),
        chat("no-model", "no-such-model", status=400),
        chat("wrong-key", "hello", "sk-wrong"),
    ]


def messages(url: str) -> list[Asked]:
    """In Anthropic's format, which LiteLLM translates for llama.cpp."""
    entry = {"kind": "anthropic", "base_url": url, "api_version": "2023-06-01"}
    body = {"model": "tiny", "messages": HELLO, "max_tokens": 40, "temperature": 0}

    def message(name: str, model: str, **expected: Any) -> Asked:
        return asked.anthropic(
            f"message-{name}", entry, GATEWAY_KEY, body | {"model": model}, **expected
        )

    return [
        *asked.both_ways(message("llama", "tiny")),
        message("mock", "hello", text="Hello there, how are you today?"),
        message("limited", "limited", status=429, kind="rate_limit"),
        message("no-model", "no-such-model"),
    ]


@pytest.fixture(scope="module", params=LANGUAGES)
def sides(request, litellm: Server, folder: Path, raw: Path) -> tuple[list[Asked], Sides]:
    url = litellm.url
    every = [*chats(url, "compatible"), *chats(url, "openai"), *messages(url)]
    return every, asked.sides(request.param, every, folder, raw)


def test_like_the_sdk(sides) -> None:
    every, seen = sides
    if found := asked.differences(every, seen):
        pytest.fail(found, pytrace=False)


def test_sdk_over_our_transport(sides) -> None:
    _, seen = sides
    for name, outcome in seen.transport.items():
        assert outcome == seen.sdk[name], name
