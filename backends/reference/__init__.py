"""The meaning: node by node in NumPy."""
