"""Wrong input of every kind: the right exception and a message that helps, never a crash."""

import asyncio
import json
import socket
import traceback

import pytest

import liter_llm
from liter_llm import BadRequestError

DEEP = b'{"prompt":"x","metadata":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001


def nested(depth):
    value = "x"
    for _ in range(depth):
        value = [value]
    return value


REQUESTS = {
    "not JSON": (b"{nope", "not valid JSON"),
    "cut off": (b'{"prompt":"secret', "not valid JSON"),
    "invalid UTF-8": (b'{"prompt":"secret\xff"}', "not UTF-8"),
    "a NUL byte": (b'{"prompt":"a\0b"}', "not valid JSON"),
    "a NUL byte behind": (b'{"prompt":"x"}\0', "not valid JSON"),
    "empty": (b"", "empty"),
    "white space": (b" \n", "empty"),
    "a list": (b"[]", "object"),
    "null": (b"null", "object"),
    "too deep": (DEEP, "deeper"),
    "no prompt": (b"{}", "messages is missing"),
    "an empty dict": ({}, "messages is missing"),
    "no messages": ([], "messages is empty"),
    "a number as a prompt": ({"prompt": 7}, "prompt must be a string"),
    "a number as messages": ({"messages": 7}, "messages must be a list"),
    "an unknown role": ([{"role": "boss", "content": "secret"}], "role must be one of"),
    "prompt and messages": ({"prompt": "x", "messages": []}, "exclude each other"),
    "a text as max_tokens": ({"prompt": "x", "max_tokens": "9"}, "max_tokens must be a number"),
    "no tokens": ({"prompt": "x", "max_tokens": 0}, "at least 1"),
    "deep Python": ({"prompt": "x", "metadata": {"a": nested(10_000)}}, "nested"),
    "NaN": ({"prompt": "x", "temperature": float("nan")}, "NaN"),
    "a giant number": ({"prompt": "x", "seed": 10**5000}, "digits"),
    "an object": ({"prompt": "x", "metadata": {"a": object()}}, "an object of type object"),
    "a set": ({"prompt": "x", "stop": {"a"}}, "an object of type set"),
    "wrong options": ({"prompt": "x", "options": {"timeout_ms": "1"}}, "timeout_ms"),
    "an unknown option": ({"prompt": "x", "options": {"colour": 1}}, "colour"),
}


@pytest.fixture
def client(simulator):
    with liter_llm.Client(simulator.config()) as client:
        yield client


@pytest.mark.parametrize("name", REQUESTS)
def test_requests(simulator, client, name):
    request, message = REQUESTS[name]
    requests = simulator.stats()["requests"]

    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as asynchronous:
            with pytest.raises(BadRequestError, match=message):
                await asynchronous.chat(request)
            with pytest.raises(BadRequestError, match=message):
                await asynchronous.stream(request).text()

    asyncio.run(main())
    with pytest.raises(BadRequestError, match=message):
        client.stream(request).text()
    with pytest.raises(BadRequestError, match=message) as caught:
        client.chat(request)
    error = caught.value
    shown = "".join(traceback.format_exception_only(error)) + repr(error) + repr(error.document)
    assert "secret" not in shown
    assert error.kind == "invalid_request" and not error.retryable
    assert simulator.stats()["requests"] == requests


def test_a_circle(client):
    circle = {}
    circle["metadata"] = circle
    with pytest.raises(BadRequestError, match="contains itself"):
        client.chat("x", metadata=circle)


def test_options_with_a_word_that_nobody_knows(client):
    with pytest.raises(liter_llm.BadRequestError, match=r"options\.cache\.mode"):
        client.chat("x", cache={"mode": "on"})


CONFIGS = [
    ("{", "not valid JSON"),
    ("", "empty"),
    ("[]", "object"),
    (b"\xff", "UTF-8"),
    ({"colour": 1}, "colour"),
    ({"providers": {"openai": {"base_url": "nowhere"}}}, "base_url"),
    ({"providers": {"mine": {"kind": "strange"}}}, "kind"),
    ({"max_in_flight": 0}, "max_in_flight"),
    ({"providers": {"openai": {"api_key": object()}}}, "configuration"),
]


@pytest.mark.parametrize(("config", "message"), CONFIGS)
@pytest.mark.parametrize("kind", [liter_llm.Client, liter_llm.AsyncClient])
def test_configurations(config, message, kind):
    with pytest.raises(BadRequestError, match=message):
        kind(config)


def test_a_missing_configuration_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        liter_llm.Client(tmp_path / "nowhere.json")


def test_an_unknown_provider(client):
    with pytest.raises(liter_llm.NotFoundError, match=r"known: .*openai"):
        client.chat("x", provider="nobody")
    with pytest.raises(liter_llm.NotFoundError):
        client.chat("x", provider="a\0b")


def test_a_missing_key(simulator, run_python):
    config = simulator.config()
    del config["providers"]["openai"]["api_key"]
    script = """
import liter_llm
try:
    liter_llm.generate("x")
except liter_llm.AuthenticationError as error:
    print(error)
"""
    assert "OPENAI_API_KEY" in run_python(script, config=config, env={"OPENAI_API_KEY": None})


def test_an_unreadable_environment(run_python):
    script = """
import liter_llm
for _ in range(2):
    try:
        liter_llm.generate("x")
    except liter_llm.BadRequestError as error:
        assert "LITER_LLM_CONFIG" in str(error)
    else:
        raise SystemExit("no error")
"""
    run_python(script, env={"LITER_LLM_CONFIG": "/nowhere.json"})


def test_a_refused_connection():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    provider = {"base_url": f"http://127.0.0.1:{port}/v1", "api_key": "sk-secret"}
    client = liter_llm.Client({"providers": {"openai": provider}, "retry": False})
    with pytest.raises(liter_llm.APIConnectionError) as caught:
        client.chat("x", model="openai/gpt-5")
    assert caught.value.retryable and "sk-secret" not in repr(caught.value.document)


REPLIES = {
    "html": (liter_llm.APIResponseValidationError, "html|HTML|JSON"),
    "html_502": (liter_llm.InternalServerError, "HTML"),
    "not_json": (liter_llm.APIResponseValidationError, "JSON"),
    "empty_body": (liter_llm.APIResponseValidationError, "empty|JSON"),
    "bad_key": (liter_llm.AuthenticationError, "Incorrect API key"),
    "forbidden": (liter_llm.PermissionDeniedError, "not allowed"),
    "no_model": (liter_llm.NotFoundError, "does not exist"),
    "rate_limit": (liter_llm.RateLimitError, "Rate limit"),
    "overloaded": (liter_llm.InternalServerError, "Overloaded"),
    "cut": (liter_llm.APIConnectionError, "connection|answer|broke|lost|reset"),
    "reset": (liter_llm.APIConnectionError, "connection|answer|broke|lost|reset"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_bad_answers(simulator, name):
    kind, message = REPLIES[name]
    with (
        liter_llm.Client(simulator.case(name)) as client,
        pytest.raises(kind, match=message) as caught,
    ):
        client.chat("Hello")
    assert json.loads(json.dumps(caught.value.document))["error"]["kind"] == caught.value.kind
    assert caught.value.provider == "openai"
    if name == "rate_limit":
        assert (caught.value.status, caught.value.retry_after) == (429, 7.0)


def test_no_answer(simulator):
    with liter_llm.Client(simulator.case("never")) as client:
        with pytest.raises(liter_llm.APITimeoutError) as caught:
            client.chat("Hello", timeout_ms=100)
        assert isinstance(caught.value, TimeoutError)


def test_a_broken_stream(simulator):
    with liter_llm.Client(simulator.case("broken_stream")) as client:
        stream = client.stream("Hello")
        assert next(stream).text == "Hel"
        with pytest.raises(liter_llm.StreamBrokenError) as caught:
            next(stream)
        assert caught.value.partial == {"text": "Hel"}
        with pytest.raises(StopIteration):
            next(stream)

    async def main():
        async with liter_llm.AsyncClient(simulator.case("broken_stream")) as client:
            with pytest.raises(liter_llm.StreamBrokenError):
                await client.stream("Hello").text()

    asyncio.run(main())
