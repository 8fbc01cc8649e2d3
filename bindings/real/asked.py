"""What is asked of a server, by our packages and by the official SDKs, and what has to come."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ours import Row, play, seen
from servers import HERE

Members = dict[str, Any]

SDKS = {
    "python": [sys.executable, HERE / "sdks" / "sdk.py"],
    "node": ["node", HERE / "sdks" / "sdk.mjs"],
}
# llama.cpp takes what our contract has no name for; ours sends it where it is said to.
EXTRA = ("cache_prompt", "logit_bias")


@dataclass(frozen=True)
class Asked:
    """One request. `body` is what the SDKs send; ours makes its own from `request`."""

    name: str
    body: Members
    request: Members
    entry: Members
    key: str
    # Members of what a caller sees that are known beforehand.
    expected: Members
    format: str = "openai"

    def row(self) -> Row:
        """For our packages."""
        return Row(self.name, self.entry | {"api_key": self.key}, self.request)

    def line(self) -> str:
        """For the SDKs' programs."""
        base_url = self.entry["base_url"]
        row = {"case": self.name, "format": self.format, "base_url": base_url, "key": self.key}
        return json.dumps(row | {"body": self.body}) + "\n"


def openai(name: str, entry: Members, key: str, body: Members, **expected: Any) -> Asked:
    """A chat completion."""
    if body.get("stream"):
        body = body | {"stream_options": {"include_usage": True}}
    request = {member: value for member, value in body.items() if member not in EXTRA}
    if extra := {member: body[member] for member in EXTRA if member in body}:
        request["extra"] = {"real": extra}
    return Asked(name, body, request, entry, key, expected)


def anthropic(name: str, entry: Members, key: str, body: Members, **expected: Any) -> Asked:
    """A message. Of tools, the two formats write the schema in different places."""
    request = body.copy()
    if tools := body.get("tools"):
        request["tools"] = [
            {
                "type": "function",
                "function": {"name": tool["name"], "parameters": tool["input_schema"]},
            }
            for tool in tools
        ]
        request["tool_choice"] = "required"
    return Asked(name, body, request, entry, key, expected, "anthropic")


def both_ways(asked: Asked, **streamed: Any) -> Iterator[Asked]:
    """The request as it is, and the same one streamed."""
    yield asked
    make = openai if asked.format == "openai" else anthropic
    body = asked.body | {"stream": True}
    expected = asked.expected | streamed
    yield make(f"{asked.name}-stream", asked.entry, asked.key, body, **expected)


@dataclass(frozen=True)
class Sides:
    """What was seen of every request, by its name."""

    ours: dict[str, Members]
    sdk: dict[str, Members]
    # The SDK over our transport; Go has none.
    transport: dict[str, Members]


def sides(language: str, asked: list[Asked], folder: Path, raw: Path) -> Sides:
    """Asks our package and the official SDK of a language. Go's is a program over net/http."""
    plan = folder / f"sdk-{language}.jsonl"
    plan.write_text("".join(one.line() for one in asked), encoding="utf-8")
    # From then on the prompts that a server keeps are in its cache, for all who count them.
    printed([raw, plan])
    outcomes = printed([*SDKS.get(language, [raw]), plan])
    whose: dict[bool, dict[str, Members]] = {False: {}, True: {}}
    for outcome in outcomes:
        whose[outcome.pop("ours", False)][outcome.pop("case")] = plain(outcome)
    mine = play(language, [one.row() for one in asked], folder)
    # LiteLLM answers 500 where its own connection to llama.cpp was closed just then.
    lost = [
        one for one in asked if is_500(seen(mine[one.name])) and not is_500(whose[False][one.name])
    ]
    if lost:
        mine |= play(language, [one.row() for one in lost], folder)
    seen_by_us = {name: plain(seen(outcome)) for name, outcome in mine.items()}
    return Sides(seen_by_us, whose[False], whose[True])


def is_500(outcome: Members) -> bool:
    """Whether a server said that it failed."""
    return outcome.get("status") == 500


def printed(command: list[str | Path]) -> list[Members]:
    """The outcomes that a program prints."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def plain(outcome: Members) -> Members:
    """An outcome, with what has no meaning taken out: spaces between the members of arguments."""
    if outcome.get("status"):
        return {name: value for name, value in outcome.items() if name in ("status", "kind")}
    outcome.pop("status", None)
    for call in outcome.get("calls", []):
        try:
            call["arguments"] = json.loads(call["arguments"])
        except ValueError:
            continue  # a call that was cut
    return outcome


def differences(asked: list[Asked], sides: Sides) -> str:
    """Where we differ from the SDK, or from what is known beforehand."""
    problems = []
    for one in asked:
        mine, theirs = sides.ours[one.name], sides.sdk[one.name]
        for whose, wanted in (("the SDK's", theirs), ("expected", one.expected)):
            for member, value in wanted.items():
                if member == "finish" and mine.get("calls") and whose != "expected":
                    # LiteLLM says "stop" beside calls; we say what it is, and keep the raw word.
                    value = mine[member] if value == "stop" else value
                if mine.get(member) != value:
                    problems.append(
                        f"{one.name}: {member} is {mine.get(member)!r}, {whose} {value!r}"
                    )
    return "\n".join(problems)
