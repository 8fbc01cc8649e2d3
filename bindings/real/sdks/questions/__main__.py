"""Sends questions with the official packages, so that ours can be held to what they send.

Each question goes to the base URL of the first argument with its name as first segment of the path,
and the server there keeps it. What the package makes of the empty answer does not count.
"""

from __future__ import annotations

import json
import sys

import ask_amazon
import ask_google
import ask_openai
import ask_others
from common import QUESTIONS

# Each puts its questions into the table.
ASKED = (ask_amazon, ask_google, ask_openai, ask_others)


def main() -> None:
    """Sends every question, or those named."""
    base, *names = sys.argv[1:]
    for name in names or QUESTIONS:
        try:
            QUESTIONS[name](f"{base}/{name}")
        except Exception as error:
            print(f"{name}: {error}", file=sys.stderr)
    print(json.dumps(list(QUESTIONS)))


if __name__ == "__main__":
    main()
