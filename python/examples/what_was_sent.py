"""What was sent: warnings tell what changed on the way, attempts where it went, logs all of it.

LITER_LLM_LOG_BODIES=1 has the request in the log, at debug. It is for a developer's machine.
"""

import json
import logging
import os
import warnings

import liter_llm


class Print(logging.Handler):
    """Prints records. `record.liter` is the engine's own: a dict."""

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one."""
        liter: dict[str, object] = getattr(record, "liter", {})
        if isinstance(request := liter.get("request"), str):
            print("request:", json.dumps(json.loads(request), sort_keys=True))
        elif liter.get("event") == "call":
            print("call:", liter.get("provider"), liter.get("model"), liter.get("outcome"))


os.environ["LITER_LLM_LOG_BODIES"] = "1"  # read when a client is made
logging.getLogger("liter_llm").addHandler(Print())
logging.getLogger("liter_llm").setLevel(logging.DEBUG)
liter_llm.logs()
warnings.simplefilter("ignore", liter_llm.LiterLLMWarning)  # they are printed here

with liter_llm.Client() as client:
    answer = client.chat("Hello", model="anthropic/claude-haiku-4-5", seed=7)

for warning in answer.warnings:
    print(f"warning: {warning.code}: {warning.param}")
for attempt in answer.liter.attempts:
    print(f"attempt: {attempt.target} {attempt.status}")
