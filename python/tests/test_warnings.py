"""Warnings of answers come out of Python's `warnings`, once a text and client."""

import asyncio
import warnings
from pathlib import Path

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


FORGED = "x\nUserWarning: all is well\r\x1b[2K\u2028\u202e\u0085\U000e0041ä🎉"


def test_a_warning_is_one_line(client):
    """A name that a stranger gave forges no line and steers no terminal."""
    (found,) = heard(lambda: client.chat({"prompt": "x", FORGED: 1}))
    text = str(found.message)
    assert text.isprintable()
    assert r"x\nUserWarning: all is well\r\u001b[2K\u2028\u202e\u0085\udb40\udc41ä🎉" in text


def test_who_is_named_where_a_task_begins_with_the_call(simulator):
    """No frame of a loop is: it runs all code, and is nobody's."""

    async def gathered(one):
        await asyncio.gather(one.chat(WRONG))

    async def in_a_task(one):
        await asyncio.create_task(one.generate_multi(WRONG, ["openai"]))

    async def in_time(one):
        await asyncio.wait_for(one.stream(WRONG).text(), 60)

    async def main(call):
        async with liter_llm.AsyncClient(simulator.config()) as one:
            await call(one)

    for call in (gathered, in_a_task, in_time):
        found = heard(lambda: asyncio.run(main(call)))  # noqa: B023
        assert [one.filename for one in found] == [__file__], call


def test_a_folder_beside_the_package_is_the_callers(simulator):
    """Its name may begin with that of the package's folder."""
    folder = Path(liter_llm.__file__).parent
    code = compile("one.chat(wrong)", f"{folder}_of_mine/program.py", "exec")
    with liter_llm.Client(simulator.config()) as one:
        found = heard(lambda: exec(code, {"one": one, "wrong": WRONG}))
    assert [one.filename for one in found] == [f"{folder}_of_mine/program.py"]


LOG = """
import os, warnings
with warnings.catch_warnings(record=True) as found:
    import liter_llm
    liter_llm.Client({}).close()
print([str(one.message) for one in found], "liter_llm._logs" in __import__("sys").modules)
"""


@pytest.mark.parametrize("word", ["off", " OFF\t", "", "  "])
def test_no_log_is_asked_for(run_python, word):
    assert run_python(LOG, env={"LITER_LLM_LOG": word}).startswith("[] ")


@pytest.mark.parametrize("word", ["loud", "0", "of f"])
def test_a_word_that_is_no_level(run_python, word):
    said = "LITER_LLM_LOG is one of error, warn, info, debug, off: nothing is logged"
    assert run_python(LOG, env={"LITER_LLM_LOG": word}) == f"{[said]} True\n"


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
