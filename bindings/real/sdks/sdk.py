"""The official SDKs of OpenAI and Anthropic: `python sdk.py PLAN`.

A plan has a JSON object a line: case, format, base_url, key, body. So has what is printed. Every
row is sent twice: first as the SDKs are, then over our transport (`"ours": true`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import liter_llm.httpx2
import openai

Members = dict[str, Any]


def http_client(ours: bool) -> httpx2.Client:
    """What the SDKs send with; nobody's proxy is asked for this machine.

    llama.cpp closes a connection right after a stream. Without us the SDKs would now and then lose
    the next request, so they keep none.
    """
    if ours:
        return httpx2.Client(transport=liter_llm.httpx2.Transport(), timeout=60)
    return httpx2.Client(
        trust_env=False, timeout=60, limits=httpx2.Limits(max_keepalive_connections=0)
    )


def split(body: Members, *known: str) -> Members:
    """Members that the SDK's method has no name for travel as they are."""
    rest = {name: value for name, value in body.items() if name not in known}
    return {name: body[name] for name in known if name in body} | {"extra_body": rest}


def openai_chat(row: Members, http: httpx2.Client) -> Members:
    """Chat completions."""
    client = openai.OpenAI(
        base_url=row["base_url"], api_key=row["key"], max_retries=0, http_client=http
    )
    arguments = split(row["body"], "model", "messages", "stream")
    answer: Any = client.chat.completions.create(**arguments)
    if not row["body"].get("stream"):
        choice = answer.choices[0]
        calls = [call.function for call in choice.message.tool_calls or []]
        return {
            "text": choice.message.content or "",
            "deltas": [],
            "finish": choice.finish_reason,
            "usage": usage(answer.usage),
            "calls": [{"name": call.name, "arguments": call.arguments} for call in calls],
            "pieces": [],
        }
    out: Members = {"deltas": [], "finish": None, "usage": None, "calls": [], "pieces": []}
    for chunk in answer:
        if chunk.usage:
            out["usage"] = usage(chunk.usage)
        for choice in chunk.choices:
            if choice.delta.content:
                out["deltas"].append(choice.delta.content)
            out["finish"] = choice.finish_reason or out["finish"]
            for call in choice.delta.tool_calls or []:
                if call.index == len(out["calls"]):
                    out["calls"].append({"name": call.function.name, "arguments": ""})
                if piece := call.function.arguments:
                    out["calls"][call.index]["arguments"] += piece
                    out["pieces"].append(piece)
    return out | {"text": "".join(out["deltas"])}


def usage(counted: Any) -> list[int]:
    """Prompt, completion, and what of the prompt came from a cache."""
    details = counted.prompt_tokens_details
    cached = (details.cached_tokens if details else 0) or 0
    return [counted.prompt_tokens, counted.completion_tokens, cached]


FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
}


def anthropic_chat(row: Members, http: httpx2.Client) -> Members:
    """Messages, told in OpenAI's terms."""
    client = anthropic.Anthropic(
        base_url=row["base_url"], api_key=row["key"], max_retries=0, http_client=http
    )
    body = {name: value for name, value in row["body"].items() if name != "stream"}
    arguments = split(body, "model", "messages", "max_tokens")
    deltas: list[str] = []
    pieces: list[str] = []
    if row["body"].get("stream"):
        with client.messages.stream(**arguments) as stream:
            for event in stream:
                if event.type == "content_block_delta" and event.delta.type == "text_delta":
                    deltas.append(event.delta.text)
                if event.type == "content_block_delta" and event.delta.type == "input_json_delta":
                    pieces.append(event.delta.partial_json)
            answer = stream.get_final_message()
    else:
        answer = client.messages.create(**arguments)
    counted = answer.usage
    cached = counted.cache_read_input_tokens or 0
    calls = [block for block in answer.content if block.type == "tool_use"]
    return {
        "text": "".join(block.text for block in answer.content if block.type == "text"),
        "deltas": [text for text in deltas if text],
        "finish": FINISH[answer.stop_reason or ""],
        "usage": [counted.input_tokens + cached, counted.output_tokens, cached],
        "calls": [{"name": call.name, "arguments": json.dumps(call.input)} for call in calls],
        "pieces": [text for text in pieces if text],
    }


def main() -> None:
    """Plays the plan."""
    chats = {"openai": openai_chat, "anthropic": anthropic_chat}
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    for ours in (False, True):
        with http_client(ours) as http:
            for row in map(json.loads, lines):
                try:
                    outcome = chats[row["format"]](row, http)
                except (openai.APIStatusError, anthropic.APIStatusError) as error:
                    outcome = {"status": error.status_code}
                except (openai.APIConnectionError, anthropic.APIConnectionError) as error:
                    outcome = {"failed": repr(error.__cause__ or error)}
                print(json.dumps({"case": row["case"], "ours": ours} | outcome))


main()
