"""The ordinary things: chat, streams, options, views, the short forms."""

import asyncio
import copy
import enum
import json
import pickle
import threading
import types
from collections import deque

import pytest

import liter_llm


@pytest.fixture
def client(simulator):
    with liter_llm.Client(simulator.config()) as client:
        yield client


def test_a_prompt(client):
    response = client.chat("Hello")
    assert response.text == response.choices[0].message.content == "You said: Hello"
    assert response["usage"]["prompt_tokens"] == response.usage.prompt_tokens


@pytest.mark.parametrize(
    "request_",
    [
        [{"role": "user", "content": "Hello"}],
        {"messages": [{"role": "user", "content": "Hello"}]},
        {"prompt": "Hello", "options": {"timeout_ms": 5000}},
        b'{"prompt":"Hello"}',
        bytearray(b'{"prompt":"Hello"}'),
    ],
)
def test_every_form_of_a_request(client, request_):
    assert client.chat(request_).text == "You said: Hello"


class Prompt(str):
    __slots__ = ()


class Word(str, enum.Enum):
    HELLO = "Hello"


class History(list):
    pass


def test_subclasses_are_what_they_are(client):
    message = {"role": "user", "content": "Hello"}
    for request in (Prompt("Hello"), Word.HELLO, History([message]), deque([message])):
        assert client.chat(request).text == "You said: Hello"
    assert client.chat({"prompt": Prompt("Hello")}).text == "You said: Hello"


def test_who_drives_a_call_is_no_option(client):
    with pytest.raises(liter_llm.BadRequestError) as caught:
        client.chat({"prompt": "Hello", "options": {"inline": True}})
    assert caught.value.param == "options.inline"


def test_members_and_options_by_name(client):
    response = client.chat(
        messages=[{"role": "user", "content": "Hello"}],
        model="openai/gpt-5",
        max_tokens=5,
        temperature=None,
        timeout_ms=5000,
    )
    assert response.model == "gpt-5"
    assert client.chat("Hello", provider="openai", options={"strict": True}).provider == "openai"


def test_unknown_members_of_documents_are_warned_of(client):
    with pytest.warns(liter_llm.LiterLLMWarning, match="frobnicate"):
        answer = client.chat({"prompt": "Hello", "frobnicate": 1})
    assert answer.warnings[0].param == "frobnicate"
    with pytest.raises(liter_llm.BadRequestError, match="frobnicate"):
        client.chat({"prompt": "Hello", "frobnicate": 1}, strict=True)


def test_precedence_of_options(client):
    view = client.with_options(provider="nobody")
    with pytest.raises(liter_llm.NotFoundError):
        view.chat("Hello")
    assert view.chat("Hello", provider="openai").provider == "openai"
    assert view.chat({"prompt": "Hello", "options": {"provider": "openai"}})
    assert view.chat("Hello", options={"provider": "openai"})
    assert client.chat("Hello").provider == "openai"


def test_wrong_names_and_types_are_python_errors(client, simulator):
    with pytest.raises(TypeError, match=r"with_options\(\) takes no colour"):
        client.with_options(colour="red")
    with pytest.raises(TypeError, match=r"Client\(\) takes no colour"):
        liter_llm.Client(simulator.config(), colour="red")
    with pytest.raises(TypeError, match="a request is"):
        client.chat(7)
    with pytest.raises(TypeError, match="bytes"):
        client.chat(b"{}", model="x")
    with pytest.raises(TypeError, match="prompt is given twice"):
        client.chat("Hello", prompt="Bye")
    with pytest.raises(TypeError, match="messages is given twice"):
        client.chat([], messages=[])
    with pytest.raises(TypeError, match="options is a dict"):
        client.chat("Hello", options="strict")
    for wrong in (0, True, bytearray(b"{}")):  # open() takes a number as a descriptor
        with pytest.raises(TypeError, match="a configuration is"):
            liter_llm.Client(wrong)
    with pytest.raises(liter_llm.BadRequestError, match=r"pathlib\.Path"):
        liter_llm.Client("config.json")


def test_configuration_in_every_form(simulator, tmp_path):
    config = simulator.config()
    text = json.dumps(config)
    path = tmp_path / "config.json"
    path.write_text(text)
    for form in (config, text, text.encode(), path):
        with liter_llm.Client(form) as client:
            assert client.chat("Hello").text == "You said: Hello"


def test_a_stream(client):
    with client.stream("Hello") as stream:
        with pytest.raises(RuntimeError, match="has not ended"):
            _ = stream.response
        text = "".join(chunk.text for chunk in stream)
        assert text == stream.response.text == "You said: Hello"
        with pytest.warns(liter_llm.LiterLLMWarning, match="read once"):
            assert list(stream) == []
    assert client.stream("Hello").text() == "You said: Hello"
    assert client.stream(b'{"prompt":"Hello","stream":true}').text() == "You said: Hello"


def test_a_stream_read_in_another_thread(client):
    stream = client.stream("Hello")
    texts = []
    thread = threading.Thread(target=lambda: texts.append(stream.text()))
    thread.start()
    thread.join()
    assert texts == ["You said: Hello"]


def test_asyncio(simulator):
    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as client:
            response = await client.chat("Hello")
            assert response.text == "You said: Hello"
            texts = await asyncio.gather(*[client.chat(f"n{n}") for n in range(100)])
            assert [r.text for r in texts] == [f"You said: n{n}" for n in range(100)]
            async with client.stream("Hello") as stream:
                text = "".join([chunk.text async for chunk in stream])
                assert text == stream.response.text == "You said: Hello"
                with pytest.warns(liter_llm.LiterLLMWarning, match="read once"):
                    assert [chunk async for chunk in stream] == []
            assert await client.stream("Hello").text() == "You said: Hello"
            assert (await client.metrics())["in_flight"] == 0
            await client.close(grace=1)

    asyncio.run(main())


STREAMS = [
    b'{"stream" : true, "prompt":"Hello"} ',
    bytearray(b'{"prompt":"Hello","stream":false,"stream":true}'),
    memoryview(b'{"prompt":"Hello","stream":true,"metadata":{"stream":false}}'),
    types.MappingProxyType({"prompt": "Hello", "stream": True}),
    {"prompt": "Hello", "stream": True},
]
WHOLES = [
    b'{"prompt":"Hello","metadata":{"stream":true}}',
    b'{"prompt":"\\"stream\\":true"}',
    b'{"prompt":"Hello","stream":null}',
    {"prompt": "Hello", "stream": None},
]


@pytest.mark.parametrize("request_", STREAMS, ids=repr)
def test_a_request_that_asks_for_a_stream_where_there_is_none(client, simulator, request_):
    """It is an error that names the method, in whatever form the request is given."""
    requests = simulator.stats()["requests"]
    with pytest.raises(TypeError, match=r"fan-outs wait for the whole answer: use client\.stream"):
        client.generate_multi(request_, ["openai"])
    with pytest.raises(TypeError, match=r"invoke waits for the whole answer: use client\.stream"):
        liter_llm.invoke("openai", request_)
    mapping = hasattr(request_, "keys")
    if not mapping:
        with pytest.raises(TypeError, match="invoke waits for the whole answer"):
            liter_llm.invoke("openai", bytes(request_).decode())
        with pytest.raises(TypeError, match=r"chat with bytes wait .*: use client\.stream"):
            client.chat(request_)

    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as asynchronous:
            with pytest.raises(TypeError, match="fan-outs wait"):
                await asynchronous.generate_multi(request_, ["openai"])
            if mapping:
                assert await (await asynchronous.chat(request_)).text() == "You said: Hello"
            else:
                with pytest.raises(TypeError, match="chat with bytes wait"):
                    await asynchronous.chat(request_)

    asyncio.run(main())
    assert simulator.stats()["requests"] - requests == mapping
    if mapping:
        assert client.chat(request_).text() == "You said: Hello"
    assert client.stream(request_).text() == "You said: Hello"
    # The argument of this call wins over the request.
    assert client.chat(request_, stream=False).liter.timing.ttft_ms is None


@pytest.mark.parametrize("request_", WHOLES, ids=repr)
def test_a_request_that_asks_for_no_stream(client, request_):
    assert client.chat(request_).liter.timing.ttft_ms is None
    assert client.generate_multi(request_, ["openai"]).results
    assert client.stream(request_).text().startswith("You said: ")


@pytest.mark.parametrize(
    "request_",
    [
        b'{"prompt":"Hello","stream":false}',
        {"prompt": "Hello", "stream": False},
        types.MappingProxyType({"prompt": "Hello", "stream": False}),
    ],
    ids=repr,
)
def test_a_stream_of_a_request_that_asks_for_none(client, simulator, request_):
    with pytest.raises(TypeError, match=r"this is client\.stream: ask with client\.chat"):
        client.stream(request_)
    assert client.chat(request_).liter.timing.ttft_ms is None
    assert client.chat(request_, stream=True).text() == "You said: Hello"

    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as asynchronous:
            with pytest.raises(TypeError, match=r"ask with client\.chat"):
                asynchronous.stream(request_)

    asyncio.run(main())


def test_many_threads(client):
    failures = []

    def work(name):
        for n in range(20):
            text = client.chat(f"{name}.{n}").text
            if text != f"You said: {name}.{n}":
                failures.append(text)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_call_inside_a_call(simulator):
    """A finalizer or a signal handler may call while a call of the same thread waits."""
    import signal

    inner = liter_llm.Client(simulator.config())
    outer = liter_llm.Client(simulator.config("delay_ms=400"))
    texts = []
    before = signal.signal(signal.SIGALRM, lambda *_: texts.append(inner.chat("inner").text))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        texts.append(outer.chat("outer").text)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert texts == ["You said: inner", "You said: outer"]


def test_copies(client):
    """A copy is a view. What holds connections cannot travel, and says so."""
    assert copy.copy(client).chat("Hello").text == "You said: Hello"
    stream = client.stream("Hello")
    for one in (client, stream, liter_llm.AsyncClient({"providers": {}})):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="cannot be pickled"):
                pickle.dumps(one, protocol)
        with pytest.raises(TypeError, match="cannot be pickled"):
            copy.deepcopy(one)
    for one in (stream, client._native, stream._queue):
        with pytest.raises(TypeError, match="copied"):
            copy.copy(one)
    assert stream.text() == "You said: Hello"
    multi = client.generate_multi("Hello", ["openai"])
    for again in (copy.deepcopy(multi), pickle.loads(pickle.dumps(multi))):
        assert again.results == multi.results


def test_metrics(client):
    client.chat("Hello")
    assert client.metrics()["providers"]["openai"]["calls"] == 1
    assert "liter_llm_calls_total" in client.metrics("prometheus")
    with pytest.raises(ValueError, match="prometheus"):
        client.metrics("xml")


def test_the_environment(run_python):
    script = """
import liter_llm
print(liter_llm.generate("Hello", max_tokens=9))
print(liter_llm.invoke("openai", {"prompt": "Hello"}).text)
print(liter_llm.invoke("openai", '{"prompt": "Hello"}').text)
print(liter_llm.invoke(None, b'{"prompt": "Hello", "model": "openai/gpt-5"}').model)
"""
    assert run_python(script).split("\n") == ["You said: Hello"] * 3 + ["gpt-5", ""]


@pytest.mark.parametrize("block", ["None", "__import__('types').SimpleNamespace()"])
def test_both_json_libraries(run_python, block):
    """Without orjson, and with whatever is installed."""
    without = "sys.modules['orjson'] = None" if block == "None" else ""
    script = f"""
import enum, sys, uuid
{without}
import liter_llm
from liter_llm import _json
client = liter_llm.Client()
assert client.chat("日本語 🎉").text == "You said: 日本語 🎉"
assert client.chat("Hello", metadata={{"n": 2**70}}).text
class Kind(enum.Enum):
    A = "a"
assert _json.dumps({{"a": Kind.A, "b": uuid.UUID(int=1)}}) == (
    b'{{"a":"a","b":"00000000-0000-0000-0000-000000000001"}}'
)
for bad in (float("nan"), "\\ud800", object(), {{1, 2}}):
    try:
        client.chat("Hello", seed=bad)
    except liter_llm.BadRequestError as error:
        assert "secret" not in str(error)
    else:
        raise SystemExit(repr(bad))
assert sum(1 for _ in client.stream("Hello")) > 1
print(_json.loads is _json.standard_loads)
"""
    out = run_python(script).strip()
    if block == "None":
        assert out == "True"
