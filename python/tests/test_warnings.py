"""Warnings of answers come out of Python's `warnings`, once a text and client."""

import asyncio
import warnings

import pytest

import liter_llm

SAID = "the-prompt-nobody-may-see"
WRONG = {"prompt": SAID, "frobnicate": SAID}


@pytest.fixture
def client(simulator):
    with liter_llm.Client(simulator.config()) as client:
        yield client


def heard(*calls):
    """The warnings of some calls."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        for call in calls:
            call()
    return found


def test_once_for_each_text_and_client(client, simulator):
    found = heard(*[lambda: client.chat(WRONG)] * 3, lambda: client.with_options().chat(WRONG))
    assert [one.category for one in found] == [liter_llm.LiterLLMWarning]
    assert "frobnicate" in str(found[0].message)
    assert SAID not in str(found[0].message)
    assert found[0].filename == __file__  # the caller's line, not one of the package
    assert len(heard(lambda: client.chat({"prompt": "x", "other": 1}))) == 1
    with liter_llm.Client(simulator.config()) as another:
        assert len(heard(lambda: another.chat(WRONG))) == 1


def test_every_kind_of_call(client, simulator):
    calls = [
        lambda one: one.stream(WRONG).text(),
        lambda one: list(one.stream(WRONG)),
        lambda one: one.generate_multi(WRONG, ["openai"]),
        lambda one: one.chat(WRONG, stream=False),
    ]
    for call in calls:
        with liter_llm.Client(simulator.config()) as one:
            found = heard(lambda: call(one))  # noqa: B023
        assert [one.filename for one in found] == [__file__], call

    async def main(call):
        async with liter_llm.AsyncClient(simulator.config()) as one:
            await call(one)

    async def read(one):
        return [chunk async for chunk in one.stream(WRONG)]

    for call in (
        lambda one: one.chat(WRONG),
        lambda one: one.generate_multi(WRONG, ["openai"]),
        read,
        lambda one: one.stream(WRONG).text(),
    ):
        found = heard(lambda: asyncio.run(main(call)))  # noqa: B023
        assert [one.category for one in found] == [liter_llm.LiterLLMWarning]


def test_as_an_error_the_answer_is_not_lost(client):
    stream = client.stream(WRONG)
    with pytest.raises(liter_llm.LiterLLMWarning):
        for _ in stream:
            pass
    assert stream.response.text == f"You said: {SAID}"


def test_a_client_that_blocks_a_loop(client):
    async def main():
        return client.chat("Hello")

    found = heard(lambda: asyncio.run(main()), lambda: asyncio.run(main()))
    assert len(found) == 1
    assert "AsyncClient" in str(found[0].message)
