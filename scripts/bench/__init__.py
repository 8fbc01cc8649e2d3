"""The benchmark behind `make bench`; scripts/bench.py is its entry.

Each workload has two sides, liter-llm and a raw-socket client of the same language. Each side is a
process of its own (`worker`), the simulator a third. Rounds alternate between the sides, and what
is compared is CPU time, not wall time: on a busy machine only the ratio of two neighbouring rounds
means something.
"""
