"""Compares the engine's costs with those of genai-prices: every model of the table, random usages.

    python3 scripts/prices_oracle.py              a few usages a model: about a minute
    python3 scripts/prices_oracle.py --long       400 usages a model
    python3 scripts/prices_oracle.py --seed N     other usages

genai_prices' own arithmetic (Decimal) writes what each usage costs; core/tests/prices.rs reads it
and compares every digit. Days are those around the begin of each price, times of the day those
around the hours of each, words those of each variant. Where the two are meant to differ,
`DIFFERENT` says why.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from prices import rates

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "core" / "data" / "prices.json"
EXPECTED = ROOT / "target" / "prices-oracle.tsv"
FEW, MANY = 6, 400

# The engine's units, in its order, and the units of genai-prices that each counts in.
UNITS = {
    "input": ("input_tokens",),
    "cache_read": ("input_tokens", "cache_read_tokens"),
    "cache_write": ("input_tokens", "cache_write_tokens"),
    "cache_write_1h": ("input_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    "input_audio": ("input_tokens", "input_audio_tokens"),
    "input_image": ("input_tokens", "input_image_tokens"),
    "input_video": ("input_tokens", "input_video_tokens"),
    "cache_read_audio": (
        "input_tokens",
        "cache_read_tokens",
        "input_audio_tokens",
        "cache_audio_read_tokens",
    ),
    "cache_read_image": (
        "input_tokens",
        "cache_read_tokens",
        "input_image_tokens",
        "cache_image_read_tokens",
    ),
    "output": ("output_tokens",),
    "reasoning": ("output_tokens", "output_reasoning_tokens"),
    "output_audio": ("output_tokens", "output_audio_tokens"),
    "output_image": ("output_tokens", "output_image_tokens"),
    "output_video": ("output_tokens", "output_video_tokens"),
    "searches": ("web_searches",),
    "file_searches": ("storage_searches",),
    "rerank_searches": ("rerank_searches",),
}
ROWS = {"aws": "bedrock", "google": "vertex", "moonshotai": "moonshot", "voyageai": "voyage"}
ROWS |= {"x-ai": "xai", "zhipuai": "zhipu"}

# Names for which the engine takes another model than genai-prices, each with the reason.
DIFFERENT: dict[str, str] = {}


def main() -> int:
    """Writes what is expected, and runs the test; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--long", action="store_true", help=f"{MANY} usages a model")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(MANY if options.long else FEW, options.seed)
        return 0
    python = ROOT / "target" / "prices" / "bin" / "python"
    if not python.exists():
        sys.exit("target/prices is missing: run `make prices CHECK=1`")
    words = [python, __file__, "--write", "--seed", str(options.seed)]
    subprocess.run([*words, *(["--long"] if options.long else [])], check=True)
    print(f"seed {options.seed}", flush=True)
    # As `make rust` compiles it, so that nothing is compiled again.
    command = ["cargo", "--locked", "test", "-q", "--workspace"]
    command += ["--features", "liter-llm-core/schema", "--test", "prices"]
    environment = os.environ | {"LITER_LLM_PRICES_ORACLE": str(EXPECTED)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def write(each: int, seed: int) -> None:
    """Writes a line for each usage: row, model, time, words, counts, and the cost."""
    from genai_prices.data import providers

    by_id = {provider.id: provider for provider in providers}
    table = [json.loads(line) for line in TABLE.read_text("utf-8").splitlines()[1:]]
    listed = {(line["provider"], line["model"]) for line in table}
    chance, unreached, lines = random.Random(seed), [], 0
    with EXPECTED.open("w", encoding="utf-8") as out:
        for id, name in sorted(listed):
            provider = by_id[id]
            models = [model for model in provider.models if model.id == name]
            for model in models:
                asked = reached(provider, model, providers)
                if asked is None:
                    unreached.append(f"{id}/{name}")
                    continue
                for line in costs(provider, model, chance, each):
                    out.write("\t".join([ROWS.get(id, id), asked, *line]) + "\n")
                    lines += 1
    print(f"{lines} usages of {len(listed)} models", flush=True)
    if unreached:
        print(f"no name leads to {len(unreached)} of them: {', '.join(unreached)}", flush=True)


def reached(provider: Any, model: Any, providers: Any) -> str | None:
    """A name by which genai-prices finds this model."""
    for name in names(model):
        if name not in DIFFERENT and provider.find_model(name, all_providers=providers) is model:
            return name
    return None


def names(model: Any) -> Iterator[str]:
    """Names that may be those of a model."""
    yield model.id

    def texts(clause: Any) -> Iterator[str]:
        for part in getattr(clause, "or_", None) or getattr(clause, "and_", None) or []:
            yield from texts(part)
        for name in ("equals", "starts_with", "contains", "ends_with"):
            if hasattr(clause, name):
                yield getattr(clause, name)

    for text in texts(model.match):
        yield text
        yield f"{text}-x"


def costs(provider: Any, model: Any, chance: random.Random, each: int) -> Iterator[list[str]]:
    """Random usages of a model with what they cost."""
    from genai_prices import Usage

    for i in range(each):
        at = moment(model, chance, i)
        words = said(model, chance)
        prices = model.get_prices(at, words)
        counts = usage(prices, chance)
        known = {name: 0 for inside in UNITS.values() for name in inside}
        for unit, count in counts.items():
            for name in UNITS[unit]:
                known[name] += count
        price = model.calc_price(
            Usage(**known), provider, genai_request_timestamp=at, price_context=words
        )
        total = price.total_price.quantize(Decimal("1e-12"), ROUND_HALF_EVEN)
        yield [
            str(int(at.timestamp())),
            (words or {}).get("service_tier", ""),
            (words or {}).get("speed", ""),
            ",".join(str(counts.get(unit, 0)) for unit in UNITS),
            f"{total.normalize():f}",
        ]


def moment(model: Any, chance: random.Random, i: int) -> datetime.datetime:
    """A time at which the price may be another one than a moment before."""
    day = datetime.datetime(2026, 11, 1, tzinfo=datetime.UTC)
    limits = model.prices if isinstance(model.prices, list) else []
    limits = [limit.constraint for limit in [*limits, *(model.price_variants or [])]]
    limits = [limit for limit in limits if limit is not None]
    if not limits or i % 4 == 0:
        return day + datetime.timedelta(minutes=chance.randrange(-1_000_000, 500_000))
    limit = chance.choice(limits)
    slack = datetime.timedelta(minutes=chance.choice((-1441, -1, 0, 1, 1441)))
    if hasattr(limit, "start_date"):
        start = datetime.datetime.combine(limit.start_date, datetime.time(), datetime.UTC)
        return start + slack
    time = chance.choice((limit.start_time, limit.end_time))
    return datetime.datetime.combine(day.date(), time.replace(tzinfo=datetime.UTC)) + slack


def said(model: Any, chance: random.Random) -> dict[str, str] | None:
    """Words of an answer: none, those of a variant, or others."""
    variants = [v.when for v in model.price_variants or [] if "processing" not in v.when]
    variants = [when for when in variants if not when.keys() & rates.UNSAID]
    return chance.choice([None, {"service_tier": "other"}, *variants])


def usage(prices: Any, chance: random.Random) -> dict[str, int]:
    """Random counts of what has a price, or is a part of something that has one."""
    priced = {name for name, price in vars(prices).items() if price is not None}
    ours = {rates.UNITS[name] for name in priced if name in rates.UNITS}
    counts = {}
    for unit, inside in UNITS.items():
        whole = {"input_tokens": "input", "output_tokens": "output"}.get(inside[0], unit)
        if whole in ours and chance.random() < 0.6:
            counts[unit] = chance.choice((1, 7, 999, chance.randrange(1 << 17), 300_001))
            if chance.random() < 0.02:
                counts[unit] = chance.randrange(1 << 40)
    return counts


if __name__ == "__main__":
    sys.exit(main())
