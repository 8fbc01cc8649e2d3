"""Judges an outcome by what the provider's own recorded body says.

The facts of a record were read from its body by others, and checked against the official SDKs;
the corpus's README tells their meaning. Each function yields sentences, one a disagreement.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from .compare import short
from .corpus import Record, embeddings

_BAD = ("invalid_request", "context_length", "unsupported", "content_filter", "quota")

# The kinds that a status can mean; the body's code decides among them.
_KINDS = {
    400: (*_BAD, "authentication", "not_found", "permission"),
    401: ("authentication",),
    402: ("quota",),
    403: ("permission", "authentication", "content_filter", "quota"),
    404: ("not_found",),
    408: ("timeout",),
    413: ("context_length", "invalid_request"),
    422: _BAD,
    429: ("rate_limit", "quota", "context_length", "unavailable"),
    501: ("unsupported", "unavailable"),
    504: ("timeout", "unavailable"),
    529: ("unavailable",),
}


def judge(record: Record, outcome: dict[str, Any]) -> Iterator[str]:
    """What is wrong with `outcome`, the plain result or error of replaying `record`."""
    facts, error = record.facts, outcome.get("error")
    if error and error["kind"] == "internal":
        yield f"an internal error: {short(error['message'])}"
    elif facts["kind"] == "error":
        yield from _judge_error(record, error)
    elif facts.get("ambiguous"):
        return
    elif facts["kind"] == "embed" and error is None:
        yield from _judge_vectors(record, outcome["result"])
    elif facts["kind"] == "count" and error is None:
        if (found := outcome["result"]["input_tokens"]) != facts["tokens"]:
            yield f"input_tokens: {found}, recorded {facts['tokens']}"
    elif must_fail(record):
        yield from _judge_broken(facts, error)
    elif error:
        yield f"failed: {error['kind']}: {short(error['message'])}"
    else:
        yield from _judge_answer(facts, outcome["result"])


def must_fail(record: Record) -> bool:
    """Whether the recorded stream is incomplete, or says itself that it failed."""
    facts = record.facts
    if facts.get("stream_error"):
        return True
    return record.data["streaming"] and facts["finish"] is None and not facts["done_marker"]


def _judge_broken(facts: dict[str, Any], error: dict[str, Any] | None) -> Iterator[str]:
    if error is None:
        yield "a broken stream is reported as success"
        return
    if said := facts.get("stream_error"):
        message = said.get("message") if isinstance(said, dict) else None
        if message and message not in error["message"]:
            yield f"message: {short(message)} is not in {short(error['message'])}"
    elif error["kind"] != "stream_broken":
        yield f"kind: {error['kind']}, but the stream has no terminator"
    text = (error.get("partial") or {}).get("text", "")
    if facts["text"] and text != facts["text"]:
        yield f"partial.text: {short(text)}, recorded {short(facts['text'])}"


def _judge_error(record: Record, error: dict[str, Any] | None) -> Iterator[str]:
    facts = record.facts
    if error is None:
        yield f"status {facts['status']} is reported as success"
        return
    status = record.data["status"]
    if error.get("status") != status:
        yield f"status: {error.get('status')}, recorded {status}"
    plausible = _KINDS.get(status, ("unavailable",) if status >= 500 else _BAD)
    if error["kind"] not in plausible:
        yield f"kind: {error['kind']}, but status {status} means {' or '.join(plausible)}"
    message = facts["message"]
    if isinstance(message, str) and message.strip() and not _contains(error["message"], message):
        yield f"message: {short(message)} is not in {short(error['message'])}"
    names = ("code", "type", "grpc_status", "reason")
    codes = [_word(facts[name]) for name in names if facts.get(name) is not None]
    if codes and error.get("code") not in codes:
        yield f"code: {error.get('code')}, recorded {' and '.join(map(str, codes))}"
    if facts["param"] is not None and error.get("param") != facts["param"]:
        yield f"param: {error.get('param')}, recorded {facts['param']}"
    yield from _judge_wait(record, error)
    asked = facts.get("request_id")
    if asked and error.get("request_id") != asked:
        yield f"request_id: {error.get('request_id')}, recorded {asked}"


def _contains(message: str, recorded: str) -> bool:
    """White space may be folded, and a long text may be cut, with an ellipsis.

    FastAPI's complaints are a list; of each its `msg` must be told.
    """
    if recorded.startswith('[{"'):
        return all(item["msg"] in message for item in json.loads(recorded))
    message, recorded = " ".join(message.split()), " ".join(recorded.split())
    return recorded in message or ("…" in message and recorded[:200] in message)


def _judge_wait(record: Record, error: dict[str, Any]) -> Iterator[str]:
    headers = record.data["response_headers"] or {}
    should_retry = headers.get("x-should-retry")
    if should_retry and error["retryable"] != (should_retry == "true"):
        yield f"retryable: {error['retryable']}, x-should-retry: {should_retry}"
    wait = _wait_ms(headers)
    if wait is not None and error.get("retry_after_ms") != wait:
        yield f"retry_after_ms: {error.get('retry_after_ms')}, the headers say {wait}"


def _wait_ms(headers: dict[str, str]) -> int | None:
    if float(headers.get("retry-after-ms", 0)) > 0:
        return round(float(headers["retry-after-ms"]))
    value = headers.get("retry-after")
    if value is None:
        return None
    try:
        return round(float(value) * 1000)
    except ValueError:
        now = parsedate_to_datetime(headers["date"])
        seconds = (parsedate_to_datetime(value) - now).total_seconds()
        return max(0, round(seconds * 1000))


def _judge_vectors(record: Record, result: dict[str, Any]) -> Iterator[str]:
    facts, data = record.facts, result["data"]
    if len(data) != embeddings(record):
        yield f"{len(data)} vectors, recorded {embeddings(record)}"
    width = 1 if result["encoding"] == "int8" else 4
    lengths = {len(b64decode(one["embedding"], validate=True)) / width for one in data}
    if facts["dims"] is not None and lengths != {facts["dims"]}:
        yield f"vectors of {lengths} numbers, recorded {facts['dims']}"
    raw = result["liter"].get("usage_raw") or None
    # Ollama's count is a member of the answer, which the facts leave out.
    said = raw or _said(facts["usage"], result.get("usage"))
    if said != (facts["usage"] or None) and set(raw or ()) != {"prompt_eval_count"}:
        yield f"usage_raw: {short(raw)}, recorded {facts['usage']}"
    asked = facts.get("request_id")
    if asked and result["liter"].get("provider_request_id") != asked:
        yield f"provider_request_id: {result['liter'].get('provider_request_id')}, recorded {asked}"


def _judge_answer(facts: dict[str, Any], result: dict[str, Any]) -> Iterator[str]:
    choices = result["choices"]
    message = choices[0]["message"] if choices else {}
    liter = result["liter"]
    for name, said in (
        ("id", result.get("id")),
        ("model", result.get("model")),
        ("text", message.get("content")),
        ("reasoning", message.get("reasoning")),
        ("refusal", message.get("refusal")),
    ):
        if (said or None) != (facts[name] or None):
            yield f"{name}: {short(said)}, recorded {short(facts[name])}"
    calls = [_call(call) for call in message.get("tool_calls", [])]
    # The facts count the calls of Amazon's own tools, which Amazon has run: no caller answers them.
    asked_for = [call for call in facts["tool_calls"] if not call["name"].startswith("nova_")]
    recorded = [(call["name"], _arguments(call["arguments"])) for call in asked_for]
    if calls != recorded:
        yield f"tool_calls: {short(calls)}, recorded {short(recorded)}"
    if facts["choices"] is not None and len(choices) != facts["choices"]:
        yield f"choices: {len(choices)}, recorded {facts['choices']}"
    # A prompt that Gemini refused has the word of its feedback.
    finish = (_word(facts["finish"]) or "").removeprefix("BLOCKED:")
    # The word of an incomplete response is its reason.
    finish = finish.removeprefix("incomplete:") or None
    if (liter.get("finish_reason_raw") or None) != finish:
        yield f"finish_reason_raw: {liter.get('finish_reason_raw')}, recorded {facts['finish']}"
    raw = liter.get("usage_raw") or _said(facts["usage"], result.get("usage"))
    if raw != (facts["usage"] or None):
        yield f"usage_raw: {short(liter.get('usage_raw'))}, recorded {short(facts['usage'])}"
    asked = facts.get("request_id")
    if asked and liter.get("provider_request_id") != asked:
        yield f"provider_request_id: {liter.get('provider_request_id')}, recorded {asked}"


def _said(recorded: Any, usage: Any) -> Any:
    """What was recorded, if `usage` says all of it, so that `usage_raw` may be absent."""
    return recorded if recorded and _says(usage, recorded) else None


def _says(usage: Any, recorded: Any) -> bool:
    if isinstance(recorded, dict):
        said = usage if isinstance(usage, dict) else {}
        return all(_says(said.get(name), value) for name, value in recorded.items())
    return recorded is None or (usage == recorded and not isinstance(recorded, float))


def _call(call: dict[str, Any]) -> tuple[str, Any]:
    return call["function"]["name"], _arguments(call["function"]["arguments"])


def _arguments(value: Any) -> Any:
    """Parsed arguments; a text that is no JSON stays text, and nothing counts as no arguments."""
    if isinstance(value, dict) and list(value) == ["__unparsed__"]:
        value = value["__unparsed__"]
    if isinstance(value, str) and value:
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return value or {}


def _word(value: Any) -> str | None:
    return None if value is None else str(value)
