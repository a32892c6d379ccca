"""Data: clips and corpora, crossing pairs, the simulated actor. Never imports `model`."""
