"""A simulated actor: known words, known phones, known expressions, so every truth is known."""
