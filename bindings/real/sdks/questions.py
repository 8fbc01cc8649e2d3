"""Sends questions with the official packages, so that ours can be held to what they send.

Each question goes to the base URL of the first argument with its name as first segment of the path,
and the server there keeps it. What the package makes of the empty answer does not count.
"""

# ruff: noqa: D103 - the names of the questions say what they ask
from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import anthropic
import botocore.config
import botocore.session
import cohere
import google.oauth2.credentials
import mistralai.client
import ollama
import openai
import voyageai
from google import genai
from google.genai import types

KEY = "sk-oracle"
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PNG = b"\x89PNG\r\n\x1a\nnot a picture"
PNG_TEXT = "iVBORw0KGgpub3QgYSBwaWN0dXJl"
PDF = b"%PDF-1.4 not a document"

Question = Callable[[str], object]
QUESTIONS: dict[str, Question] = {}


def question(function: Question) -> Question:
    """Names a question after its function."""
    QUESTIONS[function.__name__] = function
    return function


# ---- Google -----------------------------------------------------------------------------------


def gemini(url: str) -> genai.Client:
    """The Developer API, in the version that has all of what is asked."""
    options = types.HttpOptions(base_url=url, api_version="v1beta")
    return genai.Client(api_key=KEY, http_options=options)


def vertex(url: str) -> genai.Client:
    """The same package at Vertex AI."""
    credentials = google.oauth2.credentials.Credentials(token=KEY)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    options = types.HttpOptions(base_url=url, api_version="v1")
    return genai.Client(
        vertexai=True,
        project="p",
        location="us-central1",
        credentials=credentials,  # pyright: ignore[reportUnknownArgumentType]
        http_options=options,
    )


GOOGLE_TOOLS: list[Any] = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(
                name="weather", description="Says the weather.", parameters_json_schema=SCHEMA
            )
        ]
    )
]


def google_chat(client: genai.Client) -> object:
    """Everything that both of Google's servers take."""
    return client.models.generate_content(
        model="gemini-2.5-flash",
        contents=[types.Content(role="user", parts=[types.Part(text="Hello")])],
        config=types.GenerateContentConfig(
            system_instruction="Be brief.",
            temperature=0.5,
            top_p=0.9,
            top_k=3,
            max_output_tokens=50,
            stop_sequences=["END"],
            seed=1,
            presence_penalty=0.25,
            frequency_penalty=0.5,
            response_mime_type="application/json",
            response_json_schema=SCHEMA,
        ),
    )


def google_tools(client: genai.Client) -> object:
    """A second turn: a call, and what it gave."""
    call = types.FunctionCall(name="weather", args={"city": "Bern"})
    answer = types.FunctionResponse(name="weather", response={"output": "clear"})
    return client.models.generate_content(
        model="gemini-2.5-flash",
        contents=[
            types.Content(role="user", parts=[types.Part(text="Weather in Bern?")]),
            types.Content(role="model", parts=[types.Part(function_call=call)]),
            types.Content(role="user", parts=[types.Part(function_response=answer)]),
        ],
        config=types.GenerateContentConfig(
            tools=GOOGLE_TOOLS,
            tool_config=types.ToolConfig(
                function_calling_config=types.FunctionCallingConfig(
                    mode=types.FunctionCallingConfigMode.ANY
                )
            ),
        ),
    )


@question
def gemini_chat(url: str) -> object:
    return google_chat(gemini(url))


@question
def gemini_tools(url: str) -> object:
    return google_tools(gemini(url))


@question
def gemini_image(url: str) -> object:
    parts = [
        types.Part(text="What is it?"),
        types.Part(inline_data=types.Blob(mime_type="image/png", data=PNG)),
        types.Part(inline_data=types.Blob(mime_type="application/pdf", data=PDF)),
    ]
    client = gemini(url)
    return client.models.generate_content(
        model="gemini-2.5-flash", contents=[types.Content(role="user", parts=parts)]
    )


@question
def gemini_reasoning(url: str) -> object:
    thinking = types.ThinkingConfig(thinking_level=types.ThinkingLevel.LOW, include_thoughts=True)
    client = gemini(url)
    return client.models.generate_content(
        model="gemini-3.1-pro-preview",
        contents="Hello",
        config=types.GenerateContentConfig(thinking_config=thinking),
    )


@question
def gemini_stream(url: str) -> object:
    client = gemini(url)
    answers = client.models.generate_content_stream(model="gemini-2.5-flash", contents="Hello")
    return list(answers)


@question
def gemini_embed(url: str) -> object:
    client = gemini(url)
    return client.models.embed_content(
        model="gemini-embedding-001",
        contents=["one", "two"],
        config=types.EmbedContentConfig(task_type="RETRIEVAL_QUERY", output_dimensionality=256),
    )


@question
def vertex_chat(url: str) -> object:
    return google_chat(vertex(url))


@question
def vertex_tools(url: str) -> object:
    return google_tools(vertex(url))


@question
def vertex_embed(url: str) -> object:
    client = vertex(url)
    return client.models.embed_content(
        model="text-embedding-005",
        contents=["one", "two"],
        config=types.EmbedContentConfig(task_type="RETRIEVAL_QUERY", output_dimensionality=256),
    )


# ---- Amazon -----------------------------------------------------------------------------------


def bedrock(url: str) -> Any:
    """Bedrock's runtime, with keys that sign."""
    session = botocore.session.Session()
    session.set_credentials("AKIDORACLE", KEY, "TOKEN")  # pyright: ignore[reportUnknownMemberType]
    config = botocore.config.Config(retries={"total_max_attempts": 1})
    return session.create_client(  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        "bedrock-runtime", region_name="us-east-1", endpoint_url=url, config=config
    )


CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


@question
def bedrock_chat(url: str) -> object:
    return bedrock(url).converse(
        modelId=CLAUDE,
        system=[{"text": "Be brief."}],
        messages=[{"role": "user", "content": [{"text": "Hello"}]}],
        inferenceConfig={
            "maxTokens": 50,
            "temperature": 0.5,
            "topP": 0.9,
            "stopSequences": ["END"],
        },
    )


@question
def bedrock_tools(url: str) -> object:
    use = {"toolUseId": "call_1", "name": "weather", "input": {"city": "Bern"}}
    result = {"toolUseId": "call_1", "content": [{"text": "clear"}]}
    spec = {
        "name": "weather",
        "description": "Says the weather.",
        "inputSchema": {"json": SCHEMA},
    }
    return bedrock(url).converse(
        modelId=CLAUDE,
        messages=[
            {"role": "user", "content": [{"text": "Weather in Bern?"}]},
            {"role": "assistant", "content": [{"toolUse": use}]},
            {"role": "user", "content": [{"toolResult": result}]},
        ],
        toolConfig={"tools": [{"toolSpec": spec}], "toolChoice": {"any": {}}},
    )


@question
def bedrock_image(url: str) -> object:
    content = [
        {"text": "What is it?"},
        {"image": {"format": "png", "source": {"bytes": PNG}}},
        {"document": {"format": "pdf", "name": "paper", "source": {"bytes": PDF}}},
    ]
    return bedrock(url).converse(modelId=CLAUDE, messages=[{"role": "user", "content": content}])


@question
def bedrock_stream(url: str) -> object:
    return bedrock(url).converse_stream(
        modelId="amazon.nova-lite-v1:0",
        messages=[{"role": "user", "content": [{"text": "Hello"}]}],
    )


# ---- OpenAI and Azure ---------------------------------------------------------------------------


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


# ---- Others -------------------------------------------------------------------------------------


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


def main() -> None:
    """Sends every question, or those named."""
    base, *names = sys.argv[1:]
    for name in names or QUESTIONS:
        try:
            QUESTIONS[name](f"{base}/{name}")
        except Exception as error:
            print(f"{name}: {error}", file=sys.stderr)
    print(json.dumps(list(QUESTIONS)))


if __name__ == "__main__":
    main()
