"""Retries, fallback, routes, fan-out and restarted streams, as the package shows them."""

import asyncio

import pytest

import liter_llm

AT_ONCE = {"base_ms": 0}
FANOUT = {"targets": ["openai"]}

OPTIONS_IN_BYTES = b'{"prompt":"Hello","options":{"fanout":{"targets":["openai"]}}}'


def test_retries_and_their_attempts(simulator):
    config = {**simulator.case("overloaded_once"), "retry": AT_ONCE}
    with liter_llm.Client(config) as client:
        first, second = client.chat("Hello").liter.attempts
    assert (first.target, first.status, first.kind) == ("openai/gpt-5-mini", 503, "unavailable")
    assert (second.status, second.kind) == (200, None)
    assert (first.hedge, first.may_be_billed, second.hedge) == (False, False, False)
    assert first.ms >= 0


def test_an_error_has_its_attempts(simulator):
    config = {**simulator.config(), "providers": simulator.case("cut")["providers"]}
    with (
        liter_llm.Client(config) as client,
        pytest.raises(liter_llm.APIConnectionError) as caught,
    ):
        client.chat("Hello", retry=False)
    (attempt,) = caught.value.attempts
    assert (attempt.kind, attempt.may_be_billed) == ("connection", True)


def test_fallback(simulator):
    with liter_llm.Client(simulator.providers(bad="overloaded"), retry=False) as client:
        response = client.chat("Hello", provider="bad", fallback=["openai"])
    assert response.provider == "openai"
    assert [one.target for one in response.liter.attempts] == [
        "bad/gpt-5-mini",
        "openai/gpt-5-mini",
    ]


@pytest.fixture
def routed(simulator):
    config = simulator.providers(bad="bad_key", other="")
    config["routes"] = {"sure": {"policy": "priority", "targets": ["bad", {"target": "other/m"}]}}
    with liter_llm.Client(config) as client:
        yield client


def test_a_route_as_provider(routed):
    response = routed.chat("Hello", provider="sure")
    assert (response.provider, response.model) == ("other", "m")


def test_a_route_as_model(routed):
    response = routed.chat("Hello", model="sure")
    assert (response.provider, response.model) == ("other", "m")


def test_fan_out(simulator):
    config = simulator.providers(bad="bad_key", never="never")
    with liter_llm.Client(config) as client:
        multi = client.generate_multi("Hello", ["never", "bad", "openai/gpt-5"], 1)
        assert [one.text for one in multi.results] == ["You said: Hello"]
        assert type(multi.results[0]) is liter_llm.Response and multi.results[0].model == "gpt-5"
        kinds = {error.provider: type(error) for error in multi.failures}
        cancelled = kinds.pop("never")
        assert cancelled is liter_llm.CancelledError
        assert kinds in ({}, {"bad": liter_llm.AuthenticationError}, {"bad": cancelled})
        assert "You said: Hello" in repr(multi)
    simulator.wait_for(lambda stats: stats["requests_open"] == 0)


def test_a_fan_out_has_its_own_targets(simulator):
    with liter_llm.Client(simulator.providers(), fallback=["cohere"]) as client:
        assert client.generate_multi("Hello", ["openai/m"]).results[0].text == "You said: Hello"
        with pytest.raises(liter_llm.BadRequestError) as caught:
            client.generate_multi("Hello", ["openai/m"], fallback=["cohere"])
        assert caught.value.param == "options.fallback"


def test_fan_out_waits_for_as_many_as_are_wanted(simulator):
    async def main():
        config = simulator.providers(slow="delay_ms=1500", bad="bad_key")
        async with liter_llm.AsyncClient(config) as client:
            messages = [{"role": "user", "content": "Hello"}]
            multi = await client.generate_multi(messages, ["slow", "bad", "openai"], first=2)
            assert [one.provider for one in multi.results] == ["openai", "slow"]
            (error,) = multi.failures
            assert type(error) is liter_llm.AuthenticationError and error.provider == "bad"
            body = b'{"prompt":"Hello"}'
            multi = await client.generate_multi(body, targets=("openai",), timeout_ms=5000)
            assert multi.results[0].text == "You said: Hello" and multi.failures == []

    asyncio.run(main())


def test_fan_out_that_nobody_answers(simulator):
    config = simulator.providers(bad="bad_key", worse="forbidden")
    with liter_llm.Client(config) as client:
        with pytest.raises(liter_llm.LiterLLMError) as caught:
            client.generate_multi("Hello", ["bad", "worse"])
        targets = {attempt["target"] for attempt in caught.value.attempts}
        assert targets == {"bad/gpt-5-mini", "worse/gpt-5-mini"}
        for targets, first in (([], 1), (["openai"], 2), (["nobody"], 1)):
            with pytest.raises(liter_llm.LiterLLMError, match=r"fanout|nobody"):
                client.generate_multi("Hello", targets, first)
        with pytest.raises(TypeError, match="not one str"):
            client.generate_multi("Hello", "openai")


@pytest.mark.parametrize(
    ("request_", "members"),
    [
        ("Hello", {"fanout": FANOUT}),
        ("Hello", {"options": {"fanout": FANOUT}}),
        ({"prompt": "Hello", "options": {"fanout": FANOUT}}, {}),
        (OPTIONS_IN_BYTES, {}),
    ],
)
def test_fan_out_is_not_one_answer(simulator, request_, members):
    """`chat` says so; `stream` gives the stream that begins first."""
    with liter_llm.Client(simulator.config()) as client:
        with pytest.raises(liter_llm.BadRequestError, match="generate_multi") as caught:
            client.chat(request_, **members)
        assert caught.value.param == "options.fanout"
        assert client.stream(request_, **members).text() == "You said: Hello"

    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as client:
            with pytest.raises(liter_llm.BadRequestError, match="generate_multi"):
                await client.chat(request_, **members)

    asyncio.run(main())


def assemble(chunks):
    text, resets = "", []
    for chunk in chunks:
        if chunk.reset is not None:
            assert (chunk.text, chunk.choices[0].delta, chunk.usage) == ("", {}, None)
            resets.append((text, chunk.reset))
            text = ""
        text += chunk.text
    return text, resets


def restarting(simulator):
    return {**simulator.case("broken_once"), "retry": AT_ONCE}


def test_a_stream_that_begins_anew(simulator):
    with liter_llm.Client(restarting(simulator), on_break="restart") as client:
        stream = client.stream("Hello")
        assert assemble(stream) == ("Hi", [("Hel", "stream_broken")])
        assert stream.response.text == "Hi" and len(stream.response.liter.attempts) == 2
    with liter_llm.Client(restarting(simulator)) as client:
        assert client.stream("Hello", on_break="restart").text() == "Hi"

    async def main():
        async with liter_llm.AsyncClient(restarting(simulator)) as client:
            stream = client.stream("Hello", on_break="restart")
            assert assemble([chunk async for chunk in stream]) == ("Hi", [("Hel", "stream_broken")])

    asyncio.run(main())


def test_a_collected_stream_begins_anew(simulator):
    """By default, as nothing of it was shown; once a chunk was, it ends as it does otherwise."""
    with liter_llm.Client(restarting(simulator)) as client:
        stream = client.stream("Hello")
        assert stream.text() == "Hi" and len(stream.response.liter.attempts) == 2
    with liter_llm.Client(restarting(simulator)) as client:
        stream = client.stream("Hello")
        assert next(stream).text == "Hel"
        with pytest.raises(liter_llm.StreamBrokenError):
            stream.text()
    with liter_llm.Client(restarting(simulator), on_break="error") as client:
        with pytest.raises(liter_llm.StreamBrokenError) as caught:
            client.stream("Hello").text()
        assert caught.value.partial["text"] == "Hel"

    async def main():
        async with liter_llm.AsyncClient(restarting(simulator)) as client:
            assert await client.stream("Hello").text() == "Hi"
        async with liter_llm.AsyncClient(restarting(simulator)) as client:
            stream = client.stream("Hello")
            assert (await stream.__anext__()).text == "Hel"
            with pytest.raises(liter_llm.StreamBrokenError):
                await stream.text()

    asyncio.run(main())


def test_an_outage_is_outlasted(simulator):
    """Nobody named the number of attempts."""
    config = simulator.case("down_for_a_while")
    passed_over = pytest.warns(liter_llm.LiterLLMWarning, match="passed over")
    with liter_llm.Client({**config, "retry": {"base_ms": 1}}) as client, passed_over:
        assert len(client.chat("Hello").liter.attempts) == 7


def test_every_member_of_a_configuration(simulator):
    """What the types list, the engine takes."""
    config = simulator.providers(other="")
    config["providers"]["other"] |= {
        "region": "eu",
        "limits": {"requests_per_minute": 600, "tokens_per_minute": 90_000, "max_in_flight": 8},
        "models": {"m": {"limits": {"max_in_flight": 4}}},
        "idempotency_header": "idempotency-key",
        "health_probe": {"interval_ms": 10_000},
        "auth": {"header": "api-key", "bearer": False},
        "query": {"api-version": "1"},
        "body": {"top_k": 5},
        "switches": {
            "path": "/chat/completions",
            "max_tokens": "max_tokens",
            "sampling": ["temperature", "top_p", "seed"],
            "stream_options": False,
            "needs_done": True,
            "reasoning_back": "none",
            "developer_role": True,
            "parallel_tool_calls": False,
            "extra_content": False,
        },
    }
    parameters = {"max_tokens": 9, "temperature": 0.1, "top_p": 0.9, "seed": 1}
    parameters |= {"reasoning": {"effort": "low"}, "extra": {"other": {"service_tier": "flex"}}}
    target = {"target": "other/m", "region": "eu", "weight": 2, "parameters": parameters}
    retry = {"max_attempts": 2, "base_ms": 1, "cap_ms": 2, "max_wait_ms": 3}
    config |= {
        "routes": {
            "r": {"policy": "weighted", "targets": [target], "retry": retry, "hedge": False}
        },
        "retry": False,
        "retry_budget": {"percent": 10, "per_second": 1},
        "hedge": {"after_ms": "p95", "max": 1},
        "breaker": False,
        "limit": {"wait": False},
        "learn_limits": False,
    }
    options = {"region": "eu", "sticky_key": "user-1", "idempotency_key": "once"}
    options |= {"limit": {"wait": True}, "hedge": {"after_ms": 5000}, "retry": retry}
    options |= {"adapt": True, "drop_refused": True}
    with liter_llm.Client(config, **options, on_break="error") as client:
        response = client.chat("Hello", provider="r", headers={"x-team": "blue"})
    assert (response.provider, response.warnings) == ("other", [])
