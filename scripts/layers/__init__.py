"""The parts of check_layers.py: `tokens`, `tree`, `reader`, `crate`, `circles`, `rules`."""
