"""The fastest of three providers answers. The other two are cancelled, with their connections."""

import liter_llm

TARGETS = ["openai/gpt-4.1-mini", "anthropic/claude-haiku-4-5", "together/openai/gpt-oss-20b"]

with liter_llm.Client() as client:
    several = client.generate_multi("Say hello", TARGETS, first=1, max_tokens=50)

(answer,) = several.results
print(answer.text)
print(f"{answer.provider}: the fastest")
for error in several.failures:
    print(f"{error.provider}: {error.kind}")
