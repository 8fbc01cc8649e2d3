"""A unit test with a fake: no network, no key. `create_autospec` refuses a misspelt method.

A misspelt keyword of `chat` is found by a type checker, and by the real client.

Answers, chunks and errors are made by their own classes, as the engine makes them.
"""

import unittest
from unittest import mock

import liter_llm


def summary(client: liter_llm.Client, text: str) -> str:
    """The function under test: a summary, or the text's begin while the provider is too busy."""
    try:
        answer = client.chat(f"Summarize: {text}", model="openai/gpt-4.1-mini", max_tokens=50)
    except liter_llm.RateLimitError:
        return f"{text[:20]}…"
    return answer.text.strip()


class Summary(unittest.TestCase):
    """Tests of `summary`."""

    def setUp(self) -> None:
        """Makes a fake client."""
        self.client = mock.create_autospec(liter_llm.Client, instance=True)

    def test_the_answer_is_trimmed(self) -> None:
        """The model's text comes back without white space around it."""
        self.client.chat.return_value = liter_llm.Response.of(" Short. ", usage={"total_tokens": 9})
        self.assertEqual(summary(self.client, "A long text"), "Short.")
        prompt = self.client.chat.call_args.args[0]
        self.assertIn("A long text", prompt)

    def test_a_busy_provider(self) -> None:
        """The text's begin is better than nothing."""
        busy = liter_llm.RateLimitError("slow down", status=429, retry_after=2)
        self.client.chat.side_effect = busy
        self.assertEqual(summary(self.client, "A text of many words"), "A text of many words…")

    def test_other_errors_reach_the_caller(self) -> None:
        """Nobody wants a summary made up."""
        self.client.chat.side_effect = liter_llm.AuthenticationError("no key", status=401)
        with self.assertRaises(liter_llm.AuthenticationError):
            summary(self.client, "A long text")


if __name__ == "__main__":
    unittest.main(verbosity=2)
