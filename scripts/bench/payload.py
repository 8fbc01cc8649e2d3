"""What both sides send and what they must get: about 1 KB each way."""

from __future__ import annotations

from typing import Any

MODEL = "gpt-4.1-mini"
KEY = "sk-benchmark"

SYSTEM = (
    "You are the assistant of an electronics shop. Answer in the customer's language, briefly and "
    "politely; name the article number where there is one; do not promise delivery dates. When the "
    "question is about a repair, ask for the serial number and the date of purchase first. "
)
QUESTION = (
    'My headphones ("Aria 3", article 4711-B) stopped charging last week — the lamp blinks red '
    "three times and goes out. I have tried two cables and another plug. What can I do?"
)

MESSAGES: list[dict[str, Any]] = [
    {"role": "system", "content": SYSTEM},
    {"role": "user", "content": "Hello, I have a question about headphones that I bought."},
    {"role": "assistant", "content": "Of course! Which ones are they, and what is the question?"},
    {"role": "user", "content": QUESTION},
]

REQUEST: dict[str, Any] = {
    "model": MODEL,
    "messages": MESSAGES,
    "max_completion_tokens": 400,
    "temperature": 0.2,
    "seed": 7,
    "user": "customer-20931",
}
STREAM: dict[str, Any] = {**REQUEST, "stream": True}

TEXT_BYTES = 500
"""Of the answer's text; the body around it makes it 1 KB."""

HELD_MS = 100
"""How long the provider holds an answer, so that all calls are in its hands at once."""

REMOTE_MS = 50
"""How long a provider takes that is somewhere else."""

SLOW_MS = 5000
"""Long enough to have ten thousand calls in flight."""

BURST_CHUNKS = 256
PACED_CHUNKS = 100
PACED_MS = 10


EMBED_MODEL = "text-embedding-3-small"
TEXTS = [f"{i} " + SYSTEM[: i % 200] for i in range(10_000)]
"""What is embedded."""

DIMENSIONS = 256
PER_REQUEST = 2_048
"""The most texts that the provider takes at once."""

EMBEDDED = "You said: ten thousand texts in their order"
"""What a side of the embeddings gives back once it has checked its vectors."""


def embed_request(texts: list[str]) -> dict[str, Any]:
    """A request for the vectors of some texts, as the provider takes it."""
    return {
        "model": EMBED_MODEL,
        "input": texts,
        "encoding_format": "base64",
        "dimensions": DIMENSIONS,
    }


def embedded(firsts: list[tuple[float, float]]) -> str:
    """Checks each vector's first numbers: the sum of its text's bytes, and how many they are."""
    for text, found in zip(TEXTS, firsts, strict=True):
        data = text.encode()
        if found != (sum(data), len(data)):
            raise AssertionError(f"not the vector of {text[:20]!r}: {found}")
    return EMBEDDED


def paths() -> dict[str, str]:
    """The simulator's path for each kind of answer, before `/chat/completions`."""
    return {
        "unary": f"/sim,bytes={TEXT_BYTES}/v1",
        "held": f"/sim,bytes={TEXT_BYTES},delay_ms={HELD_MS}/v1",
        "remote": f"/sim,bytes={TEXT_BYTES},delay_ms={REMOTE_MS}/v1",
        "slow": f"/sim,bytes={TEXT_BYTES},delay_ms={SLOW_MS}/v1",
        "embed": "/v1",
        "burst": f"/sim,chunks={BURST_CHUNKS}/v1",
        "paced": f"/sim,chunks={PACED_CHUNKS},interval_ms={PACED_MS}/v1",
    }
