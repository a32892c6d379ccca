"""The steps that build the head which ships in the wheel; see `tools/build_head.py`."""
