"""The benchmark behind `make bench`; scripts/bench.py is its entry.

Each workload has two sides, liter-llm and a raw-socket client of the same language. Each side is a
process of its own (`worker`), the simulator a third. Rounds alternate between the sides, and what
is compared is CPU time, not wall time: on a busy machine only the ratio of two neighbouring rounds
means something. Even the raw clients' own figures move by half with the load of the machine: to
wake an idle core costs the process that does it several microseconds.

The floor is meant to be hard. The raw clients do what HTTP, JSON and server-sent events ask for and
nothing else: no timeouts, retries, TLS, limits or error kinds.
"""
