"""A user's program as type checkers see it: `make types` reads it, strictly; nothing runs it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import openai

import liter_llm
from liter_llm import AsyncClient, ChatRequest, Client, Config, Message, Options, Response

CONFIG: Config = {
    "providers": {"openai": {"api_key": "k", "timeouts": {"connect_ms": 500}}},
    "routes": {"r": {"targets": ["openai/gpt-5", {"target": "openai/m", "weight": 2}]}},
    "retry": False,
}


class Ours(Client):
    def sure(self, prompt: str) -> str:
        return self.with_options(provider="r").chat(prompt).text


def clients() -> tuple[Client, Client, Ours]:
    ours: Ours = Ours(provider="openai", retry={"max_attempts": 2}).with_options(timeout_ms=1)
    return Client(CONFIG), Client(Path("config.json")), ours


def whole(client: Client, prompt: str, options: Options | None = None) -> str:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    response = client.chat(
        prompt, model="gpt-5", temperature=0.1, options=options, tools=[tool], fallback=["r"]
    )
    message = response.choices[0].message
    names: list[str | None] = [call.function.name for call in message.tool_calls or []]
    tokens: int | None = response.usage.prompt_tokens if response.usage else None
    spent = sum(attempt.ms for attempt in response.liter.attempts if not attempt.hedge)
    return f"{response.text} {names} {tokens} {spent} {response.warnings[0].code}"


def every_request(client: Client) -> None:
    text = {"type": "text", "text": "x"}
    history: list[Message] = [{"role": "system", "content": "Be brief."}]
    history.append({"role": "user", "content": [{"type": "text", "text": "Hello"}]})
    answer = client.chat(history)
    client.chat([*history, answer.choices[0].message])
    request: ChatRequest = {"messages": history, "max_tokens": 5, "options": {"strict": True}}
    client.chat(request)
    client.chat({"prompt": "Hello", "of a newer engine": 1})
    client.chat(b'{"prompt":"Hello"}')
    plain = [{"role": "user", "content": "Hello"}]
    client.chat(plain)
    client.chat(messages=plain)
    client.chat([{"role": "user", "content": [text]}])
    everything: dict[str, Any] = dict(client.chat(tuple(plain)))
    del everything


def operations(client: Client) -> dict[str, int | None]:
    verdicts = client.moderate(["a", "b"], model="m", extra={"openai": {"x": 1}}).results
    flagged: list[bool] = [verdict.flagged for verdict in verdicts]
    client.moderate([{"type": "text", "text": "x"}], options={"strict": not flagged[0]})
    vectors = client.embed(["a", "b"], model="m", encoding="int8", input_type="query").vectors()
    client.embed([[1, 2]], model="m", options={"timeout_ms": len(vectors[0])})
    models = client.models("openai", timeout_ms=5).data + client.models(model="a/b").data
    return {model.id: model.context_window for model in models}


def streamed(client: Client) -> Iterator[str]:
    with client.stream("Hello", on_break="restart", headers={"x-team": "blue"}) as stream:
        for chunk in stream:
            if chunk.reset is None:
                yield chunk.text
            for choice in chunk.choices:
                yield choice.delta.content or choice.finish_reason or ""
    yield stream.response.text


async def asynchronous() -> Response:
    async with AsyncClient(CONFIG) as client:

        async def pieces() -> AsyncIterator[str]:
            async with client.stream("Hello") as stream:
                async for chunk in stream:
                    yield chunk.text

        texts: list[str] = [text async for text in pieces()]
        several = await asyncio.gather(*(client.chat(text) for text in texts))
        multi = await client.generate_multi(several[0].text, ["a/b", "r"], first=2, timeout_ms=5)
        failed: list[tuple[str, float | None]] = [(e.kind, e.retry_after) for e in multi.failures]
        await client.close(grace=len(failed))
        return multi.results[0]


def errors() -> str:
    try:
        return liter_llm.generate("Hello", max_tokens=5)
    except liter_llm.RateLimitError as error:
        return f"{error.retry_after} {error.request_id} {error.document}"
    except (liter_llm.APITimeoutError, liter_llm.StreamBrokenError) as error:
        return error.kind


def transports(client: Client) -> tuple[openai.OpenAI, httpx.AsyncClient]:
    transport = liter_llm.httpx2.Transport(settings={"http": "2"})
    return (
        openai.OpenAI(http_client=httpx2.Client(transport=transport)),
        httpx.AsyncClient(transport=liter_llm.httpx.AsyncTransport(client)),
    )
