"""OpenAI and Azure, asked with openai."""

# ruff: noqa: D103 - the names of the questions say what they ask
from __future__ import annotations

import openai
from common import KEY, SCHEMA, question


def chat_of(client: openai.OpenAI, model: str) -> object:
    """A chat with a tool and a schema."""
    return client.chat.completions.create(
        model=model,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather in Bern?"},
        ],
        max_completion_tokens=50,
        tools=[
            {
                "type": "function",
                "function": {
                    "name": "weather",
                    "description": "Says the weather.",
                    "parameters": SCHEMA,
                    "strict": True,
                },
            }
        ],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "place", "schema": SCHEMA, "strict": True},
        },
        reasoning_effort="low",
        verbosity="low",
        service_tier="flex",
        prompt_cache_key="k",
    )


@question
def openai_chat(url: str) -> object:
    return chat_of(openai.OpenAI(api_key=KEY, base_url=url + "/v1", max_retries=0), "gpt-5.4")


@question
def openai_stream(url: str) -> object:
    client = openai.OpenAI(api_key=KEY, base_url=url + "/v1", max_retries=0)
    return client.chat.completions.create(
        model="gpt-5.4",
        messages=[{"role": "user", "content": "Hello"}],
        stream=True,
        stream_options={"include_usage": True},
    )


@question
def openai_responses(url: str) -> object:
    client = openai.OpenAI(api_key=KEY, base_url=url + "/v1", max_retries=0)
    return client.responses.create(
        model="gpt-5.4",
        instructions="Be brief.",
        input=[
            {"type": "message", "role": "user", "content": "Weather in Bern?"},
            {
                "type": "function_call",
                "call_id": "call_1",
                "name": "weather",
                "arguments": '{"city":"Bern"}',
            },
            {"type": "function_call_output", "call_id": "call_1", "output": "clear"},
        ],
        max_output_tokens=50,
        tools=[
            {
                "type": "function",
                "name": "weather",
                "description": "Says the weather.",
                "parameters": SCHEMA,
                "strict": True,
            }
        ],
        text={"format": {"type": "json_schema", "name": "place", "schema": SCHEMA, "strict": True}},
        reasoning={"effort": "low"},
        store=False,
        include=["reasoning.encrypted_content"],
    )


@question
def openai_embed(url: str) -> object:
    client = openai.OpenAI(api_key=KEY, base_url=url + "/v1", max_retries=0)
    return client.embeddings.create(
        model="text-embedding-3-small", input=["one", "two"], dimensions=256
    )


@question
def openai_moderate(url: str) -> object:
    client = openai.OpenAI(api_key=KEY, base_url=url + "/v1", max_retries=0)
    return client.moderations.create(model="omni-moderation-latest", input=["one", "two"])


@question
def azure_v1(url: str) -> object:
    client = openai.OpenAI(
        api_key=KEY, base_url=url + "/openai/v1", max_retries=0, default_headers={"api-key": KEY}
    )
    return chat_of(client, "gpt-5.4")


@question
def azure_deployment(url: str) -> object:
    client = openai.AzureOpenAI(
        api_key=KEY, azure_endpoint=url, api_version="2024-10-21", max_retries=0
    )
    return client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], temperature=0.5
    )
