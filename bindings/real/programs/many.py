"""Many short streams on kept connections: `python many.py CONFIG MODEL COUNT THREADS`.

Prints how many texts were whole, and what was said of the others.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

import liter_llm

CONFIG, MODEL = sys.argv[1:3]
COUNT, THREADS = map(int, sys.argv[3:])

with liter_llm.Client(json.loads(CONFIG)) as client:

    def one(_: int) -> str | None:
        """The error of a stream, if it has one."""
        try:
            with client.stream("Hello", provider="real", model=MODEL, max_tokens=3) as stream:
                return None if len(stream.text()) == 3 else "a text that is not whole"
        except liter_llm.LiterLLMError as error:
            return str(error)

    with ThreadPoolExecutor(THREADS) as pool:
        errors = [error for error in pool.map(one, range(COUNT)) if error]
print(json.dumps({"whole": COUNT - len(errors), "errors": sorted(set(errors))}))
