"""The providers' own SDKs on our engine: what they say goes out and comes back unchanged."""

import asyncio
import contextlib
import gzip
import json
import os
import socket
from types import SimpleNamespace

import anthropic
import httpx
import httpx2
import openai
import pytest
from pydantic import BaseModel

import liter_llm

MESSAGES = [{"role": "user", "content": "hello there you"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Looks.",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
LIBRARIES = {"httpx": (httpx, liter_llm.httpx), "httpx2": (httpx2, liter_llm.httpx2)}


@pytest.fixture(params=LIBRARIES)
def lib(request):
    """One of the libraries, and clients of it on our transport."""
    library, ours = LIBRARIES[request.param]
    with contextlib.ExitStack() as stack:

        def client(*arguments, **settings):
            transport = ours.Transport(*arguments, **settings)
            return stack.enter_context(library.Client(transport=transport, timeout=20))

        def async_client(*arguments, **settings):
            transport = ours.AsyncTransport(*arguments, **settings)
            return library.AsyncClient(transport=transport, timeout=20)

        yield SimpleNamespace(
            http=library, ours=ours, client=client, async_client=async_client, name=request.param
        )


def url_of(config):
    return config["providers"]["openai"]["base_url"]


def ask(client, **more):
    return client.chat.completions.create(model="m", messages=MESSAGES, **more)


def sdk(url, http_client, **more):
    more = {"max_retries": 0, "api_key": "sk-secret-canary", **more}
    kind = openai.AsyncOpenAI if "Async" in type(http_client).__name__ else openai.OpenAI
    return kind(base_url=url, http_client=http_client, **more)


# ---- Nothing is lost ----------------------------------------------------------------------------


def requests(client, base):
    """Requests of every form."""
    many = [("X-Many", "a"), ("x-other", "1"), ("X-Many", "b"), ("X-Latin", b"caf\xe9")]
    form = {"file": ("f\u00e9.bin", bytes(range(256)), "application/octet-stream")}
    boundary = {"Content-Type": "multipart/form-data; boundary=fixed"}
    yield client.build_request("GET", f"{base}/plain")
    yield client.build_request("GET", f"{base}/query?a=%2F&b=c d#fragment")
    yield client.build_request("DELETE", f"{base}/headers", headers=many)
    yield client.build_request("POST", f"{base}/json", json={"text": "\u2603 \U0001f600 \0"})
    yield client.build_request("PUT", f"{base}/bytes", content=bytes(range(256)))
    yield client.build_request("POST", f"{base}/empty")
    yield client.build_request("PATCH", f"{base}/pieces", content=iter([b"one", b"", b"two\xff"]))
    yield client.build_request("POST", f"{base}/form", files=form, headers=boundary)


def echo_of(client, request):
    """What the server saw, with its headers in lower case and repeated ones beside each other."""
    echo = client.send(request).json()
    headers = [[name.lower(), value] for name, value in echo["headers"]]
    names = [name for name, _ in headers]
    echo["headers"] = sorted(headers, key=lambda pair: names.index(pair[0]))
    return echo


def framing(echo):
    """Takes the headers out that concern the connection."""
    names = {"connection", "content-length", "transfer-encoding"}
    found = {name: value for name, value in echo["headers"] if name in names}
    echo["headers"] = [pair for pair in echo["headers"] if pair[0] not in names]
    return found


def test_requests_are_those_of_the_librarys_own_transport(lib, simulator):
    base = f"{simulator.url}/_sim/echo"
    with lib.http.Client() as own:
        client = lib.client()
        for theirs, ours in zip(requests(own, base), requests(client, base), strict=True):
            wanted, found = echo_of(own, theirs), echo_of(client, ours)
            framing(wanted)
            length = framing(found).get("content-length", "0")
            assert int(length) == len(found["body_hex"]) // 2
            assert found == wanted


def test_answers_are_those_of_the_librarys_own_transport(lib, simulator):
    with lib.http.Client() as own:
        ours = lib.client()
        for name in ("ok", "unicode", "gzipped", "cookies", "binary", "empty_body", "html_502"):
            answers = []
            for client in (own, ours):
                with client.stream("POST", url_of(simulator.case(name)), content=b"x") as answer:
                    raw = b"".join(answer.iter_raw())
                answers.append((answer.status_code, answer.headers.multi_items(), raw))
            assert answers[0] == answers[1], name
        packed = ours.get(url_of(simulator.case("gzipped")))
        assert packed.text == "small" and gzip.decompress(raw_of(ours, simulator)) == b"small"
        cookies = ours.get(url_of(simulator.case("cookies")))
        assert cookies.headers.get_list("set-cookie") == ["a=1", "b=2"]


def raw_of(client, simulator):
    with client.stream("GET", url_of(simulator.case("gzipped"))) as answer:
        return b"".join(answer.iter_raw())


def test_big_bodies(lib, simulator):
    body = bytes(range(256)) * (4 << 12)
    echo = lib.client().post(f"{simulator.url}/_sim/echo", content=body).json()
    assert bytes.fromhex(echo["body_hex"]) == body
    with pytest.raises(lib.http.LocalProtocolError, match="the limit is"):
        lib.client().post(f"{simulator.url}/_sim/echo", content=b"x" * (33 << 20))


# ---- SDKs ---------------------------------------------------------------------------------------


def test_openai(lib, simulator):
    client = sdk(url_of(simulator.config()), lib.client())
    assert "hello there you" in ask(client).choices[0].message.content
    chunks = list(ask(client, stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert "hello there you" in text

    raw = client.chat.completions.with_raw_response.create(model="m", messages=MESSAGES)
    assert raw.status_code == 200 and raw.headers["x-request-id"] == raw.parse()._request_id
    streaming = client.chat.completions.with_streaming_response
    with streaming.create(model="m", messages=MESSAGES) as answer:
        assert json.loads(b"".join(answer.iter_bytes()))["object"] == "chat.completion"


def test_openai_tools_and_parsed_answers(lib, simulator):
    client = sdk(url_of(simulator.config()), lib.client())
    messages = [{"role": "user", "content": "use the tool"}]
    answer = client.chat.completions.create(model="m", messages=messages, tools=[TOOL])
    assert answer.choices[0].message.tool_calls[0].function.name == "look"

    class Answer(BaseModel):
        weather: str

    client = sdk(url_of(simulator.case("structured")), lib.client())
    parsed = client.chat.completions.parse(model="m", messages=MESSAGES, response_format=Answer)
    assert parsed.choices[0].message.parsed == Answer(weather="mild")


def test_openai_uploads_and_other_paths(lib, simulator):
    client = sdk(f"{simulator.url}/_sim/echo", lib.client())
    file = ("notes.txt", bytes(range(256)), "text/plain")
    raw = client.files.with_raw_response.create(file=file, purpose="assistants")
    echo = json.loads(raw.text)
    assert (echo["method"], echo["target"]) == ("POST", "/_sim/echo/files")
    assert bytes(range(256)) in bytes.fromhex(echo["body_hex"])
    headers = dict(echo["headers"])
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert headers["authorization"] == "Bearer sk-secret-canary"

    embed = client.embeddings.with_raw_response
    echo = json.loads(embed.create(model="e", input="x", encoding_format="float").text)
    assert echo["target"] == "/_sim/echo/embeddings"
    assert json.loads(bytes.fromhex(echo["body_hex"]))["input"] == "x"


def test_openai_on_asyncio(lib, simulator):
    async def main():
        async with sdk(url_of(simulator.config()), lib.async_client()) as client:
            answers = await asyncio.gather(*[ask(client) for _ in range(50)])
            assert all("hello" in answer.choices[0].message.content for answer in answers)
            text = ""
            async for chunk in await ask(client, stream=True):
                text += (chunk.choices and chunk.choices[0].delta.content) or ""
            assert "hello there you" in text

    asyncio.run(main())


def test_anthropic(simulator):
    transport = liter_llm.httpx2.Transport()
    with httpx2.Client(transport=transport) as http_client:
        client = anthropic.Anthropic(
            api_key="k", base_url=simulator.url, http_client=http_client, max_retries=0
        )
        arguments = {"model": "m", "max_tokens": 9, "messages": MESSAGES}
        answer = client.messages.create(**arguments)
        assert "hello there you" in answer.content[0].text
        with client.messages.stream(**arguments) as stream:
            assert "hello there you" in "".join(stream.text_stream)
            assert stream.get_final_message().usage.output_tokens > 0
        client = client.with_options(base_url=url_of(simulator.case("rate_limit")))
        with pytest.raises(anthropic.RateLimitError, match="Rate limit reached"):
            client.messages.create(**arguments)


def test_anthropic_on_asyncio(simulator):
    async def main():
        transport = liter_llm.httpx2.AsyncTransport()
        http_client = httpx2.AsyncClient(transport=transport)
        arguments = {"model": "m", "max_tokens": 9, "messages": MESSAGES}
        client = anthropic.AsyncAnthropic(
            api_key="k", base_url=simulator.url, http_client=http_client
        )
        async with client, client.messages.stream(**arguments) as stream:
            assert "hello there you" in "".join([text async for text in stream.text_stream])

    asyncio.run(main())


# ---- What goes wrong ----------------------------------------------------------------------------


def test_error_statuses_are_the_sdks(lib, simulator):
    client = sdk(url_of(simulator.case("rate_limit")), lib.client())
    with pytest.raises(openai.RateLimitError, match="Rate limit reached") as caught:
        ask(client)
    assert caught.value.response.headers["retry-after"] == "7"
    client = sdk(url_of(simulator.case("overloaded_once")), lib.client(), max_retries=1)
    assert ask(client).choices[0].message.content == "ok"


@pytest.fixture
def refused():
    """A URL at which nobody listens, and nobody else can meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_failures_are_the_librarys_exceptions(lib, simulator, refused):
    http, client = lib.http, lib.client()
    short = http.Timeout(60, read=0.2)
    for wanted, url, timeout in (
        (http.ConnectError, refused, 20),
        (http.ReadTimeout, url_of(simulator.case("never")), short),
        (http.RemoteProtocolError, url_of(simulator.case("cut")), 20),
        (http.RemoteProtocolError, url_of(simulator.case("hang_up")), 20),
        (http.RemoteProtocolError, url_of(simulator.case("no_http")), 20),
        (http.UnsupportedProtocol, "ftp://127.0.0.1/", 20),
    ):
        with pytest.raises(wanted) as caught:
            client.get(url, timeout=timeout, headers={"x-api-key": "sk-secret-canary"})
        assert type(caught.value) is wanted
        assert "canary" not in str(caught.value)


def test_a_server_that_never_completes_a_connection(lib):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(lib.http.ConnectTimeout):
            lib.client().get(url, timeout=lib.http.Timeout(20, connect=0.2))


def test_failures_are_the_sdks(lib, simulator, refused):
    with pytest.raises(openai.APIConnectionError) as caught:
        ask(sdk(refused, lib.client()))
    assert isinstance(caught.value.__cause__, lib.http.ConnectError)
    with pytest.raises(openai.APITimeoutError):
        ask(sdk(url_of(simulator.case("never")), lib.client(), timeout=0.2))
    stream = ask(sdk(url_of(simulator.case("cut_stream")), lib.client()), stream=True)
    with pytest.raises((lib.http.RemoteProtocolError, openai.APIConnectionError)):
        list(stream)


def test_a_stream_that_is_left_closes_its_socket(lib, simulator):
    url = url_of(simulator.config("chunks=1000,interval_ms=60000,burst=1"))
    before = simulator.stats()["streams_aborted"]
    stream = ask(sdk(url, lib.client()), stream=True)
    assert next(iter(stream)).object == "chat.completion.chunk"
    stream.close()
    simulator.wait_for(lambda stats: stats["streams_aborted"] == before + 1)


@pytest.mark.parametrize("knobs", ["delay_ms=60000", "chunks=1000,interval_ms=60000,burst=1"])
def test_a_cancelled_task_closes_its_socket(lib, simulator, knobs):
    async def main():
        begun, before = asyncio.Event(), simulator.stats()

        async def read(client):
            async for _ in await ask(client, stream=True):
                begun.set()

        async with sdk(url_of(simulator.config(knobs)), lib.async_client()) as client:
            task = asyncio.create_task(read(client))
            if "delay" in knobs:
                asked = before["requests"] + 1
                await asyncio.to_thread(simulator.wait_for, lambda now: now["requests"] == asked)
            else:
                await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            aborted = before["streams_aborted"] + 1
            await asyncio.to_thread(
                simulator.wait_for, lambda now: now["streams_aborted"] == aborted
            )

    asyncio.run(main())


def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_body_that_nobody_reads_is_not_read_ahead(lib, simulator):
    size, client = 48 << 20, lib.client()
    slow = f"{url_of(simulator.config(f'bytes={size},chunks=6000'))}/chat/completions"
    body = {"model": "m", "messages": MESSAGES, "stream": True}
    headers = {"authorization": "Bearer x"}
    ask_raw(client, simulator)
    before = rss()
    with client.stream("POST", slow, json=body, headers=headers) as answer:
        pieces = answer.iter_raw()
        read = len(next(pieces))
        for _ in range(200):  # which gives it all the time to arrive
            ask_raw(client, simulator)
        assert rss() - before < 24 << 20
        assert read + sum(map(len, pieces)) > size


# ---- Whose client -------------------------------------------------------------------------------


def ask_raw(client, simulator):
    return client.get(f"{simulator.url}/_sim/echo")


def test_a_client_of_the_users(lib, simulator):
    with liter_llm.Client(simulator.config()) as engine:
        client = sdk(url_of(simulator.config()), lib.client(engine))
        assert ask(client).choices
        client.close()
        assert engine.chat("hello").text
        assert engine.metrics()["providers"]["openai"]["calls"] == 2
        with pytest.raises(lib.http.UnsupportedProtocol, match=r"unknown provider .nobody"):
            ask_raw(lib.client(engine.with_options(provider="nobody")), simulator)
        with pytest.raises(lib.http.UnsupportedProtocol, match=r"no provider is at http://127\.0"):
            lib.client(engine).get("http://127.0.0.1:9/?key=sk-secret")
    with pytest.raises(TypeError):
        lib.ours.Transport(engine, settings={})


def test_settings_and_what_they_refuse(lib, simulator):
    assert ask_raw(lib.client(settings={"http": "1.1"}), simulator).status_code == 200
    with pytest.raises(liter_llm.BadRequestError, match="frob"):
        lib.ours.Transport(settings={"frob": 1})


def test_connections_are_kept(lib, simulator):
    client = sdk(url_of(simulator.config()), lib.client())
    ask(client)
    before = simulator.stats()["connections_opened"]
    for _ in range(5):
        ask(client)
        list(ask(client, stream=True))
    assert simulator.stats()["connections_opened"] == before + 1  # the one that asks


def test_a_closed_transport(lib, simulator):
    transport = lib.ours.Transport()
    request = lib.http.Request("GET", f"{simulator.url}/_sim/echo")
    assert transport.handle_request(request).read()
    transport.close()
    transport.close()
    other = lib.http.Request("GET", f"{simulator.url}/_sim/echo".replace("127.0.0.1", "localhost"))
    for asked in (request, other):  # an origin that it has no connection to is no way around it
        with pytest.raises(lib.http.ReadError, match="closed"):
            transport.handle_request(asked)
    with liter_llm.Client(simulator.config()) as engine:
        transport = lib.ours.Transport(engine)
        transport.close()
        with pytest.raises(lib.http.ReadError, match="closed"):
            transport.handle_request(request)


def test_the_libraries_are_imported_late(run_python):
    script = """
import sys
import liter_llm
assert not {"httpx", "httpx2", "liter_llm._transport"} & set(sys.modules)
sys.modules["httpx2"] = None
try:
    liter_llm.httpx2
except AttributeError as error:
    assert "pip install httpx2" in str(error)
else:
    raise SystemExit("imported")
"""
    run_python(script)
