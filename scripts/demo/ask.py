"""Python's part of the demo: one whole and one streamed chat with each target.

`ask.py QUESTION PROVIDER/MODEL…` prints a JSON line for each; so do the other languages' parts.
"""

import json
import sys
import time

import liter_llm


def ms(since: float) -> float:
    """Milliseconds since a reading of the clock."""
    return (time.perf_counter() - since) * 1e3


question, *targets = sys.argv[1:]
try:
    with liter_llm.Client() as client:
        for target in targets:
            started = time.perf_counter()
            chat = client.chat(question, model=target, max_tokens=200)
            row = {"chat": chat, "chat_ms": ms(started), "chunks": 0}
            started = time.perf_counter()
            with client.stream(question, model=target, max_tokens=200) as stream:
                for chunk in stream:
                    if chunk.text:
                        row["chunks"] += 1
                        row.setdefault("first_ms", ms(started))
            row |= {"stream": stream.response, "stream_ms": ms(started)}
            print(json.dumps(row))
except liter_llm.LiterLLMError as error:
    sys.exit(f"{type(error).__name__}: {error}")
