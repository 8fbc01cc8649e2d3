"""nginx and HAProxy between our packages and llama.cpp: TLS, HTTP/2, reloads, their own pages."""

from __future__ import annotations

import os
import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ours
import servers
from facts import KEY
from ours import LANGUAGES, Row
from servers import Server

REQUEST = {
    "model": "tiny",
    "messages": [{"role": "user", "content": "Hello"}],
    "max_tokens": 60,
    "seed": 3,
    "extra": {"real": {"cache_prompt": False}},
}


def row(server: Server, name: str, path: str = "", stream: bool = False, **entry: Any) -> Row:
    """A request through a gateway with a certificate of its own."""
    base_url = f"https://{servers.HOST}:{server.port}{path}/v1"
    entry = {"ca_file": str(server.log.parent / "authority.pem")} | entry
    entry = {"kind": "compatible", "base_url": base_url, "api_key": KEY} | entry
    return Row(name, entry, REQUEST | {"stream": True} if stream else REQUEST)


def whole(outcomes: dict[str, Any]) -> set[str]:
    """The texts of outcomes, all of which are answers."""
    for name, outcome in outcomes.items():
        assert "error" not in outcome, (name, outcome["error"])
    return {ours.text_of(outcome) for outcome in outcomes.values()}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("which", ["nginx", "haproxy"])
def test_tls_and_http_2(which: str, language: str, request, folder: Path) -> None:
    server: Server = request.getfixturevalue(which)
    assert servers.negotiated(server.port, server.log.parent / "authority.pem") == "h2"
    names = [f"{number}" for number in range(40)]
    rows = [row(server, name, stream=int(name) % 2 == 0) for name in names]
    assert len(whole(ours.play(language, rows, folder))) == 1


def test_http_2_is_what_haproxy_saw(haproxy: Server, folder: Path) -> None:
    ours.play("python", [row(haproxy, "seen", stream=True)], folder)
    said = haproxy.log.read_text()
    assert re.search("^HTTP/2.0 POST https://.*/v1/chat/completions 200$", said, re.MULTILINE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_reloads_lose_nothing(language: str, nginx: Server, folder: Path) -> None:
    # A connection that nginx has just taken it may close unasked: that is what retries are for.
    rows = [
        replace(row(nginx, f"{number}", stream=number % 3 > 0), config={"retry": {}})
        for number in range(60)
    ]
    with ThreadPoolExecutor() as pool:
        playing = pool.submit(ours.play, language, rows, folder)
        reloads = 0
        while not playing.done():
            os.kill(nginx.pid, signal.SIGHUP)
            reloads += 1
            time.sleep(0.1)
        outcomes = playing.result()
    assert reloads > 1
    assert len(whole(outcomes)) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_authority(language: str, nginx: Server, folder: Path) -> None:
    entry = row(nginx, "unknown").entry
    entry.pop("ca_file")
    error = ours.play(language, [Row("unknown", entry, REQUEST)], folder)["unknown"]["error"]
    assert error["kind"] == "connection"
    assert "certificate" in error["message"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_redirect_is_not_followed(language: str, nginx: Server, folder: Path) -> None:
    error = ours.play(language, [row(nginx, "moved", "/moved")], folder)["moved"]["error"]
    assert error["status"] == 301
    assert "redirect" in error["message"]
