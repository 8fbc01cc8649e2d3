"""Documents of many megabytes, up and down."""

import asyncio

import pytest

import liter_llm


@pytest.fixture
def client(simulator):
    with liter_llm.Client(simulator.config()) as client:
        yield client


def test_thirty_mebibytes_up(client):
    messages = [
        {"role": "user", "content": "x" * (30 << 20)},
        {"role": "user", "content": "short"},
    ]
    assert client.chat(messages).text == "You said: short"


def test_large_answers(simulator):
    size = 12 << 20
    config = simulator.config(f"bytes={size},chunks=3000")
    with liter_llm.Client(config) as client:
        assert len(client.chat("Hello").text) == size
        assert len(client.stream("Hello").text()) == size

    async def main():
        async with liter_llm.AsyncClient(config) as client:
            responses = await asyncio.gather(*[client.chat("Hello") for _ in range(3)])
            assert [len(r.text) for r in responses] == [size] * 3
            assert len(await client.stream("Hello").text()) == size

    asyncio.run(main())


def test_too_large(client):
    request = b'{"prompt":"' + b"x" * (33 << 20) + b'"}'
    with pytest.raises(liter_llm.BadRequestError, match="32 MiB"):
        client.chat(request)
    with pytest.raises(liter_llm.BadRequestError, match="32 MiB"):
        client.chat("x" * (33 << 20))
