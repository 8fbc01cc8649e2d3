"""Time is limited in three ways: by a timeout, by a task that is cancelled, by leaving a stream.

Each ends the request on its way: its connection is closed, and nothing of it goes on.
"""

import asyncio

import liter_llm

SLOW = "together/openai/gpt-oss-20b"


async def main() -> None:
    """Asks a slow model, and does not wait for it."""
    async with liter_llm.AsyncClient() as client:
        try:
            await client.chat("Think hard", model=SLOW, timeout_ms=300)
        except liter_llm.APITimeoutError as error:
            print(f"timeout: {error.kind}, may be tried again: {error.retryable}")

        task = asyncio.create_task(client.chat("Think hard", model=SLOW))
        await asyncio.sleep(0.1)  # the user goes away
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            print("cancelled")

        async with client.stream("One two three four", model="openai/gpt-4.1-mini") as stream:
            async for chunk in stream:
                if chunk.text:
                    print(f"first words: {chunk.text}")
                    break  # the rest is not wanted, nor paid for


asyncio.run(main())
