"""Google's servers, asked with google-genai."""

# ruff: noqa: D103 - the names of the questions say what they ask
from __future__ import annotations

from typing import Any

import google.oauth2.credentials
from common import KEY, PDF, PNG, SCHEMA, question
from google import genai
from google.genai import types


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


@question
def vertex_count(url: str) -> object:
    client = vertex(url)
    return client.models.count_tokens(model="gemini-2.5-flash", contents="Hello")
