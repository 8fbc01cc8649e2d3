"""The pages of nginx and HAProxy, HTML all of them: kind, status and title reach the caller."""

from __future__ import annotations

from pathlib import Path

import pytest

import ours
from ours import LANGUAGES, Row
from servers import Server
from test_gateways import row

# More than nginx takes on that path.
LONG = [{"role": "user", "content": "a" * 2000}]
# The page of each gateway by its path: kind, status, and the title that a user can search for.
NGINX = {
    "/dead": ("unavailable", 502, "502 Bad Gateway"),
    "/silent": ("timeout", 504, "504 Gateway Time"),
    "/limited": ("rate_limit", 429, "429 Too Many Requests"),
    "/small": ("invalid_request", 413, "413 Request Entity Too Large"),
}
HAPROXY = {
    "/dead": ("unavailable", 503, "503 Service Unavailable"),
    "/silent": ("timeout", 504, "504 Gateway Time"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages(language: str, nginx: Server, haproxy: Server, folder: Path) -> None:
    pages = {(nginx, path): page for path, page in NGINX.items()}
    pages |= {(haproxy, path): page for path, page in HAPROXY.items()}
    rows = []
    for server, path in pages:
        for stream in (False, True):
            asked = row(server, f"{server.name}{path}{stream}", path, stream)
            if path == "/small":
                asked = Row(asked.name, asked.entry, asked.request | {"messages": LONG})
            rows.append(asked)
    outcomes = ours.play(language, rows, folder)
    problems = []
    for (server, path), (kind, status, title) in pages.items():
        for stream in (False, True):
            name = f"{server.name}{path}{stream}"
            error = outcomes[name].get("error") or {}
            if (error.get("kind"), error.get("status")) != (kind, status):
                problems.append(f"{name}: {error}")
            elif title not in error["message"]:
                problems.append(f"{name}: no {title!r} in {error['message']!r}")
            if path == "/limited" and error.get("retry_after_ms") != 7000:
                problems.append(f"{name}: {error}")
    assert not problems, "\n".join(problems)
