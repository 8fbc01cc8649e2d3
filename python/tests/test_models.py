"""Responses: dicts whose members are attributes too."""

import copy
import json
import pickle

import pytest

from liter_llm import Chunk, Response
from liter_llm._models import AssistantMessage, Choice, Document, Usage

DOCUMENT = {
    "id": "x",
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hi",
                "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                ],
                "provider_fields": {"signature": {"deep": [1, {"a": 2}]}},
            },
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}},
    "provider": "openai",
    "warnings": [],
    "liter": {"v": 1, "request_id": "r", "attempts": [], "timing": {"total_ms": 1.5}},
}


@pytest.fixture
def response():
    return Response(copy.deepcopy(DOCUMENT))


def test_attributes(response):
    choice = response.choices[0]
    assert type(choice) is Choice and type(choice.message) is AssistantMessage
    assert choice.message.content == "Hi"
    assert choice.message.tool_calls[0].function.arguments == "{}"
    assert choice.message.provider_fields.signature.deep[0] == 1
    assert type(response.usage) is Usage and response.usage.prompt_tokens == 3
    assert response.usage.prompt_tokens_details.cached_tokens == 1
    assert response.liter.timing.total_ms == 1.5
    assert response.warnings == [] and response.liter.attempts == []
    assert response.choices[0] is choice  # wrapped once


def test_text_is_computed(response):
    assert response.text == "Hi" and "text" not in response
    response.choices[0].message["content"] = None
    assert response.text == ""
    assert Response(choices=[]).text == Response().text == ""


def test_items(response):
    assert response["usage"]["prompt_tokens"] == 3
    assert response["choices"][0]["message"]["content"] == "Hi"
    response.choices[0].message["content"] = "changed"
    assert response["choices"][0]["message"]["content"] == "changed"
    assert response.get("nothing") is None and "usage" in response


def test_absent_members(response):
    assert response.model is None and response.created is None
    assert response.usage.completion_tokens is None
    assert response.usage.completion_tokens_details is None
    assert response.choices[0].logprobs is None
    assert response.choices[0].message.refusal is None
    assert Chunk(choices=[]).usage is None
    for one in (response, response.usage, response.choices[0], Document()):
        with pytest.raises(AttributeError, match="has no attribute 'frobnicate'"):
            _ = one.frobnicate
        assert not hasattr(one, "__wrapped__")
        assert not hasattr(one, "_nested_")


def test_it_is_a_dict(response):
    _ = response.choices[0].message, response.usage
    assert response == DOCUMENT and isinstance(response, dict)
    assert json.loads(json.dumps(response)) == DOCUMENT
    assert repr(response) == repr(DOCUMENT)
    orjson = pytest.importorskip("orjson")
    assert orjson.loads(orjson.dumps(response)) == DOCUMENT


@pytest.mark.parametrize("wrapped", [False, True])
def test_copies(response, wrapped):
    if wrapped:
        _ = response.choices[0].message, response.usage
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(response, protocol))
        assert again == response and type(again) is Response
        assert again.choices[0].message.content == "Hi"
    for copied in (copy.copy(response), copy.deepcopy(response)):
        assert copied == response and type(copied) is Response


def test_dir_and_reading_only(response):
    assert {"choices", "usage", "model", "text"} <= set(dir(response))
    with pytest.raises(AttributeError):
        response.text = "no"


def test_a_message_goes_back_into_a_request(simulator):
    import liter_llm

    with liter_llm.Client(simulator.config()) as client:
        first = client.chat("Hello")
        messages = [{"role": "user", "content": "Hello"}, first.choices[0].message]
        assert client.chat([*messages, {"role": "user", "content": "Bye"}]).text == "You said: Bye"


def test_a_chunks_text():
    assert Chunk(choices=[{"index": 0, "delta": {"content": "a"}}]).text == "a"
    assert Chunk(choices=[{"index": 0, "delta": {"content": None}}]).text == ""
    assert Chunk(choices=[]).text == "" and Chunk().text == ""
    second = {"index": 1, "delta": {"content": "b"}}
    assert Chunk(choices=[second]).text == ""
    assert Chunk(choices=[second, {"index": 0, "delta": {"content": "a"}}]).text == "a"


def test_pydantics_way_to_dump(response):
    """The options that callers of other SDKs give. None is ignored that would change something."""
    plain = response.to_dict()
    for how in (
        {},
        {"mode": "json"},
        {"mode": "python"},
        {"exclude_unset": True},
        {"by_alias": True},
    ):
        assert response.model_dump(**how) == plain
        how.pop("mode", None)
        assert json.loads(response.model_dump_json(**how)) == plain
    some = Response(a=None, b=[{"c": None, "d": 1}])
    assert some.model_dump(mode="json", exclude_none=True) == {"b": [{"d": 1}]}
    assert json.loads(some.model_dump_json(exclude_none=True)) == {"b": [{"d": 1}]}
    with pytest.raises(ValueError, match="mode is 'json' or 'python'"):
        response.model_dump(mode="xml")
    with pytest.raises(TypeError, match="include"):
        response.model_dump(include={"id"})
