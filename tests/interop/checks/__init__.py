"""The cases that `run.py` runs: vectors, calls between implementations, attacks, probes."""
