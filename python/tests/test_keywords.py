"""Keyword arguments: a wrong name is a TypeError that has the right one."""

import asyncio
import datetime as dt
import http.server
import json
import threading

import pytest

import liter_llm
from liter_llm import _names, _request, _types

SECRET = "sk-canary-4711"

ADVICE = [
    ({"timeout": 1}, "timeout_ms=1000"),
    ({"timeout": 0.25}, "timeout_ms=250"),
    ({"timeout": dt.timedelta(minutes=1)}, "timeout_ms=60000"),
    ({"timeout": object()}, "timeout_ms=..."),
    ({"request_timeout": 5}, "timeout_ms=5000"),
    ({"timeoutms": 5}, "timeout_ms=..."),
    ({"fallbacks": ["a/b"]}, "use fallback=..."),
    ({"extra_headers": {}}, "use headers=..."),
    ({"extra_body": {}}, 'use extra={"openai": {...}}'),
    ({"api_key": SECRET}, 'a setting of the client, Client(provider="openai", api_key=...)'),
    ({"apikey": SECRET}, "a setting of the client"),
    ({"base_url": "http://x"}, "a setting of the client"),
    ({"max_retries": 2}, 'use retry={"max_attempts": 3}'),
    ({"num_retries": "2"}, 'use retry={"max_attempts": ...}'),
    ({"max_output_tokens": 2}, "use max_tokens=..."),
    ({"temprature": 1}, "use temperature=..."),
    ({"instructions": "x"}, "use system=..."),
    ({"min_p": 1}, 'extra={"openai": {...}}'),
    ({"documents": []}, 'extra={"openai": {...}}'),
    ({"store": True}, 'extra={"openai": {...}}'),
    ({"topK": 1}, "use top_k=..."),
    ({"maxOutputTokens": 1}, "use max_tokens=..."),
    ({"top_n": 1}, "it belongs to client.rerank(..., top_n=...)"),
    ({"dimensions": 1}, "it belongs to client.embed(..., dimensions=...)"),
    ({"stream_options": {}}, "leave it out: a stream always has its usage"),
    ({"secret_key": SECRET}, "a setting of the client, Client("),
    ({"openai_api_key": SECRET}, "a setting of the client, Client("),
    ({"OPENAI_API_KEY": SECRET}, "a setting of the client, Client("),
    ({"access_token": SECRET}, "a setting of the client, Client("),
    ({"authorization": SECRET}, "a setting of the client, Client("),
    ({"organization": "org"}, 'headers={"OpenAI-Organization": ...})'),
    ({"sticky": "x"}, "use sticky_key=..."),
    ({"idempotency": "x"}, "use idempotency_key=..."),
    ({"prompt_key": "x"}, "use prompt_cache_key=..."),
]


@pytest.fixture
def client(simulator):
    with liter_llm.Client(simulator.config()) as client:
        yield client


@pytest.mark.parametrize(("arguments", "advice"), ADVICE)
def test_of_a_request(client, arguments, advice):
    async def asynchronously():
        async with liter_llm.AsyncClient() as other:
            await other.chat("Hello", **arguments)

    calls = [
        lambda: client.chat("Hello", **arguments),
        lambda: client.chat({"prompt": "Hello"}, **arguments),
        lambda: client.stream("Hello", **arguments),
        lambda: client.generate_multi("Hello", ["openai"], **arguments),
        lambda: liter_llm.generate("Hello", **arguments),
        lambda: asyncio.run(asynchronously()),
    ]
    for call in calls:
        with pytest.raises(TypeError) as caught:
            call()
        text = str(caught.value)
        assert f"takes no {next(iter(arguments))}: " in text
        assert advice in text
        assert SECRET not in text


@pytest.mark.parametrize(("arguments", "advice"), ADVICE)
def test_of_the_options(client, arguments, advice):
    for call in (client.chat, client.stream):
        with pytest.raises(TypeError) as caught:
            call("Hello", options=arguments)
        name = next(iter(arguments))
        assert str(caught.value).startswith(f"options= takes no {name}: ")
        assert advice.removeprefix("use ") in str(caught.value)
        assert SECRET not in str(caught.value)
    for name in ("temperature", "stream", "system"):
        with pytest.raises(TypeError, match=f"it is no option but an argument, {name}=..."):
            client.chat("Hello", options={name: 1})
    assert client.chat("Hello", options={"timeout_ms": 60_000}).text == "You said: Hello"


def test_of_a_client(simulator):
    for name, value, advice in (
        ("timeout", 30, "use timeout_ms=30000 (milliseconds)"),
        ("apikey", SECRET, 'use Client(provider="openai", api_key=...)'),
        ("api_base", "http://x", "use base_url=..."),
        ("default_headers", {}, "use headers=..."),
        ("routes", {}, 'use Client({"routes": ...})'),
        ("model", "gpt-5", "it belongs to a request, as in client.chat(..., model=...)"),
    ):
        for kind in (liter_llm.Client, liter_llm.AsyncClient):
            with pytest.raises(TypeError) as caught:
                kind(simulator.config(), **{name: value})
            assert str(caught.value).startswith(f"Client() takes no {name}: ")
            assert SECRET not in str(caught.value)
            if name != "apikey":
                assert advice in str(caught.value)


def test_of_other_operations(client):
    with pytest.raises(TypeError, match=r"timeout_ms=2000"):
        client.models(timeout=2)
    for call, name, advice in (
        (client.moderate, "temperature", r"it belongs to client\.chat\(\.\.\., temperature="),
        (client.moderate, "safe_mode", "a parameter of one"),
        (client.embed, "top_logprobs", r"it belongs to client\.chat"),
        (client.embed, "encoding_format", "use encoding="),
        (client.embed, "text", "use input="),
        (client.models, "top_k", r"it belongs to client\.chat"),
        (client.models, "api_token", "it is a setting of the client"),
    ):
        with pytest.raises(TypeError, match=rf"{call.__name__}\(\) takes no {name}: {advice}"):
            call(**{name: 1, **({"input": "x"} if call != client.models else {})})
    for name, advice in (
        ("top_k", "use top_n="),
        ("topK", "use top_n="),
        ("texts", "use documents="),
    ):
        with pytest.raises(TypeError, match=rf"rerank\(\) takes no {name}: {advice}"):
            client.rerank("x", ["y"], **{name: 1})
    for name, advice in (
        ("stream", "stream=..."),
        ("top_n", r"client\.rerank"),
        ("verbosity", "client"),
    ):
        with pytest.raises(TypeError, match=rf"Client\(\) takes no {name}: it belongs.*{advice}"):
            liter_llm.Client(**{name: 1})
    with pytest.raises(TypeError, match=r"use timeout_ms=2000"):
        client.with_options(timeout=2)
    with pytest.raises(TypeError, match=r"as in client\.chat\(\.\.\., max_tokens=\.\.\.\)"):
        client.with_options(max_tokens=2)


def test_names_are_the_types():
    for operation, kind in (
        ("chat", _types.Members),
        ("embed", _types.EmbedMembers),
        ("rerank", _types.RerankMembers),
        ("models", _types.ModelsMembers),
        ("moderate", _types.ModerateMembers),
    ):
        assert set(kind.__annotations__) == _request.KEYWORDS[operation] - {
            "input",
            "query",
            "documents",
        }
    assert set(_names.MEMBER_NAMES) == set(_request.KEYWORDS)


def sent(client, **arguments):
    """The messages that went out, as the simulator's echo has them."""
    native = client._defaults.documents
    request, _ = native(arguments.pop("request", None), None, arguments)
    return json.loads(request)["messages"]


def test_system(client):
    system = {"role": "system", "content": "Be brief."}
    hello = {"role": "user", "content": "Hello"}
    assert sent(client, request="Hello", system="Be brief.") == [system, hello]
    assert sent(client, prompt="Hello", system="Be brief.") == [system, hello]
    assert sent(client, request=[hello], system="Be brief.") == [system, hello]
    assert sent(client, request={"messages": [hello]}, system="Be brief.") == [system, hello]
    assert sent(client, request=[hello], system=None) == [hello]
    assert client.chat("Hello", system="Be brief.").text == "You said: Hello"
    with pytest.raises(TypeError, match="system is a str"):
        client.chat("Hello", system=["Be brief."])
    with pytest.raises(TypeError, match="bytes"):
        client.chat(b"{}", system="Be brief.")
    for messages in ({"role": "user", "content": "x"}, "Hello", 7):
        with pytest.raises(liter_llm.BadRequestError, match=r"messages must be a list, not"):
            client.chat(messages=messages, system="Be brief.")


def test_system_is_counted_among_the_messages(client, simulator):
    """The engine counts what it gets, so the error says where the caller's messages begin."""
    wrong = {"messages": [{"role": "user", "content": "x"}, {"role": "oracle", "content": "x"}]}
    told = r"messages\[0\] is system=, and messages\[1\] is your first message"

    async def asynchronously():
        async with liter_llm.AsyncClient(simulator.config()) as other:
            await other.chat(wrong, system="Be brief.")

    for call in (
        lambda: client.chat(wrong, system="Be brief."),
        lambda: client.stream(wrong, system="Be brief.").text(),
        lambda: asyncio.run(asynchronously()),
    ):
        with pytest.raises(liter_llm.BadRequestError, match=told) as caught:
            call()
        assert caught.value.param == "messages[2].role"
        assert caught.value.document["error"]["message"] == str(caught.value)
    with pytest.raises(liter_llm.BadRequestError) as caught:
        client.chat(wrong)
    assert (caught.value.param, "system=" in str(caught.value)) == ("messages[1].role", False)
    noted = [{"role": "user", "content": "x", "frobnicate": 1}]
    with pytest.warns(liter_llm.LiterLLMWarning, match=told):
        client.chat(noted, system="Be brief.")


def test_chat_gives_a_stream(client, simulator):
    for request, arguments in (
        ("Hello", {"stream": True}),
        ({"prompt": "Hello", "stream": True}, {}),
    ):
        stream = client.chat(request, **arguments)
        assert isinstance(stream, liter_llm.Stream)
        assert "".join(chunk.text for chunk in stream) == stream.response.text == "You said: Hello"
    for request, arguments in (
        ("Hello", {"stream": False}),
        ({"prompt": "x", "stream": False}, {}),
    ):
        assert isinstance(client.chat(request, **arguments), liter_llm.Response)
    assert client.chat({"prompt": "Hello", "stream": True}, stream=False).text == "You said: Hello"
    with pytest.raises(TypeError, match="stream is True or False"):
        client.chat("Hello", stream="yes")

    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as other:
            stream = await other.chat("Hello", stream=True)
            assert isinstance(stream, liter_llm.AsyncStream)
            assert "".join([chunk.text async for chunk in stream]) == "You said: Hello"
            assert (await other.chat("Hello", stream=False)).text == "You said: Hello"

    asyncio.run(main())


def test_a_stream_is_not_taken_for_an_answer(client):
    with client.stream("Hello") as stream:
        with pytest.raises(AttributeError, match="for chunk in stream"):
            _ = stream.choices
        assert not hasattr(stream, "frobnicate")
    with pytest.raises(TypeError, match="always streams"):
        client.stream("Hello", stream=True)
    with pytest.raises(TypeError, match="whole answers only"):
        liter_llm.generate("Hello", stream=True)


def test_key_and_base_url(simulator, monkeypatch, tmp_path):
    url = f"{simulator.url}/v1"
    for name in ("OPENAI_API_KEY", "LITER_LLM_CONFIG", "LITER_LLM_PROVIDER", "LITER_LLM_MODEL"):
        monkeypatch.delenv(name, raising=False)
    given = {"api_key": "sk-x", "base_url": url}
    with liter_llm.Client(
        provider="openai", **given, timeout_ms=60_000, headers={"x-a": "b"}
    ) as client:
        assert client.chat("Hello", model="gpt-5").text == "You said: Hello"
    with pytest.raises(TypeError, match="api_key= and base_url= belong to one provider: name it"):
        liter_llm.Client(**given)
    with pytest.raises(TypeError, match=r"^base_url= belongs to one provider: name it"):
        liter_llm.Client(base_url=url)
    monkeypatch.setenv("LITER_LLM_PROVIDER", "openai")
    monkeypatch.setenv("LITER_LLM_MODEL", "gpt-5")
    with liter_llm.Client(**given) as client:  # all else of the environment counts
        assert client.chat("Hello").model == "gpt-5"
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"providers": {"mine": {"kind": "openai", "model": "m"}}}))
    monkeypatch.setenv("LITER_LLM_CONFIG", str(file))
    with liter_llm.Client(provider="mine", **given) as client:
        assert client.chat("Hello", model="m2").provider == "mine"
    with liter_llm.Client({"default_model": "openai/gpt-5"}, **given) as client:
        assert client.chat("Hello").model == "gpt-5"
    with pytest.raises(TypeError, match="r is a route"):
        liter_llm.Client({"routes": {"r": {"targets": ["openai/x"]}}}, provider="r", **given)
    with liter_llm.Client(simulator.config(), api_key=None) as client:
        assert client.chat("Hello").text == "You said: Hello"
    with pytest.raises(liter_llm.BadRequestError, match="configuration"):
        liter_llm.Client("{", **given)


MALFORMED = [
    "[]",
    "null",
    "7",
    "{",
    b"\xff",
    b'\xff\xfe{\x00"\x00}\x00',  # UTF-16, which the engine does not read
    '{"providers": []}',
    '{"providers": {"openai": []}}',
    '{"providers": {"openai": "x"}}',
    '{"routes": 7}',
    '{"default_provider": ["openai"]}',
    '{"default_provider": 7}',
    "[" * 100_000,
]


@pytest.mark.parametrize("config", MALFORMED, ids=lambda config: str(config)[:30])
def test_a_key_beside_what_is_no_configuration(config, monkeypatch, tmp_path):
    """The engine says what is wrong with it, as it does without a key."""
    own = None if "default_provider" in str(config) else "openai"
    arguments = {"api_key": "sk-canary", "base_url": "http://127.0.0.1:1/v1"}
    with pytest.raises(liter_llm.BadRequestError) as plain:
        liter_llm.Client(config)
    with pytest.raises(liter_llm.BadRequestError) as caught:
        liter_llm.Client(config, provider=own, **arguments)
    assert str(caught.value) == str(plain.value)
    file = tmp_path / "config.json"
    file.write_bytes(config if isinstance(config, bytes) else config.encode())
    monkeypatch.setenv("LITER_LLM_CONFIG", str(file))
    monkeypatch.delenv("LITER_LLM_PROVIDER", raising=False)
    with pytest.raises(liter_llm.BadRequestError) as plain:
        liter_llm.Client()
    with pytest.raises(liter_llm.BadRequestError) as caught:
        liter_llm.Client(provider=own, **arguments)
    assert str(caught.value) == str(plain.value)


@pytest.mark.parametrize("path", ["/nowhere/config.json", "/", "a" * 5000])
def test_a_key_beside_a_file_that_cannot_be_read(path, monkeypatch):
    monkeypatch.setenv("LITER_LLM_CONFIG", path)
    with pytest.raises(liter_llm.BadRequestError, match="LITER_LLM_CONFIG"):
        liter_llm.Client(provider="openai", api_key="sk-canary")


@pytest.mark.parametrize("wrong", [[], {}, 7, object(), b"x", "", "a\nb", "\ud800"])
def test_a_setting_of_another_type(wrong):
    for name in ("api_key", "base_url"):
        if name == "api_key" and wrong == "":
            continue  # the key is missing, of which the request tells
        with pytest.raises((liter_llm.LiterLLMError, TypeError)) as caught:
            liter_llm.Client(provider="openai", **{name: wrong}).chat("x", model="m")
        assert "Traceback" not in str(caught.value)
    with pytest.raises(liter_llm.BadRequestError, match="headers"):
        liter_llm.Client(provider="openai", api_key="k", headers=["x"])


class Sent:
    """A provider that notes the headers of its requests, and refuses them."""

    def __enter__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(handler):  # noqa: N805
                self.headers.append({k.lower(): v for k, v in handler.headers.items()})
                handler.rfile.read(int(handler.headers["content-length"]))
                handler.send_response(503)
                handler.send_header("content-length", "2")
                handler.end_headers()
                handler.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.headers = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize("kind", [liter_llm.Client, liter_llm.AsyncClient])
def test_headers_beside_a_key_go_to_its_provider_alone(kind):
    """A gateway's token is in them. A fallback's provider must not see it, nor the key."""

    def answered(client, **arguments):
        answer = client.chat("Hello", model="m", retry=False, **arguments)
        return answer if kind is liter_llm.Client else asyncio.run(answer)

    def ask(client, **arguments):
        with pytest.raises(liter_llm.InternalServerError) as caught:
            answered(client, **arguments)
        assert "token" not in repr(caught.value.document)

    with Sent() as own, Sent() as other:
        before = {"X-Gateway": "old", "x-stays": "stays"}
        config = {
            "providers": {
                "own": {"kind": "openai", "headers": before},
                "other": {"kind": "openai", "base_url": other.url, "api_key": "k2", "model": "m"},
            },
        }
        headers = {"x-gateway": "token"}
        made = {"api_key": "k1", "base_url": own.url, "headers": headers, "fallback": ["other/m"]}
        client = kind(config, provider="own", **made)
        ask(client)
        ask(client, provider="other", fallback=[])
        ask(client, headers={"x-call": "call"})
        ask(client.with_options(headers={"x-view": "view"}))
        shown = ("authorization", "x-gateway", "x-stays", "x-call", "x-view")
        seen, others = (
            [[one.get(name) for name in shown] for one in server.headers] for server in (own, other)
        )
        assert seen == [
            ["Bearer k1", "token", "stays", None, None],
            ["Bearer k1", "token", "stays", "call", None],
            ["Bearer k1", "token", "stays", None, "view"],
        ]
        assert others == [
            ["Bearer k2", None, None, None, None],
            ["Bearer k2", None, None, None, None],
            ["Bearer k2", None, None, "call", None],
            ["Bearer k2", None, None, None, "view"],
        ]
        # Headers of a client without settings are an option, as the documents say.
        config["providers"]["own"].update(base_url=own.url, api_key="k1")
        ask(kind(config, provider="own", headers=headers, fallback=["other/m"]))
        assert own.headers[-1]["x-gateway"] == other.headers[-1]["x-gateway"] == "token"
