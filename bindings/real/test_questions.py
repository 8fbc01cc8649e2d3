"""Official packages as oracles: for the same question, ours sends what the provider's own sends.

What differs on purpose is in `differences.json`, each with its reason. A difference that has
gone has to leave it, too.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ours
from capture import Capture, Sent
from questions import QUESTIONS
from servers import ENVIRONMENTS, HERE

ORACLE = ENVIRONMENTS / "oracle" / "bin" / "python"
DIFFERENCES: list[dict[str, str]] = json.loads((HERE / "differences.json").read_text())
# A key travels in one of these.
PROOFS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")
# Headers that say how a body is to be read.
TOLD = ("anthropic-version",)
MISSING = "(nothing)"


@pytest.fixture(scope="module")
def sent(folder: Path) -> Iterator[dict[str, dict[str, list[Sent]]]]:
    """What each side sent."""
    theirs, our = Capture(), Capture()
    names = subprocess.run(
        [ORACLE, HERE / "sdks" / "questions", theirs.url, *QUESTIONS],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert set(json.loads(names)) == set(QUESTIONS)
    rows = [question.row(name, our.url) for name, question in QUESTIONS.items()]
    ours.play("python", rows, folder)
    yield {"theirs": theirs.sent, "ours": our.sent}
    theirs.stop()
    our.stop()


def flat(value: Any, path: str = "") -> dict[str, str]:
    """Every leaf of a document by its path. Text that is JSON counts as what it says."""
    if path.endswith(".arguments") and isinstance(value, str):
        value = json.loads(value)
    if isinstance(value, dict) and value:
        items = [(f"{path}.{name}", item) for name, item in value.items()]
    elif isinstance(value, list) and value:
        items = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    elif isinstance(value, float) and value.is_integer():
        return {path: json.dumps(int(value))}
    else:
        return {path: json.dumps(value)}
    return {key: leaf for name, item in items for key, leaf in flat(item, name).items()}


def facts(one: Sent) -> dict[str, str]:
    """What of a request has to be equal."""
    said = {"method": one.method, "path": one.path, "query": one.query}
    said["content-type"] = one.headers["content-type"].partition(";")[0]
    for name in (*PROOFS, *TOLD):
        # A signature is for one host, one body and one second: `test_signatures` looks at it.
        if value := one.headers.get(name):
            said[name] = value.partition(" Credential=")[0]
    body = flat(one.members(), "body")
    if one.headers.get("x-goog-api-key") or "/publishers/" in one.path:
        body = {camel(path): leaf for path, leaf in body.items()}
    return said | body


def camel(path: str) -> str:
    """Google's servers read members in either case (ProtoJSON), and its package sends both."""
    return re.sub("_([a-z])", lambda found: found[1].upper(), path)


def known(name: str, path: str) -> dict[str, str] | None:
    """The documented difference at a path of a question."""
    for row in DIFFERENCES:
        if name.startswith(row["question"]) and path.startswith(row["path"]):
            return row
    return None


@pytest.mark.parametrize("name", QUESTIONS)
def test_same_question_same_request(name: str, sent: dict[str, dict[str, list[Sent]]]) -> None:
    """Method, path, query, the key's header, the body's form, and every leaf of the body."""
    theirs, our = (facts(sent[side][name][0]) for side in ("theirs", "ours"))
    wrong = [
        f"{path}: theirs {theirs.get(path, MISSING)}, ours {our.get(path, MISSING)}"
        for path in sorted(theirs.keys() | our.keys())
        if theirs.get(path) != our.get(path) and not known(name, path)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_difference_is_there(sent: dict[str, dict[str, list[Sent]]]) -> None:
    """A row of `differences.json` that nothing needs would hide the next fault."""
    used: list[dict[str, str]] = []
    for name in QUESTIONS:
        theirs, our = (facts(sent[side][name][0]) for side in ("theirs", "ours"))
        differing = [p for p in theirs.keys() | our.keys() if theirs.get(p) != our.get(p)]
        used.extend(row for path in differing if (row := known(name, path)))
    assert [row for row in DIFFERENCES if row not in used] == []


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name.startswith("bedrock")])
def test_signatures(name: str, sent: dict[str, dict[str, list[Sent]]]) -> None:
    """Botocore signs what we sent, at the time at which we did: the signature is ours."""
    one = sent["ours"][name][0]
    asked = {
        "url": f"http://{one.headers['host']}/{name}{one.path}",
        "method": one.method,
        "headers": one.headers,
        "body": one.body.decode(),
    }
    signed = subprocess.run(
        [ORACLE, HERE / "sdks" / "sign.py"],
        input=json.dumps(asked),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert one.headers["authorization"] == signed.strip()
