"""A small shop to watch: the target of the demo, of the tests and of the benchmark.

It keeps everything in memory, serves itself and a second origin for its analytics, and can
be broken on purpose. ``python -m agent.demo`` starts it.
"""
