"""A fallback: where the first provider cannot be reached, the next one answers.

The answer says who gave it, and each attempt that was made before.
"""

import liter_llm

with liter_llm.Client() as client:
    answer = client.chat(
        "Why is the sky blue?",
        model="zai/glm-4.6",
        fallback=["anthropic/claude-haiku-4-5", "openai/gpt-4.1-mini"],
        max_tokens=200,
    )

for attempt in answer.liter.attempts:
    print(f"{attempt.target}: {attempt.kind or 'ok'}")
print(f"{answer.provider}: {answer.text}")
