"""The conformance suite: cases in, one verdict a (case, via, runner) out. `run.py` drives it."""
