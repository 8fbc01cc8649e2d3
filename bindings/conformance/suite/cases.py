"""Reads case files and checks them before anything is run.

A case that says something nobody reads would pass silently, so an unknown member anywhere is an
error, and so is a `via` that could not carry the case. README.md describes the members.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import jsontext
from .schema import Schema

VIAS = ("invoke", "call", "submit", "stream", "collect")

_CASE = {
    "id": str,
    "about": str,
    "config": dict,
    "provider": str,
    "request": dict,
    "request_raw": dict,
    "options": dict,
    "via": list,
    "cancel_after": int,
    "before": list,
    "exchanges": list,
    "by_path": bool,
    "outcome": dict,
    "outcome_exact": bool,
}
_EXPECT = {
    "method": str,
    "path": str,
    "headers": dict,
    "body": object,
    "body_hex": str,
    "after_ms": int,
}
_REPLY = {
    "status": int,
    "headers": dict,
    "body": object,
    "body_hex": str,
    "sse": list,
    "frames": list,
    "chunks": list,
    "gzip": (bool, dict),
    "framing": str,
    "split": (dict, list),
    "delay_ms": int,
    "stall_at": int,
    "stall_ms": (int, type(None)),
    "cut_at": int,
    "cut": str,
    "never": bool,
    "raw": str,
    "endless": str,
}
_OUTCOME = {"result": dict, "error": dict, "events": list}
_RAW = {"text": str, "hex": str, "repeat": list, "prefix": str, "suffix": str}


class CaseError(Exception):
    """A case file is wrong; the message names the file and the member."""


@dataclass(frozen=True)
class Case:
    """One case. `document` is the file as it is."""

    id: str
    document: dict[str, Any]

    @property
    def vias(self) -> list[str]:
        """The ways that this case goes through the library."""
        return self.document["via"]

    @property
    def operation(self) -> str:
        """What is asked for: `chat` where the request says nothing else."""
        op = self.document.get("request", {}).get("op", "chat")
        return op if isinstance(op, str) else "chat"

    @property
    def outcome(self) -> dict[str, Any]:
        """What is expected; empty for a recorded exchange."""
        return self.document.get("outcome", {})


def load(folder: Path, pattern: str = "*") -> list[Case]:
    """Every case under `folder` whose id (`<topic>/<name>`) matches the glob, by id."""
    cases: list[Case] = []
    for path in sorted(folder.rglob("*.json")):
        id_ = path.relative_to(folder).with_suffix("").as_posix()
        if not fnmatch.fnmatch(id_, pattern):
            continue
        try:
            document = jsontext.parse(path.read_text(encoding="utf-8"), _no_repeats)
            if "id" in document:
                raise CaseError("id: the file's name says it")
            check(document)
        except (ValueError, CaseError) as error:
            raise CaseError(f"{path}: {error}") from None
        cases.append(Case(id_, document))
    ids = {case.id.lower() for case in cases}
    if len(ids) != len(cases):
        raise CaseError(f"{folder}: two cases differ in upper and lower case only")
    return cases


def check_requests(cases: list[Case], schemas: Path) -> None:
    """Requests, options and configurations that are expected to work are what the schemas say."""
    known = {path.stem: Schema(path) for path in schemas.glob("*.json")}
    for case in cases:
        if "error" in case.outcome and not case.document.get("exchanges"):
            continue
        for name in ("request", "options", "config"):
            document = jsontext.plain(case.document.get(name, {}))
            schema = schema_of(case.operation, name) if name == "request" else name
            if name in case.document and (fault := known[schema].fault(document)):
                raise CaseError(f"{case.id}: {name}{fault}")


def schema_of(operation: str, document: str) -> str:
    """The schema of an operation's request or response; a chat's have no prefix."""
    return document if operation == "chat" else f"{operation}_{document}"


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A member given twice is a slip: the later one would win silently."""
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        raise CaseError(f"{next(n for n in names if names.count(n) > 1)}: given twice")
    return document


def check(document: dict[str, Any]) -> None:
    """Raises CaseError for anything that is not in the format."""
    _members(document, _CASE, "")
    for name in ("about", "via", "outcome"):
        if name not in document:
            raise CaseError(f"{name} is missing")
    if ("request" in document) == ("request_raw" in document):
        raise CaseError("give request or request_raw, one of them")
    _check_raw(document.get("request_raw"))
    _check_exchanges(document.get("exchanges", []))
    _check_before(document.get("before", []), document["via"])
    _check_outcome(document["outcome"], document)
    _check_vias(document)


def _check_raw(raw: dict[str, Any] | None) -> None:
    if raw is None:
        return
    _members(raw, _RAW, "request_raw")
    if sum(name in raw for name in ("text", "hex", "repeat")) != 1:
        raise CaseError("request_raw: give one of text, hex, repeat")
    if "repeat" in raw and [type(item) for item in raw["repeat"]] != [str, int]:
        raise CaseError("request_raw.repeat: [unit, times]")
    bytes.fromhex(raw.get("hex", ""))


def _check_exchanges(exchanges: list[Any]) -> None:
    for number, exchange in enumerate(exchanges):
        path = f"exchanges[{number}]"
        _members(exchange, {"expect": dict, "reply": dict}, path)
        _members(exchange.get("expect", {}), _EXPECT, f"{path}.expect")
        reply = exchange.get("reply", {})
        _members(reply, _REPLY, f"{path}.reply")
        bodies = [
            name for name in ("body", "body_hex", "sse", "frames", "chunks", "raw") if name in reply
        ]
        if len(bodies) > 1:
            raise CaseError(f"{path}.reply: {' and '.join(bodies)} exclude each other")


def _check_before(calls: list[Any], vias: list[str]) -> None:
    for number, call in enumerate(calls):
        path = f"before[{number}]"
        _members(call, {"request": dict, "options": dict}, path)
        if "request" not in call:
            raise CaseError(f"{path}.request is missing")
        if "stream" in call["request"]:
            raise CaseError(f"{path}.request.stream: they are calls for whole answers")
    if calls and "invoke" in vias:
        raise CaseError("before: not with via invoke, whose client all cases share")


def _check_outcome(outcome: dict[str, Any], document: dict[str, Any]) -> None:
    _members(outcome, _OUTCOME, "outcome")
    if ("result" in outcome) == ("error" in outcome):
        raise CaseError("outcome: give result or error, one of them")
    if "error" in outcome and "kind" not in outcome["error"]:
        raise CaseError("outcome.error.kind is missing")
    if "events" in outcome and document["via"] != ["stream"]:
        raise CaseError("outcome.events: only with via stream alone")


def _check_vias(document: dict[str, Any]) -> None:
    vias = document["via"]
    if not vias or [via for via in VIAS if via in vias] != vias:
        raise CaseError(f"via: some of {', '.join(VIAS)}, in this order")
    if "cancel_after" in document and vias != ["stream"]:
        raise CaseError("cancel_after: only with via stream alone")
    if "invoke" not in vias:
        return
    config = document.get("config", {})
    if "provider" not in document or document["provider"] not in config.get("providers", {}):
        raise CaseError("via invoke: config.providers must hold the case's provider")
    if set(config) != {"providers"}:
        raise CaseError("via invoke: config may hold nothing but providers")
    if "request_raw" in document and "options" in document:
        raise CaseError("via invoke: options cannot be merged into request_raw")
    if "\0" in str(document.get("request_raw", {}).get("text", "")):
        raise CaseError("via invoke: the request ends at a NUL byte")


def _members(value: Any, known: dict[str, Any], path: str) -> None:
    if not isinstance(value, dict):
        raise CaseError(f"{path}: an object is wanted")
    for name, member in value.items():
        at = f"{path}.{name}" if path else name
        if name not in known:
            raise CaseError(f"{at}: no such member; known: {', '.join(known)}")
        wanted = known[name]
        if not isinstance(member, wanted) or (wanted is int and isinstance(member, bool)):
            raise CaseError(f"{at}: of the wrong type")
