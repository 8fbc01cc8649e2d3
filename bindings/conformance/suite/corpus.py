"""Turns recorded provider exchanges into cases, one for each record and seed.

The request is a generic one: what matters is how the answer is read. The recorded status, headers
and body are replayed as they are, cut into hostile pieces by the seed. What must come out is not
written down here but judged by `facts`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cases import Case

# File → the kind of provider that reads it, and its format of chats where that is another one.
FILES = {
    "openai__chat": "openai",
    "anthropic__messages": "anthropic",
    "anthropic__chat": "compatible",
    "cohere__v2-chat": "cohere",
    "deepseek__chat": "deepseek",
    "gemini__chat": "compatible",
    "gemini__generateContent": "gemini",
    "gemini__streamGenerateContent": "gemini",
    "groq__chat": "groq",
    "mistral__chat": "mistral",
    "ollama__chat": "ollama/chat",
    "ollama__ollama-chat": "ollama",
    "openrouter__chat": "openrouter",
    "together__chat": "together",
    "vertex__generateContent": "vertex",
    "vertex__streamGenerateContent": "vertex",
    "xai__chat": "xai",
    "azure__chat": "compatible",
    "azure__responses": "compatible/responses",
    "bedrock__converse": "bedrock",
    "bedrock__converse-stream": "bedrock",
    "bedrock__responses": "compatible/responses",
    "deepseek__responses": "deepseek/responses",
    "misc__responses": "compatible/responses",
    "openai-compatible__responses": "compatible/responses",
    "openai__responses": "openai/responses",
    "openrouter__responses": "openrouter/responses",
    "xai__responses": "xai/responses",
    "misc__chat": "compatible",
    "openai-compatible__chat": "compatible",
    "openai-compatible__messages": "anthropic",
    "misc__messages": "anthropic",
}

# The same for embeddings, with the end of the path that is asked.
EMBEDDINGS = {
    "azure__embeddings": ("azure", "/embeddings"),
    "cohere__embed": ("cohere", "/embed"),
    "gemini__embedContent": ("gemini", ":batchEmbedContents"),
    "misc__embeddings": ("compatible", "/embeddings"),
    "mistral__embeddings": ("mistral", "/embeddings"),
    "ollama__embeddings": ("ollama", "/embed"),
    "openai__embeddings": ("openai", "/embeddings"),
    "openrouter__embeddings": ("openrouter", "/embeddings"),
    "vertex__embedContent": ("vertex", ":batchEmbedContents"),
}

# The same for counts of tokens.
COUNTS = {
    "anthropic__count_tokens": ("anthropic", "/count_tokens"),
    "bedrock__count-tokens": ("bedrock", "/count-tokens"),
    "cohere__tokenize": ("cohere", "/tokenize"),
    "gemini__countTokens": ("gemini", ":countTokens"),
    "openai__responses-get": ("openai", "/input_tokens"),
    "vertex__countTokens": ("vertex", ":countTokens"),
}

# Kinds that are no providers: they have no base URL.
KINDS = {"azure", "bedrock", "compatible", "vertex"}

# The simulator frames and sends the decoded body itself.
_FRAMING = {"content-length", "content-encoding", "transfer-encoding", "connection"}
_SMALL = 4096


@dataclass(frozen=True)
class Record:
    """A recorded exchange and the kind of provider that reads it."""

    id: str
    kind: str
    data: dict[str, Any]

    @property
    def facts(self) -> dict[str, Any]:
        """What its body says, read by others. Nobody has read the counts of OpenAI and Cohere."""
        facts: dict[str, Any] | None = self.data["facts"]
        return facts if facts is not None else _counted(json.loads(self.data["response_body"]))

    @property
    def operation(self) -> str:
        """What is asked for."""
        file = self.id.partition("/")[0]
        return "embed" if file in EMBEDDINGS else "count_tokens" if file in COUNTS else "chat"


def read(folder: Path) -> Iterator[Record]:
    """Every record of the APIs of chats, embeddings and counts that are built."""
    files = {file: (kind, "") for file, kind in FILES.items()} | EMBEDDINGS | COUNTS
    for file, (kind, ending) in files.items():
        path = folder / f"{file}.jsonl"
        if not path.exists():
            continue
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                data = json.loads(line)
                # The list of stored answers has the same path.
                if data["method"] == "GET" or not data["url_path"].endswith(ending):
                    continue
                yield Record(f"{file}/{data['id']}", kind, data)


def _counted(body: dict[str, Any]) -> dict[str, Any]:
    """The facts of a count."""
    tokens = body["input_tokens"] if "input_tokens" in body else len(body["tokens"])
    return {"kind": "count", "tokens": tokens}


def case_id(record: Record, seed: int) -> str:
    """`corpus/<file>/<id>/<seed>`."""
    return f"corpus/{record.id}/{seed}"


def request(record: Record) -> dict[str, Any]:
    """A request that the record may answer: one for embeddings has as many inputs as vectors."""
    if record.operation == "count_tokens":
        return {"op": "count_tokens", "prompt": "x", "model": "m"}
    if record.operation != "embed":
        return {"prompt": "x", "model": "m"}
    asked = {"op": "embed", "model": "m", "input": ["x"] * embeddings(record)}
    return asked | ({"encoding": "int8"} if record.facts.get("encoding") == "int8" else {})


def embeddings(record: Record) -> int:
    """The number of vectors of a record; 1 for an error. The facts of Vertex's lack it."""
    if record.facts["kind"] == "error":
        return 1
    count: int | None = record.facts["count"]
    return count or len(json.loads(record.data["response_body"])["predictions"])


def case(record: Record, seed: int) -> Case:
    """The case that replays `record` under `seed`."""
    data = record.data
    text: str | None = data.get("response_body")
    if text is not None:
        body, length = {"body": text}, len(text)
    else:
        raw = base64.b64decode(data["response_body_b64"])
        body, length = {"body_hex": raw.hex()}, len(raw)
    streaming: bool = data["streaming"]
    every_byte = seed == 0 and length < _SMALL
    kind, _, api = record.kind.partition("/")
    provider = "recorded" if kind in KINDS else kind
    entry: dict[str, Any] = {"base_url": "$SIM", "api_key": "sk-conf-corpus"}
    if api:
        entry = {"api": api} | entry
    if provider != kind:
        entry = {"kind": kind} | entry
    headers = data["response_headers"] or {}
    reply: dict[str, Any] = {
        "status": data["status"],
        "headers": {name: value for name, value in headers.items() if name not in _FRAMING},
        "framing": "chunked" if streaming else "length",
        "split": {"every": 1} if every_byte else {"seed": seed},
    }
    document = {
        "about": "A recorded exchange.",
        "config": {"providers": {provider: entry}},
        "provider": provider,
        "request": request(record),
        "via": ["stream"] if streaming else ["call", "submit"],
        "exchanges": [{"reply": reply | body}],
    }
    return Case(case_id(record, seed), document)
