"""Rule: `python -m tests.bench` measures the lab against its limits, on real servers and in a real browser.

Ratios are taken within one run, since machines differ; where a limit is in seconds, it is the limit of a page that a
person waits for. Names of single benchmarks may follow the command: fanout, first, frames, large.
"""
