"""Text of every kind, both ways."""

import asyncio
import json

import pytest

import liter_llm

TEXTS = [
    "naïve café",
    "日本語",
    "🎉👩‍👩‍👧‍👦",
    "مرحبا שלום",
    "a\0b\0",
    "\u2028\u2029\ufeff\ufffd\uffff",
    "".join(map(chr, range(0x20))) + "\x7f\x80",
    '"\\/\b\f\n\r\t',
    "𝔘𝔫𝔦" * 100,
    "e\u0301 is not \u00e9",
]


@pytest.mark.parametrize("text", TEXTS)
def test_there_and_back(simulator, text):
    with liter_llm.Client(simulator.config()) as client:
        assert client.chat(text).text == f"You said: {text}"
        assert client.chat(json.dumps({"prompt": text}).encode()).text == f"You said: {text}"
        stream = client.stream(text)
        assert "".join(chunk.text for chunk in stream) == stream.response.text
        assert stream.response.text == f"You said: {text}"

    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as client:
            assert (await client.chat(text)).text == f"You said: {text}"

    asyncio.run(main())


@pytest.mark.parametrize("name", ["nul", "unicode"])
def test_what_a_provider_sends(simulator, name):
    with liter_llm.Client(simulator.case(name)) as client:
        text = client.chat("Hello").text
    expected = {"nul": "a\0b", "unicode": 'naïve 日本語 🎉 \u2028 \u0001 \x7f \\ " 𝔘𝔫𝔦'}
    assert text == expected[name]


@pytest.mark.parametrize("member", ["prompt", "model", "user"])
def test_lone_surrogates(simulator, member):
    with liter_llm.Client(simulator.config()) as client:
        members = {"prompt": "Hello"} | {member: "secret \ud83d text"}
        for call in (client.chat, client.stream):
            with pytest.raises(liter_llm.BadRequestError, match="surrogate") as caught:
                call(**members)
            assert "secret" not in str(caught.value)
            assert caught.value.__context__ is None
        with pytest.raises(liter_llm.BadRequestError, match="surrogate"):
            client.chat("Hello", options={"provider": "\udc00"})
        with pytest.raises(liter_llm.BadRequestError, match="surrogate"):
            liter_llm.Client('{"default_provider":"\udc00"}')
