"""A hundred questions at once, at most twenty in flight, with a progress bar.

The engine waits and tries again where a provider's limit is reached. What fails all the same is
counted and does not end the rest.
"""

import asyncio
import sys

import liter_llm

QUESTIONS = [f"What is {number} squared?" for number in range(100)]


async def main() -> None:
    """Asks all of them."""
    limit = asyncio.Semaphore(20)
    answers: dict[str, str] = {}
    failed: list[str] = []

    async with liter_llm.AsyncClient() as client:

        async def ask(question: str) -> None:
            async with limit:
                try:
                    answer = await client.chat(question, model="openai/gpt-4.1-mini")
                    answers[question] = answer.text
                except liter_llm.LiterLLMError as error:
                    failed.append(f"{question}: {error}")

        for done, task in enumerate(asyncio.as_completed(map(ask, QUESTIONS)), 1):
            await task
            bar = "#" * (done * 40 // len(QUESTIONS))
            print(f"\r[{bar:<40}] {done}/{len(QUESTIONS)}", end="", file=sys.stderr, flush=True)

    print(file=sys.stderr)
    print(f"{len(answers)} answers, {len(failed)} failed")
    print(answers[QUESTIONS[7]])


asyncio.run(main())
