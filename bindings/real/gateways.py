"""Debian's servers on the way to a provider, each with a configuration of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from servers import HOST, Server, certificate, free_port

USER, PASSWORD = "user", "p@ss w"


def listening_only() -> socket.socket:
    """A port that takes connections and never answers."""
    silent = socket.socket()
    silent.bind((HOST, 0))
    silent.listen(64)
    return silent


@dataclass(frozen=True)
class Ways:
    """What a gateway can lead to."""

    answers: int
    silent: int
    dead: int


def nginx(folder: Path, ways: Ways) -> Server:
    """nginx with TLS and HTTP/2, which closes each connection after five requests."""
    certificate(folder)
    port = free_port()
    temporary = "\n".join(
        f"  {name}_temp_path {folder}/nginx-{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(f"""
{"user root;" if os.geteuid() == 0 else ""}
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
worker_processes 1;
events {{ worker_connections 512; }}
http {{
{temporary}
  access_log {folder}/nginx-access.log;
  server {{
    listen {HOST}:{port} ssl http2;
    ssl_certificate {folder}/both.pem;
    ssl_certificate_key {folder}/both.pem;
    keepalive_requests 5;
    proxy_http_version 1.1;
    proxy_buffering off;
    proxy_set_header Connection "";
    location / {{ proxy_pass http://{HOST}:{ways.answers}/; }}
    location /small/ {{ client_max_body_size 1k; proxy_pass http://{HOST}:{ways.answers}/; }}
    location /dead/ {{ proxy_pass http://{HOST}:{ways.dead}/; }}
    location /silent/ {{ proxy_read_timeout 1s; proxy_pass http://{HOST}:{ways.silent}/; }}
    location /limited/ {{ add_header Retry-After 7 always; return 429; }}
    location /moved/ {{ return 301 https://{HOST}:{port}/v1/; }}
  }}
}}
""")
    return Server("nginx", ["nginx", "-c", folder / "nginx.conf", "-p", folder], port, folder)


def haproxy(folder: Path, ways: Ways) -> Server:
    """HAProxy with TLS and HTTP/2 by ALPN."""
    certificate(folder)
    port = free_port()
    (folder / "haproxy.cfg").write_text(f"""
global
  log stdout format raw local0
defaults
  mode http
  log global
  log-format "%HV %HM %HP %ST"
  timeout connect 2s
  timeout client 60s
  timeout server 60s
frontend tls
  bind {HOST}:{port} ssl crt {folder}/both.pem alpn h2,http/1.1
  use_backend dead if {{ path_beg /dead/ }}
  use_backend silent if {{ path_beg /silent/ }}
  default_backend answers
backend answers
  http-reuse never
  server one {HOST}:{ways.answers}
backend dead
  server one {HOST}:{ways.dead}
backend silent
  timeout server 1s
  server one {HOST}:{ways.silent}
""")
    command = ["haproxy", "-f", folder / "haproxy.cfg", "-db"]
    return Server("haproxy", command, port, folder)


def squid(folder: Path) -> Server:
    """Squid, which asks for a password. It gives up root: each folder above has to let it in."""
    port = free_port()
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", PASSWORD], capture_output=True, text=True, check=True
    )
    (folder / "passwords").write_text(f"{USER}:{hashed.stdout}")
    (folder / "squid.conf").write_text(f"""
http_port {HOST}:{port}
auth_param basic program {_helper("basic_ncsa_auth")} {folder}/passwords
acl users proxy_auth REQUIRED
http_access allow users
http_access deny all
cache deny all
access_log stdio:{folder}/access.log
cache_log {folder}/cache.log
pid_filename {folder}/squid.pid
coredump_dir {folder}
cache_effective_user proxy
visible_hostname localhost
pinger_enable off
shutdown_lifetime 0 seconds
forward_max_tries 1
connect_timeout 5 seconds
""")
    if os.geteuid() == 0:
        folder.chmod(0o755)
        shutil.chown(folder, "proxy")
    command = ["squid", "-N", "-f", folder / "squid.conf"]
    return Server("squid", command, port, folder)


def _helper(name: str) -> str:
    """Debian's place of Squid's helpers, and that of other systems."""
    places = [Path("/usr/lib/squid") / name, Path("/usr/lib64/squid") / name]
    return str(next((place for place in places if place.exists()), places[0]))


def tinyproxy(folder: Path) -> Server:
    """tinyproxy, which asks for a password; it takes only letters and digits."""
    port = free_port()
    (folder / "tinyproxy.conf").write_text(f"""
Port {port}
Listen {HOST}
Timeout 60
MaxClients 64
Allow {HOST}
BasicAuth {USER} secret
LogLevel Connect
""")
    command = ["tinyproxy", "-d", "-c", folder / "tinyproxy.conf"]
    return Server("tinyproxy", command, port, folder)
