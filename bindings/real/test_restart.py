"""llama.cpp is killed in a stream and comes back: with `on_break: "restart"` the text is whole."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import ours
import servers
from facts import KEY
from ours import LANGUAGES, Row
from servers import Server

REQUEST = {
    "model": "slow",
    "messages": [{"role": "user", "content": "Hello"}],
    "max_tokens": 1500,
    "seed": 3,
    "stream": True,
    "extra": {"real": {"cache_prompt": False}},
}


def row(server: Server, name: str, request: dict[str, Any], **options: Any) -> Row:
    """A request with the retries that a client has by itself."""
    entry = {"kind": "compatible", "base_url": f"{server.url}/v1", "api_key": KEY}
    return Row(name, entry, request, options, {"retry": {}})


def decoded(server: Server) -> int:
    """How many tokens the request has so far."""
    slots = json.loads(servers.fetch(f"{server.url}/slots", KEY))
    return max(
        (slot["next_token"][0]["n_decoded"] for slot in slots if slot["is_processing"]), default=0
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_killed_server_comes_back(language: str, slow: Server, folder: Path) -> None:
    whole = ours.play(language, [row(slow, "whole", REQUEST)], folder)["whole"]
    with ThreadPoolExecutor() as pool:
        rows = [row(slow, "broken", REQUEST, on_break="restart")]
        playing = pool.submit(ours.play, language, rows, folder)
        servers.wait_for("the middle of the stream", lambda: decoded(slow) > 40, 60)
        slow.kill()
        slow.start()
        broken = playing.result()["broken"]
    slow.ready()
    assert "error" not in broken, broken["error"]
    assert ours.text_of(broken) == ours.text_of(whole)
    resets = [event for event in broken["events"] if event["object"] == "chat.completion.reset"]
    assert len(resets) == 1
    attempts = broken["result"]["liter"]["attempts"]
    assert attempts[0]["kind"] == "stream_broken"
    assert attempts[-1]["status"] == 200 and "kind" not in attempts[-1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_it_the_break_is_an_error(language: str, slow: Server, folder: Path) -> None:
    with ThreadPoolExecutor() as pool:
        rows = [row(slow, "broken", REQUEST)]
        playing = pool.submit(ours.play, language, rows, folder)
        servers.wait_for("the middle of the stream", lambda: decoded(slow) > 40, 60)
        slow.kill()
        broken = playing.result()["broken"]
    slow.start()
    slow.ready()
    assert broken["error"]["kind"] == "stream_broken"
    assert len(broken["error"]["partial"]["text"]) > 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_loading_server_is_waited_for(language: str, slow: Server, folder: Path) -> None:
    slow.kill()
    later = threading.Timer(0.5, slow.start)
    later.start()
    try:
        request = {**REQUEST, "stream": False, "max_tokens": 20}
        outcome = ours.play(language, [row(slow, "loading", request)], folder)["loading"]
    finally:
        later.join()
        slow.ready()
    assert "error" not in outcome, outcome["error"]
    assert len(ours.text_of(outcome)) == 20
