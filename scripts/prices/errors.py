"""What stops `scripts/prices.py`."""


class InexpressibleError(Exception):
    """The data has something that the engine's table cannot express."""
