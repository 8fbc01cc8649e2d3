"""Every kind of the one error table has its class here, and every member its attribute."""

import asyncio
import copy
import json
import pickle
from pathlib import Path

import pytest

import liter_llm
from liter_llm import _errors

TABLE = Path(__file__).resolve().parents[2] / "bindings" / "conformance" / "errors.json"
KINDS = {row["kind"]: row for row in json.loads(TABLE.read_text(encoding="utf-8"))}

INNER = {
    "kind": "rate_limit",
    "message": "slow down",
    "provider": "openai",
    "model": "gpt-5",
    "status": 429,
    "code": "rate_limit_exceeded",
    "retryable": True,
    "retry_after_ms": 1500,
    "request_id": "req_1",
    "param": "messages",
    "partial": {"text": "Hel"},
    "attempts": [{"target": "openai/gpt-5", "status": 429, "kind": "rate_limit", "ms": 3}],
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind(kind):
    row = KINDS[kind]
    error = _errors.from_document(
        {"error": {"kind": kind, "message": "m", "retryable": row["retryable"]}}
    )
    assert type(error).__name__ == row["python"]["class"]
    assert getattr(liter_llm, type(error).__name__) is type(error)
    assert [base.__name__ for base in type(error).__bases__] == row["python"]["bases"]
    assert isinstance(error, liter_llm.LiterLLMError)
    assert error.kind == type(error).kind == kind
    assert error.retryable is row["retryable"]


def test_no_kind_is_left_over():
    assert set(_errors.CLASSES) == set(KINDS)


def test_a_kind_of_a_newer_engine():
    error = _errors.from_document({"error": {"kind": "moon_phase", "message": "m"}})
    assert type(error) is liter_llm.LiterLLMError and error.kind == "moon_phase"


def test_members():
    error = _errors.from_document({"error": INNER})
    for name, value in INNER.items():
        if name != "retry_after_ms":
            assert getattr(error, name) == value
    assert error.retry_after == 1.5
    assert error.document == {"error": INNER}
    assert (error.reason, error.status_code) == (error.message, error.status)
    assert _errors.from_document({"error": {**INNER, "reason": "why"}}).reason == "why"
    assert str(error) == "slow down" and repr(error) == "RateLimitError('slow down')"


def test_absent_members():
    error = liter_llm.APIConnectionError("gone")
    for name in INNER.keys() - {"kind", "message", "retryable", "attempts", "retry_after_ms"}:
        assert getattr(error, name) is None
    assert error.retry_after is None and error.attempts == [] and not error.retryable
    assert error.document["error"]["kind"] == "connection"


@pytest.mark.parametrize("kind", KINDS)
def test_copies(kind):
    error = _errors.from_document({"error": {**INNER, "kind": kind}})
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is type(error) and again.document == error.document


def test_what_was_added_survives():
    error = liter_llm.RateLimitError("wait")
    error.__notes__ = ["of the third batch"]  # as add_note does
    error.batch = 3
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert (again.__notes__, again.batch) == (["of the third batch"], 3)


def test_a_timeout_is_pythons_too():
    with pytest.raises(TimeoutError, match="late"):
        raise liter_llm.APITimeoutError("late")
    assert not issubclass(liter_llm.CancelledError, asyncio.CancelledError)


def test_members_that_are_none():
    """A test may take them from elsewhere, where they were absent."""
    names = {name: None for name in _errors.MEMBERS if name != "retryable"}
    error = liter_llm.RateLimitError("wait", **names)
    for name in names.keys() - {"reason", "attempts", "ratelimit"}:
        assert getattr(error, name) is None
    assert (error.reason, error.attempts, error.ratelimit) == ("wait", [], {})
    assert "retry_after" not in error.document["error"]
    assert liter_llm.RateLimitError("wait", retry_after=0).retry_after == 0
    assert liter_llm.RateLimitError("wait", retry_after=1.5).retry_after == 1.5
