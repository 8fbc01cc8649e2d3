"""Structured output by hand: a schema goes with the request, and pydantic checks the answer.

Models that know no schemas are helped by an example in the prompt. Where the answer does not fit,
the model is told why and asked again.
"""

import pydantic

import liter_llm
from liter_llm import Message


class Person(pydantic.BaseModel):
    """What is wanted."""

    name: str
    born: int


EXAMPLE = Person(name="Ada Lovelace", born=1815).model_dump_json()
QUESTION = f"Who wrote the first program, and when was she born? Answer in JSON, as {EXAMPLE}"


def ask(client: liter_llm.Client, question: str, tries: int = 3) -> Person:
    """The answer to a question about a person."""
    messages: list[Message] = [{"role": "user", "content": question}]
    schema = {"name": "person", "schema": Person.model_json_schema()}
    for _ in range(tries):
        answer = client.chat(
            messages,
            model="openai/gpt-4.1-mini",
            response_format={"type": "json_schema", "json_schema": schema},
        )
        text = answer.text
        try:  # some models write a sentence around it
            return Person.model_validate_json(text[text.find("{") : text.rfind("}") + 1])
        except pydantic.ValidationError as error:
            messages.append(answer.choices[0].message)
            messages.append({"role": "user", "content": f"That does not fit: {error}"})
    raise ValueError(f"no answer fits after {tries} tries")


with liter_llm.Client() as client:
    person = ask(client, QUESTION)

print(f"{person.name}, born in {person.born}")
