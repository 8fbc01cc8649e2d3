"""A server that keeps what it is sent, by the path's first segment, and answers little."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from servers import HOST


@dataclass(frozen=True)
class Sent:
    """One request, as it came."""

    method: str
    # Still with its escapes, without the first segment, and without the query.
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def members(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Capture:
    """The server. `sent` has each question's requests, in the order in which they came."""

    def __init__(self) -> None:
        self.sent: dict[str, list[Sent]] = {}
        kept = self.sent

        class Handler(BaseHTTPRequestHandler):
            protocol_version: ClassVar[str] = "HTTP/1.1"

            def do_POST(self) -> None:
                target, _, query = self.path.partition("?")
                name, _, path = target.removeprefix("/").partition("/")
                headers = {key.lower(): value for key, value in self.headers.items()}
                sent = Sent(self.command, f"/{path}", query, headers, self.read())
                kept.setdefault(name, []).append(sent)
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST

            def read(self) -> bytes:
                """The body, whole."""
                if self.headers.get("transfer-encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("content-length") or 0))
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer((HOST, 0), Handler)
        self.url = f"http://{HOST}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Ends it."""
        self.server.shutdown()
        self.server.server_close()
