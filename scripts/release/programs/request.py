"""A user's program: an answer, a stream, an answer by asyncio; then what the process has loaded."""

import asyncio
import json
import sys
from importlib.metadata import version
from pathlib import Path

import liter_llm

MODEL = "openai/gpt-4.1-mini"


async def asynchronous() -> str:
    """The same by asyncio."""
    async with liter_llm.AsyncClient() as client:
        return (await client.chat("one two three", model=MODEL)).text


with liter_llm.Client() as client:
    whole = client.chat("one two three", model=MODEL).text
    with client.stream("one two three", model=MODEL) as stream:
        streamed = "".join(chunk.text for chunk in stream)

maps = Path("/proc/self/maps").read_text().splitlines()
loaded = sorted({line.split(maxsplit=5)[5] for line in maps if "libliter_llm" in line})
print(
    json.dumps(
        {
            "answers": [whole, streamed, asyncio.run(asynchronous())],
            "loaded": loaded,
            "module": liter_llm.__file__,
            "prefix": sys.prefix,
            "version": [version("liter-llm-sdk"), liter_llm.__version__],
        }
    )
)
