"""How genai-prices' clauses and prices are written in core/data/prices.json."""
