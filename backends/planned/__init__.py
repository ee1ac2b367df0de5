"""NumPy in preallocated slots."""
