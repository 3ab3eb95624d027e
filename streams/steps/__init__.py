"""The steps: pure functions of an item and what is known. None reads a clock, the network or a file."""
