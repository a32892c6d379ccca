"""Measures of what the animations are worth: pure functions, units in every name or docstring."""
