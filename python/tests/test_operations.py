"""What is asked beside chats: models and moderations."""

import asyncio

import pytest

import liter_llm

ASKED = [{"type": "text", "text": "violence"}]
ASKED.append({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}})


@pytest.fixture
def client(simulator):
    with liter_llm.Client(simulator.config()) as client:
        yield client


def test_models(client):
    answer = client.models()
    assert isinstance(answer, liter_llm.ModelsResponse)
    assert [model.id for model in answer.data] == ["gpt-5-mini", "gpt-5"]
    assert answer.data[0].created == 1_700_000_000
    assert answer.data[0].context_window is None
    assert answer.data[0].provider_fields.owned_by == "simulator"
    assert answer.provider == "openai"
    assert answer.liter.attempts[0].status == 200


def test_one_model(client):
    assert [model.id for model in client.models(model="gpt-5").data] == ["gpt-5"]
    assert client.models(model="openai/any/model").data[0].id == "any/model"


def test_the_provider_is_the_first_argument_or_an_option(client):
    for answer in (client.models("openai"), client.models(provider="openai")):
        assert answer.provider == "openai"
    with pytest.raises(liter_llm.NotFoundError):
        client.models("nobody")
    assert client.with_options(provider="nobody").models("openai").provider == "openai"


def test_moderate(client):
    answer = client.moderate("good")
    assert isinstance(answer, liter_llm.ModerateResponse)
    assert [verdict.flagged for verdict in answer.results] == [False]
    assert answer.results[0].categories == {"violence": False}
    assert answer.results[0].category_scores == {"violence": 0.01}
    several = client.moderate(["good", "violence"], model="m", provider="openai", timeout_ms=5000)
    assert [verdict.flagged for verdict in several.results] == [False, True]
    assert several.model == "m"
    assert [verdict.flagged for verdict in client.moderate(ASKED).results] == [True]


def test_asyncio(simulator):
    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as client:
            models, one, verdicts = await asyncio.gather(
                client.models("openai"), client.models(model="m"), client.moderate(ASKED)
            )
            assert [model.id for model in models.data] == ["gpt-5-mini", "gpt-5"]
            assert one.data[0].id == "m"
            assert verdicts.results[0].flagged
            with pytest.raises(liter_llm.BadRequestError):
                await client.moderate([])

    asyncio.run(main())


def test_what_is_wrong_raises(client):
    with pytest.raises(liter_llm.BadRequestError) as caught:
        client.moderate([])
    assert caught.value.param == "input"
    with pytest.raises(TypeError, match=r"models\(\) takes no frobnicate"):
        client.models(frobnicate=1)
    with pytest.raises(TypeError):
        client.moderate(model="m")
    with pytest.raises(liter_llm.UnsupportedError) as caught:
        client.moderate("x", provider="anthropic")
    assert caught.value.param == "op"


def test_several_answers_are_refused_before_anything_is_sent(client):
    with pytest.raises(liter_llm.BadRequestError) as caught:
        client.models(fanout={"targets": ["openai", "openai"]})
    assert caught.value.attempts == []
