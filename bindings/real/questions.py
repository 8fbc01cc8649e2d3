"""What `sdks/questions` asks with the official packages, as requests of ours."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from ours import Row

Members = dict[str, Any]

KEY = "sk-oracle"
SCHEMA: Members = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PNG = "data:image/png;base64,iVBORw0KGgpub3QgYSBwaWN0dXJl"
PDF = "data:application/pdf;base64," + base64.b64encode(b"%PDF-1.4 not a document").decode()
TOOL: Members = {
    "type": "function",
    "function": {"name": "weather", "description": "Says the weather.", "parameters": SCHEMA},
}
STRICT_TOOL: Members = {"type": "function", "function": TOOL["function"] | {"strict": True}}
FORMAT: Members = {
    "type": "json_schema",
    "json_schema": {"name": "place", "schema": SCHEMA, "strict": True},
}
CALL: Members = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Bern"}'},
}
HELLO: list[Members] = [{"role": "user", "content": "Hello"}]
BRIEF: Members = {"role": "system", "content": "Be brief."}
TURNS: list[Members] = [
    {"role": "user", "content": "Weather in Bern?"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "clear"},
]
SEEN: list[Members] = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "What is it?"},
            {"type": "image_url", "image_url": {"url": PNG}},
            {"type": "file", "file": {"filename": "paper.pdf", "file_data": PDF}},
        ],
    }
]
AWS: Members = {
    "region": "us-east-1",
    "aws": {"access_key_id": "AKIDORACLE", "secret_access_key": KEY, "session_token": "TOKEN"},
}
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
VERTEX = "/v1/projects/p/locations/us-central1"
VERTEX_CLAUDE = "/v1/projects/p/locations/us-east5"


@dataclass(frozen=True)
class Question:
    """One request of ours. `path` is what the base URL ends with."""

    kind: str
    path: str
    request: Members
    entry: Members | None = None

    def row(self, name: str, url: str) -> Row:
        """For the runners."""
        entry = {"api_key": KEY} if self.entry is None else self.entry
        base_url = f"{url}/{name}{self.path}"
        return Row(name, {"kind": self.kind, "base_url": base_url} | entry, self.request)


def chat(model: str, messages: list[Members], **members: Any) -> Members:
    """A chat."""
    return {"model": model, "messages": messages} | members


def embed(model: str, **members: Any) -> Members:
    """Embeddings of two texts."""
    return {"op": "embed", "model": model, "input": ["one", "two"]} | members


def count(model: str, messages: list[Members]) -> Members:
    """The number of a chat's tokens."""
    return {"op": "count_tokens", "model": model, "messages": messages}


def rerank(model: str, documents: list[str]) -> Members:
    """The best of some documents."""
    return {"op": "rerank", "model": model, "query": "one", "documents": documents, "top_n": 1}


GOOGLE_CHAT = chat(
    "gemini-2.5-flash",
    [BRIEF, *HELLO],
    temperature=0.5,
    top_p=0.9,
    top_k=3,
    max_tokens=50,
    stop=["END"],
    seed=1,
    presence_penalty=0.25,
    frequency_penalty=0.5,
    response_format={"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA}},
)
GOOGLE_TOOLS = chat("gemini-2.5-flash", TURNS, tools=[TOOL], tool_choice="required")
OPENAI_CHAT = chat(
    "gpt-5.4",
    [BRIEF, TURNS[0]],
    max_completion_tokens=50,
    tools=[STRICT_TOOL],
    response_format=FORMAT,
    reasoning_effort="low",
    verbosity="low",
    service_tier="flex",
    prompt_cache_key="k",
)

QUESTIONS: dict[str, Question] = {
    "gemini_chat": Question("gemini", "/v1beta", GOOGLE_CHAT),
    "gemini_tools": Question("gemini", "/v1beta", GOOGLE_TOOLS),
    "gemini_image": Question("gemini", "/v1beta", chat("gemini-2.5-flash", SEEN)),
    "gemini_reasoning": Question(
        "gemini", "/v1beta", chat("gemini-3.1-pro-preview", HELLO, reasoning_effort="low")
    ),
    "gemini_stream": Question("gemini", "/v1beta", chat("gemini-2.5-flash", HELLO, stream=True)),
    "gemini_embed": Question(
        "gemini",
        "/v1beta",
        embed("gemini-embedding-001", input_type="query", dimensions=256),
    ),
    "vertex_chat": Question("vertex", VERTEX, GOOGLE_CHAT),
    "vertex_tools": Question("vertex", VERTEX, GOOGLE_TOOLS),
    "vertex_embed": Question(
        "vertex", VERTEX, embed("text-embedding-005", input_type="query", dimensions=256)
    ),
    "vertex_count": Question("vertex", VERTEX, count("gemini-2.5-flash", HELLO)),
    "vertex_claude": Question(
        "vertex",
        VERTEX_CLAUDE,
        chat("claude-sonnet-4-5@20250929", [BRIEF, *HELLO], max_tokens=50),
    ),
    "vertex_claude_count": Question(
        "vertex", VERTEX_CLAUDE, count("claude-sonnet-4-5@20250929", [BRIEF, *HELLO])
    ),
    "bedrock_chat": Question(
        "bedrock",
        "",
        chat(
            CLAUDE,
            [BRIEF, *HELLO],
            max_tokens=50,
            temperature=0.5,
            top_p=0.9,
            stop=["END"],
        ),
        AWS,
    ),
    "bedrock_tools": Question(
        "bedrock", "", chat(CLAUDE, TURNS, tools=[TOOL], tool_choice="required"), AWS
    ),
    "bedrock_image": Question("bedrock", "", chat(CLAUDE, SEEN), AWS),
    "bedrock_stream": Question(
        "bedrock", "", chat("amazon.nova-lite-v1:0", HELLO, stream=True), AWS
    ),
    "openai_chat": Question("openai", "/v1", OPENAI_CHAT),
    "openai_stream": Question("openai", "/v1", chat("gpt-5.4", HELLO, stream=True)),
    "openai_responses": Question(
        "openai",
        "/v1",
        chat(
            "gpt-5.4",
            [BRIEF, *TURNS],
            max_completion_tokens=50,
            tools=[STRICT_TOOL],
            response_format=FORMAT,
            reasoning_effort="low",
        ),
        {"api_key": KEY, "api": "responses"},
    ),
    "openai_embed": Question("openai", "/v1", embed("text-embedding-3-small", dimensions=256)),
    "openai_moderate": Question(
        "openai",
        "/v1",
        {"op": "moderate", "model": "omni-moderation-latest", "input": ["one", "two"]},
    ),
    "azure_v1": Question("azure", "/openai/v1", OPENAI_CHAT),
    "azure_deployment": Question(
        "azure",
        "/openai",
        chat("gpt-4o", HELLO, temperature=0.5),
        {"api_key": KEY, "api_version": "2024-10-21"},
    ),
    "anthropic_chat": Question(
        "anthropic",
        "",
        chat(
            "claude-sonnet-4-5",
            [BRIEF, *TURNS],
            max_tokens=50,
            tools=[TOOL],
            tool_choice="required",
            stop=["END"],
            top_k=3,
        ),
    ),
    "anthropic_count": Question("anthropic", "", count("claude-sonnet-4-5", [BRIEF, *HELLO])),
    "cohere_chat": Question(
        "cohere",
        "",
        chat(
            "command-a-03-2025",
            [BRIEF, TURNS[0]],
            tools=[TOOL],
            temperature=0.5,
            top_p=0.9,
            top_k=3,
            max_tokens=50,
            seed=1,
            stop=["END"],
        ),
    ),
    "cohere_embed": Question("cohere", "", embed("embed-v4.0", input_type="query", dimensions=256)),
    "cohere_rerank": Question("cohere", "", rerank("rerank-v3.5", ["two", "three"])),
    "voyage_embed": Question(
        "voyage", "/v1", embed("voyage-3.5", input_type="query", dimensions=256)
    ),
    "voyage_rerank": Question("voyage", "/v1", rerank("rerank-2.5", ["two", "three"])),
    "mistral_chat": Question(
        "mistral",
        "/v1",
        chat("mistral-small-latest", [BRIEF, *HELLO], temperature=0.5, max_tokens=50, seed=1),
    ),
    "mistral_embed": Question("mistral", "/v1", embed("mistral-embed")),
    "ollama_chat": Question(
        "ollama",
        "",
        chat(
            "qwen3:8b",
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "Weather in Bern?"},
                        {"type": "image_url", "image_url": {"url": PNG}},
                    ],
                },
                *TURNS[1:],
            ],
            tools=[TOOL],
            response_format=FORMAT,
            reasoning_effort="medium",
            temperature=0.5,
            max_tokens=50,
            stop=["END"],
            seed=1,
        ),
        {},
    ),
    "ollama_embed": Question("ollama", "", embed("nomic-embed-text", dimensions=256), {}),
}
