"""The others, each asked with its own package."""

# ruff: noqa: D103 - the names of the questions say what they ask
from __future__ import annotations

import anthropic
import cohere
import mistralai.client
import ollama
import voyageai
from common import KEY, PNG_TEXT, SCHEMA, question


@question
def anthropic_chat(url: str) -> object:
    client = anthropic.Anthropic(api_key=KEY, base_url=url, max_retries=0)
    return client.messages.create(
        model="claude-sonnet-4-5",
        max_tokens=50,
        system="Be brief.",
        messages=[
            {"role": "user", "content": "Weather in Bern?"},
            {
                "role": "assistant",
                "content": [
                    {
                        "type": "tool_use",
                        "id": "call_1",
                        "name": "weather",
                        "input": {"city": "Bern"},
                    }
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "clear"}],
            },
        ],
        tools=[{"name": "weather", "description": "Says the weather.", "input_schema": SCHEMA}],
        tool_choice={"type": "any"},
        stop_sequences=["END"],
        extra_body={"top_k": 3},
    )


@question
def anthropic_count(url: str) -> object:
    client = anthropic.Anthropic(api_key=KEY, base_url=url, max_retries=0)
    return client.messages.count_tokens(
        model="claude-sonnet-4-5",
        system="Be brief.",
        messages=[{"role": "user", "content": "Hello"}],
    )


@question
def vertex_claude(url: str) -> object:
    client = anthropic.AnthropicVertex(
        project_id="p", region="us-east5", access_token=KEY, base_url=url + "/v1", max_retries=0
    )
    return client.messages.create(
        model="claude-sonnet-4-5@20250929",
        max_tokens=50,
        system="Be brief.",
        messages=[{"role": "user", "content": "Hello"}],
    )


@question
def vertex_claude_count(url: str) -> object:
    client = anthropic.AnthropicVertex(
        project_id="p", region="us-east5", access_token=KEY, base_url=url + "/v1", max_retries=0
    )
    return client.messages.count_tokens(
        model="claude-sonnet-4-5@20250929",
        system="Be brief.",
        messages=[{"role": "user", "content": "Hello"}],
    )


def cohere_client(url: str) -> cohere.ClientV2:
    """Cohere's second version."""
    return cohere.ClientV2(api_key=KEY, base_url=url)


@question
def cohere_chat(url: str) -> object:
    return cohere_client(url).chat(
        model="command-a-03-2025",
        messages=[
            cohere.SystemChatMessageV2(content="Be brief."),
            cohere.UserChatMessageV2(content="Weather in Bern?"),
        ],
        tools=[
            cohere.ToolV2(
                function=cohere.ToolV2Function(
                    name="weather", description="Says the weather.", parameters=SCHEMA
                )
            )
        ],
        temperature=0.5,
        p=0.9,
        k=3,
        max_tokens=50,
        seed=1,
        stop_sequences=["END"],
    )


@question
def cohere_embed(url: str) -> object:
    return cohere_client(url).embed(
        model="embed-v4.0",
        input_type="search_query",
        texts=["one", "two"],
        embedding_types=["float"],
        output_dimension=256,
    )


@question
def cohere_rerank(url: str) -> object:
    return cohere_client(url).rerank(
        model="rerank-v3.5", query="one", documents=["two", "three"], top_n=1
    )


@question
def voyage_embed(url: str) -> object:
    client = voyageai.Client(api_key=KEY, base_url=url + "/v1")  # pyright: ignore[reportPrivateImportUsage]
    return client.embed(
        ["one", "two"], model="voyage-3.5", input_type="query", output_dimension=256
    )


@question
def voyage_rerank(url: str) -> object:
    client = voyageai.Client(api_key=KEY, base_url=url + "/v1")  # pyright: ignore[reportPrivateImportUsage]
    return client.rerank("one", ["two", "three"], model="rerank-2.5", top_k=1)


@question
def ollama_chat(url: str) -> object:
    return ollama.Client(host=url).chat(
        model="qwen3:8b",
        messages=[
            {"role": "user", "content": "Weather in Bern?", "images": [PNG_TEXT]},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Bern"}}}],
            },
            {"role": "tool", "content": "clear", "tool_name": "weather"},
        ],
        tools=[
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Says the weather.",
                    "parameters": {
                        "type": "object",
                        "properties": {"city": {"type": "string"}},
                        "required": ["city"],
                    },
                },
            }
        ],
        think=True,
        format=SCHEMA,
        options={"temperature": 0.5, "num_predict": 50, "stop": ["END"], "seed": 1},
    )


@question
def ollama_embed(url: str) -> object:
    return ollama.Client(host=url).embed(
        model="nomic-embed-text", input=["one", "two"], dimensions=256
    )


@question
def mistral_chat(url: str) -> object:
    client = mistralai.client.Mistral(api_key=KEY, server_url=url)
    return client.chat.complete(
        model="mistral-small-latest",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
        ],
        temperature=0.5,
        max_tokens=50,
        random_seed=1,
    )


@question
def mistral_embed(url: str) -> object:
    client = mistralai.client.Mistral(api_key=KEY, server_url=url)
    return client.embeddings.create(model="mistral-embed", inputs=["one", "two"])
