"""Lets somebody else judge how the packages take faults: llmock, a mock server from PyPI.

    make judge                                   Python, Node and Go
    python3 scripts/judge.py --runner go,rust    any of the conformance runners

llmock plays providers in three wire formats over HTTP, breaks what it is told to break, and keeps a
journal of all attempts. From that it says how a client behaved: FAIL where it asked again before
Retry-After had passed, repeated what no repetition mends, stormed, or took a stream that was cut
for an answer; WARN where it gave up at once, asked again without backing off, took a garbled
chunk, or sat through a stall. Here every fault that the verdict knows of is scripted, for whole
answers and for streams; the conformance runners of the languages send the requests; the verdict has
to be free of both.

What the caller got is compared too: the whole text, once, or the right kind of error.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator import ROOT

sys.path.insert(0, str(ROOT / "bindings" / "conformance"))
from suite import runners

PYTHON = ROOT / "target" / "judge" / "bin" / "python"
# A free port that is bound before anybody is told of it, and an end with this script's own.
SERVER = """
import sys
from llmock.testing import LLMockServer
with LLMockServer() as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""
# Streams come at a model's pace. In one go they would have gone out whole before a client could
# stop reading, and llmock would take it for one that never did.
PACE = {"LLMOCK_STREAM_CHUNK_DELAY_MS": "20"}
PATHS = {"openai": "/v1", "anthropic": "/anthropic", "cohere": "/cohere"}
VIAS = ("submit", "stream")
TEXT = "One two three four five six seven eight nine ten."
# As llmock itself says it.
TOO_LONG = {
    "openai": "This model's maximum context length is 10 tokens.",
    "anthropic": "prompt is too long: 12 tokens > 10 maximum",
    "cohere": "This model's maximum context length is 10 tokens.",
}

Members = dict[str, Any]


@dataclass(frozen=True)
class Scenario:
    """What is scripted for one request, how it is sent, and what the caller has to get."""

    name: str
    faults: list[Members] = field(default_factory=list)
    attempts: int = 1
    error: str | None = None
    vias: tuple[str, ...] = VIAS
    options: Members = field(default_factory=dict)
    config: Members = field(default_factory=dict)
    timeouts: Members = field(default_factory=dict)
    # The error that the caller gets first, and answers by asking once more.
    asked_again_after: str | None = None


def fail(status: int, **more: Any) -> Members:
    """One answer of an error status."""
    return {"type": "fail", "status": status, **more}


def broken(kind: str, after: int) -> Members:
    """A stream that breaks after so many events."""
    return {"type": "stream_fault", "kind": kind, "after_chunks": after, "stall_seconds": 30}


def scenarios() -> Iterator[Scenario]:
    """Every fault that the verdict knows of."""
    yield Scenario("well")
    for status in (408, 409, 429, 500, 502, 503, 504, 529):
        yield Scenario(f"once-{status}", [fail(status)], attempts=2)
    yield Scenario("retry-after", [fail(429, retry_after=1, times=2)], attempts=3)
    yield Scenario("retry-after-fraction", [fail(503, retry_after=0.3)], attempts=2)
    # Without a number, a call with one target goes on about once a second until its time is over
    # (ADR 20). The judge calls more than ten attempts a storm.
    yield Scenario(
        "outage",
        [fail(503, times=None)],
        attempts=3,
        options={"retry": {"max_attempts": 3}},
        error="unavailable",
    )
    for status, kind in (
        (400, "invalid_request"),
        (401, "authentication"),
        (403, "permission"),
        (404, "not_found"),
        (422, "invalid_request"),
    ):
        yield Scenario(f"never-{status}", [fail(status, times=None)], error=kind)
    yield Scenario("too-long", [fail(400, message=TOO_LONG, times=None)], error="context_length")
    yield Scenario("delay", [{"type": "delay", "seconds": 0.5}])
    slow = {"type": "slow_first_token", "seconds": 5}
    yield Scenario(
        "slow-first-token", [slow], 2, vias=("stream",), timeouts={"first_token_ms": 1000}
    )
    for kind in ("disconnect", "truncate", "stall"):
        idle = {"idle_ms": 1000} if kind == "stall" else {}
        # Before any content a stream is tried again unasked; after it for callers who ask for that.
        early, late = broken(kind, 1), broken(kind, 7)
        yield Scenario(f"{kind}-early", [early], 2, vias=("stream",), options=idle)
        restart = {"on_break": "restart"}
        yield Scenario(f"{kind}-late", [late], 2, vias=("stream",), options=idle | restart)
    # Without a Retry-After. Of two waits with full jitter the second is no longer than the first in
    # a quarter of the cases, which llmock takes for a constant interval; of six in a row none is.
    yield Scenario(
        "disconnect-for-ever",
        [broken("disconnect", 1) | {"times": None}],
        attempts=7,
        error="stream_broken",
        vias=("stream",),
        options={"retry": {"max_attempts": 7, "base_ms": 50}},
        config={"breaker": False},
    )
    # A caller who asks again after the error. llmock takes a request for a repetition only where it
    # has seen the end of the one before, and that a client hung up it sees a little late: a wait of
    # a few milliseconds, as full jitter has too, would now and then be too short for it.
    yield Scenario(
        "malformed", [broken("malformed", 7)], vias=("stream",), asked_again_after="bad_response"
    )


@dataclass(frozen=True)
class Row:
    """One request: a scenario in a wire format, whole or streamed. llmock tells them by model."""

    scenario: Scenario
    provider: str
    via: str

    @property
    def model(self) -> str:
        """The name by which faults find their request, and outcomes their row."""
        return f"{self.scenario.name}-{self.provider}-{self.via}"

    def behaviors(self) -> list[Members]:
        """What llmock is told."""
        reply = {"type": "reply", "text": TEXT, "times": None}
        match = {"match": {"model": self.model}}
        return [self._own(fault) | match for fault in [*self.scenario.faults, reply]]

    def _own(self, fault: Members) -> Members:
        message = fault.get("message")
        return fault | {"message": message[self.provider]} if message else fault

    def faults(self) -> int:
        """How many faults llmock has to count."""
        counted = [fault for fault in self.scenario.faults if fault["type"] in COUNTED]
        return sum(fault.get("times", 1) or self.scenario.attempts for fault in counted)

    def plan(self, url: str) -> str:
        """The row of a runner's plan."""
        entry = {"base_url": url + PATHS[self.provider], "api_key": "sk-judged"}
        config = {"providers": {self.provider: entry | {"timeouts": self.scenario.timeouts}}}
        request = {"model": self.model, "prompt": "Count to ten.", "stream": self.via == "stream"}
        options = {"provider": self.provider, "timeout_ms": 60_000} | self.scenario.options
        documents = [config | self.scenario.config, request, options]
        fields = [self.model, self.via, self.provider, *("j:" + json.dumps(d) for d in documents)]
        return "\t".join([*fields, "-"]) + "\n"

    def wrong(self, outcome: Members, again: bool) -> str | None:
        """What the caller got and should not have."""
        wanted, error = self.scenario.error, outcome.get("error")
        if not again and self.scenario.asked_again_after:
            wanted = self.scenario.asked_again_after
        got = error["kind"] if error else None
        if got != wanted:
            return f"expected {wanted or 'an answer'}, got {error or 'an answer'}"
        owner = error or outcome["result"]["liter"]
        if len(owner["attempts"]) != self.scenario.attempts:
            return f"expected {self.scenario.attempts} attempt(s), got {owner['attempts']}"
        if not error and outcome["result"]["choices"][0]["message"]["content"] != TEXT:
            return f"expected {TEXT!r}, got {outcome['result']['text']!r}"
        return None


COUNTED = ("fail", "stream_fault")


class Judge:
    """A running llmock."""

    def __init__(self) -> None:
        if not PYTHON.exists():
            sys.exit(f"{PYTHON} is missing: run `make judge`")
        self._process = subprocess.Popen(
            [PYTHON, "-c", SERVER],
            env=os.environ | PACE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            sys.exit("llmock did not start")
        # Nobody's proxy is asked for this machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(self, method: str, path: str, document: Members | None = None) -> str:
        """One request to its control API."""
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}/_llmock{path}", body, method=method)
        with self._opener.open(request, timeout=30) as answer:
            return answer.read().decode()

    def stop(self) -> None:
        """Ends it, and waits for its end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


def main() -> int:
    """Judges each language; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--runner", default="python,node,go", help="which languages")
    names = parser.parse_args().runner.split(",")
    rows = [
        Row(scenario, provider, via)
        for scenario in scenarios()
        for provider in PATHS
        for via in scenario.vias
    ]
    judge = Judge()
    try:
        with tempfile.TemporaryDirectory(prefix="liter-llm-judge-") as folder:
            passed = [judged(judge, name, rows, Path(folder)) for name in names]
    except runners.RunnerError as error:
        print(f"judge: {error}", file=sys.stderr)
        return 2
    finally:
        judge.stop()
    return 0 if all(passed) else 1


def judged(judge: Judge, name: str, rows: list[Row], folder: Path) -> bool:
    """Whether one language's verdict is without a finding, and its outcomes are the right ones."""
    judge.ask("POST", "/reset")
    for row in rows:
        judge.ask("POST", "/scenario", {"behaviors": row.behaviors()})
    begun = time.monotonic()
    problems = played(judge, name, rows, folder, again=False)
    twice = [row for row in rows if row.scenario.asked_again_after]
    problems += played(judge, name, twice, folder, again=True)
    seconds = time.monotonic() - begun
    report = judge.ask("GET", "/verdict?format=text")
    verdict = json.loads(judge.ask("GET", "/verdict"))
    pending = json.loads(judge.ask("GET", "/scenario"))["pending"]
    problems += [f"never asked for: {left}" for left in pending if left["times"] is not None]
    faults = sum(row.faults() for row in rows)
    # A verdict on faults that nobody saw would be worth nothing.
    if verdict["faults_injected"] != faults:
        problems.append(f"{faults} faults were scripted, {verdict['faults_injected']} were seen")
    print(f"{name}, {len(rows) + len(twice)} requests in {seconds:.1f} s\n\n{report.rstrip()}\n")
    print("".join(f"  {text}\n" for text in problems), end="", flush=True)
    return not verdict["findings"] and not problems


def played(judge: Judge, name: str, rows: list[Row], folder: Path, again: bool) -> list[str]:
    """Sends the requests with one language's runner; what came and should not have."""
    plan = folder / f"{name}.tsv"
    plan.write_text("".join(row.plan(judge.url) for row in rows), encoding="utf-8")
    lines, problem = runners.run(name, folder, {"LITER_LLM_PLAN": str(plan)})
    problems = [problem] if problem else []
    outcomes = {outcome["case"]: outcome for outcome in map(json.loads, lines)}
    for row in rows:
        outcome = outcomes.get(row.model)
        if wrong := row.wrong(outcome, again) if outcome else "no outcome":
            problems.append(f"{row.model}: {wrong}")
    return problems


if __name__ == "__main__":
    sys.exit(main())
