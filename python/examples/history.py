"""A conversation: the answer's message goes back as it is, with the next question behind it."""

import liter_llm
from liter_llm import Message

QUESTIONS = ("What is the capital of Peru?", "How many people live there?")

messages: list[Message] = [{"role": "system", "content": "Answer in one sentence."}]

with liter_llm.Client(provider="anthropic") as client:
    for question in QUESTIONS:
        messages.append({"role": "user", "content": question})
        answer = client.chat(messages, model="claude-haiku-4-5", max_tokens=200)
        messages.append(answer.choices[0].message)
        print(f"> {question}\n{answer.text}")

print(f"{len(messages)} messages")
