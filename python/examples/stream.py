"""An answer as it arrives, word by word, and its usage at the end."""

import liter_llm

PROMPT = "Tell me a short story about a lighthouse"

with liter_llm.Client() as client, client.stream(PROMPT, model="openai/gpt-4.1-mini") as stream:
    for chunk in stream:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
    print()

answer = stream.response  # whole, now that the stream has ended
print(f"{len(answer.text)} characters, {answer.usage.completion_tokens} tokens")
