"""An A/B test: one user in four gets the other model, and each user keeps theirs.

The program asks the route `answers`. Which models are behind it is said in one place.
"""

from collections import Counter

import liter_llm
from liter_llm import Config

CONFIG: Config = {
    "routes": {
        "answers": {
            "policy": "weighted",
            "targets": [
                {"target": "openai/gpt-4.1-mini", "weight": 3},
                {"target": "anthropic/claude-haiku-4-5", "weight": 1},
            ],
        }
    }
}

asked: Counter[str] = Counter()
moved = 0
with liter_llm.Client(CONFIG, provider="answers") as client:
    for number in range(200):
        user = f"user-{number}"
        first = client.chat("Hello", max_tokens=50, sticky_key=user)
        again = client.chat("Hello again", max_tokens=50, sticky_key=user)
        asked[first.provider] += 1
        moved += again.provider != first.provider

print(", ".join(f"{provider}: {count}" for provider, count in asked.most_common()))
print(f"{asked.total()} users shared {len(asked)} models, {moved} changed sides")
