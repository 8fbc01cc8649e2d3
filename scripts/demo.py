"""Asks a question in Python, Node, Go and C, whole and streamed, in each of three wire formats.

    make demo                            to the simulator on this machine; no key, no network
    make demo ARGS="--real openai"       to the provider itself, with its key from the environment
    make demo ARGS="--language go"       in one language, may be repeated

The way is the real one: each language's package, C ABI, Rust engine, HTTP. Only the far end is a
stand-in. What each language does is in scripts/demo/, a short program for each.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from bench.programs import ADDON, ARCHIVE
from simulator import ROOT, TARGET, Simulator

QUESTION = "Why does one engine serve every language?"

# What is asked of each provider: the variable of its key, and its model of the documents.
PROVIDERS = {
    "openai": ("OPENAI_API_KEY", "gpt-4.1-mini"),
    "anthropic": ("ANTHROPIC_API_KEY", "claude-haiku-4-5"),
    "cohere": ("CO_API_KEY", "command-a-03-2025"),
}
LANGUAGES = ("Python", "Node", "Go", "C")

# The simulator's pace, so that the stream is seen to arrive in parts.
PACE = "delay_ms=20,interval_ms=5"

PROGRAMS = Path(__file__).resolve().parent / "demo"
BUILT = TARGET / "demo"


def main() -> int:
    """Asks, prints, and says how to go on; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--real", action="append", choices=PROVIDERS, help="ask the real provider")
    parser.add_argument("--model", help="with --real: another model than the demo's")
    names = [name.lower() for name in LANGUAGES]
    parser.add_argument("--language", action="append", choices=names, help="one language")
    arguments = parser.parse_args()
    real: list[str] = arguments.real or []
    for name in real:
        if not os.environ.get(PROVIDERS[name][0]):
            print(f"--real {name} needs its key: export {PROVIDERS[name][0]}=…", file=sys.stderr)
            return 2
    targets = [f"{name}/{arguments.model or PROVIDERS[name][1]}" for name in real or PROVIDERS]
    programs = {
        language: program(language)
        for language in LANGUAGES
        if not arguments.language or language.lower() in arguments.language
    }
    with nullcontext() if real else Simulator() as simulator:
        environment = dict(os.environ)
        if simulator:
            environment["LITER_LLM_CONFIG"] = json.dumps(simulator.config(PACE))
        where = f"a simulator at {simulator.url}" if simulator else "the real providers"
        print(f"Python, Node, Go, C → C ABI → Rust → {where}\n\n  {QUESTION}\n")
        answers = {
            language: ask(command, targets, environment)
            for language, command in programs.items()
            if command is not None
        }
    for number, target in enumerate(targets):
        show(target, {language: rows[number] for language, rows in answers.items() if rows})
    for language, command in programs.items():
        if command is None:
            print(f"{language} was left out: its tools are not installed, or not on PATH\n")
    if not all(answers.values()):
        return 1
    if not real:
        print(hint())
    return 0


def program(language: str) -> list[str] | None:
    """How a language's program is started, built where it must be; None: the tools are not here."""
    BUILT.mkdir(parents=True, exist_ok=True)
    if language == "Python":
        return [sys.executable, str(PROGRAMS / "ask.py")]
    if language == "Node":
        there = shutil.which("node") and ADDON.is_file()
        return ["node", str(PROGRAMS / "ask.mjs")] if there else None
    built = str(BUILT / f"ask_{language.lower()}")
    if language == "Go":
        if not shutil.which("go") or not ARCHIVE.is_file():
            return None
        subprocess.run(["go", "build", "-o", built, "."], cwd=PROGRAMS / "go", check=True)
    else:
        compiler = shutil.which(os.environ.get("CC", "cc"))
        if compiler is None:
            return None
        libraries = TARGET / "release"
        source, library = str(PROGRAMS / "ask.c"), str(libraries / "libliter_llm.so")
        linked = [f"-I{ROOT / 'include'}", source, library, f"-Wl,-rpath,{libraries}"]
        subprocess.run([compiler, "-std=c99", "-O2", *linked, "-o", built], check=True)
    return [built]


def ask(
    command: list[str], targets: list[str], environment: dict[str, str]
) -> list[dict[str, Any]]:
    """A row for each target; none where the program failed, which says why."""
    ran = subprocess.run(
        [*command, QUESTION, *targets], env=environment, stdout=subprocess.PIPE, check=False
    )
    return [] if ran.returncode else [json.loads(line) for line in ran.stdout.splitlines()]


def show(target: str, rows: dict[str, dict[str, Any]]) -> None:
    """One target's answer, and how each language got it."""
    print(target.replace("/", " · ", 1))
    said = ""
    for language, row in rows.items():
        # A real model answers each time in other words.
        for form in ("chat", "stream"):
            if row[form]["text"] != said:
                said = row[form]["text"]
                print(f"  {cut(said)}")
        chat = f"{row['chat_ms']:7.1f} ms, {tokens(row['chat'])}"
        stream = f"{row['chunks']} chunks, {row['first_ms']:.1f} to {row['stream_ms']:.1f} ms"
        print(f"  {language:7} chat{chat} · stream {stream}")
        for warning in row["chat"].get("warnings", []):
            print(f"          {cut(warning['message'])}")
    print()


def cut(text: str) -> str:
    """A line no wider than a terminal."""
    text = " ".join(text.split())
    return f"{text[:88]}…" if len(text) > 88 else text


def tokens(answer: dict[str, Any]) -> str:
    """What the provider says was used."""
    usage = answer.get("usage") or {}
    sent, received = usage.get("prompt_tokens", "?"), usage.get("completion_tokens", "?")
    return f"{sent} tokens in, {received} out"


def hint() -> str:
    """How to use a real key instead."""
    found = [name for name, (key, _) in PROVIDERS.items() if os.environ.get(key)]
    name = found[0] if found else "openai"
    key = "" if found else f"{PROVIDERS[name][0]}=sk-… "
    return (
        "No key was used and nothing left this machine. With a real provider:\n\n"
        f'  {key}make demo ARGS="--real {name}"\n\n'
        "and in a program of your own as README.md shows. To try your program without a key, keep\n"
        "the simulator running with `make simulator`."
    )


if __name__ == "__main__":
    sys.exit(main())
