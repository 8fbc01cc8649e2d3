"""Misspelt names, each an error for pyright and mypy: `test_misspelt.py` counts them."""
# pyright: strict

import liter_llm
from liter_llm import Client, Options

client = Client(provider="openai")
_ = liter_llm.Clint  # WRONG
answer = client.chat("Hello")
print(answer.txt)  # WRONG
print(answer.choices[0].mesage)  # WRONG
client.chat("Hello", temprature=1)  # WRONG
Client(timeout=30)  # WRONG
options: Options = {"time_ms": 1}  # WRONG
