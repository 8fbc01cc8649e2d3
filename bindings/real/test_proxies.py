"""Squid and tinyproxy, both with passwords, between our packages and llama.cpp, plain and TLS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ours
from facts import KEY
from gateways import USER
from ours import LANGUAGES, Row
from servers import HOST, Server

REQUEST = {
    "model": "tiny",
    "messages": [{"role": "user", "content": "Hello"}],
    "max_tokens": 20,
    "seed": 3,
    "extra": {"real": {"cache_prompt": False}},
}
# As they stand in a URL.
PASSWORDS = {"squid": "p%40ss%20w", "tinyproxy": "secret"}


def rows(plain: str, secure: Server, retry: Any = False) -> list[Row]:
    """The two origins, whole and streamed."""
    authority = str(secure.log.parent / "authority.pem")
    entries = {
        "plain": {"base_url": f"{plain}/v1"},
        "tls": {"base_url": f"https://{HOST}:{secure.port}/v1", "ca_file": authority},
    }
    return [
        Row(
            f"{name}-{stream}",
            {"kind": "compatible", "api_key": KEY} | entry,
            REQUEST | {"stream": True} if stream else REQUEST,
            config={"retry": retry},
        )
        for name, entry in entries.items()
        for stream in (False, True)
    ]


def through(proxy: str, no_proxy: str = "") -> dict[str, str]:
    """The variables that send a runner through a proxy."""
    return {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy, "NO_PROXY": no_proxy, "no_proxy": no_proxy}


def seen_by(name: str, server: Server) -> str:
    """What a proxy has written about requests."""
    if name == "squid":
        return (Path(server.command[-1]).parent / "access.log").read_text()
    return server.log.read_text()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PASSWORDS)
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_with_the_password(
    name: str, scheme: str, language: str, proxies, llama: Server, haproxy: Server, folder: Path
) -> None:
    proxy = proxies[name]
    before = len(seen_by(name, proxy))
    variables = through(f"{scheme}{USER}:{PASSWORDS[name]}@{HOST}:{proxy.port}")
    outcomes = ours.play(language, rows(llama.url, haproxy), folder, variables)
    for outcome in outcomes.values():
        assert "error" not in outcome, outcome["error"]
    assert len({ours.text_of(outcome) for outcome in outcomes.values()}) == 1
    said = seen_by(name, proxy)[before:]
    assert f"CONNECT {HOST}:{haproxy.port}" in said
    assert f"POST {llama.url}/v1/chat/completions" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_past_the_proxy(
    language: str, proxies, llama: Server, haproxy: Server, folder: Path
) -> None:
    proxy = proxies["squid"]
    before = seen_by("squid", proxy)
    variables = through(f"http://nobody:wrong@{HOST}:{proxy.port}", no_proxy=HOST)
    outcomes = ours.play(language, rows(llama.url, haproxy), folder, variables)
    for outcome in outcomes.values():
        assert "error" not in outcome, outcome["error"]
    assert seen_by("squid", proxy) == before
