"""What is asked beside chats: embeddings, models and moderations."""

import array
import asyncio
import json
import pickle
from decimal import Decimal

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


def facts(text):
    """The first numbers of the simulator's vector of a text."""
    return [float(sum(text.encode())), float(len(text))]


def test_embed(client):
    answer = client.embed(["a", "bcd"], model="m", dimensions=3)
    assert isinstance(answer, liter_llm.EmbedResponse)
    assert isinstance(answer.data[1], liter_llm.Embedding)
    assert (answer.encoding, answer.usage.total_tokens, answer.data[1].index) == ("base64", 2, 1)
    vectors = answer.vectors()
    assert [vector.format for vector in vectors] == ["f", "f"]
    assert [list(vector[:2]) for vector in vectors] == [facts("a"), facts("bcd")]
    matrix = answer.matrix()
    assert matrix.shape == (2, 3)
    assert matrix.tolist() == [list(vector) for vector in vectors]
    assert client.embed("a", model="m").vectors()[0].shape == (4,)
    again = pickle.loads(pickle.dumps(answer))
    assert json.loads(again.model_dump_json())["data"][0]["embedding"] == answer.data[0].embedding


def test_vectors_are_views(client):
    numpy = pytest.importorskip("numpy")
    answer = client.embed(["a", "bcd"], model="m")
    vectors = answer.vectors()
    seen = numpy.asarray(vectors[1])
    assert seen.dtype == numpy.float32
    vectors[1][0] = 7.0
    assert seen[0] == 7.0
    assert numpy.asarray(answer.matrix()).shape == (2, 4)


def test_the_encodings_of_vectors():
    def vectors(encoding, *embeddings):
        data = [{"index": i, "embedding": one} for i, one in enumerate(embeddings)]
        return liter_llm.EmbedResponse({"encoding": encoding, "data": data}).vectors()

    assert [list(one) for one in vectors("int8", "gAF/", "AAEC")] == [[-128, 1, 127], [0, 1, 2]]
    assert [list(one) for one in vectors("ubinary", "/wE=")] == [[255, 1]]
    assert [list(one) for one in vectors("float", [0.5, -1.0])] == [[0.5, -1.0]]
    assert vectors("float", [0.1])[0].tolist() == array.array("f", [0.1]).tolist()
    assert [list(one) for one in vectors("int8", "gA==")] == [[-128]]
    assert [list(one) for one in vectors("binary", "gP8=")] == [[-128, -1]]
    assert [list(one) for one in vectors("uint8", "/w==")] == [[255]]
    assert vectors("base64") == []
    for embedding in ("", "AAA=", "AAAAPwA=", "?"):
        with pytest.raises(ValueError, match=r"differ in length|bytes length"):
            vectors("base64", embedding)
    empty = liter_llm.EmbedResponse({"encoding": "base64", "data": []})
    with pytest.raises(ValueError, match="no vectors"):
        empty.matrix()
    with pytest.raises(ValueError, match="differ in length"):
        vectors("int8", "gAF/", "AA==")


def test_rerank(simulator):
    documents = ["It rains.", "Paris is in France.", "Where it rains."]
    mine = {"kind": "compatible", "base_url": f"{simulator.url}/v1", "api_key": "sk-test"}
    config = {"providers": {"mine": mine}}
    with liter_llm.Client(config) as client:
        answer = client.rerank("Where is Paris", documents, model="mine/m")
        assert isinstance(answer, liter_llm.RerankResponse)
        assert [ranked.index for ranked in answer.results] == [1, 2, 0]
        assert [ranked.relevance_score for ranked in answer.results] == [2 / 3, 1 / 3, 0]
        with pytest.raises(liter_llm.BadRequestError, match="documents is empty"):
            client.rerank("x", [], model="mine/m")


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


def test_stored_answers(simulator):
    """The second answer comes from memory, and a purge of its tenant forgets it."""
    with liter_llm.Client(simulator.config() | {"cache": {"ttl_s": 60}}) as client:

        def ask(tenant):
            answer = client.chat("Hello", seed=7, tenant=tenant, cache={"mode": "default"})
            return answer.liter.cache and answer.liter.cache.tier

        assert [ask("a"), ask("a"), ask("b"), ask("b")] == [None, "memory", None, "memory"]
        purged = client.purge_cache("a")
        assert isinstance(purged, liter_llm.CachePurged)
        assert (purged.tenant, purged.removed.memory) == ("a", 1)
        assert [ask("a"), ask("b")] == [None, "memory"]
        assert client.metrics()["cache"]["hit"] == 3
        with client.stream("Hello", seed=7, tenant="a") as stream:
            text = "".join(chunk.text for chunk in stream)
        assert stream.response.liter.cache.tier == "memory"
        assert text == stream.response.text
        with pytest.raises(TypeError):
            client.purge_cache(None)
        with pytest.raises(liter_llm.BadRequestError):
            client.purge_cache("x" * 129)

    async def main():
        async with liter_llm.AsyncClient(simulator.config() | {"cache": {}}) as client:
            answers = [client.chat("Hello", seed=7) for _ in range(20)]
            tiers = [answer.liter.cache for answer in await asyncio.gather(*answers)]
            assert tiers.count(None) == 1
            assert (await client.purge_cache("")).removed.memory == 1

    asyncio.run(main())
    with liter_llm.Client(simulator.config()) as client, pytest.raises(liter_llm.UnsupportedError):
        client.purge_cache("")


def test_asyncio(simulator):
    async def main():
        async with liter_llm.AsyncClient(simulator.config()) as client:
            models, one, verdicts, vectors = await asyncio.gather(
                client.models("openai"),
                client.models(model="m"),
                client.moderate(ASKED),
                client.embed(["a"] * 3000, model="m"),
            )
            assert len(vectors.vectors()) == 3000
            assert len(vectors.liter.attempts) == 3
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
    with pytest.raises(liter_llm.BadRequestError, match="model is missing"):
        client.embed("x")
    with pytest.raises(TypeError, match=r"embed\(\) takes no temperature"):
        client.embed("x", temperature=1)
    with pytest.raises(liter_llm.UnsupportedError) as caught:
        client.moderate("x", provider="anthropic")
    assert caught.value.param == "op"


def test_several_answers_are_refused_before_anything_is_sent(client):
    with pytest.raises(liter_llm.BadRequestError) as caught:
        client.models(fanout={"targets": ["openai", "openai"]})
    assert caught.value.attempts == []


def test_count_tokens(client, simulator):
    tools = [{"type": "function", "function": {"name": "f"}}]
    asked = {"model": "m", "provider": "openai"}
    answer = client.count_tokens("How many words", **asked)
    assert isinstance(answer, liter_llm.CountTokensResponse)
    assert (answer.input_tokens, answer.model, answer.provider) == (3, "m", "openai")
    assert answer.liter.attempts[0].status == 200
    assert client.count_tokens("Why?", system="Be brief.", tools=tools, **asked).input_tokens == 4
    for request in (
        [{"role": "user", "content": "one two"}],
        {"prompt": "one two", "model": "openai/m", "op": "chat"},
        b' {"prompt": "one two", "model": "openai/m", "op": "chat"}\n',
    ):
        assert client.count_tokens(request).input_tokens == 2

    async def asynchronously():
        async with liter_llm.AsyncClient(simulator.config()) as other:
            return await other.count_tokens("one", **asked)

    assert asyncio.run(asynchronously()).input_tokens == 1


def test_what_is_not_counted(client):
    for request in (b"{}", b"[]", b"", b'"x"', b'{"prompt": "x", "stream": true}', {"prompt": 1}):
        with pytest.raises(liter_llm.BadRequestError):
            client.count_tokens(request)
    with pytest.raises(TypeError, match=r"count_tokens\(\) takes no stream"):
        client.count_tokens("x", stream=True)
    with pytest.raises(liter_llm.UnsupportedError):
        client.count_tokens("x", provider="mistral", model="m")


def test_budgets(simulator):
    """What a call cost stands in its budget, which refuses the next one."""
    budget = {"per": "tag:user", "usd": "0.002", "window": "total"}
    prices = {"openai/gpt-5-mini": {"input": "10", "output": "10"}}
    config = simulator.config() | {"budgets": {"users": budget}, "prices": prices}
    with liter_llm.Client(config) as client:
        ann = {"options": {"tags": {"user": "ann"}}, "max_tokens": 150}
        cost = client.chat("Hello", **ann).liter.cost
        state = client.budget("users", "ann")
        assert isinstance(state, liter_llm.BudgetState)
        assert isinstance(state.spent_usd, Decimal)
        assert state.spent_usd == cost.usd > 0
        assert state.left_usd == Decimal("0.002") - cost.usd
        assert (state.held_usd, state.limit_usd) == (0, Decimal("0.002"))
        assert (state.since, state.until) == (0, None)
        assert client.budget("users", "bob").spent_usd == 0
        with pytest.raises(liter_llm.QuotaExceededError) as refused:
            client.chat("Hello", options={"tags": {"user": "ann"}}, max_tokens=5000)
        assert (refused.value.code, refused.value.param) == ("budget_exceeded", "budgets.users")
        assert client.budget("users", "ann") == state
        for wrong in [(None,), ("users", None)]:
            with pytest.raises(TypeError):
                client.budget(*wrong)
        with pytest.raises(liter_llm.NotFoundError):
            client.budget("nobody")

    async def main():
        async with liter_llm.AsyncClient(config) as client:
            assert (await client.budget("users")).spent_usd == 0

    asyncio.run(main())
