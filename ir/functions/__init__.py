"""Promoting, broadcasting functions over the strict ops: what users reach."""
