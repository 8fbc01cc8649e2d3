"""What an entry's units cost.

`plain` runs where genai-prices is installed, and makes plain values of its prices. `entry` and
`variant` make those of the table of them, and stop at a unit or a constraint that it does not know.
"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from .errors import InexpressibleError

# The price of a unit in genai-prices, and in the table. Prices are in USD for a million tokens, or
# for a thousand searches.
UNITS = {
    "input_mtok": "input",
    "output_mtok": "output",
    "cache_read_mtok": "cache_read",
    "cache_write_mtok": "cache_write",
    "cache_write_1h_mtok": "cache_write_1h",
    "input_audio_mtok": "input_audio",
    "output_audio_mtok": "output_audio",
    "cache_audio_read_mtok": "cache_read_audio",
    "input_image_mtok": "input_image",
    "output_image_mtok": "output_image",
    "cache_image_read_mtok": "cache_read_image",
    "input_video_mtok": "input_video",
    "output_video_mtok": "output_video",
    "output_reasoning_mtok": "reasoning",
    "web_searches_kcount": "searches",
    "storage_searches_kcount": "file_searches",
    "rerank_searches_kcount": "rerank_searches",
}

# Units of what the engine does not ask for: transcription, speech, recognition of text in images.
# A model that has no other price is left out.
NOT_ASKED_FOR = {
    "audio_hours",
    "input_audio_hours",
    "input_document_kpages",
    "input_annotated_document_kpages",
    "input_mchars",
    "input_text_messages_kcount",
}

# What a variant may look at.
WHEN = {"processing", "service_tier", "speed"}

# What no answer says: which of OpenRouter's routes to a provider it took. Such a variant is left
# out.
UNSAID = {"route"}

# The engine counts in 10^-18 USD for a million tokens: OpenRouter has prices with so many decimals.
MOST_DECIMALS = 18


def plain(prices: Any) -> list[dict[str, Any]]:
    """A model's prices as lists and texts, one for each constraint."""
    if not isinstance(prices, list):
        return [{"constraint": None, "units": units(prices)}]
    return [plain_one(price) for price in prices]


def plain_one(price: Any) -> dict[str, Any]:
    """Prices that a constraint, or a variant's condition, stands before."""
    made = {"constraint": constraint(price.constraint), "units": units(price.prices)}
    return made | ({"when": price.when} if hasattr(price, "when") else {})


def units(prices: Any) -> dict[str, Any]:
    """The price of each unit: a text, or a base with tiers."""
    made: dict[str, Any] = {}
    for name, price in vars(prices).items():
        if isinstance(price, Decimal):
            made[name] = f"{price:f}"
        elif price is not None:
            tiers = [[tier.start, f"{tier.price:f}"] for tier in price.tiers]
            made[name] = {"base": f"{price.base:f}", "tiers": tiers}
    return made


def constraint(limit: Any) -> Any:
    """A constraint as plain values; its class is its name."""
    if limit is None:
        return None
    values = {name: value.isoformat() for name, value in vars(limit).items()}
    return {"kind": type(limit).__name__} | values


def said(variant: dict[str, Any]) -> bool:
    """Whether answers say what a variant looks at."""
    return not variant["when"].keys() & UNSAID


def entry(where: str, price: dict[str, Any]) -> dict[str, Any]:
    """One of the prices of a model: from a day on, or at a time of the day."""
    return condition(where, price["constraint"]) | priced(where, price["units"])


def variant(where: str, price: dict[str, Any]) -> dict[str, Any]:
    """Prices that stand in the place of some of the others."""
    strange = sorted(price["when"].keys() - WHEN)
    if strange:
        raise InexpressibleError(f"{where} has a variant by {strange[0]!r}")
    limit = condition(where, price["constraint"])
    return {"when": price["when"]} | limit | priced(where, price["units"])


def condition(where: str, limit: dict[str, Any] | None) -> dict[str, Any]:
    """When a price holds."""
    if limit is None:
        return {"since": None}
    if limit["kind"] == "StartDateConstraint":
        return {"since": limit["start_date"]}
    if limit["kind"] == "TimeOfDateConstraint":
        return {"hours": [minute(where, limit["start_time"]), minute(where, limit["end_time"])]}
    raise InexpressibleError(f"{where} has the constraint {limit['kind']}")


def minute(where: str, text: str) -> str:
    """A time of the day as hours and minutes of UTC."""
    time = datetime.time.fromisoformat(text)
    if time.utcoffset() not in (None, datetime.timedelta()) or time.second or time.microsecond:
        raise InexpressibleError(f"{where} has the time {text}, which is no minute of UTC")
    return f"{time:%H:%M}"


def priced(where: str, prices: dict[str, Any]) -> dict[str, Any]:
    """The price of each unit in the order of the table, and the tiers."""
    strange = sorted(prices.keys() - UNITS.keys() - NOT_ASKED_FOR)
    if strange:
        raise InexpressibleError(f"{where} has the unit {strange[0]}")
    made: dict[str, Any] = {}
    tiers: dict[int, dict[str, Any]] = {}
    for theirs, ours in UNITS.items():
        price = prices.get(theirs)
        if price is None:
            continue
        if isinstance(price, str):
            made[ours] = decimal(where, price)
            continue
        made[ours] = decimal(where, price["base"])
        for over, dearer in price["tiers"]:
            tiers.setdefault(over, {"over": over})[ours] = decimal(where, dearer)
    return made | ({"tiers": [tiers[over] for over in sorted(tiers)]} if tiers else {})


def decimal(where: str, text: str) -> str:
    """A price in as few characters as it needs."""
    price = Decimal(text)
    made = f"{price.normalize():f}"
    if price < 0 or len(made.partition(".")[2]) > MOST_DECIMALS:
        raise InexpressibleError(f"{where} has the price {text}")
    return made


def has_price(price: dict[str, Any]) -> bool:
    """Whether a unit of it has a price."""
    return any(name not in ("since", "hours") for name in price)


def is_free(model: str) -> bool:
    """Whether a model without a price costs nothing. Only these say so themselves; of others that
    have none the price is not known. Google sells none of the Gemma models [doc], and OpenAI's
    moderation is free [doc].
    """
    return model.endswith(":free") or model.startswith("gemma-") or model == "moderation"
