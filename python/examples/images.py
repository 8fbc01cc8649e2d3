"""A picture and a question about it. A file goes as a data: URL, one of the web by its address."""

import base64
import struct
import zlib

import liter_llm
from liter_llm import Message


def png(red: int, green: int, blue: int) -> bytes:
    """A picture of one pixel, in place of a file's `Path("photo.png").read_bytes()`."""

    def part(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixel = zlib.compress(bytes([0, red, green, blue]))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", pixel) + part(b"IEND", b"")


url = "data:image/png;base64," + base64.b64encode(png(255, 0, 0)).decode()
messages: list[Message] = [
    {
        "role": "user",
        "content": [
            {"type": "image_url", "image_url": {"url": url}},
            {"type": "text", "text": "What colour is this?"},
        ],
    }
]

with liter_llm.Client() as client:
    for model in ("openai/gpt-4.1-mini", "anthropic/claude-haiku-4-5"):
        answer = client.chat(messages, model=model, max_tokens=100)
        print(f"{answer.provider}: {answer.text}")
        for warning in answer.warnings:
            print(f"  not sent as written: {warning.message}")
