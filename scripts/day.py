"""Replays a day of 20,000 calls with a cache, and shows what it saves at which rate of repeats.

    .venv/bin/python scripts/day.py            # a table and a plot for docs/cache.md
    .venv/bin/python scripts/day.py --calls 2000 --rates 0.3,0.6

Some prompts of a day come once. The others are drawn from a thousand frequent ones by Zipf's law:
the n-th comes with a probability in proportion to 1/n. Their share is the axis: it sets the rate of
repeats, from none to nearly all. A fixed seed makes the day, so each run has the same one. The
bundled simulator answers, 50 ms after each request. It and the library are built by `make build`.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import itertools
import random
import re
import sys
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from simulator import ROOT, Simulator

PAGE = ROOT / "docs" / "cache.md"
PLOT = ROOT / "docs" / "day.svg"
BEGIN, END = "<!-- day.py: begin -->", "<!-- day.py: end -->"
RATES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
MODEL = "openai/gpt-4.1-mini"
PRICES = {MODEL: {"input": "0.4", "output": "1.6"}}
DELAY_MS = 50
FREQUENT = 1_000
AGAIN = 1_000
MEMORY = 512 << 20
SEED = 20261130


@dataclass
class Day:
    """What a day has shown."""

    rate: float
    calls: int = 0
    hits: int = 0
    joined: int = 0
    tokens: int = 0
    saved_tokens: int = 0
    usd: Decimal = Decimal(0)
    saved_usd: Decimal = Decimal(0)
    hit_ms: list[float] = field(default_factory=list)
    miss_ms: list[float] = field(default_factory=list)

    def took(self, ms: float, answer: Any) -> None:
        """Counts an answer."""
        self.calls += 1
        used, cost, cache = answer.usage.total_tokens, answer.liter.cost, answer.liter.cache
        if cache is None:
            self.tokens += used
            self.usd += cost.usd
            self.miss_ms.append(ms)
            return
        self.saved_tokens += used
        self.saved_usd += cost.saved_usd
        if cache.tier == "memory":
            self.hits += 1
        else:
            self.joined += 1

    def saved(self) -> float:
        """The share of the tokens that nobody paid for."""
        return self.saved_tokens / (self.saved_tokens + self.tokens)


def trace(calls: int, rate: float, rng: random.Random) -> list[int]:
    """The prompts of a day, by their numbers: this share is drawn from the frequent ones."""
    sums = list(itertools.accumulate(1 / n for n in range(1, FREQUENT + 1)))
    once = itertools.count(FREQUENT)
    return [
        bisect.bisect(sums, rng.random() * sums[-1]) if rng.random() < rate else next(once)
        for _ in range(calls)
    ]


def prompt(number: int) -> str:
    """A prompt of its own length, the same for the same number."""
    rng = random.Random(number)
    words = (
        rng.choice(("sky", "sea", "why", "how", "blue", "deep"))
        for _ in range(rng.randrange(8, 120))
    )
    return f"{number}: {' '.join(words)}"


async def replay(client: Any, prompts: list[int], day: Day, at_once: int) -> None:
    """Asks for all prompts, so many at once."""
    left = iter(prompts)

    async def caller() -> None:
        for number in left:
            begun = time.perf_counter()
            answer = await client.chat(prompt(number), model=MODEL, temperature=0)
            day.took((time.perf_counter() - begun) * 1_000, answer)

    await asyncio.gather(*(caller() for _ in range(at_once)))


async def ask_again(client: Any, prompts: list[int], day: Day) -> None:
    """Asks for stored answers one by one: while others wait, a program's own queue counts, too."""
    for number in prompts[-AGAIN:]:
        begun = time.perf_counter()
        answer = await client.chat(prompt(number), model=MODEL, temperature=0)
        if answer.liter.cache is not None:
            day.hit_ms.append((time.perf_counter() - begun) * 1_000)


def measure(rates: list[float], calls: int, at_once: int) -> list[Day]:
    """A day for each rate."""
    from liter_llm import AsyncClient

    days = []
    with Simulator() as simulator:
        config = simulator.config(f"delay_ms={DELAY_MS},bytes=400")
        config |= {"cache": {"ttl_s": 86_400, "memory_bytes": MEMORY}, "prices": PRICES}
        for rate in rates:
            prompts = trace(calls, rate, random.Random(SEED))
            day = Day(1 - len(set(prompts)) / calls)

            async def run(prompts: list[int] = prompts, day: Day = day) -> None:
                async with AsyncClient(config) as client:
                    await replay(client, prompts, day, at_once)
                    await ask_again(client, prompts, day)

            asyncio.run(run())
            days.append(day)
            print(row(day), flush=True)
    return days


def quantile(values: list[float], share: float) -> str:
    """A quantile in milliseconds."""
    if not values:
        return "–"
    ms = sorted(values)[min(len(values) - 1, int(len(values) * share))]
    return f"{ms:.2f}" if ms < 10 else f"{ms:.0f}"


COLUMNS = (
    "repeats",
    "requests sent",
    "from memory",
    "shared a flight",
    "tokens saved",
    "money saved",
    "a hit, p50 / p99 in ms",
    "a miss, p50 in ms",
)
HEAD = f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|"


def row(day: Day) -> str:
    """A line of the table."""
    sent = day.calls - day.hits - day.joined
    money = day.saved_usd / (day.saved_usd + day.usd)
    return (
        f"| {day.rate:.0%} | {sent:,} | {day.hits:,} | {day.joined:,} | {day.saved():.1%} "
        f"| {money:.1%}, {day.saved_usd:.2f} USD "
        f"| {quantile(day.hit_ms, 0.5)} / {quantile(day.hit_ms, 0.99)} "
        f"| {quantile(day.miss_ms, 0.5)} |"
    )


def plot(days: list[Day]) -> str:
    """The tokens saved over the repeats, and the share of calls that shared a flight, as SVG."""
    width, height, left, top = 640, 360, 60, 20
    across, down = width - left - 20, height - top - 50

    def at(x: float, y: float) -> str:
        return f"{left + x * across:.1f},{top + (1 - y) * down:.1f}"

    def line(points: list[tuple[float, float]], colour: str) -> str:
        path = " ".join(at(x, y) for x, y in points)
        dots = "".join(
            '<circle cx="{}" cy="{}" r="3" fill="{}"/>'.format(*at(x, y).split(","), colour)
            for x, y in points
        )
        return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'

    grid = []
    for step in range(0, 11, 2):
        share = step / 10
        (x0, y0), (x1, _) = at(0, share).split(","), at(1, share).split(",")
        grid.append(f'<path d="M{x0} {y0}H{x1}" stroke="#ccc"/>')
        grid.append(
            f'<text x="{left - 8}" y="{float(y0) + 4}" text-anchor="end">{share:.0%}</text>'
        )
        x, y = at(share, 0).split(",")
        grid.append(f'<text x="{x}" y="{float(y) + 18}" text-anchor="middle">{share:.0%}</text>')
    tokens = [(day.rate, day.saved()) for day in days]
    flights = [(day.rate, day.joined / day.calls) for day in days]
    middle = left + across / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="12" role="img" aria-label="Tokens saved by '
        'repeats"><rect width="100%" height="100%" fill="#fff"/>'
        + "".join(grid)
        + line(tokens, "#1f6feb")
        + line(flights, "#d97706")
        + f'<text x="{left + 12}" y="{top + 16}" fill="#1f6feb">tokens saved</text>'
        + f'<text x="{left + 12}" y="{top + 34}" fill="#d97706">calls that shared a flight</text>'
        + f'<text x="{middle}" y="{height - 8}" text-anchor="middle">'
        "calls that repeat an earlier one</text>" + "</svg>\n"
    )


def write(days: list[Day]) -> None:
    """Puts the table and the plot into the documents."""
    PLOT.write_text(plot(days), encoding="utf-8")
    text = PAGE.read_text(encoding="utf-8")
    between = f"{BEGIN}\n{HEAD}\n" + "\n".join(row(day) for day in days) + f"\n{END}"
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(text):
        sys.exit(f"{PAGE} has no place for the table: {BEGIN} … {END}")
    PAGE.write_text(pattern.sub(lambda _: between, text), encoding="utf-8")


def main() -> int:
    """Replays days and shows them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--rates", default=",".join(str(rate) for rate in RATES))
    parser.add_argument("--write", action="store_true", help="into docs/cache.md and docs/day.svg")
    given = parser.parse_args()
    print(HEAD)
    days = measure([float(rate) for rate in given.rates.split(",")], given.calls, given.at_once)
    if given.write:
        write(days)
    return 0


if __name__ == "__main__":
    sys.exit(main())
