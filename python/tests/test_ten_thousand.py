"""10,000 calls of one event loop in flight at once: half of them answered, half cancelled."""

SCRIPT = """
import asyncio, os, resource, liter_llm

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
CALLS = 10_000

def threads():
    return len(os.listdir("/proc/self/task"))

async def in_flight(client, wanted):
    async def look():
        while (await client.metrics())["in_flight"] != wanted:
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look(), 300)

async def main():
    async with liter_llm.AsyncClient() as client:
        def call(n):
            provider = "held" if n % 2 else "late"
            return asyncio.ensure_future(client.chat(f"{n}", provider=provider, timeout_ms=600_000))

        await client.chat("warm", provider="fast")
        tasks = [call(n) for n in range(CALLS)]
        await in_flight(client, CALLS)
        most = threads()
        answers = await asyncio.gather(*tasks[::2])
        assert [a.text for a in answers] == [f"You said: {n}" for n in range(0, CALLS, 2)]
        assert not any(task.done() for task in tasks[1::2])
        await in_flight(client, CALLS // 2)
        for task in tasks[1::2]:
            task.cancel()
        ended = await asyncio.gather(*tasks[1::2], return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended)
        await in_flight(client, 0)
        assert max(most, threads()) < 10, most
        assert (await client.chat("after", provider="fast")).text == "You said: after"

asyncio.run(main())
"""


def test_ten_thousand(run_python, simulator):
    config = {**simulator.config(), "retry": False}
    for name, knobs in (("late", "delay_ms=8000"), ("held", "delay_ms=600000"), ("fast", "")):
        entry = simulator.config(knobs)["providers"]["openai"]
        config["providers"][name] = {**entry, "kind": "openai"}
    run_python(SCRIPT, config=config, timeout=400)
    simulator.wait_for(lambda stats: stats["requests_open"] == 0)
