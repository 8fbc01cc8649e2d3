"""What a call cost: amounts of money are Decimals, and never floats."""

from __future__ import annotations

import json
from decimal import Decimal

from liter_llm import Response


def cost(**members: object) -> Response:
    return Response.of("Hi.", liter={"v": 1, "request_id": "test", "cost": members})


def test_amounts_are_decimals() -> None:
    found = cost(usd="0.18494235", input_usd="0.1", maybe_usd="12.000000000001").liter.cost
    assert found is not None
    assert found.usd == Decimal("0.18494235")
    assert found.input_usd == Decimal("0.1")
    assert found.maybe_usd == Decimal("12.000000000001")


def test_what_is_not_known_is_none_and_never_0() -> None:
    found = cost(usd=None, reason="no_price").liter.cost
    assert found is not None
    assert found.usd is None
    assert found.reason == "no_price"
    assert (found.known_usd, found.table_usd, found.output_usd, found.other_usd) == (None,) * 4


def test_the_document_stays_json() -> None:
    answer = cost(usd="0.1")
    _ = answer.liter.cost
    assert json.loads(json.dumps(answer))["liter"]["cost"] == {"usd": "0.1"}
