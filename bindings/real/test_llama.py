"""llama.cpp's server: what our packages see is what the official SDKs see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import asked
from asked import Asked, Sides
from facts import END_ID, KEY, SLOT, TOOL_CALL_ID
from ours import LANGUAGES
from servers import Server

SCHEMA = {
    "type": "object",
    "properties": {"city": {"enum": ["Oslo", "Rome"]}, "days": {"type": "integer", "maximum": 9}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
HELLO = [{"role": "user", "content": "Hello"}]
TOO_LONG = [{"role": "user", "content": "a" * (SLOT + 100)}]


def chats(url: str) -> list[Asked]:
    """Everything that is asked by chat completions."""
    entry = {"kind": "compatible", "base_url": f"{url}/v1"}
    basis = {"model": "tiny", "messages": HELLO, "max_tokens": 40, "seed": 3, "cache_prompt": False}
    calls = basis | {
        "max_tokens": 300,
        "tools": [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}],
        "tool_choice": "required",
        "parallel_tool_calls": False,
        # Noise would seldom begin a call, nor end after it, where the grammar leaves it the choice.
        "logit_bias": {str(TOOL_CALL_ID): 80, str(END_ID): 100},
    }
    answer = {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}}
    bad = {"type": "json_schema", "json_schema": {"name": "bad", "schema": {"type": "no such"}}}

    def chat(name: str, body: dict[str, object], key: str = KEY, **expected: object) -> Asked:
        return asked.openai(name, entry, key, body, **expected)

    return [
        *asked.both_ways(chat("text", basis, finish="length")),
        *asked.both_ways(chat("tools", calls, finish="tool_calls", text="")),
        *asked.both_ways(chat("tools-cut", calls | {"max_tokens": 12}, finish="length")),
        *asked.both_ways(
            chat("schema", basis | {"response_format": answer, "max_tokens": 300}, finish="stop")
        ),
        *asked.both_ways(
            chat("schema-bad", basis | {"response_format": bad}, status=400, kind="invalid_request")
        ),
        *asked.both_ways(chat("wrong-key", basis, "sk-wrong", status=401, kind="authentication")),
        # llama.cpp has one model, whatever it is called.
        chat("wrong-model", basis | {"model": "no-such-model"}, finish="length"),
        *asked.both_ways(
            chat("overflow", basis | {"messages": TOO_LONG}, status=400, kind="context_length")
        ),
    ]


def messages(url: str) -> list[Asked]:
    """Everything that is asked in Anthropic's format. That endpoint has no seed: the likeliest
    token comes each time.
    """
    # The version of Anthropic's API whose parameters llama.cpp takes.
    entry = {"kind": "anthropic", "base_url": url, "api_version": "2023-06-01"}
    basis = {"model": "tiny", "messages": HELLO, "max_tokens": 40, "temperature": 0}

    def message(name: str, body: dict[str, object], key: str = KEY, **expected: object) -> Asked:
        return asked.anthropic(f"message-{name}", entry, key, body, **expected)

    return [
        *asked.both_ways(message("text", basis, finish="length")),
        *asked.both_ways(
            message("wrong-key", basis, "sk-wrong", status=401, kind="authentication")
        ),
        *asked.both_ways(
            message("overflow", basis | {"messages": TOO_LONG}, status=400, kind="context_length")
        ),
    ]


@pytest.fixture(scope="module", params=LANGUAGES)
def sides(request, llama: Server, folder: Path, raw: Path) -> tuple[list[Asked], Sides]:
    every = chats(llama.url) + messages(llama.url)
    return every, asked.sides(request.param, every, folder, raw)


def test_like_the_sdk(sides) -> None:
    every, seen = sides
    if found := asked.differences(every, seen):
        pytest.fail(found, pytrace=False)


def test_grammars_are_kept(sides) -> None:
    _, seen = sides
    for way in ("", "-stream"):
        call = seen.ours["tools" + way]["calls"][0]
        assert call["name"] == "weather"
        assert call["arguments"]["city"] in ("Oslo", "Rome")
        assert json.loads(seen.ours["schema" + way]["text"])["city"] in ("Oslo", "Rome")


def test_streams_come_token_by_token(sides) -> None:
    _, seen = sides
    assert len(seen.ours["text-stream"]["deltas"]) > 20
    assert len(seen.ours["tools-stream"]["pieces"]) > 5


def test_sdk_over_our_transport(sides) -> None:
    _, seen = sides
    for name, outcome in seen.transport.items():
        assert outcome == seen.sdk[name], name
