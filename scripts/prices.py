"""Writes core/data/prices.json and prices.bin from the data of genai-prices, of the pinned version.

    python3 scripts/prices.py             writes both files
    python3 scripts/prices.py --check     fails where they are not what the pinned version gives
    python3 scripts/prices.py --newest    pins the newest version, for somebody to look at its diff

The package comes from PyPI into an environment of its own, target/prices. The script only reads its
data. It stops at a unit, a constraint or a pattern that the engine cannot express: nothing of a
price may be lost on the way.

prices.json has a head, and then a line for each model, so that a diff can be read. prices.bin is
the same: its head is one line of JSON with the length of each provider's part, and each part is
deflated by itself, because most programs need one or two of them.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import venv
import zlib
from pathlib import Path
from typing import Any

from prices import clauses, rates
from prices.errors import InexpressibleError

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "scripts" / "prices.lock"
DATA = ROOT / "core" / "data"
HOME = ROOT / "target" / "prices"
LICENCE = "MIT, Copyright (c) Pydantic Services Inc. 2025 to present"

# The providers whose prices are taken: the names of genai-prices. `price_list` of a row in
# core/src/price/lists.rs says which provider of the registry has which list.
PROVIDERS = (
    "anthropic",
    "aws",
    "azure",
    "baseten",
    "cerebras",
    "cloudflare",
    "cohere",
    "databricks",
    "deepseek",
    "doubleword",
    "fireworks",
    "google",
    "groq",
    "minimax",
    "mistral",
    "moonshotai",
    "novita",
    "openai",
    "openrouter",
    "together",
    "voyageai",
    "x-ai",
    "zai",
    "zhipuai",
)


def main() -> int:
    """Writes or checks; the exit code."""
    if "--dump" in sys.argv[1:]:
        print(json.dumps(dump()))
        return 0
    if "--newest" in sys.argv[1:]:
        pin_newest()
        return 0
    try:
        text, lists = written(json.loads(run(environment(), __file__, "--dump")))
    except InexpressibleError as error:
        print(f"{error}: teach core/src/price and scripts/prices about it", file=sys.stderr)
        return 1
    if "--check" not in sys.argv[1:]:
        (DATA / "prices.json").write_text(text, encoding="utf-8")
        (DATA / "prices.bin").write_bytes(packed(text, lists))
        print(f"{text.count(chr(10)) - 1} models of {len(lists)} providers")
        return 0
    stale = []
    if (DATA / "prices.json").read_text(encoding="utf-8") != text:
        stale.append("prices.json")
    # Two versions of zlib may pack the same text differently.
    if unpacked((DATA / "prices.bin").read_bytes()) != text:
        stale.append("prices.bin")
    for name in stale:
        print(f"core/data/{name} is not what {LOCK.name} gives: make prices", file=sys.stderr)
    return 1 if stale else 0


def run(*command: object) -> str:
    """What a command prints."""
    return subprocess.run(
        [str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True
    ).stdout


def environment() -> Path:
    """The Python of an environment that has the pinned package."""
    python, stamp, lock = HOME / "bin" / "python", HOME / "installed", LOCK.read_text("utf-8")
    if not stamp.exists() or stamp.read_text("utf-8") != lock:
        venv.create(HOME, with_pip=True, clear=True)
        quiet = ("--quiet", "--disable-pip-version-check")
        # What the package needs is for its types alone; which version that is changes no price.
        name = lock.split()[0]
        run(python, "-m", "pip", "install", *quiet, "--no-deps", "--require-hashes", "-r", LOCK)
        run(python, "-m", "pip", "install", *quiet, name)
        stamp.write_text(lock, "utf-8")
    return python


def pin_newest() -> None:
    """Writes the lock of the newest version that pip finds."""
    with tempfile.TemporaryDirectory() as folder:
        quiet = ("--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")
        run(sys.executable, "-m", "pip", "download", *quiet, "-d", folder, "genai-prices")
        (wheel,) = Path(folder).iterdir()
        version, digest = wheel.name.split("-")[1], hashlib.sha256(wheel.read_bytes()).hexdigest()
    LOCK.write_text(f"genai-prices=={version} --hash=sha256:{digest}\n", "utf-8")


def dump() -> list[dict[str, Any]]:
    """The providers as plain values. This part runs in the environment that has the package."""
    from genai_prices.data import providers

    return [
        {
            "id": provider.id,
            "fallback": provider.fallback_model_providers or [],
            "models": [
                {
                    "id": model.id,
                    "match": clauses.plain(model.match),
                    "context": model.context_window,
                    "prices": rates.plain(model.prices),
                    "variants": [rates.plain_one(v) for v in model.price_variants or []],
                }
                for model in provider.models
            ],
        }
        for provider in providers
        if provider.id in PROVIDERS
    ]


def written(providers: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """The text of prices.json, and the lists that its head names."""
    missing = set(PROVIDERS) - {provider["id"] for provider in providers}
    if missing:
        raise InexpressibleError(f"no provider {', '.join(sorted(missing))}")
    package, digest = LOCK.read_text("utf-8").split()
    lines, lists = [], {}
    for provider in sorted(providers, key=lambda provider: provider["id"]):
        own = [line(provider["id"], model) for model in provider["models"]]
        lists[provider["id"]] = {
            "models": len(own := [text for text in own if text]),
            "fallback": [name for name in provider["fallback"] if name in PROVIDERS],
        }
        lines += own
    head = {
        "catalog": package.replace("==", " "),
        "sha256": digest.rpartition(":")[2],
        "licence": LICENCE,
        "lists": lists,
    }
    return "\n".join([compact(head), *lines]) + "\n", lists


def line(provider: str, model: dict[str, Any]) -> str | None:
    """A model's line. None if the data has no price of it, which is not a price of 0."""
    where = f"{provider}/{model['id']}"
    prices = [rates.entry(where, price) for price in model["prices"]]
    if not any(rates.has_price(price) for price in prices):
        if not rates.is_free(model["id"]):
            return None
        prices = [{"since": None, "input": "0", "output": "0"}]
    entry = {"provider": provider, "model": model["id"], "match": clauses.entry(where, model)}
    if model["context"]:
        entry["context"] = model["context"]
    entry["prices"] = prices
    if variants := [one for one in model["variants"] if rates.said(one)]:
        entry["variants"] = [rates.variant(where, one) for one in variants]
    return compact(entry)


def compact(value: object) -> str:
    """A value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def packed(text: str, lists: dict[str, Any]) -> bytes:
    """prices.bin: the head with the length of each provider's part, and the parts."""
    head, *lines = text.splitlines()
    parts, lengths = [], {}
    for name, about in lists.items():
        own, lines = lines[: about["models"]], lines[about["models"] :]
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        part = deflate.compress("".join(f"{line}\n" for line in own).encode()) + deflate.flush()
        lengths[name] = len(part)
        parts.append(part)
    about = json.loads(head)
    for name, length in lengths.items():
        about["lists"][name]["bytes"] = length
    return compact(about).encode() + b"\n" + b"".join(parts)


def unpacked(data: bytes) -> str:
    """The text of prices.json that prices.bin holds."""
    line, _, rest = data.partition(b"\n")
    head, lines = json.loads(line), []
    for about in head["lists"].values():
        length = about.pop("bytes")
        lines.append(zlib.decompress(rest[:length], -15).decode())
        rest = rest[length:]
    return compact(head) + "\n" + "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
