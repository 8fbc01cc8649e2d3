"""Other clients in Python, as their users write them: aiohttp, OpenAI's own package and LiteLLM.

They are in an environment of their own (target/bench/peers), in which `bench.worker` runs them. A
side of theirs is what a side of `sides` is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import http1, payload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from .sides import Async, Sync


def aiohttp_async(base_url: str) -> Async:
    """aiohttp, with orjson where the raw client has it."""
    import aiohttp

    url = f"{base_url}/chat/completions"
    headers = {"authorization": f"Bearer {payload.KEY}", "content-type": "application/json"}
    shared: list[aiohttp.ClientSession] = []

    def session() -> aiohttp.ClientSession:
        if not shared:  # it wants a running loop, and as many connections as there are calls
            connector = aiohttp.TCPConnector(limit=0)
            shared.append(aiohttp.ClientSession(connector=connector, headers=headers))
        return shared[0]

    async def chat() -> str:
        body = http1.encode(payload.REQUEST)
        async with session().post(url, data=body) as response:
            response.raise_for_status()
            answer = http1.decode(await response.read())
        return answer["choices"][0]["message"]["content"]

    async def stream() -> AsyncIterator[str]:
        body = http1.encode(payload.STREAM)
        events = http1.Events()
        async with session().post(url, data=body) as response:
            response.raise_for_status()
            async for data in response.content.iter_any():
                for event in events.feed(data):
                    if event != b"[DONE]":
                        yield http1.delta(event)

    return chat, stream


def openai_sync(base_url: str) -> Sync:
    """`openai.OpenAI`."""
    import openai

    create = openai.OpenAI(base_url=base_url, api_key=payload.KEY).chat.completions.create

    def stream() -> Iterator[str]:
        for chunk in create(**payload.STREAM):
            yield _delta(chunk)

    return (lambda: create(**payload.REQUEST).choices[0].message.content), stream


def openai_async(base_url: str) -> Async:
    """`openai.AsyncOpenAI`."""
    import openai

    create = openai.AsyncOpenAI(base_url=base_url, api_key=payload.KEY).chat.completions.create

    async def chat() -> str:
        return (await create(**payload.REQUEST)).choices[0].message.content

    async def stream() -> AsyncIterator[str]:
        async for chunk in await create(**payload.STREAM):
            yield _delta(chunk)

    return chat, stream


def litellm_sync(base_url: str) -> Sync:
    """`litellm.completion`."""
    completion, where = _litellm().completion, _where(base_url)

    def stream() -> Iterator[str]:
        for chunk in completion(**payload.STREAM, **where):
            yield _delta(chunk)

    def chat() -> str:
        return completion(**payload.REQUEST, **where).choices[0].message.content

    return chat, stream


def litellm_async(base_url: str) -> Async:
    """`litellm.acompletion`."""
    completion, where = _litellm().acompletion, _where(base_url)

    async def chat() -> str:
        return (await completion(**payload.REQUEST, **where)).choices[0].message.content

    async def stream() -> AsyncIterator[str]:
        async for chunk in await completion(**payload.STREAM, **where):
            yield _delta(chunk)

    return chat, stream


def _litellm() -> Any:
    # Else its import asks a server for prices.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    return litellm


def _where(base_url: str) -> dict[str, Any]:
    return {"api_base": base_url, "api_key": payload.KEY, "custom_llm_provider": "openai"}


def _delta(chunk: Any) -> str:
    return (chunk.choices[0].delta.content or "") if chunk.choices else ""
