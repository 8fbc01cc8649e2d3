"""Errors by class: what a program does about each kind of failure.

An error's text is for people: it names the provider, the attempts and the reason. A program decides
by the class, or by `error.kind`.
"""

import liter_llm
from liter_llm import ChatRequest

REQUESTS: list[ChatRequest] = [
    {"model": "openai/gpt-4.1-mini"},
    {"model": "mistral/mistral-small-latest"},
    {"model": "gpt-4.1-mini", "options": {"provider": "opnai"}},
    {"model": "openai/gpt-4.1-mini", "response_format": {"type": "json_schema"}},
    {"model": "together/openai/gpt-oss-20b", "options": {"timeout_ms": 200}},
    {"model": "zai/glm-4.6"},
]


def advice(error: liter_llm.LiterLLMError) -> str:
    """What to do about a failure. A class comes before its bases."""
    match error:
        case liter_llm.AuthenticationError():
            return f"set the key: {error}"
        case liter_llm.RateLimitError():
            return f"ask again in {error.retry_after or 1} s"
        case liter_llm.NotFoundError():
            return f"check the names: {error}"
        case liter_llm.BadRequestError():
            return f"mend {error.param}: {error}"
        case liter_llm.APITimeoutError():
            return f"give it more time than {error.attempts[-1].target} had"
        case liter_llm.APIConnectionError():
            return f"check network, proxy and base URL of {error.provider}"
        case _:  # all others, such as a content filter
            return f"{error.kind}: {error}"


with liter_llm.Client(retry=False) as client:
    for request in REQUESTS:
        try:
            print(client.chat({"prompt": "Hello", **request}).text)
        except liter_llm.LiterLLMError as error:
            print(advice(error))
