"""Writes the fuzzers' first inputs from the project's own cases.

    python3 scripts/fuzz_seeds.py [FOLDER]          default: fuzz/corpus

Sources are the conformance cases and the adapters' golden pairs; recorded traffic of others stays
out. A file is named by its content, so that writing again changes nothing. The head of a `decode_*`
input is described in fuzz/src/lib.rs.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CASES = ROOT / "bindings" / "conformance" / "cases"
GOLDEN = ROOT / "core" / "tests" / "providers"

STREAM, WHOLE, ERROR = 0, 1, 3
# The operations of the target `vectors`, in the order of its head.
VECTORS = ("embed", "rerank")
# Formats with a target of their own.
FAMILIES = ("anthropic", "bedrock", "cohere", "gemini", "ollama")


def write(folder: Path) -> int:
    """Writes every seed below `folder`; how many there are."""
    seeds = {(target, data) for target, data in found()}
    for target, data in seeds:
        path = folder / target / hashlib.sha1(data, usedforsecurity=False).hexdigest()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return len(seeds)


def found() -> Iterator[tuple[str, bytes]]:
    """Each seed with its target."""
    for path in sorted(CASES.glob("*/*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        for document in ("request", "options", "config"):
            if document in case:
                yield "codec", compact(case[document])
        if "request" in case:
            options = {"provider": case["provider"]} if "provider" in case else {}
            options |= case.get("options", {})
            yield "operations", compact(case["request"]) + b"\0" + compact(options)
        for exchange in case.get("exchanges", []):
            yield from answers(str(case.get("provider")), exchange["reply"])
            if "request" in case and case["request"].get("op") in VECTORS:
                yield from vectors(case["request"]["op"], exchange["reply"])
    for path in sorted(GOLDEN.glob("*/*.json")):
        pair = json.loads(path.read_text(encoding="utf-8"))
        if "request" in pair:
            yield "codec", compact(pair["request"])
        reply = {"body": pair["reply"]} if "reply" in pair else {}
        events = {name: pair[name] for name in ("sse", "frames", "lines") if name in pair}
        yield from answers(path.parent.name, reply | events)


def vectors(op: str, reply: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """An answer with vectors or a ranking as seeds, each for some of the providers."""
    if isinstance(reply.get("body"), dict):
        for provider in range(0, 64, 7):
            yield "vectors", bytes([VECTORS.index(op), provider, 6]) + compact(reply["body"])


def answers(provider: str, reply: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """A reply as seeds: a stream also for the parser of events."""
    family = provider if provider in FAMILIES else "openai"
    target = f"decode_{family}"
    if "frames" in reply:
        lines = (frame(item) for item in reply["frames"])
        yield target, bytes([STREAM, 0, 0]) + b"\n".join(lines)
    elif "sse" in reply:
        body = b"".join(event(item) for item in reply["sse"])
        yield "sse", b"\0" + body
        yield target, bytes([STREAM, 0, 0]) + body
    elif "lines" in reply:
        lines = (x if isinstance(x, str) else compact(x).decode() + "\n" for x in reply["lines"])
        yield target, bytes([STREAM, 0, 0]) + "".join(lines).encode()
    elif "body" in reply:
        body = reply["body"].encode() if isinstance(reply["body"], str) else compact(reply["body"])
        for how in (STREAM, WHOLE, ERROR):
            yield target, bytes([how, 0, 0]) + body


def event(item: Any) -> bytes:
    """One event as the simulator sends it."""
    if isinstance(item, dict) and "raw" in item:
        return str(item["raw"]).encode()
    name = b""
    if isinstance(item, dict) and set(item) == {"event", "data"}:
        name, item = f"event: {item['event']}\n".encode(), item["data"]
    data = item.encode() if isinstance(item, str) else compact(item)
    return name + b"data: " + data + b"\n\n"


def frame(item: dict[str, Any]) -> bytes:
    """One frame of an event stream, as the target of Bedrock reads it."""
    name = item.get("event") or item["exception"]
    return f"{name} ".encode() + compact(item["data"])


def compact(value: Any) -> bytes:
    """A document without spaces."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


if __name__ == "__main__":
    count = write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "fuzz" / "corpus")
    print(f"{count} seeds")
