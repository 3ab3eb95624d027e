"""The worker's job in other frameworks, one process each, for bench.compare. They run in .venv-bench."""
