"""Our packages: the conformance runners of Python, Node and Go send the requests of a plan."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from servers import ROOT

sys.path.insert(0, str(ROOT / "bindings" / "conformance"))
from suite import runners

LANGUAGES = ("python", "node", "go")

Members = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One request through our packages."""

    name: str
    entry: Members
    request: Members
    options: Members = field(default_factory=dict)
    config: Members = field(default_factory=dict)
    # The environment's settings would be asked for a proxy; a row names its own.
    provider: str = "real"

    def line(self) -> str:
        """The row of a runner's plan."""
        config = {"retry": False} | self.config | {"providers": {self.provider: self.entry}}
        via = "stream" if self.request.get("stream") else "submit"
        documents = [config, self.request, {"timeout_ms": 60_000} | self.options]
        fields = [self.name, via, self.provider, *("j:" + json.dumps(d) for d in documents), "-"]
        return "\t".join(fields) + "\n"


def play(
    language: str, rows: list[Row], folder: Path, variables: dict[str, str] | None = None
) -> dict[str, Members]:
    """The outcomes of the rows by name: `events` and `result`, or `error`."""
    folder = folder / language
    folder.mkdir(exist_ok=True)
    plan = folder / "plan.tsv"
    plan.write_text("".join(row.line() for row in rows), encoding="utf-8")
    lines, problem = runners.run(
        language, folder, {"LITER_LLM_PLAN": str(plan)} | (variables or {})
    )
    outcomes = {outcome["case"]: outcome for outcome in map(json.loads, lines)}
    assert not problem, problem
    assert set(outcomes) == {row.name for row in rows}
    return outcomes


def text_of(outcome: Members) -> str:
    """The text of an answer."""
    return outcome["result"]["choices"][0]["message"]["content"] or ""


def seen(outcome: Members) -> Members:
    """What a caller saw, in the form in which the SDKs' programs report it."""
    if error := outcome.get("error"):
        return {"status": error.get("status"), "kind": error["kind"]}
    result = outcome["result"]
    choice, usage = result["choices"][0], result.get("usage")
    deltas = [
        chunk["choices"][0]["delta"]
        for chunk in outcome.get("events", [])
        if chunk["object"] == "chat.completion.chunk" and chunk["choices"]
    ]
    pieces = [piece["function"] for delta in deltas for piece in delta.get("tool_calls") or []]
    return {
        "text": text_of(outcome),
        "deltas": [delta["content"] for delta in deltas if delta.get("content")],
        "finish": choice["finish_reason"],
        "usage": usage and counted(usage),
        "calls": [call["function"] for call in choice["message"].get("tool_calls") or []],
        "pieces": [piece["arguments"] for piece in pieces if piece.get("arguments")],
    }


def counted(usage: Members) -> list[int]:
    """Prompt, completion, and what of the prompt came from a cache."""
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return [usage["prompt_tokens"], usage["completion_tokens"], cached]
