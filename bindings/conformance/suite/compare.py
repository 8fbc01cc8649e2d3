"""Compares outcomes: with the expected one, and a stream's chunks with its result."""

from __future__ import annotations

from base64 import b64decode
from typing import Any


def first_difference(expected: Any, actual: Any, exact: bool, path: str = "") -> str | None:
    """Where `actual` differs from `expected`, with both values; None where it does not.

    Members that `expected` leaves out are not looked at unless `exact`. Lists must have the same
    length. `null` in `expected` is met by `null` or an absent member. `attempts` are always exact:
    what failed or may be billed is not left out by the way. Their texts need not be said again.
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            at = f"{path}.{name}" if path else name
            if name not in actual:
                if value is None and not exact:
                    continue
                return f"{at}: expected {short(value)}, got nothing"
            found = actual[name]
            if name == "attempts" and isinstance(found, list) and isinstance(value, list):
                found = [_untold(one, other) for one, other in zip(found, value, strict=False)] + (
                    found[len(value) :]
                )
            if found := first_difference(value, found, exact or name == "attempts", at):
                return found
        extra = [name for name in actual if exact and name not in expected]
        if extra:
            at = f"{path}.{extra[0]}" if path else extra[0]
            return f"{at}: expected nothing, got {short(actual[extra[0]])}"
        return None
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            return f"{path}: expected {len(expected)} items, got {len(actual)}: {short(actual)}"
        for number, (one, other) in enumerate(zip(expected, actual, strict=True)):
            if found := first_difference(one, other, exact, f"{path}[{number}]"):
                return found
        return None
    if expected == actual and isinstance(expected, bool) == isinstance(actual, bool):
        return None
    return f"{path}: expected {short(expected)}, got {short(actual)}"


def with_texts(result: Any) -> Any:
    """A result with `text` in each answer to a chat: its first choice's text.

    The packages compute it. No document has it, but what a case expects may name it.
    """
    if is_many(result):
        return {**result, "results": [with_texts(one) for one in result["results"]]}
    if not isinstance(result, dict) or not result.get("choices"):
        return result
    return {**result, "text": result["choices"][0]["message"].get("content") or ""}


def _untold(attempt: Any, expected: Any) -> Any:
    """An attempt without its text, where nothing is expected of that."""
    if isinstance(attempt, dict) and isinstance(expected, dict) and "message" not in expected:
        return {name: value for name, value in attempt.items() if name != "message"}
    return attempt


def short(value: Any) -> str:
    """A value for a person to read."""
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:150]}… ({len(text)} characters)"


def bytes_difference(one: str, other: str) -> str:
    """The first place where two canonical texts differ."""
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if at is None:
        at = min(len(one), len(other))
    start = max(0, at - 40)
    return f"at byte {at}: {one[start : at + 60]!r} against {other[start : at + 60]!r}"


def is_passed_through(document: dict[str, Any]) -> bool:
    """Whether a result or an event belongs to a request of `op: "http"`."""
    return str(document.get("object")).startswith("http.")


def is_many(result: Any) -> bool:
    """Whether a result is that of a fan-out; a moderation has `results`, too."""
    return isinstance(result, dict) and "results" in result and "failures" in result


def is_reset(event: dict[str, Any]) -> bool:
    """Whether an event says that the answer begins anew."""
    return event.get("object") == "chat.completion.reset"


def stream_difference(outcome: dict[str, Any]) -> str | None:
    """Whether the chunks, put together, are the final result: those since the last reset."""
    result = outcome.get("result")
    events = outcome.get("events", [])
    if any(map(is_passed_through, [*events, result or {}])):
        return _passed_difference(events, result)
    resets = [number for number, event in enumerate(events, 1) if is_reset(event)]
    events = events[resets[-1] if resets else 0 :]
    if result is None:
        partial = (outcome.get("error") or {}).get("partial")
        text = _concatenate(events).get(0, {}).get("content") or ""
        if partial is not None and partial.get("text") != text:
            return f"partial.text: the chunks say {short(text)}, it says {short(partial)}"
        return None
    wholes = _concatenate(events)
    for choice in result["choices"]:
        whole = wholes.pop(choice["index"], None)
        if whole is None:
            return f"choice {choice['index']}: no chunk brought it"
        message = choice["message"]
        said = {
            "content": message.get("content"),
            "reasoning": message.get("reasoning"),
            "refusal": message.get("refusal"),
            "tool_calls": [
                (call["id"], call["function"]["name"], call["function"]["arguments"])
                for call in message.get("tool_calls", [])
            ],
            "finish_reason": choice.get("finish_reason"),
            "annotations": message.get("annotations"),
            "images": message.get("images"),
            "audio": _heard([message.get("audio") or {}]),
            "logprobs": _tokens([choice.get("logprobs") or {}]),
        }
        for name, value in said.items():
            if (whole[name] or None) != (value or None):
                return f"{name}: chunks give {short(whole[name])}, the result {short(value)}"
    return f"choices {sorted(wholes)} are in chunks only" if wholes else None


def _passed_difference(events: list[dict[str, Any]], result: dict[str, Any] | None) -> str | None:
    """Whether a head came first and once, and is the result's. Data events were joined before."""
    kinds = [event.get("object") for event in events]
    if kinds not in (["http.head"], ["http.head", "http.data"]):
        return f"not a head and data: {short(events)}"
    head = events[0]
    for name in ("status", "headers"):
        if result is not None and head.get(name) != result.get(name):
            return f"{name}: the head says {short(head.get(name))}, the result {short(result)}"
    if result is not None and ("body" in result or "body_base64" in result):
        return "the result repeats the body"
    return None


def _concatenate(events: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    wholes: dict[int, dict[str, Any]] = {}
    calls: dict[int, dict[int, list[str]]] = {}
    for event in events:
        for choice in event.get("choices", []):
            index, delta = choice["index"], choice["delta"]
            whole = wholes.setdefault(
                index,
                {"content": "", "reasoning": "", "refusal": "", "finish_reason": None}
                | {"annotations": [], "images": [], "audio": [], "logprobs": []},
            )
            for name in ("annotations", "images"):
                whole[name] += delta.get(name) or []
            whole["audio"].append(delta.get("audio") or {})
            whole["logprobs"].append(choice.get("logprobs") or {})
            for name in ("content", "reasoning", "refusal"):
                whole[name] += delta.get(name) or ""
            whole["finish_reason"] = choice.get("finish_reason") or whole["finish_reason"]
            for part in delta.get("tool_calls", []):
                call = calls.setdefault(index, {}).setdefault(part["index"], ["", "", ""])
                call[0] += part.get("id") or ""
                call[1] += part["function"].get("name") or ""
                call[2] += part["function"].get("arguments") or ""
    for index, whole in wholes.items():
        found = calls.get(index, {})
        whole["tool_calls"] = [tuple(found[number]) for number in sorted(found)]
        whole["audio"] = _heard(whole["audio"])
        whole["logprobs"] = _tokens(whole["logprobs"])
    return wholes


def _heard(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    """Pieces of speech as one: the sound of each piece may be base64 of its own."""
    whole: dict[str, Any] = {}
    for piece in pieces:
        whole |= {name: value for name, value in piece.items() if value is not None}
    if any("transcript" in piece for piece in pieces):
        whole["transcript"] = "".join(piece.get("transcript") or "" for piece in pieces)
    if data := [piece["data"] for piece in pieces if piece.get("data")]:
        whole["data"] = b"".join(map(b64decode, data))
    return whole


def _tokens(pieces: list[Any]) -> dict[str, list[Any]]:
    """Log probabilities as one: each list is appended, and a member that is null says nothing."""
    whole: dict[str, list[Any]] = {}
    for piece in pieces:
        for name, items in piece.items() if isinstance(piece, dict) else ():
            if isinstance(items, list):
                whole.setdefault(name, []).extend(items)
    return whole
