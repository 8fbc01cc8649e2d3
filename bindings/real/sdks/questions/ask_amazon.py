"""Bedrock, asked with botocore."""

# ruff: noqa: D103 - the names of the questions say what they ask
from __future__ import annotations

from typing import Any

import botocore.config
import botocore.session
from common import KEY, PDF, PNG, SCHEMA, question


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
