"""One question, one answer.

Keys come from the environment: OPENAI_API_KEY, ANTHROPIC_API_KEY, …
"""

import liter_llm

with liter_llm.Client() as client:
    answer = client.chat("Why is the sky blue?", model="openai/gpt-4.1-mini")

print(answer.text)
print(f"{answer.model}: {answer.usage.total_tokens} tokens, {answer.choices[0].finish_reason}")
