"""Sends one whole and one streamed chat in each of the three wire formats, and shows what came.

    make demo                            to the simulator on this machine; no key, no network
    make demo ARGS="--real openai"       to the provider itself, with its key from the environment

The way is the real one: Python package, C ABI, Rust engine, HTTP. Only the far end is a stand-in.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from contextlib import nullcontext
from typing import Any

import liter_llm

from simulator import Simulator

QUESTION = "Why does one engine serve every language?"

# What is asked of each provider: the variable of its key, and a small model of its own.
PROVIDERS = {
    "openai": ("OPENAI_API_KEY", "gpt-4.1-mini"),
    "anthropic": ("ANTHROPIC_API_KEY", "claude-haiku-4-5"),
    "cohere": ("CO_API_KEY", "command-r7b-12-2024"),
}

# The simulator's pace, so that the stream is seen to arrive in parts.
PACE = "delay_ms=20,interval_ms=5"


def main() -> int:
    """Asks, prints, and says how to go on; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--real", action="append", choices=PROVIDERS, help="ask the real provider")
    parser.add_argument("--model", help="with --real: another model than the demo's")
    arguments = parser.parse_args()
    real: list[str] = arguments.real or []
    for name in real:
        if not os.environ.get(PROVIDERS[name][0]):
            print(f"--real {name} needs its key: export {PROVIDERS[name][0]}=…", file=sys.stderr)
            return 2
    try:
        with nullcontext() if real else Simulator() as simulator:
            config = simulator.config(PACE) if simulator else {}
            where = f"a simulator at {simulator.url}" if simulator else "the real providers"
            print(f"liter-llm {liter_llm.__version__}: Python → C ABI → Rust → {where}\n")
            with liter_llm.Client(config) as client:
                for name in real or PROVIDERS:
                    ask(client, name, arguments.model or PROVIDERS[name][1])
    except liter_llm.LiterLLMError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    if not real:
        print(hint())
    return 0


def ask(client: liter_llm.Client, provider: str, model: str) -> None:
    """One whole and one streamed chat with one provider."""
    print(f"{provider} · {model}")
    started = time.perf_counter()
    answer = client.chat(QUESTION, provider=provider, model=model, max_tokens=200)
    show("chat", answer.text)
    show("", f"{tokens(answer)} · {milliseconds(started)} ms")

    started, first, parts = time.perf_counter(), None, 0
    with client.stream(QUESTION, provider=provider, model=model, max_tokens=200) as stream:
        for chunk in stream:
            if chunk.text:
                first = first or milliseconds(started)
                parts += 1
        answer = stream.response
    show("stream", answer.text)
    timing = f"first after {first} ms, all after {milliseconds(started)} ms"
    show("", f"{tokens(answer)} · {parts} chunks, {timing}")
    for warning in answer.warnings:
        show("warning", warning.message)
    print()


def show(label: str, text: str) -> None:
    """A line of the table, cut to the width of a terminal."""
    text = " ".join(text.split())
    print(f"  {label:8}{text[:88]}{'…' if len(text) > 88 else ''}")


def tokens(answer: Any) -> str:
    """What the provider says was used."""
    usage = answer.usage or {}
    sent, received = usage.get("prompt_tokens", "?"), usage.get("completion_tokens", "?")
    return f"{answer.choices[0].finish_reason} · {sent} tokens in, {received} out"


def milliseconds(since: float) -> float:
    """Time since a reading of the clock, to a tenth of a millisecond."""
    return round((time.perf_counter() - since) * 1000, 1)


def hint() -> str:
    """How to use a real key instead."""
    found = [name for name, (key, _) in PROVIDERS.items() if os.environ.get(key)]
    name = found[0] if found else "openai"
    key = "" if found else f"{PROVIDERS[name][0]}=sk-… "
    return (
        "No key was used and nothing left this machine. With a real provider:\n\n"
        f'  {key}make demo ARGS="--real {name}"\n\n'
        "and in a program of your own as README.md shows."
    )


if __name__ == "__main__":
    sys.exit(main())
