"""30 MiB there and the same 30 MiB back, as a whole and streamed, while small calls go on."""

import asyncio
import random

import liter_llm

SIZE = 30 << 20


def test_sync(simulator):
    text = random.Random(7).randbytes(SIZE // 2).hex()
    with liter_llm.Client(simulator.config()) as client:
        assert client.chat(text).text == f"You said: {text}"
    with liter_llm.Client(simulator.config(f"bytes={SIZE},chunks=3000")) as client:
        length = 0
        with client.stream("Hello") as stream:
            for chunk in stream:
                length += len(chunk.text)
        assert length == SIZE == len(stream.response.text)


def test_asyncio(simulator):
    text = random.Random(8).randbytes(SIZE // 2).hex()

    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as client:
            large = asyncio.ensure_future(client.chat(text))
            small = await asyncio.gather(*[client.chat(f"{n}") for n in range(200)])
            assert [answer.text for answer in small] == [f"You said: {n}" for n in range(200)]
            assert (await large).text == f"You said: {text}"
        config = simulator.config(f"bytes={SIZE},chunks=3000")
        async with liter_llm.AsyncClient(config) as client:
            assert len(await client.stream("Hello").text()) == SIZE

    asyncio.run(main())
