"""Tools: the model calls functions of this program until it has what it needs for an answer."""

import json
from collections.abc import Callable

import liter_llm
from liter_llm import Message, Tool


def count_words(text: str) -> str:
    """Counts the words of a text."""
    return str(len(text.split()))


FUNCTIONS: dict[str, Callable[..., str]] = {"count_words": count_words}
TOOLS: list[Tool] = [
    {
        "type": "function",
        "function": {
            "name": "count_words",
            "description": "Counts the words of a text",
            "parameters": {
                "type": "object",
                "properties": {"text": {"type": "string"}},
                "required": ["text"],
            },
        },
    }
]


def call(name: str, arguments: str) -> str:
    """Calls a function as the model asked. What goes wrong is told to the model, which mends it."""
    try:
        return FUNCTIONS[name](**json.loads(arguments))
    except (KeyError, TypeError, ValueError) as error:
        return f"error: {error!r}"


question = "How many words has this sentence? Use the tool."
messages: list[Message] = [{"role": "user", "content": question}]

with liter_llm.Client() as client:
    for _ in range(5):  # a model that never stops calling is stopped
        answer = client.chat(messages, model="openai/gpt-4.1-mini", tools=TOOLS)
        message = answer.choices[0].message
        messages.append(message)
        if not message.tool_calls:
            print(answer.text)
            break
        for asked in message.tool_calls:
            result = call(asked.function.name, asked.function.arguments)
            print(f"{asked.function.name}({asked.function.arguments}) = {result}")
            messages.append({"role": "tool", "tool_call_id": asked.id, "content": result})
